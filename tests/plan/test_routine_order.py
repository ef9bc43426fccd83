"""The order of the routine tasks that ship: what has to be done before what, at an organisation of each vendor."""

from collections.abc import Mapping

import networkx as nx
import pytest
from gaps_factory import everywhere, org

from interlock.model.base import Gate
from interlock.model.rule import Ruleset
from interlock.plan.graph import build
from interlock.plan.tasks import collect
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
