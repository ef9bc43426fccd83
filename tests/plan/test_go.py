"""Go or no-go on the first launch: each line is from the tasks, the gates or the contract, and says how it stands."""

from __future__ import annotations

from test_ground import ALDER, FINISH, at_alder, ground, plan, verdict  # isort: skip

from interlock.model.base import Gate, Owner, Recommendation
from interlock.model.contract import OutputIsWrong, Review, WorkflowContract
from interlock.model.contract_parts import Safeguards
from interlock.model.forecast import GoNoGo, OrgForecast
from interlock.model.organization import Freeze, Organization
from interlock.model.plan import Plan, PlanTask
from interlock.model.readiness import GateState
from interlock.model.routine import TaskStatus
from interlock.plan.go import with_go
from interlock.plan.outlook import order, with_outlook

BIRCH = Organization(id="birch", name="Birch Hospital", vendor="oracle")
FREEZE = Freeze.model_validate({"from": "2026-12-18", "to": "2027-01-04", "org": "alder"})
CONTRACT = WorkflowContract.model_construct(
    review=Review(required=True, role="Bedside nurse", timeout="Four hours, then the list"),
    safeguards=Safeguards(off_switch="The nursing supervisor, within five minutes"),
    output_is_wrong=OutputIsWrong(),
    failures=WorkflowContract.model_fields["failures"].default,
)


def routine(name: str, org: str, after: tuple[str, ...] = (), **more: object) -> PlanTask:
    return PlanTask(
        id=f"{name}@{org}", title=f"Title of {name}", kind="routine", org=org, owner=Owner.ORG, gate=Gate.PILOT, wave=0,
        after=after, effort=None, lead_time=None, start_p50=0, finish_p50=1, criticality=1, **more,
    )  # fmt: skip


def planned(*, launched: bool = False) -> Plan:
    done = TaskStatus(status="done", done="2026-09-11", by="Lena Ortiz")
    launch = TaskStatus(status="done", done="2026-11-02", by="Lena Ortiz") if launched else TaskStatus(
        status="not_begun", owner="Lena Ortiz", due="2027-01-08"
    )  # fmt: skip
    before = ("org.silent@alder", "org.committee@alder")
    tasks = (
        routine("org.silent", "alder", progress=done),
        routine("org.committee", "alder", decides="the alert committee", latest="2026-12-18", person="Grace Okafor"),
        routine("us.launch", "alder", before, progress=launch, person="Lena Ortiz", due="2027-01-08"),
        routine("us.launch", "birch", latest="2027-09-01"),
    )
    forecasts = [
        OrgForecast(org=org, finish=FINISH.model_copy(update={"p50_days": days}), most_likely_days=9,
                    probability_of_most_likely=0.1)
        for org, days in (("birch", 5), ("alder", 20))
    ]  # fmt: skip
    return plan(tasks=tasks, orgs=tuple(forecasts))


def readiness(*, alder: Recommendation = Recommendation.START, open_: tuple[str, ...] = ()):
    state = GateState(gate=Gate.PILOT, holds=not open_, required=4, met=4 - len(open_), open=open_)
    own = at_alder()[0].model_copy(update={"gates": (state,), "recommendation": alder, "because": "nothing is open"})
    other = own.model_copy(update={"org": "birch", "recommendation": Recommendation.MAP_FIRST, "because": "a key"})
    return own, other


def told(made: Plan, contract: WorkflowContract | None = CONTRACT, **more: object) -> Plan:
    own = readiness(**more)
    dated = made.model_copy(update={"ground": ground(made, verdict(), own, (ALDER, BIRCH))})
    return with_go(with_outlook(dated, own, (ALDER, BIRCH), (FREEZE,)), contract, own, (FREEZE,))


def go_of(made: Plan) -> GoNoGo:
    assert made.go is not None
    return made.go


def test_organisations_stand_in_the_order_in_which_to_start_and_say_why() -> None:
    """Birch is through sooner in half of the runs, and nobody is advised to start there."""
    lines = told(planned()).outlook
    assert [line.org for line in lines] == ["alder", "birch"]
    assert lines[0].said.startswith("Alder Clinic (") and "Start: Nothing is open. " in lines[0].said
    assert "Map first: A key. " in lines[1].said
    assert [line.org for line in told(planned(), alder=Recommendation.COULD_NOT_LOOK).outlook] == ["birch", "alder"]


def test_what_must_hold_is_from_the_tasks_the_gates_and_the_contract() -> None:
    go = go_of(told(planned()))
    assert (go.org, go.day) == ("alder", "by 8 Jan 2027")
    assert dict(go.holds) == {
        "Title of org.silent": "done on 11 Sep 2026",
        "Title of org.committee": "still open: Grace Okafor, by 18 Dec 2026",
        "Every requirement up to the pilot gate is met, with the evidence that it accepts": "so today",
        "Who reviews an output is on the shift": "Bedside nurse; if nobody does: four hours, then the list",
        "Whoever can switch it off is reachable": "The nursing supervisor, within five minutes",
        "The ward knows what to do when the product is down": "not decided: the workflow contract says nothing of it",
        "The ward knows what to do when the EHR is down": "not decided: the workflow contract says nothing of it",
        "Whoever hears of a wrong output is reachable": "not decided: the workflow contract says nothing of it",
    }
    assert go.decides == (
        "Who decides: beforehand the alert committee; on the day Lena Ortiz of the product team, with Grace Okafor "
        "for Alder Clinic."
    )
    assert "is our judgement" in go.otherwise[0]
    assert go.otherwise[1] == "No unit begins in a change freeze: 18 Dec 2026 to 4 Jan 2027."
    assert go.otherwise[2].endswith("Who does it: the nursing supervisor, within five minutes.")


def test_a_gate_that_does_not_hold_is_a_no() -> None:
    holds = dict(go_of(told(planned(), open_=("AA-001",))).holds)
    assert holds["Every requirement up to the pilot gate is met, with the evidence that it accepts"] == (
        "pilot gate: 1 open"
    )


def test_without_a_contract_what_the_ward_needs_is_not_decided() -> None:
    go = go_of(told(planned(), None))
    assert go.holds[-1] == ("The workflow contract is written", "not decided: the workflow contract says nothing of it")
    assert not any("switched off" in sentence for sentence in go.otherwise)


def test_the_next_launch_takes_the_place_of_one_that_is_done_and_has_no_day_until_one_is_stated() -> None:
    go = go_of(told(planned(launched=True)))
    assert (go.org, go.day) == ("birch", "no day stated yet")
    nothing = planned().model_copy(update={"tasks": planned().tasks[:2]})
    assert told(nothing).go is None


def test_what_is_open_before_the_launch_is_told_beside_the_gates_that_are_met() -> None:
    lines = {line.org: line.stage for line in told(planned()).outlook}
    assert lines["alder"].endswith("; 1 condition of the launch open"), "what is done is no condition any more"
    assert "launch" not in lines["birch"]


def test_the_order_is_one_of_decision_and_says_what_begins_where_nobody_is_to_start() -> None:
    first, meanwhile, *_ = order(told(planned()))
    assert first.startswith("Order: that in which to decide, and not that in which work is done or ends.")
    assert meanwhile.startswith("Meanwhile: building and launching begin at Alder Clinic; elsewhere only asking,")
    assert meanwhile.endswith("nothing is built or launched before what is open there is closed.")
    nowhere = order(told(planned(), alder=Recommendation.MAP_FIRST))
    assert not any(said.startswith("Meanwhile") for said in nowhere)
