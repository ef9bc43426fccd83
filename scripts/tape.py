"""A walk through the terminal UI, played by the real program from a blank workspace on: each step as SVG, in one page.

``python scripts/tape.py FOLDER [80x24-dark …]`` writes ``FOLDER/SIZE-THEME/NN-step.svg`` and ``FOLDER/index.html``. The
same day gives the same pictures, but for the times of day and how long a probe took.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path

from textual.pilot import Pilot

from interlock.model.preferences import Preferences
from interlock.tui.app import InterlockApp
from interlock.tui.widgets.rows import Rows
from interlock.usecases.initialize import initialize
from interlock.workspace.store import Workspace

SIZES = ((80, 24), (120, 34), (200, 60))
THEMES = ("dark", "light")
DIRECTORY = """organization_name,base_url,vendor
Riverside Regional Medical Center,https://riverside.example.org/fhir/r4,epic
Lakeshore Health System,https://lakeshore.example.org/fhir/r4,oracle
"""
#: What is done, and the keys: a word behind ``'`` is typed (``_`` is a space), ``~`` waits until everything is computed
#: and saved, and ``%`` goes down to a routine task.
WALK: tuple[tuple[str, str], ...] = (
    ("A blank workspace opens", "~"),
    ("What kind of product it is", "e"),
    ("What this screen is for", "escape question_mark"),
    ("The question that settles most", "escape n ~"),
    ("What a question asks, and which gates read it", "question_mark"),
    ("Answered by its number", "escape g q ~ 3 ~"),
    ("The next ones", "n 2 ~ n 2 ~"),
    ("A first milestone", "g 6 ~ m 'first enter ~"),
    ("The contract, part by part", "escape 8 ~ e ~"),
    ("One input, out of FHIR's own list", "j j j j j a 'Observation"),
    ("It is in the contract", "enter ~"),
    ("One output", "j a ~ 'DocumentReference enter ~"),
    ("Organisations out of a directory", "escape 7 ~ i 'DIRECTORY enter ~"),
    ("One found by its words", "'lakeshore"),
    ("An organisation by hand", "escape ~ a 'Riverside_Regional tab tab tab tab 'sandbox://riverside"),
    ("Two are here", "ctrl+s ~ a 'Lakeshore_Health tab tab tab tab 'sandbox://lakeshore ctrl+s ~"),
    ("Both are probed", "3 ~ a ~"),
    ("One question for both at once", "g 2 ~ t ~ a enter"),
    ("Three answered for both", "enter ~ x down a enter enter ~ x down a enter enter ~"),
    ("What blocks what", "escape g 4 ~"),
    ("What closing it does", "x ~"),
    ("The chain around it", "d ~"),
    ("The plan", "escape 5 ~"),
    ("Tasks over time", "m ~"),
    ("A routine task", "escape t %"),
    ("It has begun", "b enter ~"),
    ("Jump: a letter on each part", "6 ~ ctrl+o"),
    ("The report is written", "escape e ~"),
    ("Every command by name", "ctrl+p"),
    ("A second milestone", "escape m 'second enter ~"),
    ("What moved between the two", "escape b ~"),
    ("The overview at the end", "escape 1 ~"),
)
#: Workers that have to end before a picture is made.
_LONG = {"export", "milestone", "compare", "preview", "load"}
#: Where it is played: the screens show its name, which is the same each time.
_HOME = Path(tempfile.gettempdir()) / "interlock-tape"
_KEYS = {" ": "space", "-": "minus", "/": "slash", ".": "full_stop", ":": "colon", "_": "space", ",": "comma"}


async def play(folder: Path, home: Path, size: tuple[int, int], theme: str) -> list[str]:
    """Play the walk once in an empty folder; returns the pictures' names."""
    names = []
    directory = home / "directory.csv"
    directory.write_text(DIRECTORY, "utf-8")
    workspace = initialize(home / "product")
    app = InterlockApp(Workspace(workspace.root), "Ada", Preferences(theme=theme, animations=False))
    async with app.run_test(size=size) as pilot:
        for number, (title, keys) in enumerate(WALK, 1):
            await _press(app, pilot, keys.replace("DIRECTORY", str(directory)))
            await pilot.pause(0.2)
            app.clear_notifications()
            await pilot.pause(0.1)
            name = f"{number:02}-{re.sub('[^a-z]+', '-', title.casefold()).strip('-')}.svg"
            picture = app.export_screenshot(title=title)
            (folder / name).write_text(re.sub(r',\s*url\("https://[^)]*\)\s*format\("\w+"\)', "", picture), "utf-8")
            names.append(name)
    return names


async def _press(app: InterlockApp, pilot: Pilot[None], keys: str) -> None:
    for key in keys.split():
        if key == "~":
            await _settled(app, pilot)
        elif key == "%":
            await _to_routine_task(app, pilot)
        elif key.startswith("'"):
            await pilot.press(*(_KEYS.get(letter, letter) for letter in key[1:]))
        else:
            await pilot.press(key)
        await pilot.pause(0.05)


async def _to_routine_task(app: InterlockApp, pilot: Pilot[None]) -> None:
    """Go down in the list of tasks to the first that is routine."""
    rows, assessment = app.screen.query_one("#tasks", Rows), app.state.assessment
    routine = {task.id for task in assessment.plan.tasks if task.kind == "routine"} if assessment else set()
    for _ in rows.keys:
        if rows.key in routine:
            break
        await pilot.press("down")


async def _settled(app: InterlockApp, pilot: Pilot[None]) -> None:
    """Wait until the plan is there, everything is saved and nothing is being written."""
    await pilot.pause(0.3)
    for _ in range(1200):
        state = app.state
        busy = state.waiting or state.probing or any(w.is_running and w.group in _LONG for w in app.workers)
        if state.up_to_date and state.ranked == state.revision and not busy:
            return
        await pilot.pause(0.05)
    sys.exit("the program never came to rest")


def index(folder: Path, tapes: dict[str, list[str]]) -> None:
    """A page of all pictures."""
    lines = ["<!doctype html><meta charset=utf-8><title>Interlock: a walk</title>"]
    for tape, names in tapes.items():
        lines.append(f"<h1>{escape(tape)}</h1>")
        for (title, _), name in zip(WALK, names, strict=True):
            lines.append(f'<h2>{escape(title)}</h2><img src="{escape(tape)}/{escape(name)}" alt="{escape(title)}">')
    (folder / "index.html").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Make the tapes that are asked for, or all of them."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "tape")
    wanted = sys.argv[2:] or [f"{width}x{height}-{theme}" for width, height in SIZES for theme in THEMES]
    tapes = {}
    for tape in wanted:
        size, _, theme = tape.partition("-")
        width, height = map(int, size.split("x"))
        (folder / tape).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(_HOME, ignore_errors=True)
        _HOME.mkdir()
        tapes[tape] = asyncio.run(play(folder / tape, _HOME, (width, height), theme))
        shutil.rmtree(_HOME)
        print(f"Made {len(tapes[tape])} pictures in {folder / tape}")
    index(folder, tapes)


if __name__ == "__main__":
    main()
