"""A monkey at the keyboard and the mouse: steps that Hypothesis draws, done to a running app, and nothing may raise."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hostile_text import HOSTILE
from hypothesis import strategies as st
from textual import events
from textual.app import App
from textual.pilot import Pilot

from interlock.model.base import Severity
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.rehearsal import RehearsalOutcome, RehearsalResult
from interlock.tui import session, work
from interlock.tui.app import InterlockApp
from interlock.tui.screens.report import ReportSection
from interlock.usecases.assess import assess
from interlock.usecases.observations import Comparer
from interlock.usecases.probe import ProbeEvent, ProbeSettings, probe_targets, targets_of
from interlock.workspace.store import Workspace

SIZES = [(80, 24), (100, 30), (120, 40), (200, 60)]
TINY = [(20, 5), (1, 1), (3, 24), (80, 2)]
#: Keys that every section or widget of ours or Textual's may take; leaving for good (q, ctrl+q) is left out.
_NAMED = (
    "question_mark slash left_square_bracket right_square_bracket up down left right home end pageup pagedown enter "
    "escape tab shift+tab space delete backspace ctrl+s ctrl+p ctrl+c ctrl+a ctrl+k ctrl+u ctrl+x ctrl+v ctrl+end "
    "ctrl+home shift+right shift+down shift+up shift+left ctrl+z ctrl+y ctrl+o f1 f2"
)
KEYS = [*"12345678nopuxemslfjcdtwkabgrivhy", *_NAMED.split()]
PASTED = list(HOSTILE.values())

Step = tuple[Any, ...]


def steps(number: int) -> st.SearchStrategy[list[Step]]:
    """So many steps; keys are most of them, and often several come before anything else can happen."""
    key, part = st.sampled_from(KEYS), st.integers(0, 999)
    arrows = st.sampled_from(["up", "down", "enter", "escape", "tab", "space", "right"])
    kinds: list[st.SearchStrategy[Step]] = [
        st.tuples(st.just("press"), key),
        st.tuples(st.just("press"), st.sampled_from("12345678")),
        st.tuples(st.just("press"), arrows),
        st.tuples(st.just("burst"), st.lists(st.one_of(key, arrows), min_size=2, max_size=6)),
        st.tuples(st.just("click"), part, part),
        st.tuples(st.just("click"), part, part),
        st.tuples(st.just("drag"), part, part, part, part),
        st.tuples(st.just("scroll"), part, part, st.booleans()),
        st.tuples(st.just("hover"), part, part),
        st.tuples(st.just("resize"), st.sampled_from([*SIZES, *SIZES, *TINY])),
        st.tuples(st.just("paste"), st.sampled_from(PASTED)),
        st.tuples(st.just("type"), st.sampled_from(["7", "2027-01-01", "https://x.test/a", "some words"])),
        st.tuples(st.just("others"), st.sampled_from(sorted(OTHERS)), part),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.05, 0.3])),
        st.tuples(st.just("blur"), st.booleans()),
    ]
    return st.lists(st.one_of(kinds), min_size=number, max_size=number)


# -- what others do to the folder meanwhile ---------------------------------------------------------------------------


def _orgs(root: Path) -> list[Path]:
    return sorted((root / "orgs").glob("*.yaml"))


def _remove_organization(root: Path, part: int) -> None:
    orgs = _orgs(root)
    if orgs:
        orgs[part % len(orgs)].unlink()


def _add_organization(root: Path, part: int) -> None:
    (root / "orgs").mkdir(exist_ok=True)
    name = f"late-{part}"
    (root / "orgs" / f"{name}.yaml").write_text(
        f"id: {name}\nname: Late [{part}]\nfhir_base_url: sandbox://riverside\n"
    )


def _break_file(root: Path, part: int) -> None:
    orgs = _orgs(root)
    if orgs:
        orgs[part % len(orgs)].write_text("id: [")


def _forget_answers(root: Path, part: int) -> None:
    shutil.rmtree(root / "responses", ignore_errors=True)


def _remove_contract(root: Path, part: int) -> None:
    (root / "contract.yaml").unlink(missing_ok=True)


OTHERS: dict[str, Callable[[Path, int], None]] = {
    "an organisation is removed": _remove_organization,
    "an organisation is added": _add_organization,
    "a file is broken": _break_file,
    "the answers are gone": _forget_answers,
    "the contract is gone": _remove_contract,
}


# -- workspaces -------------------------------------------------------------------------------------------------------


async def _observe(workspace: Workspace) -> None:
    organizations = workspace.read().organizations
    comparer = Comparer(workspace, [organization.id for organization in organizations])
    async for _ in probe_targets(targets_of(organizations), ProbeSettings(), lambda event: None, comparer):
        pass


def observe(workspace: Workspace) -> None:
    """Probe the simulated organisations once, as the demo does."""
    asyncio.run(_observe(workspace))


def multiply(root: Path, number: int) -> None:
    """So many organisations, each a copy of one that is there, with its observation and answers."""
    originals = _orgs(root)
    names = [
        "Plain",
        "With [markup]",
        "A very long name that no column has room for " * 3,
        "Ｗｉｄｅ　ｎａｍｅ",
        "Ünïcödé",
    ]
    for index in range(len(originals), number):
        path = originals[index % len(originals)]
        name = f"org-{index:02}"
        text = path.read_text().replace(f"id: {path.stem}", f"id: {name}")
        lines = [line for line in text.splitlines() if not line.startswith("name:")]
        given = json.dumps(f"{names[index % len(names)]} {index}", ensure_ascii=False)
        (root / "orgs" / f"{name}.yaml").write_text("\n".join([*lines, f"name: {given}", ""]))
        for observed in sorted((root / "observations" / path.stem).glob("*.json"))[:1]:
            document = json.loads(observed.read_text())
            document["target"]["org"] = name
            (root / "observations" / name).mkdir(parents=True)
            (root / "observations" / name / observed.name).write_text(json.dumps(document))
        answers = root / "responses" / f"{path.stem}.yaml"
        if answers.exists() and index % 2:
            shutil.copy(answers, root / "responses" / f"{name}.yaml")


# -- playing ----------------------------------------------------------------------------------------------------------


@dataclass
class Harmless:
    """What stands in for what reaches outside of the folder."""

    observation: Observation
    opened: int = 0

    def probe(
        self,
        organizations: Sequence[Organization],
        workspace: Workspace,
        *,
        on_event: Callable[[ProbeEvent], object],
        on_observation: Callable[[Observation], object],
        wanted: Callable[[str], bool],
    ) -> None:
        """Takes its time, contacts nobody, and can be cancelled."""
        for org, target in zip(organizations, targets_of(organizations), strict=True):
            on_event(ProbeEvent(target, "started", "looking [at] it"))
            time.sleep(0.01)
            if not wanted(org.id):
                continue
            on_event(ProbeEvent(target, "request", "GET metadata"))
            target = self.observation.target.model_copy(update={"org": org.id})
            on_observation(self.observation.model_copy(update={"target": target}))
            on_event(ProbeEvent(target, "finished", "observed"))

    def rehearse(
        self,
        workspace: Workspace,
        *,
        on_result: Callable[[RehearsalResult], None],
        stop: Callable[[], bool],
        in_browser: bool,
    ) -> None:
        """Launches nothing: a row that broke, and one more that held, unless it is stopped."""
        for outcome in (RehearsalOutcome.BROKE, RehearsalOutcome.HELD):
            if stop():
                return
            on_result(
                RehearsalResult(
                    id="RH-E01", outcome=outcome, severity=Severity.HIGH, title="shows [b]nothing", about="viewer"
                )
            )
            time.sleep(0.01)

    def export(
        self, assessment: Any, inputs: Any, directory: Path, formats: Sequence[str], on_step: Any, sections: Any
    ) -> Any:
        """Writes nothing."""
        for name in formats:
            on_step(name)
        return work.Exported(tuple(directory / f"report.{name}" for name in formats))

    def open_url(self, *args: Any, **options: Any) -> None:
        """Opens nothing."""
        self.opened += 1


def keep_inside(patch: pytest.MonkeyPatch, observation: Observation) -> Harmless:
    """Let nothing leave the folder: no probe, no report at a typed path, no browser, no screenshot."""
    harmless = Harmless(observation)
    patch.setattr(work, "probe", harmless.probe)
    patch.setattr(work, "rehearse", harmless.rehearse)
    patch.setattr(work, "export", harmless.export)
    patch.setattr(work, "assessed", lambda inputs: assess(inputs, today=date.today(), runs=20))
    patch.setattr(session, "SETTLE_S", 0.02)
    patch.setattr(session, "WATCH_S", 0.2)
    patch.setattr(ReportSection, "_folder", lambda self: self.interlock.workspace.root / "reports")
    patch.setattr(App, "open_url", harmless.open_url)
    patch.setattr(App, "deliver_screenshot", lambda *args, **options: None)
    return harmless


def play(root: Path, todo: Sequence[Step], size: tuple[int, int] = (80, 24)) -> int:
    """Do the steps to an app on a workspace; returns how many were done before the app was closed, if it was.

    What is raised anywhere in the app, in a task that nobody waited for too, is raised here.
    """
    try:
        return asyncio.run(_play(root, todo, size))
    finally:
        gc.unfreeze()  # what the app set aside for good is good for one app


async def _play(root: Path, todo: Sequence[Step], size: tuple[int, int]) -> int:
    stray: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: stray.append(context))
    app, done = InterlockApp(Workspace(root), "Ada"), 0
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        for _ in range(200):
            if app.state.assessment is not None or app.state.problem is not None:
                break
            await pilot.pause(0.02)
        for step in todo:
            if not app.is_running or app._exception is not None:
                break
            await _STEPS[step[0]](app, pilot, *step[1:])
            done += 1
    assert not stray, stray
    return done


def _spot(app: App[None], x: int, y: int) -> tuple[int, int]:
    width, height = app.size
    return x * width // 1000, y * height // 1000


async def _press(app: App[None], pilot: Pilot[None], key: str) -> None:
    await pilot.press(_NAMES.get(key, key))


async def _burst(app: App[None], pilot: Pilot[None], keys: Sequence[str]) -> None:
    for key in keys:
        app.post_message(events.Key(_NAMES.get(key, key), key if len(key) == 1 else None))
    await pilot.pause()


async def _click(app: App[None], pilot: Pilot[None], x: int, y: int) -> None:
    await pilot.click(offset=_spot(app, x, y))


async def _drag(app: App[None], pilot: Pilot[None], x: int, y: int, to_x: int, to_y: int) -> None:
    await pilot.mouse_down(offset=_spot(app, x, y))
    await pilot.hover(offset=_spot(app, to_x, to_y))
    await pilot.mouse_up(offset=_spot(app, to_x, to_y))


async def _scroll(app: App[None], pilot: Pilot[None], x: int, y: int, down: bool) -> None:
    kind: type[events.MouseEvent] = events.MouseScrollDown if down else events.MouseScrollUp
    await pilot._post_mouse_events([kind], offset=_spot(app, x, y))


async def _hover(app: App[None], pilot: Pilot[None], x: int, y: int) -> None:
    await pilot.hover(offset=_spot(app, x, y))


async def _resize(app: App[None], pilot: Pilot[None], size: tuple[int, int]) -> None:
    await pilot.resize_terminal(*size)


async def _paste(app: App[None], pilot: Pilot[None], text: str) -> None:
    app.post_message(events.Paste(text))
    await pilot.pause()


async def _type(app: App[None], pilot: Pilot[None], text: str) -> None:
    await _burst(app, pilot, text)


async def _others(app: InterlockApp, pilot: Pilot[None], name: str, part: int) -> None:
    OTHERS[name](app.workspace.root, part)
    await pilot.press("r")


async def _wait(app: App[None], pilot: Pilot[None], seconds: float) -> None:
    await pilot.pause(seconds)


async def _blur(app: App[None], pilot: Pilot[None], away: bool) -> None:
    app.post_message(events.AppBlur() if away else events.AppFocus())
    await pilot.pause()


_STEPS: dict[str, Callable[..., Any]] = {
    "press": _press,
    "burst": _burst,
    "click": _click,
    "drag": _drag,
    "scroll": _scroll,
    "hover": _hover,
    "resize": _resize,
    "paste": _paste,
    "type": _type,
    "others": _others,
    "wait": _wait,
    "blur": _blur,
}
_NAMES = {
    "?": "question_mark",
    "/": "slash",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    ":": "colon",
    ".": "full_stop",
    "-": "minus",
    " ": "space",
}


def copies(root: Path, into: Path) -> Iterator[Path]:
    """The folder again and again, each time as it was, at one and the same place: its content is read once."""
    target = into / root.name
    while True:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(root, target)
        yield target
