"""Graph arithmetic against networkx and against brute force, on random graphs."""

import networkx as nx
import pytest
from gaps_factory import graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.gaps import dag

pytestmark = pytest.mark.fast


def as_networkx(before):
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(before)))
    graph.add_edges_from((first, node) for node, firsts in enumerate(before) for first in firsts)
    return graph


@settings(deadline=None)
@given(graphs())
def test_waves_are_the_topological_generations(before):
    wave = dag.waves(before)
    for node, firsts in enumerate(before):
        assert all(wave[first] < wave[node] for first in firsts)
    expected = {
        n: number for number, group in enumerate(nx.topological_generations(as_networkx(before))) for n in group
    }
    assert dict(enumerate(wave)) == expected


@settings(deadline=None)
@given(graphs())
def test_after_is_before_turned_round(before):
    edges = {(first, node) for node, firsts in enumerate(before) for first in firsts}
    assert {(node, later) for node, laters in enumerate(dag.after(before)) for later in laters} == edges


def brute_force_dominators(before):
    """d dominates v when v cannot be reached from the source without d; the immediate one is the last of them."""
    graph = as_networkx(before)
    graph.add_edges_from((dag.SOURCE, node) for node, firsts in enumerate(before) if not firsts)
    result = []
    for node in range(len(before)):
        strict = []
        for other in range(len(before)):
            if other != node:
                without = graph.copy()
                without.remove_node(other)
                if not nx.has_path(without, dag.SOURCE, node):
                    strict.append(other)
        result.append(max(strict, key=lambda d: sum(nx.has_path(graph, s, d) for s in strict), default=dag.SOURCE))
    return result


@settings(deadline=None)
@given(graphs(most=9))
def test_dominators_agree_with_the_definition(before):
    assert dag.dominators(before) == brute_force_dominators(before)


@settings(deadline=None)
@given(graphs())
def test_dominators_agree_with_networkx(before):
    graph = as_networkx(before)
    graph.add_edges_from((dag.SOURCE, node) for node, firsts in enumerate(before) if not firsts)
    if before:
        immediate = nx.immediate_dominators(graph, dag.SOURCE)
        assert dag.dominators(before) == [immediate[node] for node in range(len(before))]


@settings(deadline=None)
@given(graphs(), st.data())
def test_common_dominator_is_that_of_a_virtual_sink(before, data):
    ends = data.draw(st.lists(st.integers(0, max(0, len(before) - 1)), unique=True)) if before else []
    with_sink = [*before, sorted(ends)]
    assert dag.common_dominator(dag.dominators(before), ends) == dag.dominators(with_sink)[-1]


@settings(deadline=None)
@given(graphs(), st.data())
def test_reduction_keeps_reachability_and_nothing_else(before, data):
    shared = data.draw(st.sets(st.sampled_from(range(len(before))))) if before else set()
    reduced = dag.reduce(before, dag.waves(before), shared)
    expected = nx.transitive_reduction(as_networkx(before))
    assert {(f, n) for n, firsts in enumerate(reduced) for f in firsts} == set(expected.edges)
