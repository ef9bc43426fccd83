"""Routine tasks: for whom they exist, what replaces them, what they wait for."""

import pytest
from gaps_factory import (
    GAP,
    MET,
    UNKNOWN,
    at_org,
    everywhere,
    finding,
    fixed,
    org,
    plan_of,
    rule,
    rules_of,
    task,
)

from interlock.model.base import GapClass, Gate, Scope
from interlock.model.errors import InterlockError

pytestmark = pytest.mark.fast

ALDER, BIRCH, CEDAR = org("alder"), org("birch"), org("cedar", "oracle")
ORGS = (ALDER, BIRCH, CEDAR)


def after(plan):
    return {item.id: item.after for item in plan.tasks}


def plan(tasks, orgs=ORGS, findings=(), rules=None, **more):
    return plan_of(findings, rules or {}, orgs, tasks, **more)


def test_tasks_stand_once_a_product_vendor_or_organisation():
    tasks = [task("us.pack", Scope.PRODUCT), task("vendor.register", Scope.VENDOR), task("org.review")]
    assert set(after(plan(tasks))) == {
        "us.pack",
        "vendor.register@vendor:epic",
        "vendor.register@vendor:oracle",
        "org.review@alder",
        "org.review@birch",
        "org.review@cedar",
    }
    assert set(after(plan(tasks, orgs=()))) == {"us.pack"}


def test_a_task_of_one_vendor_exists_only_there():
    tasks = [
        task("us.epic-form", Scope.PRODUCT, vendors=("epic",)),
        task("us.meditech-form", Scope.PRODUCT, vendors=("meditech",)),
        task("epic.register", Scope.VENDOR, vendors=("epic",)),
        task("epic.download", vendors=("epic",)),
    ]
    got = plan(tasks)
    assert set(after(got)) == {
        "us.epic-form", "epic.register@vendor:epic", "epic.download@alder", "epic.download@birch"
    }  # fmt: skip
    assert [forecast.org for forecast in got.orgs] == ["alder", "birch", "cedar"]


def test_order_across_scopes():
    tasks = [
        task("us.pack", Scope.PRODUCT),
        task("vendor.register", Scope.VENDOR, after=("us.pack",)),
        task("org.review", after=("vendor.register",)),
        task("us.launch", Scope.PRODUCT, after=("org.review",)),
        task("vendor.close", Scope.VENDOR, after=("org.review",)),
    ]
    order = after(plan(tasks))
    assert order["vendor.register@vendor:epic"] == ("us.pack",)
    assert order["org.review@cedar"] == ("vendor.register@vendor:oracle",)
    assert order["us.launch"] == ("org.review@alder", "org.review@birch", "org.review@cedar")
    assert order["vendor.close@vendor:epic"] == ("org.review@alder", "org.review@birch")


def test_a_vendors_own_task_replaces_the_general_one_and_takes_its_place_in_the_order():
    tasks = [
        task("org.register", Scope.ORG),
        task("epic.register", Scope.VENDOR, vendors=("epic",), replaces=("org.register",)),
        task("org.build", after=("org.register",)),
        task("us.launch", Scope.PRODUCT, after=("org.register",)),
    ]
    order = after(plan(tasks))
    assert "org.register@alder" not in order
    assert order["org.build@alder"] == ("epic.register@vendor:epic",)
    assert order["org.build@cedar"] == ("org.register@cedar",)
    assert order["us.launch"] == ("epic.register@vendor:epic", "org.register@cedar")


def test_several_tasks_may_replace_one():
    tasks = [
        task("org.register"),
        task("epic.form", vendors=("epic",), replaces=("org.register",)),
        task("epic.keys", vendors=("epic",), replaces=("org.register",)),
        task("org.build", after=("org.register",)),
    ]
    assert after(plan(tasks, orgs=(ALDER,)))["org.build@alder"] == ("epic.form@alder", "epic.keys@alder")


def test_a_product_task_goes_when_every_vendor_has_its_own():
    tasks = [
        task("us.register", Scope.PRODUCT),
        task("epic.register", Scope.VENDOR, vendors=("epic",), replaces=("us.register",)),
        task("us.launch", Scope.PRODUCT, after=("us.register",)),
    ]
    both = after(plan(tasks))
    assert both["us.launch"] == ("epic.register@vendor:epic", "us.register")
    only_epic = after(plan(tasks, orgs=(ALDER, BIRCH)))
    assert set(only_epic) == {"epic.register@vendor:epic", "us.launch"}
    assert only_epic["us.launch"] == ("epic.register@vendor:epic",)


def test_a_product_task_holds_up_only_those_whom_it_stands_for():
    tasks = [
        task("us.general", Scope.PRODUCT, effort=fixed(5)),
        task("epic.own", Scope.VENDOR, vendors=("epic",), replaces=("us.general",), effort=fixed(2)),
        task("oracle.form", Scope.PRODUCT, vendors=("oracle",), effort=fixed(9)),
    ]
    got = plan(tasks, (ALDER, CEDAR, org("elm", "other")))
    assert [forecast.finish.p80_days for forecast in got.orgs] == [2.0, 9.0, 5.0]


def test_a_task_that_does_not_exist_here_is_transparent():
    tasks = [
        task("org.contract"),
        task("epic.download", vendors=("epic",), after=("org.contract",)),
        task("org.build", after=("epic.download",)),
    ]
    order = after(plan(tasks))
    assert order["org.build@alder"] == ("epic.download@alder",)
    assert order["org.build@cedar"] == ("org.contract@cedar",)


def test_a_task_may_wait_for_a_rule():
    rules = rules_of(rule("AA-001", gate=Gate.DESIGN), rule("AA-002", after=["AA-001"]))
    tasks = [task("org.build", after=("AA-002",))]
    findings = everywhere(rules, (ALDER, BIRCH), {"AA-002@birch": MET})
    order = after(plan(tasks, (ALDER, BIRCH), findings, rules))
    assert order["org.build@alder"] == ("AA-002@alder",)
    assert order["org.build@birch"] == ("AA-001@birch",)


def test_a_met_rule_says_nothing_about_a_task():
    rules = rules_of(rule("AA-001", Scope.PRODUCT), rule("AA-002"))
    tasks = [task("org.a", after=("AA-002",)), task("org.b", after=("org.a", "AA-001"))]
    open_, met = (plan(tasks, ORGS, everywhere(rules, ORGS, outcomes), rules) for outcomes in (
        {}, {finding_.key: MET for finding_ in everywhere(rules, ORGS)}
    ))  # fmt: skip
    routine = [[item.id for item in got.tasks if item.kind == "routine"] for got in (open_, met)]
    assert sorted(routine[0]) == sorted(routine[1]) and len(routine[0]) == 6
    assert not any(item.progress or item.finish_p50 > item.start_p50 for item in met.tasks)


def test_only_what_the_target_gate_needs_is_planned():
    rules = rules_of(
        rule("AA-001", gate=Gate.PRODUCTION), rule("AA-002", gate=Gate.SANDBOX, after=["AA-001"]),
        rule("AA-003", gate=Gate.PRODUCTION), rule("AA-004", gap_class=GapClass.ADVICE, gate=Gate.DESIGN),
    )  # fmt: skip
    tasks = [
        task("org.early", gate=Gate.SANDBOX, after=("org.late",)),
        task("org.late", gate=Gate.PRODUCTION),
        task("org.live", gate=Gate.PRODUCTION),
    ]
    got = plan(tasks, (ALDER,), everywhere(rules, (ALDER,)), rules, target_gate=Gate.SANDBOX)
    assert set(after(got)) == {"AA-001@alder", "AA-002@alder", "org.early@alder", "org.late@alder"}


def test_an_organisation_that_was_not_observed_keeps_its_routine_tasks_and_unknowns():
    rules = rules_of(rule("AA-001"), rule("AA-002"))
    findings = [finding(rules["AA-001"], at_org("alder"), GAP), finding(rules["AA-001"], at_org("birch"), UNKNOWN)]
    got = plan([task("org.review")], (ALDER, BIRCH), findings, rules)
    kinds = {item.id: item.kind for item in got.tasks if item.org == "birch"}
    assert kinds == {"find-out:AA-001@birch": "discovery", "AA-001@birch": "gap", "org.review@birch": "routine"}


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([task("org.build", after=("org.nothing",))], "org.build comes after org.nothing"),
        ([task("org.a", after=("org.b",)), task("org.b", after=("org.a",))], "circle: org.+ → org.+ → org"),
        ([task("us.a", Scope.PRODUCT, after=("org.b",)), task("org.b", after=("us.a",))], "circle"),
    ],
)
def test_orders_that_cannot_be_run_are_refused(tasks, words):
    with pytest.raises(InterlockError, match=words):
        plan(tasks)
