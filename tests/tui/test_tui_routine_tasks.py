"""Routine tasks on the plan's page: begun and done, by whom, and what cannot be said."""

from __future__ import annotations

from datetime import date

from textual.widgets import Input

from interlock.model.base import TaskState
from interlock.model.routine import TaskStatus
from interlock.tui.widgets.rows import Rows
from interlock.workspace.routine import TaskChange

TASK = "org.architecture@lakeshore"


def tasks(t) -> Rows:
    return t.app.screen.query_one("#tasks", Rows)


async def on_task(t, key: str) -> None:
    await t.press("5", "t")
    await t.until(lambda: tasks(t).options.has_focus)
    tasks(t).select(key)


async def typed(t, value: str) -> None:
    await t.until(lambda: t.app.screen.query("#ask"))
    t.app.screen.query_one("#ask", Input).value = value
    await t.press("enter")


def progress(t) -> TaskStatus | None:
    task = next(task for task in t.app.state.assessment.plan.tasks if task.id == TASK)
    return task.progress


async def test_a_task_begins_and_is_done(terminal):
    async with terminal((160, 48)) as t:
        await on_task(t, TASK)
        await t.press("b")
        await typed(t, "2026-01-12, Ada")
        await t.until(lambda: progress(t) is not None)
        assert t.app.workspace.tasks()[TASK].told == "begun on 12 Jan 2026, by Ada"
        await t.until(lambda: "◐ begun:" in t.of_rows("#tasks"))
        await on_task(t, TASK)
        await t.press("d")
        await typed(t, "2026-01-11, Ada")
        assert "before it began" in t.text
        await typed(t, date.today().isoformat())
        await t.until(lambda: (said := progress(t)) is not None and said.is_done)
        assert t.app.workspace.tasks()[TASK].by == t.app.author
        await t.until(lambda: "Done" in t.of_rows("#tasks"))
        await on_task(t, TASK)
        await t.press("d")
        await t.until(lambda: "already" in " ".join(note.message for note in t.app._notifications))
        assert not t.app.screen.query("#ask")
        await t.press("ctrl+z")
        await t.until(lambda: t.app.workspace.tasks()[TASK].told == "begun on 12 Jan 2026, by Ada")
        await t.press("ctrl+z")
        await t.until(lambda: TASK not in t.app.workspace.tasks())


async def test_only_routine_tasks_begin_by_saying_so(terminal):
    async with terminal((160, 48), section="plan") as t:
        await t.press("t")
        await t.until(lambda: t.app.state.assessment is not None)
        plan = t.app.state.assessment.plan
        await on_task(t, next(task.id for task in plan.tasks if task.kind == "gap"))
        await t.press("d")
        assert not t.app.screen.query("#ask") and not t.app.workspace.tasks().get("us.golive")


async def test_what_somebody_else_said_meanwhile_is_told_and_shown(terminal):
    async with terminal((160, 48)) as t:
        await on_task(t, TASK)
        theirs = TaskStatus(status=TaskState.BEGUN, begun="2026-01-05", by="Bo")
        await t.press("b")
        t.app.workspace.save_tasks([TaskChange(TASK, theirs, None)])
        await typed(t, "2026-01-12, Ada")
        await t.until(lambda: (said := progress(t)) is not None and said.by == "Bo")
        assert "by Bo" in " ".join(note.message for note in t.app._notifications)
        assert t.app.workspace.tasks()[TASK] == theirs


async def test_the_keys_of_the_plan_fit_a_narrow_terminal(terminal):
    async with terminal((80, 24), section="plan") as t:
        await t.press("t")
        await t.until(lambda: tasks(t).options.has_focus)
        keys = t.text.splitlines()[-1]
        assert all(key in keys for key in ("b Begun", "d Done", "x As if done", "g Go", "? Help")), keys
