"""Gaps as a tree and in groups, the drawing of a chain, and what closing a gap does and keeps."""

from __future__ import annotations

import re

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.base import GapClass, Gate, Owner, RuleOutcome, Scope, Severity, VerdictValue
from interlock.model.finding import Subject
from interlock.model.gap_graph import GapEdge, GapGraph, GapNode
from interlock.tui import gap_tree
from interlock.tui.chain_page import draw_chain
from interlock.tui.gap_tree import GROUPINGS, Listing
from interlock.tui.page import Page
from interlock.tui.plan_page import named
from interlock.tui.widgets.rows import Rows
from interlock.usecases.closing import closing, tasks_of
from interlock.usecases.gaps import chain_of, dominators


def graph_of(edges: set[tuple[int, int]], number: int) -> GapGraph:
    """A graph of product gaps 0…, with edges from smaller to greater numbers."""
    waits = nx.DiGraph()
    waits.add_nodes_from(range(number))
    waits.add_edges_from(edges)
    waits = nx.transitive_reduction(waits)
    waves = {node: wave for wave, nodes in enumerate(nx.topological_generations(waits)) for node in nodes}
    nodes = [
        GapNode(
            key=f"X-{number:03}",
            rule=f"X-{number:03}",
            subject=Subject(scope=Scope.PRODUCT),
            kind="gap",
            title=f"Gap {number:03}",
            message="",
            severity=Severity.HIGH,
            gap_class=GapClass.GAP,
            gate=Gate.PILOT,
            owner=Owner.US,
            wave=waves[number],
            blocks=0,
            orgs=(),
            outcome=RuleOutcome.GAP,
        )
        for number in sorted(waves, key=lambda number: (waves[number], number))
    ]
    reduced = tuple(GapEdge(before=f"X-{a:03}", after=f"X-{b:03}") for a, b in waits.edges)
    return GapGraph(nodes=tuple(nodes), edges=reduced, reduced=reduced)


@st.composite
def graphs(draw: st.DrawFn) -> GapGraph:
    number = draw(st.integers(1, 20))
    pair = st.tuples(st.integers(0, number - 1), st.integers(0, number - 1))
    return graph_of({(min(p), max(p)) for p in draw(st.sets(pair, max_size=40)) if p[0] != p[1]}, number)


def read(lines: list[str]) -> set[tuple[str, str]]:
    """The edges that a drawing shows, followed lane by lane as an eye does."""
    lanes: dict[int, str] = {}
    edges, gap = set(), ""
    for entry in lines:
        named_here = re.search(r"Gap \d{3}", entry)
        drawn = entry[: named_here.start()] if named_here else entry
        if named_here:
            gap = named_here[0]
            for column, sign in enumerate(drawn.partition("▶")[0]):
                if "▶" in drawn and sign in "├╰┼┴":
                    edges.add((lanes[column], gap))
                    if sign in "╰┴":
                        del lanes[column]
        elif "╭" in drawn:
            assert drawn.index("╭") not in lanes
            lanes[drawn.index("╭")] = gap
        for column in lanes:
            assert entry[column] in "│├┼╭", (entry, column)
    assert not lanes
    return edges


@given(graphs(), st.integers(40, 120), st.data())
def test_a_drawing_shows_each_edge_of_the_chain_and_keeps_within_its_width(graph, width, data):
    here = data.draw(st.sampled_from(graph.nodes)).key
    chain, page = chain_of(graph, here), Page(width)
    draw_chain(page, chain, {})
    lines = page.content().plain.splitlines()
    assert all(len(entry) <= width for entry in lines)
    waits = nx.DiGraph([(edge.before, edge.after) for edge in graph.reduced])
    waits.add_node(here)
    kept = {here} | nx.ancestors(waits, here) | nx.descendants(waits, here)
    assert {link.nodes[0].key for link in chain.links} == kept and chain.left == 0
    wanted = {(a.replace("X-", "Gap "), b.replace("X-", "Gap ")) for a, b in waits.edges if {a, b} <= kept}
    assert read(lines) == wanted
    assert sum(bool(re.search(r"Gap \d{3}  this one", entry)) for entry in lines) == 1


@given(graphs())
def test_the_tree_has_each_gap_once_below_what_blocks_it(graph):
    parents = dominators(graph)
    rows = Listing(graph.nodes, {}, parents).rows("blocks")
    keys = [row.key for row in rows if row.cells]
    assert sorted(keys) == sorted(node.key for node in graph.nodes)
    waits = nx.DiGraph([(edge.before, edge.after) for edge in graph.reduced])
    waits.add_nodes_from(keys)
    for key, parent in parents.items():
        before = [other for other in waits if not waits.in_degree(other)]
        if parent is None:
            continue
        assert keys.index(parent) < keys.index(key)
        without = waits.subgraph(set(waits) - {parent})
        assert not any(nx.has_path(without, root, key) for root in before if root != parent)


def test_the_same_at_many_organisations_is_one_row_that_opens():
    graph = graph_of({(0, 1), (0, 2), (1, 3)}, 4)
    many = [
        node.model_copy(
            update={"key": f"{node.key}@o{n}", "subject": Subject(scope=Scope.ORG, id=f"o{n}"), "orgs": (f"o{n}",)}
        )
        for node in graph.nodes
        for n in range(6)
    ]
    edges = tuple(GapEdge(before=f"{e.before}@o{n}", after=f"{e.after}@o{n}") for e in graph.edges for n in range(6))
    graph = GapGraph(nodes=tuple(many), edges=edges, reduced=edges)
    listing = Listing(graph.nodes, {f"o{n}": f"Hospital {n}" for n in range(6)}, dominators(graph))
    rows = [row for row in listing.rows("blocks") if row.cells]
    assert len(rows) == 1 and rows[0].cells[2].plain == "6 organisations" and "18 behind it" in rows[0].cells[1].plain
    wanted = "X-003@o2"
    for grouping in GROUPINGS:
        parents = dominators(graph) if grouping == "blocks" else {}
        turned = Listing(graph.nodes, {}, parents).unfolded_to(wanted, grouping)
        opened = [row.key for row in Listing(graph.nodes, {}, parents, turned).rows(grouping)]
        assert wanted in opened, grouping
        assert len(opened) < len(graph.nodes) + 9


def test_many_organisations_are_one_row_each_that_opens(monkeypatch):
    monkeypatch.setattr(gap_tree, "_MANY", 3)
    graph = graph_of(set(), 2)
    at = {f"o{n}": f"Hospital {n}" for n in range(3)}
    nodes = [
        node.model_copy(update={"key": f"{node.key}@{org}", "subject": Subject(scope=Scope.ORG, id=org)})
        for node in graph.nodes
        for org in at
    ]
    listing = Listing(nodes, at, {})
    rows = listing.rows("org")
    assert [row.key for row in rows] == [f"place:{name}" for name in at.values()]
    assert all("2 gaps" in row.cells[1].plain and len(row.cells) == len(gap_tree.COLUMNS) for row in rows)
    opened = Listing(nodes, at, {}, listing.unfolded_to("X-001@o2", "org")).rows("org")
    assert [row.key for row in opened] == [*(row.key for row in rows), "X-000@o2", "X-001@o2"]


async def test_gaps_are_a_tree_grouped_otherwise_by_one_key_drawn_and_closed(terminal):
    async with terminal((80, 24), section="gaps") as t:
        assessment, rows = t.app.state.assessment, t.app.screen.query_one("#gaps", Rows)
        everything = {node.key for node in assessment.graph.nodes}
        assert set(rows.keys) == everything
        # Space folds what is behind; j and k move; the filter keeps while the grouping changes.
        parents = dominators(assessment.graph)
        root = next(parent for key, parent in parents.items() if parent and parents[parent] is None)
        behind = {key for key in everything if parents[key] == root}
        rows.select(root)
        await t.press("space")
        assert not behind & set(rows.keys) and rows.key == root
        t.app.show_gap(next(iter(behind)))
        await t.until(lambda: rows.key in behind)
        await t.press("escape")
        await t.press("t", "down", "enter")
        await t.until(lambda: 0 < len(rows.keys) < len(everything))
        listed = set(rows.keys)
        for grouping in [*list(GROUPINGS)[1:], "blocks"]:
            await t.press("o")
            await t.until_shown(f"Gaps by {GROUPINGS[grouping]}")
            assert set(rows.keys) == listed, grouping
        before = rows.key
        await t.press("j")
        assert rows.key != before
        await t.press("k")
        assert rows.key == before
        assert before not in t.text, "words in the list, ids in the details"
        # What closing it does, and what is kept of that.
        key = next(task.id for task in assessment.plan.tasks if task.id in listed and tasks_of(assessment, [task.id]))
        rows.select(key)
        await t.press("x")
        await t.until(lambda: "y keeps it" in t.of("#explanation") and "→" in t.of("#explanation"))
        says, does = t.of("#explanation"), closing(t.app.state.inputs, assessment, [key])
        assert "What if it were closed?" in says and "What unlocks" in says
        assert all(" ".join(node.label.split()) in says for node in does.starts[:3])
        await t.press("y")
        await t.until(lambda: "kept as a what-if" in t.of("#explanation"))
        assert named(t.app.state.supposed, "done") == tasks_of(assessment, [key])
        await t.press("5")
        await t.until(lambda: "What if: before → after" in t.text)
        await t.press("c")
        await t.until(lambda: not t.app.state.supposed)
        # The chain, and back to the list.
        await t.press("4", "d")
        await t.until_shown("The chain around")
        assert "this one" in t.of("#explanation") and not rows.is_on_screen
        await t.press("escape", "escape")
        await t.until(lambda: t.app.focused is rows.options)


def test_closing_a_gap_is_met_everywhere_and_never_lowers_a_score(workspace):
    from datetime import date

    from interlock.usecases.assess import assess
    from interlock.usecases.load import load_inputs

    inputs = load_inputs(workspace)
    assessment = assess(inputs, today=date.today(), runs=20)
    for node in assessment.graph.nodes[::25]:
        does = closing(inputs, assessment, [node.key])
        for moved in does.moved:
            assert moved.before.low <= moved.after.low and moved.before.high <= moved.after.high, node.key
        (value, latest), (then, then_latest) = does.verdict
        assert value.rank <= then.rank and latest.rank <= then_latest.rank
        waits = {edge.after for edge in assessment.graph.reduced if edge.before == node.key}
        assert {other.key for other in (*does.starts, *does.nearer)} == waits
    does = closing(inputs, assessment, [node.key for node in assessment.graph.nodes])
    assert does.verdict[1] == (VerdictValue.INTEGRATE, VerdictValue.INTEGRATE)
    assert not does.starts and not does.nearer and all(moved.after.low > 39 for moved in does.moved)
