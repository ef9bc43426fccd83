"""What a widget is asked for before it has a width, after its rows changed, or after its question was left."""

from __future__ import annotations

import threading

import pytest
from textual.content import Content
from textual.events import Key
from textual.widgets import OptionList

from interlock.model.base import Status
from interlock.model.errors import InterlockError
from interlock.model.response import Response
from interlock.tui import work
from interlock.tui.screens import answering
from interlock.tui.screens.help import Commands, Jump
from interlock.tui.screens.organization_form import OrganizationForm
from interlock.tui.screens.section import AskText, Confirm, Pick
from interlock.tui.state import Answer
from interlock.tui.widgets.rows import Column, Row, Rows
from interlock.usecases import answer as answer_usecase

pytestmark = pytest.mark.usefixtures("unplanned")


async def into(t, item, field):
    """At a question, into one of its fields."""
    await t.until(lambda: t.app.screen.focused is not None)
    t.app.screen.go_to("product", item)
    await t.pilot.pause()
    t.app.screen.query_one(field).focus()
    await t.until(lambda: t.app.screen.focused.id == field[1:])


@pytest.mark.fast
async def test_another_scope_is_shown_where_the_list_has_no_room(terminal):
    async with terminal((80, 24)) as t:
        await t.press("2", "right_square_bracket")
        await t.until_shown("Harborview Clinics")
        table = t.app.screen.query_one("#questions", Rows)
        assert not table.size.width, "the list is hidden at this width"
        assert table.key == t.app.screen._item, "it says which question is meant, not one of the product's"
        await t.press("l")
        await t.until(lambda: table.options.highlighted is not None)
        assert table.key == t.app.screen._item
        text = t.app.screen._current.item.text
        await t.until(lambda: text[:20] in table.drawn(table._rows[table.options.highlighted]).plain)


def test_rows_with_one_key_are_two_rows():
    first, second = Row("a", (Content("one"),)), Row("a", (Content("two"),))
    table = Rows((Column("What", 10),))
    table._rows = (first, second)
    assert table.keys == ("a", "a") and table._index("a") == 0


async def test_two_rows_with_one_key_are_shown(terminal):
    async with terminal() as t:
        await t.press("7")
        table = t.app.screen.query_one("#org-list", Rows)
        cells = tuple(Content("x") for _ in range(6))
        table.set_rows([Row("heading", heading="One"), Row("a", cells), Row("heading", heading="Two"), Row("a", cells)])
        await t.pilot.pause()
        assert table.options.option_count == 4 and table.key == "a"


async def test_an_answer_belongs_to_the_question_it_was_chosen_for_however_quick_the_next_key_is(terminal, workspace):
    async with terminal() as t:
        await t.press("2")
        t.app.screen.go_to("product", "extra.sure")
        before = workspace.responses("product")
        for key in ("down", "enter", "n"):
            t.app.post_message(Key(key, key if len(key) == 1 else None))
        await t.until(lambda: t.app.screen._current.item.id != "extra.sure")
        await t.settled()
        after = workspace.responses("product")
        assert {name for name in after if after[name] != before.get(name)} == {"extra.sure"}
        assert after["extra.sure"].value is False, "the second line was chosen"


async def test_what_a_list_says_of_rows_that_are_gone_is_not_heard(terminal):
    async with terminal() as t:
        await t.press("7")
        table = t.app.screen.query_one("#org-list", Rows)
        option = table.options.options[1]
        table.post_message(OptionList.OptionSelected(table.options, option, 1))
        table.set_rows([Row("only", tuple(Content("x") for _ in range(6)))])
        await t.pilot.pause()
        assert len(t.app.screen_stack) == 1, "no form opened for what is not there any more"


async def test_leaving_a_page_twice_leaves_it_once(terminal):
    async with terminal() as t:
        t.app.show_organization("riverside")
        await t.until_shown("Evidence")
        page = t.app.screen
        page.action_back()
        page.action_back()
        await t.pilot.pause()
        assert len(t.app.screen_stack) == 1


async def test_a_note_without_an_answer_is_kept_and_the_question_stays_open(terminal, workspace):
    async with terminal() as t:
        await t.press("2")
        t.app.screen.go_to("product", "extra.count")
        await t.press("m")
        await t.type("ask Kim")
        await t.press("escape", "n")
        await t.settled()
        kept = workspace.responses("product")["extra.count"]
        assert (kept.status, kept.note) == (Status.UNANSWERED, "ask Kim")
        assert t.app.state.is_open("product", "extra.count")
        await t.press("p", "m")
        t.app.focused.clear()
        await t.press("escape", "n")
        await t.settled()
        assert "extra.count" not in workspace.responses("product")


async def test_what_is_saved_while_it_is_typed_goes_when_it_is_deleted_again(terminal, workspace, monkeypatch):
    monkeypatch.setattr(answering, "KEEP_S", 0.01)
    async with terminal() as t:
        await t.press("2")
        await into(t, "extra.count", "#typed")
        await t.press("1", "2")
        await t.until(lambda: workspace.responses("product").get("extra.count"))
        await t.press("backspace", "backspace", "escape", "n")
        await t.settled()
        assert "extra.count" not in workspace.responses("product")


async def test_while_a_date_is_typed_nothing_is_wrong_with_it(terminal, workspace, monkeypatch):
    monkeypatch.setattr(answering, "KEEP_S", 0.01)
    async with terminal() as t:
        await t.press("2")
        await into(t, "extra.since", "#typed")
        await t.press("2", "0")
        await t.pilot.pause(0.1)
        assert not t.app.screen.query_one("#form-error").display
        await t.press("escape", "n")
        assert t.app.screen.refused(), "left, it is said"


async def test_what_is_no_valid_answer_is_asked_about_when_quitting_and_goes_into_the_note_when_nobody_can_be_asked(
    terminal, workspace
):
    async with terminal() as t:
        await t.press("2")
        await into(t, "extra.count", "#typed")
        await t.press("x", "escape", "q")
        await t.until_shown("No valid answer")
        await t.press("escape")
        t.app.keep()
        assert "x" in workspace.responses("product")["extra.count"].note
        assert workspace.responses("product")["extra.count"].status is Status.UNANSWERED


async def test_the_next_scope_of_one_that_is_gone_is_the_first(terminal):
    async with terminal() as t:
        await t.press("2", "right_square_bracket")
        screen = t.app.screen
        screen._scope = "gone-meanwhile"
        screen.action_scope_step(1)
        assert screen._scope == t.app.state.inputs.organizations[0].id
        screen._scope = "gone-meanwhile"
        screen.action_next_open()


async def test_a_milestone_that_is_a_link_to_nowhere_is_none(terminal, workspace):
    (workspace.root / "milestones").mkdir()
    (workspace.root / "milestones" / "1-nowhere.json").symlink_to("nowhere.json")
    async with terminal() as t:
        await t.press("6")
        await t.until_shown("No milestone yet")


async def test_a_folder_that_goes_away_while_one_looks_is_no_error(terminal, monkeypatch):
    def gone(root):
        raise FileNotFoundError(root)

    async with terminal() as t:
        monkeypatch.setattr(work, "fingerprint", gone)
        t.app._watch_files()
        t.app._learn("orgs/")
        await t.pilot.pause(0.1)
        assert t.app.crash is None


async def test_a_dialog_is_dismissed_once_and_never_takes_the_screen_below_it(terminal):
    async with terminal() as t:
        t.app.show_organization("riverside")
        await t.until_shown("Evidence")
        for dialog in (
            Pick("Which?", [("a", Content("a")), ("b", Content("b"))]),
            Confirm("Sure?", "Really?", (("a", "Yes"), ("b", "No"))),
            AskText("Why?", "Because"),
            Jump(),
            OrganizationForm(t.app.workspace),
        ):
            t.app.push_screen(dialog)
            await t.pilot.pause()
            dialog.dismiss(None)
            dialog.dismiss(None)
            await t.pilot.pause()
            assert len(t.app.screen_stack) == 2, "the page is still there"


async def test_two_enters_in_a_list_choose_once(terminal):
    async with terminal() as t:
        await t.press("4", "f")
        for _ in range(3):
            t.app.post_message(Key("enter", None))
        await t.until(lambda: len(t.app.screen_stack) == 1)
        await t.pilot.pause()
        assert t.app.crash is None


async def test_two_enters_in_the_list_of_commands_close_it_once(terminal):
    async with terminal() as t:
        await t.press("ctrl+p", "h", "e", "l", "p")
        await t.pilot.pause(0.3)
        palette = t.app.screen
        assert isinstance(palette, Commands)
        await t.press("down")
        for _ in range(3):
            t.app.post_message(Key("enter", None))
        await t.until(lambda: t.app.screen is not palette)
        palette.dismiss(None)
        palette.dismiss(None)
        await t.pilot.pause(0.1)
        assert t.app.crash is None and t.app.screen_stack


async def test_a_link_with_a_secret_is_refused_in_words_and_nothing_of_it_is_kept(terminal, workspace):
    async with terminal() as t:
        await t.press("2")
        await into(t, "extra.count", "#link")
        await t.type("https://user:hunter2@x.test/")
        await t.press("escape")
        await t.until(lambda: t.app.screen.query_one("#form-error").display)
        t.app.keep()
        assert "extra.count" not in workspace.responses("product")
        assert "hunter2" not in (workspace.root / "responses" / "product.yaml").read_text()


async def test_once_everything_is_kept_nothing_older_is_saved_over_it(terminal, workspace, monkeypatch):
    saved = []
    original = answer_usecase.record_answer

    def recorded(folder, content, item, response, org, *, before):
        saved.append(response.note)
        return original(folder, content, item, response, org, before=before)

    async with terminal() as t:
        monkeypatch.setattr(answer_usecase, "record_answer", recorded)
        shown = None
        for note in ("older", "newest"):
            before, shown = shown, Response(status=Status.UNKNOWN, note=note)
            t.app.answer(Answer("product", "extra.count", shown, before))
        t.app.keep()
        number = len(saved)
        await t.pilot.pause(0.3)
        assert saved[-1] == "newest" and len(saved) == number and not t.app.lost
        assert workspace.responses("product")["extra.count"].note == "newest"


async def test_what_cannot_be_kept_is_told(terminal, monkeypatch):
    def refused(*args, **options):
        raise InterlockError("no room")

    async with terminal() as t:
        monkeypatch.setattr(answer_usecase, "record_answer", refused)
        t.app.answer(Answer("product", "extra.count", Response(status=Status.UNKNOWN), None))
        t.app.keep()
        assert [error.message for error in t.app.lost] == ["no room"]


async def test_a_note_that_is_saved_while_it_is_typed_stays_although_nothing_is_answered(
    terminal, workspace, monkeypatch
):
    monkeypatch.setattr(answering, "KEEP_S", 0.01)
    async with terminal() as t:
        await t.press("2")
        await into(t, "extra.count", "#note")
        await t.press("a")
        await t.until(lambda: workspace.responses("product").get("extra.count"))
        await t.press("b")
        await t.until(lambda: workspace.responses("product")["extra.count"].note == "ab")
        t.app.screen.commit(quiet=True)
        await t.press("escape", "n")
        await t.settled()
        assert workspace.responses("product")["extra.count"].note == "ab"


@pytest.mark.usefixtures("planned")
async def test_an_older_result_never_takes_the_place_of_a_newer_one(terminal, monkeypatch):
    """One answer is judged at a time: one that comes meanwhile is judged next, and what nobody sees any more never."""
    real, gate, judged = work.judged, threading.Event(), []

    def slow(inputs):
        judged.append(inputs)
        if len(judged) == 1:
            gate.wait(20)
        return real(inputs)

    async with terminal() as t:
        monkeypatch.setattr(work, "judged", slow)
        shown = None
        for note in ("older", "in between", "newest"):
            before, shown = shown, Response(status=Status.UNKNOWN, note=note)
            t.app.answer(Answer("product", "extra.count", shown, before))
            await t.until(lambda: judged)  # the first is being judged when the others come
        gate.set()
        await t.settled()
        await t.until(lambda: not [worker for worker in t.app.workers if worker.group == "judge"])
        assert [inputs.product["extra.count"].note for inputs in judged] == ["older", "newest"]
        assert t.app.state.judged == t.app.state.revision
