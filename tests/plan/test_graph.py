"""From findings to the gap graph: scopes, transparency, waves, what blocks what, root causes."""

import random
import re
from itertools import pairwise

import pytest
from gaps_factory import (
    ERROR,
    GAP,
    MET,
    NOT_APPLICABLE,
    UNKNOWN,
    at_org,
    at_vendor,
    everywhere,
    finding,
    org,
    rule,
    rules_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.model.base import GapClass, Gate, Owner, Scope, Severity
from interlock.model.errors import InterlockError
from interlock.model.finding import PRODUCT
from interlock.plan.graph import build

pytestmark = pytest.mark.fast

ORGS = (org("alder"), org("birch"), org("cedar", "oracle"))


def edges(graph):
    return {(edge.before, edge.after) for edge in graph.edges}


def test_no_findings_give_an_empty_graph():
    graph = build((), {}, (), Gate.PILOT)
    assert (graph.nodes, graph.edges, graph.reduced, graph.waves, graph.root_causes) == ((), (), (), (), ())


def test_one_gap_without_organisations():
    rules = rules_of(rule("AA-001", Scope.PRODUCT, gate=Gate.DESIGN))
    graph = build(everywhere(rules, ()), rules, (), Gate.PILOT)
    [node] = graph.nodes
    assert (node.key, node.kind, node.wave, node.blocks, node.orgs) == ("AA-001", "gap", 0, 1, ())
    assert graph.waves == (("AA-001",),)
    assert graph.root_causes[0].sentence == "AA-001 stands between the product and its design gate"


def test_met_and_not_applicable_findings_are_no_nodes():
    rules = rules_of(rule("AA-001"), rule("AA-002"))
    outcomes = {"AA-001@alder": MET, "AA-001@birch": NOT_APPLICABLE, "AA-002@alder": MET}
    graph = build(everywhere(rules, ORGS[:2], outcomes), rules, ORGS[:2], Gate.PILOT)
    assert [node.key for node in graph.nodes] == ["AA-002@birch"]


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (Scope.PRODUCT, Scope.PRODUCT, {("AA-001", "AA-002")}),
        (Scope.PRODUCT, Scope.VENDOR, {("AA-001", "AA-002@vendor:epic"), ("AA-001", "AA-002@vendor:oracle")}),
        (Scope.PRODUCT, Scope.ORG, {("AA-001", f"AA-002@{o.id}") for o in ORGS}),
        (Scope.VENDOR, Scope.PRODUCT, {("AA-001@vendor:epic", "AA-002"), ("AA-001@vendor:oracle", "AA-002")}),
        (Scope.VENDOR, Scope.VENDOR, {(f"AA-001@vendor:{v}", f"AA-002@vendor:{v}") for v in ("epic", "oracle")}),
        (Scope.VENDOR, Scope.ORG, {(f"AA-001@vendor:{o.vendor}", f"AA-002@{o.id}") for o in ORGS}),
        (Scope.ORG, Scope.PRODUCT, {(f"AA-001@{o.id}", "AA-002") for o in ORGS}),
        (Scope.ORG, Scope.VENDOR, {(f"AA-001@{o.id}", f"AA-002@vendor:{o.vendor}") for o in ORGS}),
        (Scope.ORG, Scope.ORG, {(f"AA-001@{o.id}", f"AA-002@{o.id}") for o in ORGS}),
    ],
)
def test_dependencies_across_scopes(first, then, expected):
    rules = rules_of(rule("AA-001", first), rule("AA-002", then, after=["AA-001"]))
    assert edges(build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT)) == expected


@pytest.mark.parametrize("between", [MET, NOT_APPLICABLE, None])
def test_what_lies_behind_a_closed_dependency_is_still_linked(between):
    rules = rules_of(rule("AA-001"), rule("AA-002", after=["AA-001"]), rule("AA-003", after=["AA-002"]))
    here = at_org("alder")
    findings = [finding(rules["AA-001"], here), finding(rules["AA-003"], here)]
    if between:
        findings.append(finding(rules["AA-002"], here, between))
    graph = build(findings, rules, ORGS, Gate.PILOT)
    assert edges(graph) == {("AA-001@alder", "AA-003@alder")}


def test_an_organisation_does_not_wait_for_another_through_a_product_rule_that_holds():
    rules = rules_of(rule("AA-001"), rule("AA-002", Scope.PRODUCT, after=["AA-001"]), rule("AA-003", after=["AA-002"]))
    graph = build(everywhere(rules, ORGS, {"AA-002": MET}), rules, ORGS, Gate.PILOT)
    assert edges(graph) == {(f"AA-001@{o.id}", f"AA-003@{o.id}") for o in ORGS}


def test_an_open_product_rule_gathers_every_organisation():
    rules = rules_of(rule("AA-001"), rule("AA-002", Scope.PRODUCT, after=["AA-001"]), rule("AA-003", after=["AA-002"]))
    graph = build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT)
    gathered = {(f"AA-001@{o.id}", "AA-002") for o in ORGS} | {("AA-002", f"AA-003@{o.id}") for o in ORGS}
    assert edges(graph) == gathered
    assert [node.wave for node in graph.nodes] == [0, 0, 0, 1, 2, 2, 2]


@pytest.mark.parametrize(("outcome", "lifecycle"), [(UNKNOWN, "stable"), (ERROR, "stable")])
def test_undecided_findings_are_discovery_tasks_of_ours_and_never_claim_a_gap(outcome, lifecycle):
    rules = rules_of(rule("AA-001", owner=Owner.VENDOR, lifecycle=lifecycle))
    undecided = finding(
        rules["AA-001"], at_org("alder"), outcome, missing_answers=("auth.jwks",), missing_facts=("smart",)
    )
    [node] = build([undecided], rules, ORGS, Gate.PILOT).nodes
    assert (node.kind, node.owner, node.outcome) == ("discovery", Owner.US, outcome)
    assert node.message.endswith("; no answer to auth.jwks and smart not observed")
    assert "is open" not in node.message


@pytest.mark.parametrize("more", [{"gap_class": GapClass.ADVICE}, {"lifecycle": "experimental"}])
def test_advice_and_experimental_rules_are_shown_and_block_nothing(more):
    rules = rules_of(
        rule("AA-001", Scope.PRODUCT), rule("AA-002", Scope.PRODUCT, after=["AA-001"], **more),
        rule("AA-003", Scope.PRODUCT, after=["AA-002"], gate=Gate.PILOT),
    )  # fmt: skip
    graph = build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT)
    assert edges(graph) == {("AA-001", "AA-002"), ("AA-001", "AA-003")}
    assert {node.key: node.blocks for node in graph.nodes} == {"AA-001": 6, "AA-002": 0, "AA-003": 3}


def test_deprecated_rules_are_left_out():
    rules = rules_of(rule("AA-001", Scope.PRODUCT, lifecycle="deprecated"))
    assert build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT).nodes == ()


def test_findings_about_other_organisations_are_left_out():
    rules = rules_of(rule("AA-001"), rule("AA-002", Scope.VENDOR))
    findings = [finding(rules["AA-001"], at_org("elm")), finding(rules["AA-002"], at_vendor("other"))]
    assert build(findings, rules, ORGS, Gate.PILOT).nodes == ()


def test_nodes_are_ordered_by_wave_severity_and_key_whatever_the_input_order():
    rules = rules_of(
        rule("AA-001", severity=Severity.LOW),
        rule("AA-002", severity=Severity.CRITICAL),
        rule("AA-003", severity=Severity.MEDIUM, after=["AA-002"]),
        rule("AA-004", severity=Severity.CRITICAL, after=["AA-001"]),
    )
    findings = list(everywhere(rules, ORGS[:2]))
    graph = build(findings, rules, ORGS[:2], Gate.PILOT)
    assert [node.key.split("@")[0][-1] for node in graph.nodes] == list("22114433")
    random.Random(3).shuffle(findings)
    assert build(findings, dict(reversed(rules.items())), ORGS[:2], Gate.PILOT) == graph


def test_blocks_counts_each_organisation_and_gate_once_with_everything_downstream():
    rules = rules_of(
        rule("AA-001", Scope.PRODUCT, gate=Gate.DESIGN),
        rule("AA-002", Scope.VENDOR, gate=Gate.SANDBOX, after=["AA-001"]),
        rule("AA-003", Scope.ORG, gate=Gate.SANDBOX, after=["AA-002"]),
        rule("AA-004", Scope.ORG, gate=Gate.PRODUCTION, after=["AA-003"]),
    )
    graph = build(everywhere(rules, ORGS, {"AA-004@birch": MET}), rules, ORGS, Gate.PILOT)
    blocks = {node.key: node.blocks for node in graph.nodes}
    # design × 3 and sandbox × 3 and production × 2 (birch's is met)
    assert blocks["AA-001"] == 8
    # epic: sandbox of alder and birch, production of alder
    assert blocks["AA-002@vendor:epic"] == 3
    assert blocks["AA-002@vendor:oracle"] == 2
    assert blocks["AA-003@birch"] == 1
    assert blocks["AA-004@alder"] == 1


def test_reduced_leaves_out_what_another_path_implies():
    rules = rules_of(rule("AA-001"), rule("AA-002", after=["AA-001"]), rule("AA-003", after=["AA-001", "AA-002"]))
    graph = build(everywhere(rules, ORGS[:1]), rules, ORGS[:1], Gate.PILOT)
    assert len(graph.edges) == 3
    assert {(e.before, e.after) for e in graph.reduced} == {
        ("AA-001@alder", "AA-002@alder"),
        ("AA-002@alder", "AA-003@alder"),
    }


class TestRootCauses:
    def test_one_organisation_rule_at_most_organisations(self):
        rules = rules_of(rule("AU-003"), rule("AU-004", after=["AU-003"]), rule("AU-005", after=["AU-003"]))
        orgs = [org(f"o{n}") for n in range(12)]
        met = {f"{name}@o{n}": MET for n in (2, 5, 9) for name in rules}
        [cause] = build(everywhere(rules, orgs, met), rules, orgs, Gate.PILOT).root_causes
        assert cause.sentence == "AU-003 stands between 9 of 12 organisations and their sandbox gate"
        assert (cause.key, len(cause.orgs), len(cause.nodes), cause.gate) == ("AU-003", 9, 9, Gate.SANDBOX)

    def test_a_single_node_keeps_its_own_key_and_names_the_organisation(self):
        rules = rules_of(rule("AU-003"), rule("AU-004", after=["AU-003"]))
        findings = [f for f in everywhere(rules, ORGS) if f.subject.id == "cedar"]
        [cause] = build(findings, rules, ORGS, Gate.PILOT).root_causes
        assert (cause.key, cause.orgs, cause.nodes) == ("AU-003@cedar", ("cedar",), ("AU-003@cedar",))
        assert cause.sentence == "AU-003 stands between Cedar Hospital and its sandbox gate"

    def test_the_root_not_the_last_step_is_named(self):
        rules = rules_of(
            rule("AU-001", Scope.PRODUCT, gate=Gate.SANDBOX), rule("AU-002", after=["AU-001"]),
            rule("AU-003", after=["AU-002"], gate=Gate.PILOT),
        )  # fmt: skip
        [cause] = build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT).root_causes
        assert (cause.key, cause.orgs) == ("AU-001", ("alder", "birch", "cedar"))

    def test_a_dependency_of_a_later_gate_can_be_the_root(self):
        rules = rules_of(
            rule("AU-001", Scope.PRODUCT, gate=Gate.PRODUCTION),
            rule("AU-002", after=["AU-001"]),
            rule("AU-003", after=["AU-001"]),
        )
        [cause] = build(everywhere(rules, ORGS), rules, ORGS, Gate.SANDBOX).root_causes
        assert (cause.key, cause.gate) == ("AU-001", Gate.SANDBOX)

    def test_two_independent_gaps_have_no_common_root(self):
        rules = rules_of(rule("AU-001"), rule("AU-002"))
        assert build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT).root_causes == ()

    def test_the_next_gate_is_asked_when_the_target_has_no_single_root(self):
        rules = rules_of(
            rule("AU-001", gate=Gate.DESIGN),
            rule("AU-002", gate=Gate.PILOT),
            rule("AU-003", gate=Gate.DESIGN, after=["AU-001"]),
        )
        [cause] = build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT).root_causes
        assert (cause.key, cause.gate, len(cause.orgs)) == ("AU-001", Gate.DESIGN, 3)

    def test_gates_beyond_the_target_are_not_asked(self):
        rules = rules_of(rule("AU-001", gate=Gate.PRODUCTION))
        assert build(everywhere(rules, ORGS), rules, ORGS, Gate.PILOT).root_causes == ()

    @pytest.mark.parametrize(
        ("outcomes", "words"),
        [
            ({}, "AU-001 stands"),
            ({"AU-001@alder": UNKNOWN}, "AU-001, not decided yet at 1 of them, stands"),
            ({f"AU-001@{o.id}": UNKNOWN for o in ORGS}, "AU-001, not decided yet, stands"),
        ],
    )
    def test_an_unknown_root_is_said_to_be_one(self, outcomes, words):
        rules = rules_of(rule("AU-001"))
        [cause] = build(everywhere(rules, ORGS, outcomes), rules, ORGS, Gate.PILOT).root_causes
        assert cause.sentence.startswith(words)


class TestBadInput:
    def test_a_cycle_is_refused_with_its_path(self):
        rules = rules_of(
            rule("AA-001", after=["AA-003"]), rule("AA-002", after=["AA-001"]), rule("AA-003", after=["AA-002"])
        )
        with pytest.raises(InterlockError) as caught:
            build((), rules, (), Gate.PILOT)
        path = re.findall(r"AA-00\d", str(caught.value))
        assert len(path) == 4
        assert path[0] == path[-1]
        assert all(first in rules[then].depends_on for first, then in pairwise(path))

    def test_a_dependency_that_does_not_exist(self):
        with pytest.raises(InterlockError, match="AA-001 depends on AA-009"):
            build((), rules_of(rule("AA-001", after=["AA-009"])), (), Gate.PILOT)

    def test_a_finding_of_another_ruleset(self):
        with pytest.raises(InterlockError, match="names the rule AA-001"):
            build([finding(rule("AA-001"), PRODUCT)], {}, (), Gate.PILOT)

    def test_two_findings_with_one_key(self):
        rules = rules_of(rule("AA-001", Scope.PRODUCT))
        with pytest.raises(InterlockError, match="two findings"):
            build([finding(rules["AA-001"]), finding(rules["AA-001"])], rules, (), Gate.PILOT)


@st.composite
def fleets(draw):
    """Rules of mixed scope with random dependencies, three organisations, and random outcomes."""
    size = draw(st.integers(1, 7))
    names = [f"AA-{number:03d}" for number in range(size)]
    rules = rules_of(
        *(
            rule(
                name,
                draw(st.sampled_from(Scope)),
                gate=draw(st.sampled_from(Gate)),
                after=sorted(draw(st.sets(st.sampled_from(names[:number]), max_size=3))) if number else (),
            )
            for number, name in enumerate(names)
        )
    )
    findings = [
        gap.model_copy(update={"outcome": draw(st.sampled_from([GAP, GAP, UNKNOWN, MET, NOT_APPLICABLE]))})
        for gap in everywhere(rules, ORGS)
    ]
    return rules, findings


def reached(pairs, start, without=None):
    """Every node that can be reached from one, itself included, by paths that avoid another."""
    nodes, todo = set(), [start]
    while todo:
        node = todo.pop()
        if node not in nodes and node != without:
            nodes.add(node)
            todo += [then for first, then in pairs if first == node]
    return nodes


@settings(max_examples=60)
@given(fleets())
def test_a_wave_is_one_more_than_the_latest_that_its_nodes_wait_for(fleet):
    rules, findings = fleet
    graph = build(findings, rules, ORGS, Gate.PILOT)
    wave = {node.key: node.wave for node in graph.nodes}
    for key in wave:
        assert wave[key] == 1 + max((wave[first] for first, then in edges(graph) if then == key), default=-1)
    assert all(wave[key] == number for number, keys in enumerate(graph.waves) for key in keys)


@settings(max_examples=60)
@given(fleets())
def test_the_reduction_leaves_out_exactly_the_edges_that_a_longer_path_implies(fleet):
    rules, findings = fleet
    graph = build(findings, rules, ORGS, Gate.PILOT)
    pairs = edges(graph)
    implied = {
        (first, then)
        for first, then in pairs
        if any(then in reached(pairs, other) for start, other in pairs if start == first and other != then)
    }
    assert {(edge.before, edge.after) for edge in graph.reduced} == pairs - implied


@settings(max_examples=60)
@given(fleets())
def test_blocks_agrees_with_counting_by_hand(fleet):
    rules, findings = fleet
    graph = build(findings, rules, ORGS, Gate.PILOT)
    for node in graph.nodes:
        behind = [graph.node(key) for key in reached(edges(graph), node.key)]
        assert node.blocks == len({(name, later.gate) for later in behind for name in later.orgs})


def last_before_all(graph, wanted):
    """The last node without which none of these can be reached from where nothing is waited for, by definition."""
    pairs = edges(graph)
    pairs |= {("", node.key) for node in graph.nodes if not node.wave}
    dominators = [node.key for node in graph.nodes if not (wanted - {node.key}) & reached(pairs, "", without=node.key)]
    return max(dominators, key=lambda key: sum(key in reached(pairs, other) for other in dominators), default=None)


@settings(max_examples=100)
@given(fleets(), st.sampled_from(Gate))
def test_root_causes_are_the_immediate_dominators_of_each_organisations_gates(fleet, target):
    rules, findings = fleet
    graph = build(findings, rules, ORGS, target)
    expected = {}
    for organization in ORGS:
        required = [n for n in graph.nodes if organization.id in n.orgs and n.gate.rank <= target.rank]
        if required:
            gate = min((node.gate for node in required), key=lambda gate: gate.rank)
            key = last_before_all(graph, {node.key for node in required})
            key = key or last_before_all(graph, {node.key for node in required if node.gate is gate})
            if key:
                nodes, orgs = expected.setdefault((graph.node(key).rule, gate), (set(), set()))
                nodes.add(key)
                orgs.add(organization.id)
    causes = {(graph.node(c.nodes[0]).rule, c.gate): (set(c.nodes), set(c.orgs)) for c in graph.root_causes}
    assert causes == expected
