"""What the verdict postpones waits for what settles it: the arrows, on tasks made by hand and at random."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.model.base import Scope, VerdictValue
from interlock.plan.postponed import postponing
from tiers import rounds

pytestmark = pytest.mark.fast

PRODUCT_FIRST, OUTSIDE, CONTRACT, AUTH, INTEGRATE = VerdictValue
PRODUCT, VENDOR, ORG = Scope.PRODUCT, Scope.VENDOR, Scope.ORG
AT_ALDER = {ORG: "alder", VENDOR: "epic"}
AT_CEDAR = {ORG: "cedar", VENDOR: "oracle"}


@dataclass(frozen=True)
class Made:
    """As much of a task as matters here."""

    id: str
    scope: Scope = PRODUCT
    parties: Mapping[Scope, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    verdict: VerdictValue | None = None
    postponed_by: VerdictValue | None = None


def arrows(*tasks: Made) -> dict[str, tuple[str, ...]]:
    return postponing({task.id: task for task in tasks})


def test_what_a_verdict_postpones_waits_for_all_that_settles_it() -> None:
    settles = [Made("BND-001", verdict=PRODUCT_FIRST), Made("BND-002", verdict=PRODUCT_FIRST)]
    build, paper = Made("us.build", postponed_by=OUTSIDE), Made("us.paper")
    review = Made("org.review@alder", ORG, AT_ALDER, postponed_by=OUTSIDE)
    assert arrows(*settles, build, paper, review) == {
        "us.build": ("BND-001", "BND-002"),
        "org.review@alder": ("BND-001", "BND-002"),
    }


def test_a_later_verdict_than_the_last_that_postpones_it_holds_nothing_up() -> None:
    contract = Made("WF-001", verdict=CONTRACT)
    assert arrows(contract, Made("org.priority", postponed_by=OUTSIDE), Made("us.spec", postponed_by=CONTRACT)) == {
        "us.spec": ("WF-001",)
    }


def test_whoever_waits_for_a_later_verdict_waits_for_the_earlier_one_through_it() -> None:
    tasks = [
        Made("BND-001", verdict=PRODUCT_FIRST),
        Made("us.choose", verdict=OUTSIDE, postponed_by=PRODUCT_FIRST),
        Made("us.build", postponed_by=AUTH),
    ]
    assert arrows(*tasks) == {"us.choose": ("BND-001",), "us.build": ("us.choose",)}


def test_an_organisation_waits_for_its_own_facts_and_its_vendors_never_for_anothers() -> None:
    tasks = [
        Made("AUTH-004@alder", ORG, AT_ALDER, verdict=AUTH),
        Made("EPIC-001@vendor:epic", VENDOR, {VENDOR: "epic"}, verdict=AUTH),
        Made("org.test@alder", ORG, AT_ALDER, postponed_by=AUTH),
        Made("org.test@cedar", ORG, AT_CEDAR, postponed_by=AUTH),
        Made("us.build", postponed_by=AUTH),
    ]
    assert {name: set(firsts) for name, firsts in arrows(*tasks).items()} == {
        "org.test@alder": {"AUTH-004@alder", "EPIC-001@vendor:epic"}
    }


def test_arrows_that_others_imply_are_left_out() -> None:
    tasks = [
        Made("BND-001", verdict=PRODUCT_FIRST),
        Made("us.decide", after=("BND-001",), verdict=PRODUCT_FIRST),
        Made("us.spec", postponed_by=CONTRACT),
        Made("us.build", after=("us.spec",), postponed_by=AUTH),
    ]
    assert arrows(*tasks) == {"us.spec": ("us.decide",)}


# -- at random -------------------------------------------------------------------------------------------------------

PLACES: tuple[tuple[Scope, Mapping[Scope, str]], ...] = (
    (PRODUCT, {}),
    (VENDOR, {VENDOR: "epic"}),
    (ORG, AT_ALDER),
    (ORG, AT_CEDAR),
)


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Made]:
    """Tasks of the product, a vendor and two organisations, in an order in which they can be done."""
    tasks: dict[str, Made] = {}
    levels = sorted(draw(st.lists(st.integers(0, INTEGRATE.rank), max_size=12)))
    for number, level in enumerate(levels):
        scope, parties = draw(st.sampled_from(PLACES))
        after = draw(st.sets(st.sampled_from(sorted(tasks)), max_size=3)) if tasks else set()
        last = draw(st.sampled_from([None, *tuple(VerdictValue)[:level]]))
        settles = level < INTEGRATE.rank and draw(st.booleans())
        name = f"t{number:02}"
        tasks[name] = Made(
            name, scope, parties, tuple(sorted(after)), tuple(VerdictValue)[level] if settles else None, last
        )
    return tasks


def every_arrow(tasks: Mapping[str, Made]) -> set[tuple[str, str]]:
    """By definition: each that is postponed waits for each that settles, where that concerns it."""
    return {
        (first.id, then.id)
        for then in tasks.values()
        for first in tasks.values()
        if first.verdict is not None
        and then.postponed_by is not None
        and first.verdict.rank <= then.postponed_by.rank
        and (first.scope is PRODUCT or first.parties[first.scope] == then.parties.get(first.scope))
    }


def order(tasks: Mapping[str, Made], more: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Who comes before whom, directly or not."""
    graph = nx.DiGraph([(first, task.id) for task in tasks.values() for first in task.after])
    graph.add_nodes_from(tasks)
    graph.add_edges_from(more)
    assert nx.is_directed_acyclic_graph(graph)
    return set(nx.transitive_closure_dag(graph).edges)


def drawn(tasks: Mapping[str, Made]) -> list[tuple[str, str]]:
    return [(first, then) for then, firsts in postponing(tasks).items() for first in firsts]


@settings(max_examples=rounds(30, 100))
@given(fleets())
def test_the_arrows_that_are_drawn_say_what_all_arrows_say(tasks: dict[str, Made]) -> None:
    assert order(tasks, drawn(tasks)) == order(tasks, every_arrow(tasks))


@settings(max_examples=rounds(30, 100))
@given(fleets(), st.data())
def test_what_is_closed_makes_nothing_wait_for_more(tasks: dict[str, Made], data: st.DataObject) -> None:
    closed = data.draw(st.sampled_from(sorted(tasks))) if tasks else ""
    left = {
        name: replace(
            task,
            after=tuple(dict.fromkeys(n for f in task.after for n in (tasks[closed].after if f == closed else (f,)))),
        )
        for name, task in tasks.items()
        if name != closed
    }
    assert order(left, drawn(left)) <= order(tasks, drawn(tasks))
