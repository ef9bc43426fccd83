"""What-if: what is taken for done, left out or added, and the dates before and after it, drawn side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from textual.content import Content

from interlock.model.assessment import Assessment, Plan, WhatIf
from interlock.model.base import Owner
from interlock.model.errors import InterlockError
from interlock.tui.bars import quantile_bar
from interlock.tui.page import Page, line, text
from interlock.tui.widgets.problem import draw_problem
from interlock.tui.words import ACCENT, BAD, DIM, OK, PRIMARY, WARN, counted, shorter

if TYPE_CHECKING:
    from interlock.usecases.plan import Changes

_T = TypeVar("_T")

_PERSON = {
    Owner.US: "One more person of us",
    Owner.VENDOR: "One more person at each vendor",
    Owner.ORG: "One more person at each organisation",
}


@dataclass(frozen=True)
class Suppositions:
    """What is supposed.

    :ivar done: ids of the plan's tasks that are taken for done, in the order in which they were marked.
    :ivar dropped: organisations that are left out.
    :ivar added: owners who get one more person.
    """

    done: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    added: tuple[Owner, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.done or self.dropped or self.added)

    def turned(self, key: str) -> Suppositions:
        """With ``done:ID``, ``drop:ORG`` or ``add:OWNER`` supposed if it was not, and the other way round."""
        kind, _, name = key.partition(":")
        if kind == "done":
            return replace(self, done=_turned(self.done, name))
        if kind == "drop":
            return replace(self, dropped=_turned(self.dropped, name))
        return replace(self, added=_turned(self.added, Owner(name)))

    def still_possible(self, plan: Plan) -> Suppositions:
        """Without what a newer plan does not have any more."""
        tasks = {task.id for task in plan.tasks}
        orgs = {forecast.org for forecast in plan.orgs}
        return replace(
            self,
            done=tuple(task for task in self.done if task in tasks),
            dropped=tuple(org for org in self.dropped if org in orgs),
        )

    @property
    def changes(self) -> Changes:
        """As the use case takes them."""
        from interlock.usecases.plan import Changes

        return Changes(close=self.done, drop=self.dropped, add=dict.fromkeys(self.added, 1.0))


def _turned(before: tuple[_T, ...], one: _T) -> tuple[_T, ...]:
    return tuple(other for other in before if other != one) if one in before else (*before, one)


@dataclass(frozen=True)
class Supposing:
    """The suppositions and what became of them; no result and no error while it is worked out."""

    supposed: Suppositions
    result: WhatIf | None = None
    error: InterlockError | None = None


def choices(plan: Plan, supposed: Suppositions, names: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """What can be supposed without the list of tasks, as (key, words, supposed already)."""
    found = [(f"done:{thing.key}", f"Done: {shorter(thing.title)}  {thing.key}") for thing in plan.first]
    found += [(f"drop:{f.org}", f"Without {names.get(f.org, f.org)}") for f in plan.orgs] if len(plan.orgs) > 1 else []
    found += [(f"add:{owner.value}", _PERSON[owner]) for owner in Owner if owner in plan.capacity]
    taken = {f"done:{key}" for key in supposed.done} | {f"drop:{org}" for org in supposed.dropped}
    taken |= {f"add:{owner.value}" for owner in supposed.added}
    return [(key, words, key in taken) for key, words in found]


def draw_supposing(page: Page, assessment: Assessment, supposing: Supposing) -> None:
    """Every finish before and after."""
    names = {org.id: org.name for org in assessment.organizations}
    page.line(("x takes one more or gives it back, c clears", DIM))
    for words in _said(supposing.supposed, assessment, names):
        page.bullet(text("×", ACCENT), words)
    page.blank()
    result = supposing.result
    if supposing.error is not None:
        draw_problem(page, supposing.error)
    elif result is None:
        page.line(("… working out the dates", ACCENT))
    else:
        _draw_result(page, result, names)


def summary(supposing: Supposing) -> str:
    """One line for where there is no room for the dates: ``what if: P80 of all 2028-03-24 → 2028-02-11``."""
    if supposing.error is not None:
        return "what if: it cannot be worked out"
    every = next((c for c in supposing.result.finishes if c.org is None), None) if supposing.result else None
    if every is None or every.after is None:
        return "what if: working out the dates…"
    return f"what if: P80 of all {every.before.p80_date} → {every.after.p80_date}"


def _said(supposed: Suppositions, assessment: Assessment, names: Mapping[str, str]) -> Iterable[str]:
    titles = {task.id: task.title for task in assessment.plan.tasks}
    yield from (f"as if done: {key}, {shorter(titles.get(key, ''))}" for key in supposed.done)
    yield from (f"without {names.get(org, org)}" for org in supposed.dropped)
    yield from (_PERSON[owner].lower() for owner in supposed.added)


def _draw_result(page: Page, result: WhatIf, names: Mapping[str, str]) -> None:
    longest = max([max(c.before.p90_days, c.after.p90_days if c.after else 0.0) for c in result.finishes], default=0.0)
    page.line((f"P80 past the {result.target_gate.value} gate", DIM), ("   █ to P50  ▒ to P80  ░ to P90", DIM))
    for change in sorted(result.finishes, key=lambda change: change.org is not None):
        name = names.get(change.org, change.org) if change.org else "All of them"
        page.blank()
        if change.after is None:
            page.line((name, "bold"), ("   left out", DIM))
            continue
        days = round(change.before.p80_days - change.after.p80_days)
        page.line((name, "bold"), "   ", _moved(days))
        dates = line(
            (change.before.p80_date, DIM), (" → ", DIM), (change.after.p80_date, f"bold {PRIMARY}" if days else "")
        )
        page.add(dates)
        if days:
            page.add(
                line(("before ", DIM), quantile_bar(change.before, longest, page.width - 8)),
                line(("after  ", DIM), quantile_bar(change.after, longest, page.width - 8)),
            )
    page.blank()
    for note in result.notes:
        page.bullet(text("·", WARN), (note, DIM))


def _moved(days: int) -> Content:
    """By how many working days the P80 is earlier (positive) or later."""
    if not days:
        return text("no change", DIM)
    glyph, style, word = ("▲", OK, "earlier") if days > 0 else ("▼", BAD, "later")
    return text(f"{glyph} {counted(abs(days), 'working day')} {word}", f"bold {style}")
