"""Charts: geometry, legibility rules and well-formed SVG."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import assessment_factory as factory
import pytest

from interlock.model.base import Scope
from interlock.model.finding import PRODUCT, Subject
from interlock.model.forecast import OrgForecast, Quantiles
from interlock.model.gap_graph import GapEdge, GapGraph, GapNode
from interlock.model.readiness import Interval
from interlock.report.charts import (
    arranged,
    condense,
    gap_graph,
    gap_graph_svg,
    mermaid,
    required,
    score_bar,
    timelines,
)
from interlock.report.charts.condense import MAX_CONNECTED, MAX_SEPARATE
from interlock.report.charts.layout import arrange
from interlock.report.charts.svg import fit, text_width, wrap
from interlock.report.charts.timeline import workday

pytestmark = pytest.mark.fast

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&]]>\x1b[31m\x00 \u202e" + "x" * 10_000


def parse(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def find(root: ElementTree.Element, css_class: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if css_class in element.get("class", "").split()]


def no_anchor(_: GapNode) -> str:
    return ""


@pytest.mark.parametrize(("low", "high"), [(0, 0), (39, 69), (100, 100), (0, 100), (-5, 140), (60, 40)])
def test_a_bar_is_solid_up_to_what_is_verified(low: float, high: float) -> None:
    root = parse(score_bar(Interval(low=low, high=high), "Score", width=200))
    solid = find(root, "b-solid")
    expected = 2 * min(100, max(0, low))
    assert [float(bar.get("width", "0")) for bar in solid] == ([expected] if expected > 0.5 else [])
    opened = find(root, "b-open")
    assert bool(opened) == (min(high, 100) - max(low, 0) > 0.25)
    for bar in opened:
        assert float(bar.get("x", "0")) == expected
        assert float(bar.get("x", "0")) + float(bar.get("width", "0")) <= 200


def test_a_picture_says_in_words_what_it_shows() -> None:
    root = parse(score_bar(Interval(low=39, high=69), "Riverside: score 39–69 of 100"))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Riverside: score 39–69 of 100"
    assert root.findtext(f"{SVG}title") == "Riverside: score 39–69 of 100"


def random_graph(seed: int) -> tuple[list[str], list[tuple[str, str]]]:
    dice = random.Random(seed)
    nodes = [f"n{index:02d}" for index in range(dice.randint(1, 30))]
    edges = [(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :] if dice.random() < 0.12]
    return nodes, edges


@pytest.mark.parametrize("seed", range(12))
def test_layout_runs_left_to_right_without_overlap(seed: int) -> None:
    nodes, edges = random_graph(seed)
    layout = arrange(nodes, edges, box=50, gap=10, bend=15)
    assert set(layout.centre) == set(nodes)
    for start, end in edges:
        assert layout.layer[start] < layout.layer[end]
        assert len(layout.bends[(start, end)]) == layout.layer[end] - layout.layer[start] - 1
    for column in range(layout.layers):
        taken = [(layout.centre[node], 50.0) for node in nodes if layout.layer[node] == column]
        taken += [(height, 15.0) for bends in layout.bends.values() for at, height in bends if at == column]
        for (upper, size), (lower, other) in pairwise(sorted(taken)):
            assert lower - upper >= (size + other) / 2 + 10 - 0.001
    assert max(layout.centre.values()) + 25 <= layout.height + 0.001


def test_the_sample_graph_is_drawn_whole() -> None:
    graph = factory.sample().graph
    drawing = condense(graph, {}, no_anchor)
    assert drawing.note == "" and drawing.waves
    assert len(drawing.nodes) + len(drawing.separate) == len(graph.nodes)
    assert {node.key for node in drawing.nodes if node.root} == {"AUTH-001@lakeshore", "FHIR-002@pinecrest"}
    markup = gap_graph(arranged(drawing), "Gap graph")
    root = parse(markup)
    boxes = [box for box in find(root, "g-box") if float(box.get("width", "0")) > 50]
    assert len(boxes) == len(graph.nodes)
    dashed = [box for box in boxes if box.get("stroke-dasharray")]
    assert len(dashed) == sum(node.kind == "discovery" for node in graph.nodes)
    assert len(find(root, "g-edge")) == len(graph.reduced)
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert any("AUTH-001, critical gap, root cause" in title for title in titles)
    assert any("to find out" in title and "Does this hold?" in title for title in titles)


def fan(organizations: int, rules: int = 6) -> GapGraph:
    requirements = [factory.make_rule(f"FAN-{index:03d}", f"Requirement {index}") for index in range(rules)]
    nodes, edges = [], []
    for org in range(organizations):
        subject = Subject(scope=Scope.ORG, id=f"org-{org}")
        keys = []
        for wave, rule in enumerate(requirements):
            nodes.append(factory.make_node(rule, subject, "gap", wave, 1))
            keys.append(nodes[-1].key)
        edges += [GapEdge(before=before, after=after) for before, after in pairwise(keys)]
    return GapGraph(nodes=tuple(nodes), edges=tuple(edges), reduced=tuple(edges))


def test_the_same_rule_at_many_organisations_becomes_one_box() -> None:
    drawing = condense(fan(10), {}, no_anchor)
    assert len(drawing.nodes) == 6
    assert {node.where for node in drawing.nodes} == {"×10 orgs"}
    assert "60 nodes" in drawing.note
    assert not drawing.waves


def test_a_graph_too_large_even_then_shows_the_root_causes_surroundings() -> None:
    drawing = condense(factory.large().graph, {}, no_anchor)
    assert 0 < len(drawing.nodes) <= MAX_CONNECTED
    assert len(drawing.separate) <= MAX_SEPARATE
    assert any(node.root for node in drawing.nodes)
    assert "nearest to the root causes" in drawing.note and "400 nodes" in drawing.note


def test_nodes_that_the_gate_does_not_need_are_left_out_unless_something_needed_waits_for_them() -> None:
    graph = fan(1, rules=4)
    kept = required(graph, lambda node: node.rule == "FAN-002")
    assert [node.rule for node in kept.nodes] == ["FAN-000", "FAN-001", "FAN-002"]
    assert len(kept.reduced) == 2
    assert required(graph, lambda _: True) is graph


def test_hostile_texts_cannot_leave_their_element() -> None:
    rule = factory.make_rule("EVIL-001", HOSTILE)
    node = factory.make_node(rule, Subject(scope=Scope.ORG, id="evil"), "gap", 0, 1)
    other = factory.make_node(factory.make_rule("EVIL-002", "b"), PRODUCT, "discovery", 1, 1)
    edge = GapEdge(before=node.key, after=other.key)
    graph = GapGraph(nodes=(node, other), edges=(edge,), reduced=(edge,))
    markup = gap_graph_svg(graph, {"evil": HOSTILE})
    assert "<script" not in markup and "\x1b" not in markup and "\u202e" not in markup
    assert len(markup) < 20_000
    parse(markup)
    source = mermaid(condense(graph, {"evil": HOSTILE}, no_anchor))
    assert "`" not in source and "<script" not in source and "\x1b" not in source
    assert source.splitlines()[0] == "flowchart LR"


def test_an_empty_graph_has_a_picture_too() -> None:
    assert parse(gap_graph_svg(GapGraph(), {})).get("role") == "img"


def forecast(name: str, finish: Quantiles, most_likely_days: float) -> tuple[str, OrgForecast]:
    return name, OrgForecast(org=name, finish=finish, most_likely_days=most_likely_days, probability_of_most_likely=0.1)


def test_timelines_split_long_lists_and_keep_one_scale() -> None:
    finish = factory.sample().plan.finish
    pictures = timelines([forecast(f"Organisation {index}", finish, 71) for index in range(60)], "2026-09-08")
    assert len(pictures) == 3
    bars = [find(parse(markup), "l-range")[0].get("x") for markup, _ in pictures]
    assert len(set(bars)) == 1
    assert "even chance by 1 Mar 2027" in pictures[0][1]


@pytest.mark.parametrize("start", ["2026-09-08", "9999-12-30", "0001-01-01"])
def test_timelines_of_a_single_day_and_of_the_last_year(start: str) -> None:
    finish = factory.make_quantiles(0, 0, 0, ("9999-12-31",) * 3)
    (markup, _), *_ = timelines([forecast(HOSTILE, finish, float("inf"))], start)
    assert len(markup) < 60_000
    parse(markup)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "09-08"), (1, "09-09"), (3, "09-11"), (4, "09-14"), (5, "09-15"), (0.2, "09-09"), (-3, "09-08")],
)
def test_working_days_skip_weekends(days: float, expected: str) -> None:
    assert workday(date(2026, 9, 8), days).isoformat() == f"2026-{expected}"


def test_text_fits_the_width_that_it_was_given() -> None:
    sentence = "The organisation runs a FHIR release that the contract does not name at all"
    assert text_width(fit(sentence, 100, 11), 11) <= 100
    lines = wrap(sentence, 120, 11, 2)
    assert len(lines) == 2 and lines[1].endswith("…")
    assert all(text_width(line, 11) <= 120 for line in lines)
    assert wrap("short", 120, 11, 2) == ("short",)
    assert wrap("x" * 500, 120, 11, 3)[0].endswith("…")
    assert text_width("漢字", 10) == 20
