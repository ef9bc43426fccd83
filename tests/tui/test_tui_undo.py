"""Undo and redo: answers, notes, tasks and organisations, across screens; a burst of keys is one step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input

from interlock.model.base import Evidence, Status
from interlock.model.response import Response
from interlock.tui import undo
from interlock.tui.state import Answer
from interlock.tui.undo import Step, Steps, net

pytestmark = pytest.mark.usefixtures("unplanned")

SEVERAL, COUNT = "extra.several", "extra.count"


async def at(t, scope: str, item: str) -> None:
    t.app.ask_questions(scope, item)
    await t.until(lambda: t.app.current_mode == "questions" and t.app.screen._on_form == (scope, item))


async def quiet(t) -> None:
    """Wait until everything is on disk."""
    await t.until(lambda: not t.app.state.waiting and not t.app._saving)


async def test_delete_takes_an_answer_with_its_evidence_and_undo_brings_all_of_it_back(terminal, workspace) -> None:
    item = "boundary.output_stable"
    kept = workspace.responses("product")[item]
    async with terminal() as t:
        await at(t, "product", item)
        await t.press("delete")
        await t.until(lambda: item not in workspace.responses("product"))
        assert "ctrl+z brings it back" in t.flat_text
        await t.press("ctrl+z")
        await t.until(lambda: workspace.responses("product").get(item) == kept)
        await t.press("ctrl+y")
        await t.until(lambda: item not in workspace.responses("product"))


async def test_unknown_over_two_ticked_options_is_undone(terminal, workspace) -> None:
    async with terminal() as t:
        await at(t, "product", SEVERAL)
        for key in ("enter", "down", "enter", "u"):
            await t.press(key)
        await t.until(lambda: workspace.responses("product")[SEVERAL].status is Status.UNKNOWN)
        await t.press("ctrl+z")
        await t.until(lambda: workspace.responses("product")[SEVERAL].value == ("one", "two"))
        await t.press("ctrl+z")
        await t.until(lambda: workspace.responses("product")[SEVERAL].value == ("one",))
        await t.press("ctrl+z")
        await t.until(lambda: SEVERAL not in workspace.responses("product"))
        await t.press("ctrl+z")
        assert "Nothing to undo" in t.flat_text


async def test_what_is_typed_is_one_step_and_the_line_shows_what_stands_then(terminal, workspace, monkeypatch) -> None:
    monkeypatch.setattr("interlock.tui.screens.answering.KEEP_S", 0.01)
    async with terminal() as t:
        await at(t, "product", COUNT)
        await t.press("enter", "4")
        await t.until(lambda: workspace.responses("product").get(COUNT) is not None)
        await t.press("1")
        await t.until(lambda: workspace.responses("product")[COUNT].value == 41)
        await t.press("ctrl+z")
        await t.until(lambda: COUNT not in workspace.responses("product"))
        assert t.app.screen.query_one("#typed", Input).value == ""
        await t.press("ctrl+y")
        await t.until(lambda: workspace.responses("product")[COUNT].value == 41)
        assert t.app.screen.query_one("#typed", Input).value == "41"


async def test_the_note_is_undone_from_another_screen(terminal, workspace) -> None:
    item = "boundary.output_stable"
    before = workspace.responses("product")[item]
    async with terminal() as t:
        await at(t, "product", item)
        await t.press("m")
        await t.type("seen by two")
        await t.press("enter")
        await t.until(lambda: "seen by two" in (workspace.responses("product")[item].note or ""))
        await t.press("escape", "g", "4")
        await t.until(lambda: t.app.current_mode == "gaps")
        await t.press("ctrl+z")
        await t.until(lambda: workspace.responses("product")[item] == before)


async def test_a_removed_organisation_comes_back_byte_for_byte(terminal, workspace) -> None:
    file = workspace.root / "orgs" / "lakeshore.yaml"
    before = file.read_bytes()
    async with terminal() as t:
        await t.press("7")
        await t.until(lambda: t.app.current_mode == "organizations")
        t.app.screen.query_one("#org-list").select("lakeshore")
        await t.press("d")
        await t.press("left", "enter")
        await t.until(lambda: not file.exists())
        await t.until(lambda: t.app.state.organization("lakeshore") is None)
        await t.press("ctrl+z")
        await t.until(lambda: file.exists() and t.app.state.organization("lakeshore") is not None)
        assert file.read_bytes() == before
        await t.press("ctrl+y")
        await t.until(lambda: not file.exists())


async def test_a_file_that_somebody_else_changed_is_left_alone(terminal, workspace) -> None:
    file = workspace.root / "orgs" / "lakeshore.yaml"
    async with terminal() as t:
        _, change = workspace.watched("orgs/lakeshore.yaml", lambda: file.write_bytes(file.read_bytes() + b"# ours\n"))
        t.app.changed(Step("changing Lakeshore", files=(change,)))
        theirs = file.read_bytes() + b"# theirs\n"
        file.write_bytes(theirs)
        await t.press("ctrl+z")
        await t.until_shown("changed by somebody else")
        assert file.read_bytes() == theirs


async def test_an_answer_that_somebody_else_gave_since_is_left_alone(terminal, workspace) -> None:
    async with terminal() as t:
        await at(t, "product", "extra.sure")
        await t.press("enter")
        await quiet(t)
        ours = workspace.responses("product")["extra.sure"]
        theirs = Response(status=Status.ANSWERED, value=False, by="Bob")
        workspace.save_response("product", "extra.sure", theirs, before=ours)
        t.app.action_reload()
        await t.until(lambda: t.app.state.answer_at("product", "extra.sure") == theirs)
        await t.press("ctrl+z")
        await t.until_shown("answered again since")
        assert workspace.responses("product")["extra.sure"] == theirs


async def test_keys_of_a_pasted_text_are_one_step_that_is_told(terminal, workspace, monkeypatch) -> None:
    monkeypatch.setattr(undo, "BURST_S", 0.02)
    before = workspace.responses("product")
    async with terminal() as t:
        await at(t, "product", SEVERAL)
        for key in ("enter", "n", "u", "p", "down", "u"):  # as a text comes from a terminal without bracketed paste
            t.app.post_message(events.Key(key, None))
        await t.until_shown("Keys that came at once")
        await quiet(t)
        assert workspace.responses("product") != before
        await t.pilot.pause(0.05)
        await t.press("ctrl+z")
        await t.until(lambda: workspace.responses("product") == before)


def _answer(item: str, value: int, before: Response | None) -> Answer:
    response = Response(status=Status.ANSWERED, value=value, evidence=Evidence.ASSERTED)
    return Answer("product", item, response, before)


def test_a_new_change_ends_redoing_and_steps_are_bounded() -> None:
    steps = Steps()
    for number in range(600):
        steps.key(float(number))
        steps.add(Step(f"change {number}"))
    assert (len(steps.done), steps.done[-1].told) == (500, "change 599")
    steps.undone.append(steps.done.pop())
    steps.key(1000.0)
    steps.add(Step("another"))
    assert not steps.undone


def test_a_step_back_and_forth_is_nothing_and_only_the_last_answer_counts() -> None:
    first = _answer("a", 1, None)
    second = _answer("a", 2, first.response)
    step = Step("x", (first, second))
    assert step.back.back == step
    assert net(step.answers, lambda *_: None) == (replace(second, before=None),)
    assert net(step.back.answers, lambda *_: second.response)[0].response is None
    with pytest.raises(Exception, match="answered again"):
        net(step.answers, lambda *_: second.response)
