"""However the app ends, the terminal is whole, what was typed is kept, and a crash is told by whoever ran the app."""

from __future__ import annotations

import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interlock.workspace import journal
from interlock.workspace.store import Workspace
from terminal_session import Session
from tiers import LONG

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")

RUN = "import sys; from interlock.cli.main import main; main(sys.argv[1:])"
#: Signals that end a program; a terminal that is closed, which is a test of its own, sends the third.
SIGNALS = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if LONG else [])]
#: What goes wrong, as Python to run before the app, by where it goes wrong.
CRASHES = {
    "handler": "InterlockApp.action_go_to = boom",
    "drawing": "Tabs.render = boom",
    "worker": "work.judged = boom; work.readable = boom",
    "timer": "InterlockApp.action_go_to = lambda self: self.set_timer(0.01, boom)",
}
CRASHING = """
import sys
from interlock.cli.main import main
from interlock.tui import work
from interlock.tui.app import InterlockApp
from interlock.tui.widgets.bars import Tabs
def boom(*args):
    password = "hunter2-local"
    raise ZeroDivisionError("it broke at https://user:hunter2-word@x.test/")
{crash}
main(sys.argv[1:])
"""


@pytest.fixture
def session(workspace: Workspace) -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def start(program: str = RUN, size: tuple[int, int] = (80, 24)) -> Session:
        opened.append(Session(program, "assess", str(workspace.root), size=size))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def note(session: Session, typed: str) -> None:
    """Type a note to the first question, and stay in it."""
    session.until("Do first")
    session.send("2")
    session.until(" Unknown ")
    session.send("m")
    session.until("Leave the field")
    session.send(typed)
    session.until(typed)


def assert_whole(session: Session) -> None:
    """The terminal is as it was before: the main screen, a cursor, no mouse, lines that are echoed."""
    written = session.written
    for left in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?1004l"):
        entered = left[:-1] + (b"l" if left.endswith(b"h") else b"h")
        assert written.rfind(left) > written.rfind(entered), left
    assert termios.tcgetattr(session.slave)[3] == session.before[3], "echo, and lines that are edited"


@pytest.mark.parametrize("where", CRASHES)
def test_a_crash_leaves_the_terminal_whole_and_is_told_with_its_report(session, workspace, where, tmp_path_factory):
    t = session(CRASHING.format(crash=CRASHES[where]))
    if where in {"handler", "timer"}:
        t.until("Do first")
        t.send("g")
    assert t.ended() == 70
    assert_whole(t)
    assert "ZeroDivisionError" in t.left and "crashes" in t.left
    assert "hunter2" not in t.left and "Traceback" not in t.left


def test_a_crash_keeps_what_is_being_typed(session, workspace):
    t = session(CRASHING.format(crash="Tabs.on_click = boom; Tabs._on_click = boom"))
    note(t, "a thought")
    t.send("\x1b[<0;10;2M\x1b[<0;10;2m")  # a click on the tabs
    assert t.ended() == 70
    assert "a thought" in noted(workspace), t.left


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_with_what_is_being_typed_kept(session, workspace, number):
    t = session()
    note(t, "a thought")
    t.signal(number)
    assert t.ended() == 128 + number
    assert_whole(t)
    assert "a thought" in noted(workspace), t.left


def test_a_terminal_that_is_closed_costs_nothing(session, workspace):
    t = session()
    note(t, "a thought")
    beside = t.children()
    assert beside or sys.platform != "linux", "the process that works out the plan"
    t.hang_up()
    assert t.ended() == 128 + signal.SIGHUP
    assert not [pid for pid in beside if Path(f"/proc/{pid}").exists()]
    assert "a thought" in noted(workspace), t.left


@pytest.mark.long  # as the durability suite types a note and kills, for longer
def test_what_is_typed_is_saved_while_it_is_typed(session, workspace):
    t = session()
    note(t, "a thought")
    deadline = time.monotonic() + 30
    while "a thought" not in noted(workspace) and time.monotonic() < deadline:
        time.sleep(0.05)
    t.signal(signal.SIGKILL)
    assert t.ended() == -signal.SIGKILL
    assert "a thought" in noted(workspace), t.left


def test_bytes_that_are_no_text_are_no_end(session, workspace):
    t = session()
    note(t, "a thought")
    t.send_bytes(b"\xff\xc3")
    t.send("!")
    t.until("a thought��!")
    for sequence in ("\x1b[0:~", "\x1b[99999999999999999999;2~", "\x1b[2000000u"):
        t.send(sequence)
        time.sleep(1.0)  # another chunk, on a busy machine too
    t.send("?")
    for _ in range(100):
        if "a thought��!?" in noted(workspace):
            break
        time.sleep(0.1)
    t.signal(signal.SIGTERM)
    assert t.ended() == 128 + signal.SIGTERM
    assert "a thought��!?" in noted(workspace), t.left


def test_a_terminal_without_room_gets_a_sentence(session):
    t = session(size=(0, 0))
    assert t.ended() == 2
    assert b"no room" in t.written and b"Traceback" not in t.written


def noted(workspace: Workspace) -> str:
    """Every note on disk, in the answers or in the journal."""
    notes = [response.note for response in workspace.responses("product").values()]
    notes += [str((entry.response or {}).get("note")) for entry in journal.kept(workspace.root)]
    return "\n".join(reversed([note for note in notes if note]))
