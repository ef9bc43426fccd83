"""The vectorised critical path against brute force."""

import numpy as np
import pytest
from gaps_factory import graphs
from hypothesis import given
from hypothesis import strategies as st

from interlock.plan import network

pytestmark = pytest.mark.fast


def forward(before, days):
    """Earliest start and finish by the definition, one run at a time; no person is short."""
    starts, finishes = np.zeros_like(days), np.zeros_like(days)
    for run in range(days.shape[1]):
        for node, firsts in enumerate(before):
            starts[node, run] = max((finishes[first, run] for first in firsts), default=0.0)
            finishes[node, run] = starts[node, run] + days[node, run]
    return starts, finishes


def following(before):
    """For each task, those that wait for it."""
    return [[later for later, firsts in enumerate(before) if node in firsts] for node in range(len(before))]


def all_paths(before, after):
    """Every path from a task that waits for nothing to one that nothing waits for."""
    paths = [[node] for node, firsts in enumerate(before) if not firsts]
    done = []
    while paths:
        path = paths.pop()
        done.append(path)
        paths += [[*path, later] for later in after[path[-1]]]
    return done


@st.composite
def timed(draw, runs=3):
    before = draw(graphs(most=8))
    days = [[draw(st.integers(0, 4)) for _ in range(runs)] for _ in before]
    return before, np.array(days, dtype=float).reshape(len(before), runs)


@given(timed())
def test_the_finish_is_the_longest_path(example):
    before, days = example
    _, finishes = forward(before, days)
    for run in range(days.shape[1]):
        if before:
            paths = all_paths(before, following(before))
            assert finishes[:, run].max() == max(sum(days[node, run] for node in path) for path in paths)


@given(timed())
def test_a_task_is_critical_when_it_lies_on_a_path_as_long_as_the_plan(example):
    before, days = example
    after = following(before)
    starts, finishes = forward(before, days)
    if not before:
        return
    end = finishes.max(axis=0)
    times = network.Times(starts, finishes, {}, {}, {})
    on_path = network.critical(after, {}, times, range(len(before)), end)
    for run in range(days.shape[1]):
        expected = {
            node
            for path in all_paths(before, after)
            if sum(days[n, run] for n in path) == end[run]
            for node in path
            if finishes[path[-1], run] == end[run]
        }
        assert {node for node in on_path if on_path[node][run]} == expected


@st.composite
def spans(draw):
    """Ordered windows that do not touch one another."""
    edges = sorted(draw(st.sets(st.integers(0, 40), max_size=6)))
    return tuple((float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=False))


@given(spans(), st.integers(0, 40), st.integers(0, 30))
def test_work_stands_still_within_spans(windows, start, days):
    """Brute force: day by day, every day outside the windows does one day of work."""
    end = network.advance(np.array([start], dtype=np.float32), np.array([days], dtype=np.float32), windows)[0]
    day, left = start, days
    while any(a <= day < b for a, b in windows):
        day += 1
    while left:
        if not any(a <= day < b for a, b in windows):
            left -= 1
        day += 1
    assert end == day


@given(spans(), st.floats(0, 40), st.floats(0, 5), st.floats(0, 20), st.floats(0, 5))
def test_a_later_start_or_more_work_never_ends_earlier(windows, start, later, days, more):
    def end(began, work):
        return network.advance(np.array([began]), np.array([work]), windows)[0]

    assert end(start, days) <= end(start + later, days) + 1e-9
    assert end(start, days) <= end(start, days + more) + 1e-9


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5], 0.8, 5),
        ([1, 2, 3, 4, 5], 0.8, 4),
        ([5, 4, 3, 2, 1], 0.5, 3),
        (list(range(1, 11)), 0.9, 9),
        ([1, 2], 0.5, 1),
    ],
)
def test_a_quantile_is_the_smallest_value_kept_in_that_share_of_runs(values, share, expected):
    assert network.quantile(np.array(values, dtype=float), share) == expected


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.sampled_from([0.5, 0.8, 0.9]))
def test_quantiles_are_kept_as_often_as_they_say(values, share):
    row = np.array(values)
    value = network.quantile(row, share)
    assert (row <= value).mean() >= share - 1e-9
    assert (row < value).mean() < share
    assert network.quantiles(row.reshape(1, -1), 0.5)[0][0] == network.quantile(row, 0.5)
