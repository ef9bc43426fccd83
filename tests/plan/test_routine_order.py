"""The order of the routine tasks that ship: what has to be done before what, at an organisation of each vendor."""

from collections.abc import Mapping

import networkx as nx
import pytest
from gaps_factory import UNKNOWN, at_org, everywhere, finding, lead, org, rule, rules_of, task

from interlock.model.base import Gate, Scope
from interlock.model.routine import TaskStatus
from interlock.model.rule import Ruleset
from interlock.plan.graph import build
from interlock.plan.tasks import TRIED_EFFORT, Task, collect
from interlock.usecases.load import load_content

VENDORS = ("epic", "oracle", "athenahealth", "meditech", "other")
#: What a vendor has in the place of the move to production.
MOVED = {"oracle": "oracle.peca", "athenahealth": "athena.practice-ok"}


@pytest.fixture(scope="module")
def shipped() -> Ruleset:
    return load_content(None).ruleset


@pytest.fixture(scope="module")
def before(shipped: Ruleset) -> Mapping[str, set[str]]:
    """Task → everything that comes before it, when everything is open at one organisation of each vendor."""
    rules = {rule.id: rule for rule in shipped.rules}
    orgs = [org(vendor, vendor) for vendor in VENDORS]
    findings = everywhere(rules, orgs)
    work = collect(build(findings, rules, orgs, Gate.PRODUCTION), rules, shipped.tasks, findings, orgs, Gate.PRODUCTION)
    waiting = nx.DiGraph((first, task.id) for task in work.tasks for first in task.after)
    return {task.id: nx.ancestors(waiting, task.id) if task.id in waiting else set() for task in work.tasks}


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_silent_run_waits_for_the_production_client_and_the_build_there(
    before: Mapping[str, set[str]], vendor: str
) -> None:
    moved = f"{MOVED.get(vendor, 'org.production-build')}@{vendor}"
    assert {moved, f"ORG-002@{vendor}", f"ORG-006@{vendor}", f"org.cab@{vendor}"} <= before[f"org.silent@{vendor}"]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("then", "firsts"),
    [
        ("org.cab", ["us.defects", "org.integrated-test", "ORG-007"]),
        ("org.cds-committee", ["org.uat", "org.silent"]),
        ("us.launch", ["org.silent", "org.uat", "org.safer", "org.cds-committee", "org.training", "ORG-009"]),
        ("us.golive", ["us.launch"]),
        ("us.launch-all", ["us.golive", "us.monitoring", "org.training-all"]),
    ],
)
def test_what_comes_before_what(before: Mapping[str, set[str]], vendor: str, then: str, firsts: list[str]) -> None:
    assert {f"{first}@{vendor}" for first in firsts} <= before[f"{then}@{vendor}"]


def test_acceptance_does_not_wait_for_the_silent_run_nor_the_silent_run_for_acceptance(
    before: Mapping[str, set[str]],
) -> None:
    assert "org.silent@epic" not in before["org.uat@epic"]
    assert "org.uat@epic" not in before["org.silent@epic"]


def test_training_and_launch_in_the_pilot_unit_come_before_the_pilot_gate(shipped: Ruleset) -> None:
    gates = {task.id: task.gate for task in shipped.tasks}
    assert {gates[name] for name in ("org.training", "us.launch", "org.silent", "org.cab")} == {Gate.PILOT}
    assert {gates[name] for name in ("org.training-all", "us.launch-all", "us.golive")} == {Gate.PRODUCTION}


def test_no_task_comes_after_one_of_a_later_gate(shipped: Ruleset) -> None:
    gates = {task.id: task.gate for task in shipped.tasks} | {rule.id: rule.gate for rule in shipped.rules}
    late = {
        f"{task.id} after {name}" for task in shipped.tasks for name in task.after if gates[name].rank > task.gate.rank
    }
    # The vendor reviews a build, and a build is what the pilot gate asks for.
    assert late == {"oracle.validation after us.build"}


def test_what_a_routine_task_closes_is_tried_after_it_and_a_write_is_found_out_when_there_is_a_client() -> None:
    rules = rules_of(rule("AA-001"), rule("AA-002", after=["AA-001"], tried=True), rule("AA-003", after=["AA-001"]))
    alder = org("alder")
    findings = everywhere(rules, [alder], {"AA-002@alder": UNKNOWN, "AA-003@alder": UNKNOWN})
    opened = task("org.network", lead_time=lead(3, 10, 40), closes=["AA-001"])
    graph = build(findings, rules, [alder], Gate.PRODUCTION)

    def tasks(**statuses: TaskStatus) -> dict[str, Task]:
        work = collect(graph, rules, [opened], findings, [alder], Gate.PRODUCTION, statuses=statuses)
        return {each.id: each for each in work.tasks}

    planned = tasks()
    assert planned["AA-001@alder"].after == ("org.network@alder",)
    assert (planned["AA-001@alder"].effort, planned["AA-001@alder"].lead_time) == (TRIED_EFFORT, None)
    assert planned["find-out:AA-002@alder"].after == ("AA-001@alder",)
    assert planned["find-out:AA-002@alder"].effort == TRIED_EFFORT
    assert planned["find-out:AA-003@alder"].after == ()
    done = TaskStatus(status="done", done="2026-01-02", by="Bo")
    assert tasks(**{"org.network@alder": done})["AA-001@alder"].effort == TRIED_EFFORT


def test_what_only_a_look_can_tell_is_looked_at_when_there_is_something_to_see() -> None:
    rules = rules_of(rule("AA-001"), rule("AA-002", after=["AA-001"]))
    alder = org("alder")
    seen = finding(rules["AA-002"], at_org("alder"), UNKNOWN, missing_facts=("probe.smart",))
    findings = (finding(rules["AA-001"], at_org("alder")), seen)
    work = collect(build(findings, rules, [alder], Gate.PRODUCTION), rules, [], findings, [alder], Gate.PRODUCTION)
    assert {each.id: each.after for each in work.tasks}["find-out:AA-002@alder"] == ("AA-001@alder",)


def test_what_a_routine_task_makes_possible_is_found_out_and_closed_after_it_at_its_whole_effort() -> None:
    rules = rules_of(rule("AA-001"), rule("AA-002"), rule("AA-003"))
    orgs = [org("alder"), org("birch", "oracle")]
    findings = everywhere(rules, orgs, {"AA-002@alder": UNKNOWN, "AA-002@birch": UNKNOWN})
    tasks = [
        task("vendor.registration", Scope.VENDOR, before=["AA-001", "AA-002"]),
        task("oracle.validation", Scope.VENDOR, vendors=["oracle"], replaces=["vendor.registration"]),
        task("oracle.request", vendors=["oracle"], before=["AA-001"]),
    ]
    work = collect(build(findings, rules, orgs, Gate.PRODUCTION), rules, tasks, findings, orgs, Gate.PRODUCTION)
    planned = {each.id: each for each in work.tasks}
    assert planned["AA-001@alder"].after == ("vendor.registration@vendor:epic",)
    assert planned["AA-001@alder"].effort == rules["AA-001"].remediation.effort
    assert planned["AA-001@birch"].after == ("oracle.request@birch", "oracle.validation@vendor:oracle")
    assert planned["find-out:AA-002@alder"].after == ("vendor.registration@vendor:epic",)
    assert planned["find-out:AA-002@birch"].after == ("oracle.validation@vendor:oracle",)
    assert planned["AA-003@alder"].after == ()
