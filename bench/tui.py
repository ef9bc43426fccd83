"""Speed and memory of the terminal UI, each run in a process of its own, against a Textual app that says hello.

Seconds on the wall: what a person waits for. A loaded machine slows both sides, and the best of several runs counts.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measuring import Measured, peak_mb

HELLO = """\
import os, time
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("Hello")
    def on_ready(self):
        print(time.time() - float(os.environ["STARTED"]))
        self.exit()
Hello().run(headless=True, size=(120, 36))
"""
#: Answers that are given one after the other.
ANSWERS = 40
#: (organisations, most seconds until the verdict, until the score moves, most megabytes)
WANTED = {4: (1.0, 0.060, None), 50: (1.5, 0.100, 150)}
#: What the process beside the app may take at fifty organisations, while it simulates.
_PLANNER_MB = 550
_PATIENCE_S = 120.0


def rows() -> Iterator[Measured]:
    """First paint, first question, verdict, answers and memory at 4 and 50 organisations."""
    from commands import command, repeated

    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample"
        command("-m", "interlock", "init", str(sample), "--template", "sepsis")()
        command("-m", "interlock", "probe", "--all", "--workspace", str(sample))()
        for organizations, (verdict_s, answer_s, megabytes) in WANTED.items():
            workspace = repeated(sample, Path(folder) / str(organizations), organizations)
            hello = min(float(_child("-c", HELLO)) for _ in range(3))
            runs = [json.loads(_child(__file__, str(workspace))) for _ in range(2)]
            best = {name: min(run[name] for run in runs) for name in runs[0]}
            named = f"{organizations} orgs"
            if organizations == min(WANTED):
                yield Measured("TUI, first paint", best["painted"], "hello in Textual", hello, 2.0)
                yield Measured("TUI, first question", best["asked"], "hello in Textual", hello, 4.0)
            yield Measured(f"TUI, verdict, {named}", best["verdict"], "hello in Textual", hello, 8.0, verdict_s)
            yield Measured(f"TUI, answer p95, {named}", best["answered"], "hello in Textual", hello, 0.4, answer_s)
            yield Measured(f"TUI, key p99, {named}", best["key"], "hello in Textual", hello, 0.3, 0.050)
            if megabytes is not None:
                yield Measured(f"TUI, MB, {named}", best["megabytes"], "allowed", megabytes, 1.0)
                yield Measured(f"its planner, MB, {named}", best["beside"], "allowed", _PLANNER_MB, 1.0)


def _child(*arguments: str) -> str:
    environment = os.environ | {"STARTED": str(time.time())}
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, env=environment)
    return done.stdout


async def _measured(workspace: Path) -> dict[str, float]:
    """Open a workspace, look at the verdict, answer questions; what was waited for, in seconds, and the memory."""
    started = float(os.environ["STARTED"])
    from interlock.tui.planner import Planner

    gc.disable()  # as `interlock assess` opens it
    planner = Planner()
    planner.start()
    from interlock.workspace.store import Workspace

    found = Workspace.find(workspace)
    beside = planner.reading(found)
    from textual.events import Key

    from interlock.tui.app import InterlockApp

    app = InterlockApp(found, "Ada", beside=beside)
    figures: dict[str, float] = {}
    async with app.run_test(size=(120, 36)):

        async def until(condition: Callable[[], object]) -> float:
            limit = time.perf_counter() + _PATIENCE_S
            while not condition():
                await asyncio.sleep(0.001)
                if time.perf_counter() > limit:
                    raise TimeoutError(figures)
            return time.time() - started

        figures["painted"] = await until(lambda: app.screen.is_mounted and app.screen._compositor.full_map)
        app.action_go("questions")
        figures["asked"] = await until(lambda: app.state.inputs and getattr(app.screen, "_on_form", None))
        figures["verdict"] = await until(lambda: app.state.judgement is not None)

        async def pressed(key: str, condition: Callable[[], object]) -> float:
            """Seconds from a key, as the terminal sends it, until its effect is on the screen."""
            started = time.perf_counter()
            app.post_message(Key(key, key))
            await until(condition)
            await until(lambda: not (app.screen._dirty_widgets or app.screen._layout_required))
            return time.perf_counter() - started

        async def moved() -> float:
            questions: Any = app.screen
            shown, last = questions._item, questions._asked[-1].item.id
            return await pressed("n" if shown != last else "p", lambda: questions._item != shown)

        waited = []
        for _ in range(ANSWERS):
            await moved()
            while (asked := app.screen._current).item.type != "choice":  # type: ignore[attr-defined]
                await moved()
            await until(lambda: app.state.judged == app.state.revision)
            taken, revision = asked.response and asked.response.value, app.state.revision
            other = "2" if taken == asked.item.options[0].value else "1"  # the same answer once more is none
            waited.append(await pressed(other, lambda: revision < app.state.revision == app.state.judged))  # noqa: B023
        figures["answered"] = sorted(waited)[int(len(waited) * 0.95) - 1]
        keys: list[float] = []
        while not app.state.up_to_date and len(keys) < 1000:  # the plan is worked out beside
            keys.append(await moved())
        figures["key"] = sorted(keys)[int(len(keys) * 0.99) - 1] if keys else 0.0
        figures["megabytes"] = peak_mb()
        figures["beside"] = peak_mb(app.planner.start().pid)
    return figures


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measured(Path(sys.argv[1])))))
