"""Somebody else answers the same question: theirs stays, ours is kept beside it, and the screen shows both."""

from __future__ import annotations

import time

import pytest

from interlock.model.base import Status
from interlock.model.response import Response
from interlock.workspace import journal
from interlock.workspace.store import Workspace
from terminal_session import Session

pytestmark = pytest.mark.usefixtures("unplanned")

STABLE = "boundary.output_stable"
THEIRS = Response(status=Status.UNKNOWN, note="asked the team on Monday")


def stored(workspace: Workspace) -> Response | None:
    return workspace.responses("product").get(STABLE)


def by_command(workspace: Workspace) -> None:
    workspace.save_response("product", STABLE, THEIRS, before=stored(workspace))


def by_git_pull(workspace: Workspace) -> None:
    path = workspace.root / "responses" / "product.yaml"
    text = path.read_text()
    start = text.index(f"  {STABLE}:")
    end = text.index("\n  boundary.", start)
    path.write_text(f"{text[:start]}  {STABLE}:\n    status: unknown\n    note: {THEIRS.note}{text[end:]}")


async def at_stable(t) -> None:
    t.app.ask_questions("product", STABLE)
    await t.until(lambda: t.app.current_mode == "questions" and t.app.screen._on_form == ("product", STABLE))


@pytest.mark.parametrize("change", [by_command, by_git_pull])
async def test_theirs_stays_and_both_are_shown_until_one_is_chosen(terminal, workspace, change):
    async with terminal() as t:
        await at_stable(t)
        mine = t.app.state.inputs.content.items[STABLE].options[0].value
        change(workspace)
        await t.press("home", "enter")
        await t.until(lambda: t.app.state.disputes)
        await t.until_shown("Somebody else answered this too")
        await t.until_shown("asked the team on Monday")
        assert mine in t.flat_text
        assert stored(workspace) is not None and stored(workspace).status is Status.UNKNOWN
        (kept,) = journal.kept(workspace.root)
        assert kept.disputed and kept.response is not None and kept.response["value"] == mine
        await t.settled()
        await t.press("home", "enter")
        await t.until(lambda: stored(workspace) is not None and stored(workspace).value == mine)
        await t.until(lambda: not t.app.state.disputes)
        assert journal.kept(workspace.root) == ()
        await t.until(lambda: "Somebody else answered" not in t.text)


def test_two_screens_on_one_workspace(workspace):
    def notes() -> str:
        return " ".join(response.note or "" for response in workspace.responses("product").values())

    program = "import sys; from interlock.cli.main import main; main(sys.argv[1:])"
    screens = [Session(program, "assess", str(workspace.root), size=(100, 30)) for _ in range(2)]
    try:
        for screen in screens:
            screen.until("target gate")
            screen.send("2")
            screen.until(" Unknown ")
        for screen, note in zip(screens, ("of the first", "of the second"), strict=True):
            screen.send("m")
            screen.until("Leave the field")
            screen.send(note)
            screen.until(note)
            deadline = time.monotonic() + 30
            while "of the first" not in notes() and time.monotonic() < deadline:
                time.sleep(0.05)
        screens[1].until("Somebody else answered this too")
        assert "of the first" in notes() and "of the second" not in notes()
        assert any("of the second" in str(entry.response) for entry in journal.kept(workspace.root))
    finally:
        for screen in screens:
            screen.close()


async def test_what_is_typed_meanwhile_does_not_go_over_theirs_by_itself(terminal, workspace):
    async with terminal() as t:
        await at_stable(t)
        by_command(workspace)
        await t.press("m")
        await t.type("my note")
        await t.until(lambda: t.app.state.disputes)
        await t.type(" goes on")
        await t.pilot.pause(1.5)
        assert stored(workspace) is not None and stored(workspace).note == THEIRS.note
        assert any("my note" in str(entry.response) for entry in journal.kept(workspace.root))


async def test_a_dispute_of_an_earlier_session_is_still_shown(terminal, workspace):
    before = stored(workspace)
    by_command(workspace)
    with pytest.raises(Exception, match="somebody else"):
        workspace.save_response("product", STABLE, None, before=before)
    async with terminal() as t:
        await at_stable(t)
        await t.until_shown("Somebody else answered this too")
