"""A gap graph as Mermaid, DOT and JSON: structure, and labels that stay labels."""

import json
import re

import networkx as nx
import pytest
from gaps_factory import UNKNOWN, at_org, everywhere, finding, org, rule, rules_of

from interlock.model.base import Gate
from interlock.model.gap_graph import GapGraph
from interlock.plan.exports import to_dot, to_graphml, to_json, to_mermaid
from interlock.plan.graph import build

pytestmark = pytest.mark.fast

ALDER = org("alder")
RULES = rules_of(rule("AA-001"), rule("AA-002", after=["AA-001"]), rule("AA-003", after=["AA-001", "AA-002"]))
GRAPH = build(everywhere(RULES, (ALDER,), {"AA-003@alder": UNKNOWN}), RULES, (ALDER,), Gate.PILOT)
NASTY = 'x"]; click n0 "javascript:alert(1)" [<script>&"\n\\" | {}`#quot;` %% --> \x1b[31m \u202eab \u2028c'


def nasty_graph():
    rules = {"AA-001": RULES["AA-001"].model_copy(update={"title": NASTY})}
    return build([finding(rules["AA-001"], at_org("alder"), message=NASTY)], rules, (ALDER,), Gate.PILOT)


def test_mermaid_has_every_node_and_the_reduced_edges():
    lines = to_mermaid(GRAPH).splitlines()
    assert lines[0] == "flowchart LR"
    assert lines[1] == '    n0["AA-001@alder: Title of AA-001"]:::high'
    assert lines[3] == '    n2(["AA-003@alder: Does this hold? #8220;Title of AA-003#8221;"]):::discovery'
    assert [line.strip() for line in lines if "-->" in line] == ["n0 --> n1", "n1 --> n2"]


def test_mermaid_labels_cannot_leave_their_quotes():
    text = to_mermaid(nasty_graph())
    [line] = [line for line in text.splitlines() if line.startswith("    n0")]
    label = re.fullmatch(r'    n0\["([^"]*)"\]:::high', line)
    assert label
    assert not set(label[1]) & set('"[]{}<>|`\\&%')
    assert "#34;" in label[1]
    assert "#60;script#62;" in label[1]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u2028\u202e]", text)


def test_dot_is_what_graphviz_reads():
    text = to_dot(GRAPH)
    assert text.startswith("digraph gaps {\n")
    assert text.endswith("}\n")
    assert '    "AA-001@alder" [label="AA-001@alder: Title of AA-001"];' in text
    assert '"AA-003@alder" [label="AA-003@alder: Does this hold? “Title of AA-003”", style=dashed];' in text
    assert '    "AA-001@alder" -> "AA-002@alder";' in text
    assert '"AA-001@alder" -> "AA-003@alder"' not in text


def test_dot_puts_a_wave_on_one_rank():
    rules = rules_of(rule("AA-001"), rule("AA-002"))
    text = to_dot(build(everywhere(rules, (ALDER,)), rules, (ALDER,), Gate.PILOT))
    assert '{ rank=same; "AA-001@alder"; "AA-002@alder"; }' in text


def test_dot_labels_cannot_leave_their_quotes():
    text = to_dot(nasty_graph())
    [line] = [line for line in text.splitlines() if "label=" in line]
    quoted = re.fullmatch(r'    "(?:[^"\\]|\\.)*" \[label="((?:[^"\\]|\\.)*)"\];', line)
    assert quoted
    assert "&lt;script&gt;&amp;" in quoted[1]


def test_json_is_node_link_data():
    data = json.loads(to_json(GRAPH))
    graph = nx.node_link_graph(data, edges="edges")
    assert graph.is_directed()
    assert set(graph.nodes) == {node.key for node in GRAPH.nodes}
    assert graph.nodes["AA-003@alder"]["kind"] == "discovery"
    assert {edge[:2]: edge[2] for edge in graph.edges(data="reduced")} == {
        ("AA-001@alder", "AA-002@alder"): True,
        ("AA-001@alder", "AA-003@alder"): False,
        ("AA-002@alder", "AA-003@alder"): True,
    }
    assert data["graph"]["waves"] == [["AA-001@alder"], ["AA-002@alder"], ["AA-003@alder"]]
    assert data["graph"]["root_causes"][0]["key"] == "AA-001@alder"


def test_json_may_stand_inside_a_script_element():
    text = to_json(nasty_graph())
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text)["nodes"][0]["title"] == NASTY


@pytest.mark.parametrize("write", [to_mermaid, to_dot, to_json])
def test_an_empty_graph_is_written_too(write):
    assert write(GapGraph()).endswith("\n")


def graphml(graph):
    return nx.parse_graphml(to_graphml(graph))


def test_graphml_is_read_back_by_networkx():
    rules = rules_of(rule("AA-001"), rule("AA-002", after=["AA-001"]), rule("AA-003", after=["AA-001", "AA-002"]))
    read = graphml(build(everywhere(rules, (org("alder"),)), rules, (org("alder"),), Gate.PRODUCTION))
    assert set(read.nodes) == {f"AA-00{n}@alder" for n in (1, 2, 3)}
    assert {(a, b): data["reduced"] for a, b, data in read.edges(data=True)} == {
        ("AA-001@alder", "AA-002@alder"): True,
        ("AA-001@alder", "AA-003@alder"): False,
        ("AA-002@alder", "AA-003@alder"): True,
    }
    assert read.nodes["AA-002@alder"]["wave"] == 1
    assert read.nodes["AA-002@alder"]["severity"] == "high"


@pytest.mark.parametrize("text", ['</data><script x="1">', "]]>&amp;\x1b[2J", "\ud800\ufffe\x00", "&#x0;<!DOCTYPE a>"])
def test_graphml_keeps_hostile_text_as_text(text):
    hostile = rule("AA-001").model_copy(update={"title": text})
    [(_, data)] = graphml(build([finding(hostile)], rules_of(hostile), (), Gate.PRODUCTION)).nodes(data=True)
    assert data["rule"] == "AA-001"
    assert data["label"].startswith("AA-001: ")
    assert not any(ord(character) < 32 for character in data["label"])
    assert ("<script" in data["label"]) == ("<script" in text)
