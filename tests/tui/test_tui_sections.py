"""Every section opens, at both sizes, by number, letter, mouse and palette; help, themes and quitting."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from interlock.tui import work as job
from interlock.tui.app import InterlockApp
from interlock.tui.keys import possible
from interlock.tui.opening import Opening
from interlock.tui.sections import SECTIONS
from interlock.tui.widgets.bars import KeyBar, Tabs, fitting
from interlock.tui.widgets.rows import Rows

EXPECTED = {
    "overview": ["Verdict", "Organisations", "Riverside", "never probed", "target gate: pilot"],
    "questions": ["Extra questions", "How many nurses?", "Type the answer: a whole number"],
    "probe": ["Probe all", "Riverside Regional", "never probed"],
    "gaps": ["Gaps by what blocks what", "What others hang on", "behind it"],
    "plan": ["When", "Do first", "a range"],
    "report": ["Markdown", "HTML", "Folder", "Milestones"],
    "organizations": ["sandbox://riverside", "Add", "Remove"],
    "contract": ["contract.yaml", "Clinical event", "Trigger"],
}


@pytest.mark.parametrize(
    ("size", "by_letter"), [((80, 24), True), pytest.param((160, 48), False, marks=pytest.mark.long)]
)
async def test_each_section_opens_by_its_number_or_letter_fits_and_has_six_keys_and_help(terminal, size, by_letter):
    async with terminal(size) as t:
        for number, section in enumerate(SECTIONS, 1):
            if by_letter:
                await t.press("g")
                await t.until_shown("Go to")
            elif not t.app.screen.NUMBERED:
                await t.press("g")
            await t.press(section.letter if by_letter else str(number))
            assert t.app.current_mode == section.mode
            for phrase in EXPECTED[section.mode]:
                await t.until(lambda words=phrase: words in t.flat_text)  # wherever its lines break
            assert t.app.screen.focused is not None, section.mode
            lines = t.lines
            assert len(lines) == size[1]
            assert "Quit" in lines[-1] and "Help" in lines[-1], "the general keys are always there"
            for n, named in enumerate(SECTIONS, 1):
                assert named.title in lines[1] or named.short in lines[1], "every section is named at the top"
                assert (str(n) in lines[1]) is t.app.screen.NUMBERED, "a number that goes to a section stands before it"
            for width in (80, 120, 200):
                hints = fitting(t.app.screen.query_one(KeyBar)._hints, width)
                assert 5 <= len(hints) <= 6 and sum(hint.width for hint in hints) <= width, (section.mode, hints)
            await t.press("question_mark")
            await t.until_shown("escape closes")
            said = t.of("#help-text")
            for action in (*possible(t.app.screen_stack[-2]), *possible(t.app)):
                assert not action.keys or action.help in said, action.id
            await t.press("escape")


async def test_the_mouse_goes_to_sections_and_opens_an_organisation(terminal):
    async with terminal() as t:
        await t.pilot.click("#tabs", offset=(t.lines[1].index("4 Gaps") + 3, 0))
        assert t.app.current_mode == "gaps"
        await t.press("1")
        await t.pilot.click("#orgs .rows--list", offset=(5, 0))
        await t.until_shown("Evidence")
        assert "Harborview Clinics" in t.text
        foot = t.lines[-1]
        await t.pilot.click("KeyBar", offset=(foot.index("esc Back") + 1, 0))
        await t.until_shown("Recommended")


async def test_the_palette_offers_sections_screen_actions_and_organisations(terminal):
    async with terminal() as t:
        await t.press("4")
        titles = [command.title for command in t.app.get_system_commands(t.app.screen)]
        assert {"Go to Plan", "Gaps: Patterns", "Probe all organisations", "Save again"} <= set(titles)
        assert "Gaps: Clear filters" not in titles, "nothing is filtered"
        typed = {command.title for command in t.app.get_system_commands(t.app.screen) if not command.discover}
        assert "Open Riverside Regional Medical Center" in typed and not typed & {"Theme", "Undo", "Go to Plan"}
        await t.press("ctrl+p")
        await t.type("go to plan")
        await t.pilot.pause(0.5)
        await t.press("enter")
        await t.until(lambda: t.app.current_mode == "plan")


async def test_help_explains_the_question_then_the_screen_and_its_keys(terminal):
    async with terminal((80, 24)) as t:
        t.app.ask_questions("product", "boundary.output_stable")
        await t.until(lambda: t.app.screen._item == "boundary.output_stable")
        asked = t.app.screen._current.item
        await t.press("question_mark")
        await t.until_shown("What it asks")
        said = t.of("#help-text")
        assert "Help: Questions" in t.text
        assert asked.help[:40] in said and asked.references[0].title[:20] in said
        reads = {f.rule for f in t.app.state.judgement.findings if any(r.endswith(f".{asked.id}") for r in f.reads)}
        assert reads and all(rule in said for rule in reads)
        assert "Design gate" in said and "it is written down somewhere" in said
        assert "The question after this one" in said and "Take the last change back" in said
        await t.press("escape")
        await t.until(lambda: "What it asks" not in t.text)


async def test_the_top_line_never_cuts_what_is_going_on_in_any_theme(terminal):
    async with terminal((80, 24)) as t:
        assert "Not decided: map the" in t.lines[0] and t.lines[0].endswith("✓ saved")
        t.app.become(replace(t.app.state, changed_files=("contract.yaml",)))
        await t.until(lambda: t.lines[0].endswith("~ files changed: r reads them again"))
        for theme in t.app.available_themes:
            t.app.theme = theme
            await t.pilot.pause()
            assert t.lines[0].startswith(" Interlock  Sentinel Sepsis  N") and "…" in t.lines[0]
            assert "Verdict" in t.text


@pytest.mark.parametrize("mode", ["overview", pytest.param("probe", marks=pytest.mark.long)])
async def test_an_organisations_page_belongs_to_the_section_it_was_opened_from(terminal, mode):
    async with terminal() as t:
        t.app.action_go(mode)
        await t.until(lambda: t.app.screen.focused is not None)
        await t.press("enter")
        await t.until_shown("Evidence")
        assert t.app.screen.query_one(Tabs)._current == mode
        assert "Verdict" in t.of("#readiness") and "?" not in t.of("#readiness")


@pytest.mark.parametrize("listed", SECTIONS, ids=list(InterlockApp.MODES))
def test_no_section_takes_a_key_that_works_everywhere(listed):
    section = listed.load()
    assert listed.mode == section.MODE
    keys = [key for binding in section.BINDINGS for key in binding.key.split(",")]
    assert len(keys) == len(set(keys)), "one key, one action"
    taken = {binding.key for binding in InterlockApp.BINDINGS if section.NUMBERED or not binding.key.isdigit()}
    assert not taken & set(keys), "no section takes a key that works everywhere"


async def test_without_colour_every_state_has_its_word(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with terminal() as t:
        assert t.app.no_color
        assert "never probed" in t.text and "✓" in t.text and "?1" in t.text and "█" in t.text


async def test_the_shell_is_there_before_the_workspace_is_read_and_q_quits_when_all_is_saved(terminal):
    async with terminal(ready=False) as t:
        assert "Interlock" in t.text and "Overview" in t.text
        await t.settled()
        assert "Sentinel Sepsis" in t.text
        await t.press("q")
        await t.until(lambda: not t.app.is_running)


async def test_resizing_lays_out_anew(terminal):
    async with terminal((160, 48)) as t:
        assert "If the unknowns hold" in t.text
        await t.pilot.resize_terminal(80, 24)
        await t.until(lambda: "If the unknowns hold" not in t.text)
        assert t.app.screen.has_class("-narrow")
        assert "Verdict" in t.text


async def test_an_organisations_page_shows_gates_and_goes_to_a_gap_and_to_its_questions(terminal):
    async with terminal() as t:
        t.app.show_organization("lakeshore")
        await t.until_shown("Lakeshore Health System")
        await t.until_shown("sandbox:")
        assert "no gap is concluded from that" in t.of("#evidence")
        await t.press("enter")
        await t.until(lambda: t.app.current_mode == "gaps")
        await t.until_shown("Why it matters")
        await t.press("1")
        await t.until_shown("Evidence")
        await t.press("a")
        await t.until(lambda: t.app.current_mode == "questions")
        await t.until_shown("Lakeshore Health System")
        await t.press("g", "1", "escape")
        await t.until_shown("Recommended")


async def test_the_highlighted_row_stays_in_sight_where_the_page_scrolls(terminal):
    async with terminal((80, 24)) as t:
        t.app.show_organization("lakeshore")
        await t.until_shown("What is in the way")
        rows = t.app.screen.query_one("#requirements", Rows)
        for _ in range(12):
            await t.press("down")
            assert rows.key in t.text, "the key of the highlighted gap can be read"


async def test_keys_pressed_before_the_workspace_is_read_are_not_lost(workspace, monkeypatch):
    reading = asyncio.Event()

    async def late(task, *arguments, **options):
        if task == app._read:
            await reading.wait()
        return await asyncio.to_thread(task, *arguments, **options)

    monkeypatch.setattr(job, "in_thread", late)
    app = InterlockApp(workspace, "Ada")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "n")
        assert isinstance(app.screen, Opening), "the keys wait"
        reading.set()
        for _ in range(500):
            await pilot.pause(0.02)
            if app.current_mode == "questions" and app.screen._asked:
                break
        assert app.screen._item == "extra.since", "the first open question, and n from there"
