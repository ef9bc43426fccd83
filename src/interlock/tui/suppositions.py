"""What-if: what is taken for done, left out, added or changed, and the dates before and after it, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast, get_args

from textual.content import Content

from interlock.model.assessment import Assessment
from interlock.model.base import Owner
from interlock.model.contract import LaunchMode, WorkflowContract
from interlock.model.errors import InterlockError
from interlock.model.plan import Plan, WhatIf
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
_LAUNCH: dict[LaunchMode, str] = {
    "ehr": "Launch: inside the EHR",
    "standalone": "Launch: standalone, outside the EHR",
    "backend": "Launch: backend only, nobody signs in",
}
_GONE = "Another launch leaves out some of the work; x on a task that is marked as done gives it back, c clears."
#: Stands for every behaviour that is tested in a sandbox.
_EVERY = "all"


@dataclass(frozen=True)
class Suppositions:
    """What is supposed.

    :ivar done: ids of the plan's tasks that are taken for done, in the order in which they were marked.
    :ivar dropped: organisations that are left out.
    :ivar added: owners who get one more person.
    :ivar launch: how sessions start instead of what the contract says; one way at a time.
    :ivar simulated: behaviours that are simulated instead of tested in a sandbox, or ``all``.
    """

    done: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    added: tuple[Owner, ...] = ()
    launch: LaunchMode | None = None
    simulated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.done or self.dropped or self.added or self.launch or self.simulated)

    def turned(self, key: str) -> Suppositions:
        """With ``done:ID``, ``drop:ORG``, ``add:OWNER``, ``launch:MODE`` or ``simulate:BEHAVIOUR`` supposed if it was
        not, and the other way round."""
        kind, _, name = key.partition(":")
        if kind == "done":
            return replace(self, done=_turned(self.done, name))
        if kind == "drop":
            return replace(self, dropped=_turned(self.dropped, name))
        if kind == "launch":
            return replace(self, launch=None if name == self.launch else cast("LaunchMode", name))
        if kind == "simulate":
            others = () if name == _EVERY else tuple(one for one in self.simulated if one != _EVERY)
            return replace(self, simulated=_turned(self.simulated if name in self.simulated else others, name))
        return replace(self, added=_turned(self.added, Owner(name)))

    def still_possible(self, plan: Plan, contract: WorkflowContract | None) -> Suppositions:
        """Without what a newer plan or contract does not have any more."""
        tasks = {task.id for task in plan.tasks}
        orgs = {forecast.org for forecast in plan.orgs}
        return replace(
            self,
            done=tuple(task for task in self.done if task in tasks),
            dropped=tuple(org for org in self.dropped if org in orgs),
            launch=self.launch if self.launch in _other_launches(contract) else None,
            simulated=tuple(one for one in self.simulated if one in _simulable(contract)),
        )

    @property
    def changes(self) -> Changes:
        """As the use case takes them."""
        from interlock.usecases.plan import Changes

        return Changes(
            close=self.done,
            drop=self.dropped,
            add=dict.fromkeys(self.added, 1.0),
            launch=self.launch,
            simulate=self.simulated,
        )


def _turned(before: tuple[_T, ...], one: _T) -> tuple[_T, ...]:
    return tuple(other for other in before if other != one) if one in before else (*before, one)


@dataclass(frozen=True)
class Supposing:
    """The suppositions and what became of them; no result and no error while it is worked out."""

    supposed: Suppositions
    result: WhatIf | None = None
    error: InterlockError | None = None


def _other_launches(contract: WorkflowContract | None) -> tuple[LaunchMode, ...]:
    """Ways to launch that the contract does not ask for as it is; what runs in the background goes on beside them."""
    if contract is None:
        return ()
    now = set(contract.launch.modes)
    modes: tuple[LaunchMode, ...] = get_args(LaunchMode)
    return tuple(mode for mode in modes if now - (set() if mode == "backend" else {"backend"}) != {mode})


def _simulable(contract: WorkflowContract | None) -> tuple[str, ...]:
    """Behaviours that are tested in a sandbox; behind several, the word for all of them."""
    entries = contract.test_path if contract is not None else ()
    found = tuple(dict.fromkeys(entry.behaviour for entry in entries if entry.where == "sandbox"))
    return tuple(dict.fromkeys((*found, _EVERY))) if len(found) > 1 else found


def choices(
    plan: Plan, contract: WorkflowContract | None, supposed: Suppositions, names: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """What can be supposed without the list of tasks, as (key, words, supposed already)."""
    found = [(f"done:{thing.key}", f"Done: {shorter(thing.title)}  {thing.key}") for thing in plan.first]
    found += [(f"drop:{f.org}", f"Without {names.get(f.org, f.org)}") for f in plan.orgs] if len(plan.orgs) > 1 else []
    found += [(f"add:{owner.value}", _PERSON[owner]) for owner in Owner if owner in plan.capacity]
    found += [(f"launch:{mode}", _LAUNCH[mode]) for mode in _other_launches(contract)]
    found += [(f"simulate:{one}", _simulated(one)) for one in _simulable(contract)]
    taken = {f"done:{key}" for key in supposed.done} | {f"drop:{org}" for org in supposed.dropped}
    taken |= {f"add:{owner.value}" for owner in supposed.added} | {f"simulate:{one}" for one in supposed.simulated}
    taken |= {f"launch:{supposed.launch}"}
    return [(key, words, key in taken) for key, words in found]


def _simulated(behaviour: str) -> str:
    return "Simulated: all that is tested in a sandbox" if behaviour == _EVERY else f"Simulated: {behaviour}"


def draw_supposing(page: Page, assessment: Assessment, supposing: Supposing) -> None:
    """Every finish before and after."""
    names = {org.id: org.name for org in assessment.organizations}
    page.line(("w changes what is supposed, c goes back to the plan as it is", DIM))
    for words in _said(supposing.supposed, assessment, names):
        page.bullet(text("×", ACCENT), words)
    page.blank()
    result = supposing.result
    if supposing.error is not None:
        supposed = supposing.supposed
        draw_problem(page, supposing.error, _GONE if supposed.launch is not None and supposed.done else "")
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
    yield from (_lower(_PERSON[owner]) for owner in supposed.added)
    if supposed.launch is not None:
        yield _lower(_LAUNCH[supposed.launch])
    yield from (_lower(_simulated(one)) for one in supposed.simulated)


def _lower(words: str) -> str:
    """The words inside a list: their first letter small, the rest (EHR, a behaviour's name) as it is."""
    return words[:1].lower() + words[1:]


def _draw_result(page: Page, result: WhatIf, names: Mapping[str, str]) -> None:
    longest = max([max(c.before.p90_days, c.after.p90_days if c.after else 0.0) for c in result.finishes], default=0.0)
    if result.opened or result.closed:  # a change of the contract: what it opens and closes is part of the answer
        page.bullet(text("·", ACCENT), result.changes[0])
        page.blank()
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
