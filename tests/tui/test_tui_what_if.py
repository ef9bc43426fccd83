"""What-if in the plan: marking work as if done, leaving out, clearing, and never blocking."""

from __future__ import annotations

import threading

from textual.widgets import OptionList

from interlock.model.errors import InterlockError
from interlock.tui import work
from interlock.tui.widgets.rows import Rows


def tasks(t) -> Rows:
    return t.app.screen.query_one("#tasks", Rows)


def supposing(t):
    return t.app.screen._supposing


async def in_tasks(t) -> None:
    """Go to the plan's list of tasks."""
    await t.press("5", "t")
    await t.until(lambda: tasks(t).options.has_focus)


async def test_x_shows_the_dates_before_and_after_and_c_clears(terminal):
    async with terminal((160, 48)) as t:
        await in_tasks(t)
        plan = t.app.state.assessment.plan
        task = max((one for one in plan.tasks if one.kind == "gap"), key=lambda one: one.criticality)
        other = next(one for one in plan.tasks if one.kind == "standing" and one.id != task.id)
        tasks(t).select(task.id)
        await t.press("x")
        await t.until(lambda: supposing(t).result is not None)
        result = supposing(t).result
        assert result.seed == plan.seed and result.runs == plan.runs
        every = next(change for change in result.finishes if change.org is None)
        shown = t.of("#dates")
        assert f"{every.before.p80_date} → {every.after.p80_date}" in shown
        assert f"as if done: {task.id}" in shown and "same random numbers" in shown
        assert "as if done:" in t.of_rows("#tasks")
        tasks(t).select(other.id)
        await t.press("x")
        await t.until(lambda: supposing(t).supposed.done == (task.id, other.id) and supposing(t).result is not None)
        await t.press("x")
        await t.until(lambda: supposing(t).supposed.done == (task.id,))
        await t.press("c")
        assert not supposing(t).supposed
        assert "as if done" not in t.text and "judgement" in t.of("#dates")


async def test_a_first_thing_an_organisation_and_a_person_are_offered_where_it_is_narrow(terminal):
    async with terminal((80, 24)) as t:
        await t.press("5", "x")
        await t.until_shown("What if?")
        first = t.app.state.assessment.plan.first[0]
        await t.press("enter")
        await t.until(lambda: supposing(t).result is not None)
        assert supposing(t).supposed.done == (first.key,)
        await t.press("w")
        await t.until_shown("What if?")
        assert "[x] Done:" in t.text
        options = t.app.screen.query_one(OptionList).options
        assert any("[ ] Without Riverside" in str(option.prompt) for option in options)
        await t.press(*["down"] * len(t.app.state.assessment.plan.first), "enter")
        org = t.app.state.assessment.plan.orgs[0].org
        await t.until(lambda: supposing(t).result is not None and supposing(t).supposed.dropped == (org,))
        assert "left out" in t.of("#dates")
        await t.press("t")
        await t.until_shown("what if: P80 of all")


async def test_what_is_worked_out_meanwhile_is_for_the_newest_marks_and_nothing_waits(terminal, monkeypatch):
    real, gate, asked = work.supposed, threading.Event(), []

    def slow(inputs, assessment, supposed):
        asked.append(supposed)
        gate.wait(20)
        return real(inputs, assessment, supposed)

    monkeypatch.setattr(work, "supposed", slow)
    async with terminal((160, 48)) as t:
        await in_tasks(t)
        one, two, *_ = tasks(t).keys
        tasks(t).select(one)
        await t.press("x")
        tasks(t).select(two)
        await t.press("x")
        await t.until(lambda: supposing(t).supposed.done == (one, two))
        assert "working out the dates" in t.text, "keys work while it is worked out"
        gate.set()
        await t.until(lambda: supposing(t).result is not None)
        assert [len(entry.done) for entry in asked] == [1, 2]
        assert any(two in change for change in supposing(t).result.changes)


async def test_an_error_is_told_and_the_plan_goes_on(terminal, monkeypatch):
    def broken(inputs, assessment, supposed):
        raise InterlockError("nothing in the plan is called [red]that[/red]")

    monkeypatch.setattr(work, "supposed", broken)
    async with terminal((160, 48)) as t:
        await in_tasks(t)
        await t.press("x")
        await t.until(lambda: supposing(t).error is not None)
        assert "called [red]that[/red]" in t.of("#dates")
        await t.press("c")
        assert "P80" in t.of("#dates")


async def test_the_marks_stay_with_a_new_plan_as_far_as_it_has_them(terminal):
    async with terminal((160, 48)) as t:
        await in_tasks(t)
        task = tasks(t).key
        await t.press("x")
        await t.until(lambda: supposing(t).result is not None)
        before = supposing(t).result
        t.app.action_reload()
        await t.settled()
        await t.until(lambda: supposing(t).result is not None and supposing(t).result is not before)
        assert supposing(t).supposed.done == (task,)


async def test_tasks_of_one_organisation(terminal):
    async with terminal((160, 48)) as t:
        await t.press("5", "o")
        await t.until_shown("Whose tasks?")
        await t.press("down", "enter")
        plan = t.app.state.assessment.plan
        org = t.app.state.assessment.organizations[0].id
        await t.until(lambda: set(tasks(t).keys) == {task.id for task in plan.tasks if task.org == org})
        await t.press("c")
        assert len(tasks(t).keys) == len(plan.tasks)
