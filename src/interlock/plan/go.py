"""Go or no-go: what must hold on the day on which the first pilot unit begins, who decides, and what happens otherwise.

Every line is taken from the plan's routine tasks, the gates or the workflow contract; that all of them must hold on the
day is our judgement, and said to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.base import Gate, Owner
from interlock.model.contract import WorkflowContract
from interlock.model.finding import GATE_RANK
from interlock.model.forecast import GoNoGo, OrgOutlook
from interlock.model.organization import Freeze
from interlock.model.plan import Plan, PlanTask
from interlock.model.readiness import GateState, OrgReadiness
from interlock.model.text import plain

#: The routine task with which a pilot unit begins.
LAUNCH = "us.launch"
_UNDECIDED = "not decided: the workflow contract says nothing of it"


def with_go(
    plan: Plan,
    contract: WorkflowContract | None,
    readiness: Sequence[OrgReadiness],
    freezes: Sequence[Freeze],
) -> Plan:
    """The plan with the rule for the first launch that is left, in the order in which to start; its tasks have people.

    :param contract: what is written of it; none while nothing is.
    """
    launches = {task.org: task for task in plan.left if task.id.partition("@")[0] == LAUNCH}
    line = next((line for line in plan.outlook if line.org in launches), None)
    if line is None:
        return plan
    launch, gates = launches[line.org], next(own.gates for own in readiness if own.org == line.org)
    before = [task for task in plan.tasks if task.id in launch.after]
    go = GoNoGo(
        org=line.org,
        name=line.name,
        day=launch.by_said if launch.due else "no day stated yet",
        holds=(
            *((_title(task), _stands(task)) for task in before),
            _requirements(gates),
            *_in_the_contract(contract),
        ),
        decides=_decides(before, launch, line),
        otherwise=tuple(_otherwise(contract, line, freezes)),
    )
    return plan.model_copy(update={"go": go})


def _title(task: PlanTask) -> str:
    return plain(task.action or task.title, 200).removesuffix(".")


def _stands(task: PlanTask) -> str:
    """How a task that comes before the launch stands."""
    if task.is_done:
        day = task.progress.done if task.progress else None
        return f"done{f' on {words.iso_day(day)}' if day else ''}"
    return f"still open: {task.whose}, {task.by_said}"


def _requirements(gates: Sequence[GateState]) -> tuple[str, str]:
    """All requirements up to the pilot gate, with the evidence that it accepts."""
    ways = [
        f"{words.gate(state.gate)}: {state.in_the_way}"
        for state in gates
        if GATE_RANK[state.gate] <= GATE_RANK[Gate.PILOT] and not state.holds
    ]
    requirement = f"Every requirement up to the {words.gate(Gate.PILOT)} is met, with the evidence that it accepts"
    return requirement, "; ".join(ways) or "so today"


def _in_the_contract(contract: WorkflowContract | None) -> Iterator[tuple[str, str]]:
    """What the ward has to know and be able to do, as the contract has it."""
    if contract is None:
        yield "The workflow contract is written", _UNDECIDED
        return
    review = contract.review
    if review.required is not False:
        late = f"; if nobody does: {_lower(review.timeout)}" if review.timeout else ""
        role = f"{plain(review.role, 200)}{plain(late, 200)}" if review.role else _UNDECIDED
        yield "Who reviews an output is on the shift", role
    off = contract.safeguards.off_switch
    yield "Whoever can switch it off is reachable", plain(off, 300) if off else _UNDECIDED
    failures = contract.failures
    for requirement, told in (
        ("The ward knows what to do when the product is down", failures.own_service_down),
        ("The ward knows what to do when the EHR is down", failures.ehr_unavailable),
        ("Whoever hears of a wrong output is reachable", contract.output_is_wrong.notify),
    ):
        yield requirement, plain(told, 300) if told else _UNDECIDED


def _decides(before: Sequence[PlanTask], launch: PlanTask, line: OrgOutlook) -> str:
    """Who says yes before the day, and who on it."""
    boards = list(dict.fromkeys(task.decides for task in before if task.decides and not task.is_done))
    first = f"beforehand {words.listed(boards)}; on the day " if boards else ""
    ours = f"{plain(launch.person, 60)} of {words.OWNER[Owner.US].phrase}" if launch.person else f"for us {line.here}"
    return f"Who decides: {first}{ours}, with {line.there} for {line.name}."


def _otherwise(contract: WorkflowContract | None, line: OrgOutlook, freezes: Sequence[Freeze]) -> Iterator[str]:
    yield (
        "If one of these does not hold, the unit does not begin that day: the launch stays open, and another day is "
        "set once it holds. That each of them has to hold is our judgement; what they say is from the plan's tasks, "
        "the gates and the workflow contract."
    )
    stated = sorted((f for f in freezes if f.org in {None, line.org}), key=lambda freeze: freeze.first)
    if stated:
        spans = words.listed([words.span(str(freeze.first), str(freeze.last)) for freeze in stated], 3)
        yield f"No unit begins in a change freeze: {spans}."
    off = contract.safeguards.off_switch if contract is not None else None
    if off:
        yield f"If one fails once the unit has begun, it is switched off. Who does it: {words.sentence(_lower(off))}"


def _lower(text: str | None) -> str:
    return f"{text[:1].lower()}{text[1:]}" if text else ""
