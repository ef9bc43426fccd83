"""The gaps with their filters and stories; the plan with its dates and tasks; the contract with its fit."""

from __future__ import annotations

import pytest

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.plan import finding_of
from interlock.tui import timeline
from interlock.tui.gap_tree import Filter
from interlock.tui.plan_page import shorter
from interlock.tui.widgets.rows import Rows
from interlock.usecases.plan import next_weeks


def listed(t) -> tuple[str, ...]:
    return t.app.screen.query_one("#gaps", Rows).keys


async def test_filters_say_what_is_listed_and_are_cleared_and_gaps_are_found_by_words_or_rule(terminal):
    async with terminal((80, 24), section="gaps") as t:
        await t.until(lambda: "If closed" in t.lines[-1])
        assert "Back" not in t.lines[-1] and "Clear" not in t.lines[-1]
        everything = listed(t)
        nodes = {node.key: node for node in t.app.state.assessment.graph.nodes}
        await t.press("f", "down", "down", "enter")
        await t.until(lambda: 0 < len(listed(t)) < len(everything))
        assert all("lakeshore" in nodes[key].orgs for key in listed(t))
        assert "only Lakeshore Health System" in t.text
        await t.press("s", "down", "enter")
        await t.until(lambda: all(nodes[key].severity is Severity.CRITICAL for key in listed(t)))
        await t.until(lambda: "c Clear filters" in t.lines[-1])
        assert f"{len(listed(t))} of {len(nodes)}" in t.text
        await t.press("t", "down", "enter")
        await t.until(lambda: all(nodes[key].kind == "gap" for key in listed(t)))
        await t.press("w", "end", "enter")
        await t.until(lambda: all(nodes[key].owner.value == "org" for key in listed(t)))
        t.app.screen._filter = Filter(org="nowhere")
        t.app.screen._show_list(t.app.state.assessment)
        await t.until_shown("No gap fits the filters")
        await t.press("c")
        await t.until(lambda: listed(t) == everything and "Clear" not in t.lines[-1])
        rule = everything[len(everything) // 2].split("@")[0]
        await t.press("slash")
        await t.until_shown("Find gaps")
        await t.type(rule.lower())
        await t.press("enter")
        await t.until(lambda: 0 < len(listed(t)) < len(everything))
        assert any(key.startswith(rule) for key in listed(t)) and f"with “{rule.lower()}”" in t.flat_text
        await t.press("c")
        await t.until(lambda: listed(t) == everything)
        await t.press("enter")
        await t.until(lambda: "esc Back" in t.lines[-1])
        await t.press("escape")
        await t.until(lambda: "esc Back" not in t.lines[-1])


@pytest.mark.parametrize("size", [(80, 24), pytest.param((160, 48), marks=pytest.mark.long)])
async def test_the_explanation_tells_why_what_before_and_after_and_leads_to_its_question(terminal, size):
    async with terminal(size, section="gaps") as t:
        graph = t.app.state.assessment.graph
        key = next(edge.after for edge in graph.reduced if any(e.before == edge.after for e in graph.reduced))
        t.app.show_gap(key)
        await t.pilot.pause()
        explanation = t.of("#explanation")
        before = next(edge.before for edge in graph.reduced if edge.after == key)
        after = next(edge.after for edge in graph.reduced if edge.before == key)
        for heading in ("Why it matters", "What to do", "Effort", "Before and after", "What it rests on", "References"):
            assert heading in explanation
        assert explanation.index(before) < explanation.index("this one") < explanation.index(after)
        if size[0] == 80:
            assert t.app.screen.query_one("#explanation").is_on_screen
            await t.press("escape")
            assert t.app.screen.query_one("#gaps").is_on_screen
        findings = {finding.key: finding for finding in t.app.state.assessment.findings}
        key = next(key for key in listed(t) if any(n.startswith("responses.org.") for n in findings[key].reads))
        t.app.screen.query_one("#gaps", Rows).select(key)
        await t.press("a")
        await t.until(lambda: t.app.current_mode == "questions")
        reads = " ".join((*findings[key].reads, *findings[key].missing_answers))
        assert t.app.screen._item in reads


async def test_the_plan_shows_first_things_dates_tasks_and_weeks_and_each_leads_further(terminal):
    async with terminal(section="plan") as t:
        plan = t.app.state.assessment.plan
        dates, first = t.of("#dates"), t.of("#first-things")
        for forecast in plan.orgs:
            assert forecast.finish.span in dates and forecast.if_all_gaps.span in dates
            assert f"P80 {words.iso_day(forecast.finish.p80_date)}" not in dates
        assert "a range and not a date to promise" in dates and "judgement" in dates
        for thing in (*plan.first, *plan.apart):
            assert " ".join(shorter(thing.title).split()) in first, thing.key
            assert thing.key not in first.partition("What drives the P80")[0], "words, not ids"
        for thing in plan.first:
            assert " ".join(thing.what_to_do.split()) in first and thing.what_to_do, thing.key
        keys = t.app.screen.query_one("#tasks", Rows).keys
        assert sorted(keys) == sorted(task.id for task in plan.tasks)
        await t.press("v")
        await t.until_shown("The next 90 days, by week")
        listed = set(t.app.screen.query_one("#tasks", Rows).keys)
        soon = {task.id for _, tasks in next_weeks(plan, 90) for task in tasks}
        assert listed == soon and len(soon) < len(plan.tasks)
        await t.press("v")
        await t.until_shown("Tasks by wave")
        await t.press("t")
        gap = next(task.id for task in plan.tasks if task.kind == "gap")
        t.app.screen.query_one("#tasks", Rows).select(gap)
        await t.press("enter")
        await t.until(lambda: t.app.current_mode == "gaps")
        assert gap in t.text
        # On the overview a first thing leads to the gap, the probe or the plan.
        things = {thing.kind: thing for thing in plan.first}
        assert things
        for thing in things.values():
            t.app.action_go("overview")
            await t.until(lambda: t.app.current_mode == "overview")
            rows = t.app.screen.query_one("#first-things", Rows)
            rows.post_message(Rows.Chosen(rows, thing.key))
            behind = any(t.app.state.assessment.graph.node(finding_of(key)) for key in thing.keys)
            mode = "gaps" if behind else "probe" if thing.kind == "discovery" else "plan"
            await t.until(lambda mode=mode: t.app.current_mode == mode)


async def test_the_contract_shows_its_open_points_and_the_fit(terminal, workspace):
    path = workspace.root / "contract.yaml"
    path.write_text(path.read_text().replace("  modes:", "  # modes:", 1))
    async with terminal(section="contract") as t:
        says = t.of("#contract")
        assert "Clinical event" in says and "Left open" in says
        assert "State: signed within: At once; then: Written as preliminary and then final" in says
        assert "no launch mode is chosen" in says or "Left open 0" not in says
        t.app.probe(["riverside"])
        await t.until(lambda: "riverside" in t.app.state.inputs.observations, 30)
        await t.settled()
        await t.press("f")
        assert "Riverside" in t.of("#fit-told") and "✓ supported" in t.of("#fit-told") and "? not observed" in t.text
        fits = t.app.state.inputs.fits["riverside"]
        needs = {(match.direction, match.resource, match.kind, match.name) for match in fits.matches}
        assert len(t.app.screen.query_one("#fit", Rows).keys) == len(needs)


async def test_without_a_contract_the_section_says_what_to_do(terminal, workspace):
    (workspace.root / "contract.yaml").unlink()
    async with terminal(section="contract") as t:
        await t.until_shown("There is no contract.yaml")
        await t.press("6", "x")
        await t.until_shown("There is no contract.yaml to make skeletons of")


async def test_the_chance_of_a_day_that_one_types_is_told_for_each_organisation(terminal):
    async with terminal((120, 36), section="plan") as t:
        await t.until(lambda: t.app.state.assessment is not None)
        await t.press("h")
        await t.until_shown("By which day?")
        await t.type("someday")
        await t.press("enter")
        await t.until_shown("is not a day that a plan can reckon with")
        t.app.screen.query_one("#ask").value = "2199-01-01"
        await t.press("enter")
        await t.until_shown("Share of the simulated runs")
        for org in t.app.state.inputs.organizations:
            assert f"{org.name} 100%" in t.of("#dates > Flow")
        assert "All of them 100%" in t.of("#dates > Flow")
        await t.press("c")
        await t.until(lambda: "Share of the simulated runs" not in t.of("#dates > Flow"))


@pytest.mark.usefixtures("unplanned")
async def test_every_task_over_time_at_three_widths_and_the_critical_path_alone(terminal):
    async with terminal((80, 24), section="plan") as t:
        await t.press("m")
        await t.until(lambda: t.app.screen.query("#timeline") and t.app.screen.query_one("#timeline").keys)
        plan, table = t.app.state.assessment.plan, t.app.screen.query_one("#timeline")
        assert set(table.keys) == {task.id for task in plan.left}
        for width in (20, 40, 70, 140):
            scale = timeline.Scale.of(plan)
            axis = scale.axis(width)
            assert len(axis) == width and " │" in axis and all(len(label) >= 5 for label in axis.split("│")[1:])
            for task in plan.left:
                critical = task.criticality >= 0.5
                drawn = scale.bar(width, task=task, critical=critical).plain
                assert len(drawn) == width and ("█" in drawn, "▒" in drawn) == (critical, not critical)
        shown = [line for line in t.lines if "░" in line or "▒" in line]
        assert len(shown) >= 10 and all(len(line) <= 80 for line in t.lines)
        await t.press("c")
        assert set(table.keys) == {task.id for task in plan.left if task.criticality >= 0.5}
        assert t.of("#timeline-task").count("critical path in") == 1
        await t.press("escape", "escape")
        assert t.app.current_mode == "plan" and not t.app.screen.query("#timeline")
        undated = plan.but(tasks=tuple(task.but(starts=None, ends=None, latest=None) for task in plan.tasks))
        assert "day 0" in timeline.Scale.of(undated).axis(70)
