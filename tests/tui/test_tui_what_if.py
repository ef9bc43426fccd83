"""What-if in the plan: marking work as if done, leaving out, clearing, and never blocking."""

from __future__ import annotations

import threading

from textual.widgets import OptionList

from interlock.model import words
from interlock.model.contract import WorkflowContract
from interlock.model.errors import InterlockError
from interlock.model.plan import Plan
from interlock.tui import work
from interlock.tui.plan_page import changes_of, choices, named, shorter, still_possible
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
        task = max((each for each in plan.tasks if each.kind == "gap"), key=lambda each: each.criticality)
        other = next(each for each in plan.tasks if each.kind == "routine" and each.id != task.id)
        tasks(t).select(task.id)
        await t.press("x")
        await t.until(lambda: supposing(t).result is not None)
        result = supposing(t).result
        assert result.seed == plan.seed and result.runs == plan.runs
        every = next(change for change in result.finishes if change.org is None)
        shown = t.of("#dates")
        assert not result.ground.firm and "ranges and no dates to promise" in shown
        assert f"{every.before.span} → {every.after.span}" in shown
        assert words.iso_day(every.after.p80_date) not in shown, "no single date has ground"
        assert " ".join(f"as if done: {shorter(task.title)}".split()) in shown and task.id not in shown
        assert "same random numbers" in shown
        assert "as if done:" in t.of_rows("#tasks")
        tasks(t).select(other.id)
        await t.press("x")
        await t.until(
            lambda: supposing(t).supposed == (f"done:{task.id}", f"done:{other.id}") and supposing(t).result is not None
        )
        await t.press("x")
        await t.until(lambda: supposing(t).supposed == (f"done:{task.id}",))
        await t.press("c")
        assert not supposing(t).supposed
        assert "as if done" not in t.text and "judgement" in t.of("#dates")


async def test_a_first_thing_an_organisation_and_a_person_are_offered_where_it_is_narrow(terminal):
    async with terminal((80, 24), section="plan") as t:
        await t.press("x")
        await t.until_shown("What if?")
        first = t.app.state.assessment.plan.first[0]
        await t.press("enter")
        await t.until(lambda: supposing(t).result is not None)
        assert supposing(t).supposed == (f"done:{first.key}",)
        await t.press("w")
        await t.until_shown("What if?")
        assert "[x] Done:" in t.text
        options = t.app.screen.query_one(OptionList).options
        assert any("[ ] Without Riverside" in str(option.prompt) for option in options)
        await t.press(*["down"] * len(t.app.state.assessment.plan.first), "enter")
        org = t.app.state.assessment.plan.orgs[0].org
        await t.until(lambda: supposing(t).result is not None and named(supposing(t).supposed, "drop") == (org,))
        assert "left out" in t.of("#dates")
        await t.press("t")
        await t.until_shown("what if: all of them")


async def suppose(t, label: str) -> None:
    """Take the line with this label of what can be supposed, and wait for the dates."""
    await t.press("w")
    await t.until_shown("What if?")
    options = t.app.screen.query_one(OptionList)
    options.highlighted = next(i for i, option in enumerate(options.options) if label in str(option.prompt))
    await t.press("enter")
    await t.until(lambda: not supposing(t).supposed or supposing(t).result is not None)


async def test_another_way_to_launch_and_simulating_are_offered_and_change_the_dates(terminal):
    async with terminal((160, 48), section="plan") as t:
        await suppose(t, "Launch: standalone")
        assert changes_of(supposing(t).supposed).launch == "standalone"
        result = supposing(t).result
        assert result.closed and result.changes[0] in t.of("#dates"), "what it opens and closes is told"
        await suppose(t, "Simulated: Score and note in the chart")
        assert changes_of(supposing(t).supposed).simulate == ("Score and note in the chart",)
        assert "launch: standalone" in t.of("#dates") and "simulated: Score and note" in t.of("#dates")
        before = supposing(t).result
        await suppose(t, "[x] Launch: standalone")
        await t.until(lambda: supposing(t).result is not None and supposing(t).result is not before)
        assert not supposing(t).result.closed, "the contract's own launch again"
        await suppose(t, "all that is tested in a sandbox")
        assert named(supposing(t).supposed, "simulate") == ("all",), "all takes the place of one"
        await t.press("c")
        assert not supposing(t).supposed


async def test_a_task_that_another_launch_leaves_out_is_told_and_can_be_given_back(terminal):
    async with terminal((160, 48)) as t:
        await in_tasks(t)
        await suppose(t, "Launch: standalone")
        gone = next(key for key in supposing(t).result.closed if key in tasks(t).keys)
        tasks(t).select(gone)
        await t.press("x")
        await t.until(lambda: supposing(t).error is not None)
        assert gone in t.of("#dates") and "x on a task that is marked as done gives it back" in t.of("#dates")
        await t.press("x")
        await t.until(lambda: supposing(t).result is not None)
        assert supposing(t).supposed == ("launch:standalone",)


async def test_the_list_opens_where_it_was_left(terminal):
    async with terminal((80, 24), section="plan") as t:
        await suppose(t, "Simulated: Roles and permissions")
        await t.press("w")
        await t.until_shown("[x] Simulated: Roles and permissions")
        option = t.app.screen.query_one(OptionList).highlighted_option
        assert str(option.prompt) == "[x] Simulated: Roles and permissions"


async def test_only_other_ways_to_launch_and_what_is_tested_in_a_sandbox_are_offered(terminal):
    async with terminal() as t:
        contract, plan = t.app.state.inputs.contract, t.app.state.assessment.plan

    def offered(plan: Plan, contract: WorkflowContract | None) -> list[str]:
        offers = choices(plan, contract, (), {})
        return [key for key, _, _ in offers if key.startswith(("launch:", "simulate:"))]

    def launching(*modes: str) -> WorkflowContract:
        return contract.model_copy(
            update={"launch": contract.launch.model_copy(update={"modes": modes}), "test_path": ()}
        )

    assert offered(plan, None) == []
    assert offered(plan, launching("ehr", "backend")) == ["launch:standalone", "launch:backend"]
    assert offered(plan, launching("ehr", "standalone")) == ["launch:ehr", "launch:standalone", "launch:backend"]
    assert offered(plan, launching("backend")) == ["launch:ehr", "launch:standalone"]
    simulated = [key for key in offered(plan, contract) if key.startswith("simulate:")]
    assert simulated == [
        *(f"simulate:{entry.behaviour}" for entry in contract.test_path if entry.where == "sandbox"),
        "simulate:all",
    ]
    assert not still_possible(("launch:ehr", "simulate:gone"), plan, launching("ehr"))


async def test_what_is_worked_out_meanwhile_is_for_the_newest_marks_and_nothing_waits(terminal, monkeypatch):
    real, gate, asked = work.supposed, threading.Event(), []

    def slow(inputs, assessment, changes):
        asked.append(changes)
        gate.wait(20)
        return real(inputs, assessment, changes)

    monkeypatch.setattr(work, "supposed", slow)
    async with terminal((160, 48)) as t:
        await in_tasks(t)
        first, second, *_ = tasks(t).keys
        tasks(t).select(first)
        await t.press("x")
        tasks(t).select(second)
        await t.press("x")
        await t.until(lambda: supposing(t).supposed == (f"done:{first}", f"done:{second}"))
        assert "working out the dates" in t.text, "keys work while it is worked out"
        gate.set()
        await t.until(lambda: supposing(t).result is not None)
        assert [len(entry.close) for entry in asked] == [1, 2]
        assert any(second in change for change in supposing(t).result.changes)


async def test_an_error_is_told_and_the_plan_goes_on(terminal, monkeypatch):
    def broken(inputs, assessment, changes):
        raise InterlockError("nothing in the plan is called [red]that[/red]")

    monkeypatch.setattr(work, "supposed", broken)
    async with terminal((160, 48)) as t:
        await in_tasks(t)
        await t.press("x")
        await t.until(lambda: supposing(t).error is not None)
        assert "called [red]that[/red]" in t.of("#dates")
        await t.press("c")
        assert "eight of ten runs" in t.of("#dates")


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
        assert supposing(t).supposed == (f"done:{task}",)


async def test_tasks_of_one_organisation(terminal):
    async with terminal((160, 48), section="plan") as t:
        await t.press("o")
        await t.until_shown("Whose tasks?")
        await t.press("down", "enter")
        plan = t.app.state.assessment.plan
        org = t.app.state.assessment.organizations[0].id
        await t.until(lambda: set(tasks(t).keys) == {task.id for task in plan.tasks if task.org == org})
        await t.press("c")
        assert len(tasks(t).keys) == len(plan.tasks)
