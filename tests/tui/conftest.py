"""A sample workspace to open the terminal UI on, and help to look at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from textual.widgets import Input

from interlock.model.assessment import Assessment
from interlock.tui import session, undo, work
from interlock.tui.app import InterlockApp
from interlock.tui.planner import Planner
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs
from interlock.usecases.next_questions import NextQuestions
from interlock.workspace.store import Workspace

USUAL = (120, 36)
#: Results of each kind that are remembered between tests.
_REMEMBERED = 6

#: One question of each type that is typed in, and one that may not apply.
EXTRA = """
id: extra
version: "1.0.0"
title: Extra questions
items:
  - {id: extra.count, type: integer, text: How many nurses?, priority: core, min: 1, max: 500, source: [S10]}
  - {id: extra.since, type: date, text: Since when?, priority: core, na: with_reason, source: [S10]}
  - {id: extra.page, type: url, text: Where is it written?, priority: core, source: [S10]}
  - {id: extra.words, type: text, text: "What [b]else[/b]?", priority: core, source: [S10]}
  - {id: extra.sure, type: boolean, text: Sure?, priority: core, source: [S10]}
  - id: extra.several
    type: multi_choice
    text: Which of these?
    priority: core
    source: [S10]
    options:
      - {value: one, label: One, weight: 0.5}
      - {value: two, label: Two, weight: 0.5}
      - {value: none, label: None of them, weight: 0, exclusive: true}
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few simulated schedules, computed soon after a change: what is tested is the screen."""
    monkeypatch.setattr(session, "SETTLE_S", 0.02)
    monkeypatch.setattr(undo, "BURST_S", -1.0)  # a test presses keys faster than a person
    monkeypatch.setattr(work, "assessed", _assessed)
    monkeypatch.setattr(work, "ranked", _ranked)
    monkeypatch.setattr(Planner, "start", lambda planner: None)
    monkeypatch.setattr(Planner, "run", lambda planner, job, *arguments: job(*arguments))
    monkeypatch.setattr(Stylesheet, "_parse_rules", _parsed)


@pytest.fixture
def unplanned(_quick: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No plan after the first one, unless a test of the file asks for it: what is tested is what is shown at once."""
    if "planned" not in request.fixturenames:
        monkeypatch.setattr(session, "SETTLE_S", _NEVER_S)


@pytest.fixture
def planned() -> None:
    """A plan after every change, in a file whose other tests do without."""


_NEVER_S = 3600.0


_parse, _PARSED = Stylesheet._parse_rules, {}


def _parsed(sheet: Stylesheet, css: str, *arguments: Any, **named: Any) -> list[RuleSet]:
    """The rules of a style sheet; every app has the same, and reads them several times while it opens."""
    key = css, arguments, frozenset(named.items()), frozenset(sheet._variables.items())
    if key not in _PARSED:
        _PARSED[key] = _parse(sheet, css, *arguments, **named)
    return _PARSED[key]


_Result = TypeVar("_Result", Assessment, NextQuestions)


def _remembering(job: Callable[[Inputs], _Result]) -> Callable[[Inputs], _Result]:
    """A job that remembers: most tests start with the same inputs, and the same inputs give the same result."""
    known: list[tuple[Inputs, _Result]] = []

    def remembered(inputs: Inputs) -> _Result:
        for earlier, result in known:
            if earlier == inputs:
                return result.model_copy()  # equal, and another object, as a new one would be
        known.append((inputs, job(inputs)))
        del known[:-_REMEMBERED]
        return known[-1][1]

    return remembered


_assessed = _remembering(lambda inputs: assess(inputs, today=date.today(), runs=100))
_ranked = _remembering(work.ranked)


@pytest.fixture(scope="session")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tui") / "ws"


@pytest.fixture
def workspace(_folder: Path) -> Workspace:
    """The sepsis sample, never probed, with a few questions of every type added.

    It is made anew for each test in one and the same folder, so that questions and rules are read once.
    """
    shutil.rmtree(_folder, ignore_errors=True)
    sample = initialize(_folder, "sepsis")
    (sample.root / "questionnaires").mkdir()
    extra = sample.root / "questionnaires" / "extra.yaml"
    extra.write_text(EXTRA)
    os.utime(extra, (1_700_000_000, 1_700_000_000))  # the same file as far as anybody can see
    return sample


@dataclass
class Terminal:
    """A running app, with eyes."""

    app: InterlockApp
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        """Press keys, and let their effects happen."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, typed: str) -> None:
        """Type into the line that has the focus; all but the last letter at once."""
        line = self.app.focused
        assert isinstance(line, Input), line
        line.insert_text_at_cursor(typed[:-1])
        await self.press(_KEYS.get(typed[-1], typed[-1]))

    async def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Wait until something holds; fail when it does not in time."""
        for _ in range(int(seconds / 0.02)):
            if condition():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"never happened; the screen shows:\n{self.text}")

    async def until_shown(self, phrase: str) -> None:
        """Wait until the screen shows these words."""
        await self.until(lambda: phrase in self.text)

    async def settled(self) -> None:
        """Wait until everything is saved and computed (without plans: judged); a problem ends the wait."""

        def is_settled() -> bool:
            state = self.app.state
            if session.SETTLE_S == _NEVER_S and state.assessment is not None:
                return state.judged == state.revision and not state.waiting
            return state.up_to_date and state.ranked == state.revision and not state.waiting

        await self.until(lambda: is_settled() or self.app.state.problem or self.app.state.stuck)
        assert not self.app.state.problem and not self.app.state.stuck, self.text

    @property
    def lines(self) -> list[str]:
        """What the screen shows, line by line, messages that pop up left out."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """What the screen shows, and what popped up."""
        said = [f"{note.title} {note.message}" for note in self.app._notifications]
        return "\n".join([*self.lines, *said])

    def of(self, selector: str) -> str:
        """What one piece of text says, with its line breaks taken out."""
        return " ".join(self.app.screen.query_one(selector).shown.plain.split())

    def of_rows(self, selector: str) -> str:
        """What the rows of a table say, those out of sight too, with line breaks taken out."""
        rows = self.app.screen.query_one(selector)
        return " ".join(" ".join(rows.drawn(row).plain.split()) for row in rows._rows)

    @property
    def flat_text(self) -> str:
        """What the screen shows with line breaks and frames taken out."""
        return " ".join(self.text.replace("│", " ").split())


_KEYS = {" ": "space", "-": "minus", ".": "full_stop", ":": "colon", "/": "slash", "_": "underscore"}


@pytest.fixture
def terminal(workspace: Workspace) -> Callable[..., object]:
    """Opens the app on the workspace: ``async with terminal(size) as t``."""

    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = USUAL, *, ready: bool = True, section: str = "overview"
    ) -> AsyncIterator[Terminal]:
        app = InterlockApp(workspace, "Ada")
        app._first = section  # the others are drawn when a key leads there
        async with app.run_test(size=size, notifications=True) as pilot:
            shown = Terminal(app, pilot)
            if ready:
                await shown.settled()
            yield shown

    return opened
