"""Exporting the report, writing skeletons, freezing milestones and comparing."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, resource_tracker

import pytest
from textual.widgets import Checkbox, Input

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome
from interlock.model.errors import InterlockError
from interlock.tui.page import Page
from interlock.tui.report_page import draw_preview
from interlock.tui.widgets.fields import Tick
from interlock.tui.widgets.rows import Rows
from interlock.usecases import report


async def test_export_writes_the_chosen_formats_and_shows_the_paths(terminal, tmp_path):
    async with terminal((80, 24), section="report") as t:
        t.app.screen.query_one("#format-pdf", Tick).toggle()
        t.app.screen.query_one("#folder", Input).value = str(tmp_path / "out")
        await t.press("e")
        await t.until(lambda: "Written" in t.of("#outcome"), 30)
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {"report.md", "report.html", "report.json"}
        shown = t.of("#outcome").replace(" ", "")
        assert all(str(tmp_path / "out" / name) in shown for name in names)
        assert Assessment.model_validate(json.loads((tmp_path / "out" / "report.json").read_bytes()))


async def test_a_format_that_cannot_be_made_is_left_out_with_the_reason(terminal, tmp_path, monkeypatch):
    real = report.write_report

    def write(assessment, inputs, directory, formats, *, sections=None, on_skipped):
        if formats == ("pdf",):
            on_skipped("pdf", InterlockError("a PDF needs libraries", remedy="apt-get install libpango-1.0-0"))
            return ()
        return real(assessment, inputs, directory, formats, on_skipped=on_skipped)

    monkeypatch.setattr(report, "write_report", write)
    async with terminal(section="report") as t:
        t.app.screen.query_one("#folder", Input).value = str(tmp_path / "out")
        await t.press("e")
        await t.until(lambda: "To look at" in t.of("#outcome"), 30)
        assert "a PDF needs libraries" in t.of("#outcome") and "apt-get install" in t.of("#outcome")
        assert (tmp_path / "out" / "report.md").exists()


async def test_a_pdfs_own_process_can_start_while_the_app_has_the_terminal(terminal, tmp_path, monkeypatch):
    def write(assessment, inputs, directory, formats, *, sections=None, on_skipped):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            (tmp_path / "made").write_text(str(pool.submit(len, "four").result(timeout=30)))
        return (tmp_path / "made",)

    monkeypatch.setattr(report, "write_report", write)
    resource_tracker._resource_tracker._stop()  # the first process of a program is the one that needs help
    async with terminal(section="report") as t:
        for name in ("md", "html", "json"):
            t.app.screen.query_one(f"#format-{name}", Tick).toggle()
        await t.press("e")
        await t.until(lambda: "Written" in t.of("#outcome"), 30)
        assert (tmp_path / "made").read_text() == "4"


async def test_a_folder_that_cannot_be_written_is_told_and_no_format_is_asked_for(terminal, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    async with terminal(section="report") as t:
        for name in ("md", "html", "pdf"):
            t.app.screen.query_one(f"#format-{name}", Tick).toggle()
        t.app.screen.query_one("#folder", Input).value = str(tmp_path / "file" / "inside")
        await t.press("e")
        await t.until(lambda: "not saved" in t.of("#outcome"))
        t.app.screen.query_one("#format-json", Tick).toggle()
        await t.press("e")
        await t.until_shown("Choose at least one format")


async def test_the_contracts_skeletons_are_written(terminal, workspace):
    mine = workspace.root / "reports" / "contract" / "scopes.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    async with terminal(section="report") as t:
        await t.press("x")
        await t.until(lambda: "Written" in t.of("#outcome"))
        assert (mine.parent / "contract.lock.json").exists()
        assert "scopes.json.new: the one beside it was edited, and kept" in t.of("#outcome")
        assert mine.read_text() == "mine"


async def test_a_milestone_needs_a_name_is_saved_and_compared_with(terminal, workspace):
    async with terminal(section="report") as t:
        await t.press("m", "enter")
        await t.until_shown("Give the milestone a name")
        assert not (workspace.root / "milestones").exists()
        await t.type("Before pilot")
        await t.press("enter")
        await t.until(lambda: list((workspace.root / "milestones").glob("1-before-pilot.json")))
        rows = t.app.screen.query_one("#milestones", Rows)
        await t.until(lambda: rows.keys == ("1-before-pilot",))
        t.app.ask_questions("product", "boundary.output_stable")
        await t.until(lambda: t.app.current_mode == "questions")
        await t.press("home", "enter")
        await t.settled()
        await t.press("g", "6")
        rows.options.focus()
        await t.press("enter")
        await t.until(lambda: "Verdict" in t.of("#outcome"))
        assert "→ Product first" in t.of("#outcome")
        assert "Opened" in t.of("#outcome")


@pytest.mark.parametrize("size", [(80, 24), pytest.param((160, 48), marks=pytest.mark.long)])
async def test_the_burn_down_has_every_milestone_and_now(terminal, workspace, size):
    async with terminal(size, section="report") as t:
        await t.press("m")
        await t.type("Before pilot 2")
        await t.press("enter")
        await t.until(lambda: t.app.screen.query_one("#milestones", Rows).keys)
        t.app.screen.action_leave()
        await t.press("b")
        await t.until(lambda: "Finish of all" in t.of("#outcome"))
        said, now = t.of("#outcome"), t.app.state.assessment
        gaps = now.totals.findings[RuleOutcome.GAP]
        assert "before-pilot-2" in said and said.count(f" {gaps} ") >= 2
        assert words.iso_day(now.plan.finish.p80_date) not in said, "no single date has ground"
        if size[0] > 80:
            assert said.count(now.plan.finish.span) == 2, "nothing moved between the milestone and now"
        assert "Riverside Regional Medical Center score" in said


async def test_a_milestone_that_cannot_be_read_is_told(terminal, workspace):
    (workspace.root / "milestones").mkdir()
    (workspace.root / "milestones" / "1-broken.json").write_text("{[red]")
    async with terminal(section="report") as t:
        await t.press("b")
        await t.until(lambda: "1-broken.json" in t.of("#outcome").replace(" ", ""))


async def test_two_milestones_are_compared_with_each_other_the_earlier_one_first(terminal, workspace):
    async with terminal() as t:
        for name in ("First", "Second"):
            await t.press("g", "6")
            await t.until(lambda: t.app.current_mode == "report" and t.app.screen.query("#milestone-name"))
            t.app.screen.action_milestone()
            await t.until(lambda: isinstance(t.app.focused, Input))
            await t.type(name)
            await t.press("enter")
            await t.until(lambda name=name: list((workspace.root / "milestones").glob(f"*-{name.casefold()}.json")))
            if name == "First":
                t.app.ask_questions("product", "boundary.output_stable")
                await t.until(lambda: t.app.current_mode == "questions")
                await t.press("1")
                await t.settled()
        rows = t.app.screen.query_one("#milestones", Rows)
        await t.until(lambda: rows.keys == ("2-second", "1-first"))
        rows.select("2-second")
        rows.options.focus()
        await t.press("enter")
        await t.until_shown("Compare 2-second with")
        await t.press("down", "enter")
        await t.until(lambda: "→ Product first" in t.of("#outcome"))
        assert "1-first → 2-second" in t.text


@pytest.mark.fast
def test_a_preview_has_no_anchors():
    page = Page(60)
    draw_preview(page, '<a id="gaps"></a>\n\n## Gaps\n\nTwo are open.')
    assert page.content().plain.strip() == "## Gaps\n\nTwo are open."


async def test_the_report_of_one_hospital_is_previewed_and_written_without_the_others(terminal, workspace):
    async with terminal((120, 36), section="report") as t:
        await t.press("w")
        await t.until_shown("For whom?")
        await t.press(*["down"] * 2, "enter")
        org = t.app.screen._recipient
        assert org == t.app.state.inputs.organizations[1].id
        await t.press("v")
        await t.until(lambda: t.app.state.name_of(org) in t.of("#outcome"))
        others = [o.name for o in t.app.state.inputs.organizations if o.id != org]
        assert not [name for name in others if name in t.of("#outcome")]
        for name in ("html", "pdf", "json"):
            t.app.screen.query_one(f"#format-{name}", Checkbox).value = False
        await t.press("e")
        file = workspace.root / "reports" / org / "report.md"
        await t.until(file.exists)
        await t.until(lambda: "report.md" in t.of("#outcome"))
        assert not [name for name in others if name in file.read_text()]
        opened: list[str] = []
        t.app.open_url = opened.append
        await t.press("o", "c")
        await t.until_shown("Which sections?")
        assert opened == [file.parent.as_uri()] and t.text.count("[x] ") > 5
        await t.press("a", "a", "a", "home", "space", "enter")  # none, all, none, the first
        await t.until_shown("alone, 1 section")
        whole = file.read_text()
        await t.press("e")
        await t.until(lambda: len(file.read_text()) < len(whole) / 2)
        await t.press("v")
        await t.until(lambda: t.app.screen.query_one("#outcome").border_title.startswith("Preview"))
