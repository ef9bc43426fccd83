"""The process in which plans are worked out: what comes back is the same, and nothing of it outlives the app."""

from __future__ import annotations

import operator
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from interlock.model.base import Status
from interlock.model.errors import InterlockError
from interlock.model.response import Response
from interlock.tui import work
from interlock.tui.planner import Planner, Shared
from interlock.usecases.assess import assess
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.next_questions import next_questions

START, RUN = Planner.start, Planner.run

SURE = Response(status=Status.ANSWERED, value=True)
#: An app that is killed while its process does something; it says the process's id.
KILLED = """
import os, threading, time
from interlock.tui.planner import Planner, Shared
planner = Planner()
print(planner.start().pid, flush=True)
threading.Thread(target=planner.run, args=(time.sleep, 600), daemon=True).start()
time.sleep(0.5)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def planner(_quick: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Planner]:
    """A process of its own, as the app has it; other tests do without."""
    monkeypatch.setattr(Planner, "start", START)
    monkeypatch.setattr(Planner, "run", RUN)
    planner = Planner()
    yield planner
    planner.close()


@pytest.fixture
def inputs(workspace) -> Inputs:
    return load_inputs(workspace)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    # Nobody waits for a process whose parent was killed.
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_comes_back_is_what_the_app_would_have_worked_out(planner, inputs):
    """With questions that are the workspace's own, which the process is told, and an answer that is on no disk."""
    inputs = inputs.with_response("product", "extra.sure", SURE)
    assert planner.run(next_questions, inputs) == next_questions(inputs)
    told = partial(assess, today=inputs.today, runs=20)
    assert planner.run(told, inputs).model_dump_json() == told(inputs).model_dump_json()
    pid = planner.start().pid
    with pytest.raises(InterlockError, match="no organisation 'nowhere'") as refused:
        planner.run(Inputs.organization, inputs, "nowhere")
    assert "riverside" in str(refused.value.remedy)
    with pytest.raises(InterlockError, match="ZeroDivisionError"):
        planner.run(operator.truediv, 1, 0)
    planner.run(print, "what a library prints is no reply")
    assert planner.run(operator.add, 1, 1) == 2
    assert planner.start().pid == pid
    with pytest.raises(InterlockError, match="the process that works out the plan ended"):
        planner.run(os._exit, 3)
    assert planner.run(operator.attrgetter("content.items"), inputs).keys() == inputs.content.items.keys()
    assert planner.start().pid != pid


def test_what_both_processes_have_travels_once(inputs):
    """Whichever of the two made it, until a job no longer names it."""
    assert inputs.fits
    app, beside = Shared(), Shared(first=1)

    def carried(sender: Shared, receiver: Shared, message: object) -> tuple[int, Any]:
        stream = BytesIO()
        sender.write(stream, message, forget=sender is app)
        stream.seek(0)
        return len(stream.getvalue()), receiver.read(stream)

    first, read = carried(beside, app, inputs)
    assert read == replace(inputs, content=read.content) and read.fits == inputs.fits
    assert read.content.items == inputs.content.items and read.content.rule_folders == inputs.content.rule_folders
    size, back = carried(app, beside, (next_questions, read.with_response("product", "extra.sure", SURE)))
    assert size < first / 5
    assert back[1].content is inputs.content
    assert all(back[1].fits[org] is fit for org, fit in inputs.fits.items())
    carried(app, beside, (operator.add, 1, 1))
    assert carried(app, beside, (next_questions, read))[0] > first / 2


def test_content_that_was_handed_over_is_not_read_again(inputs, workspace):
    over = pickle.loads(pickle.dumps(inputs.content))
    assert over.items == inputs.content.items and over is not inputs.content
    assert load_inputs(workspace).content is over
    extra = workspace.root / "questionnaires" / "extra.yaml"
    extra.write_text(extra.read_text().replace("How many nurses", "How many"))
    assert load_inputs(workspace).content.items["extra.count"].text == "How many?"


def test_an_app_has_its_judgement_once(inputs):
    judgement = work.judged(inputs)
    travels = work.planned(inputs)
    assert not travels.findings and not travels.rules
    whole = work.whole(travels, inputs, judgement)
    assert whole == work.assessed(inputs)
    assert whole.findings is judgement.findings
    yesterday = replace(inputs, today=inputs.today - timedelta(days=1))  # the app is open past midnight
    todays = work.planned(yesterday)
    assert todays.findings and work.whole(todays, yesterday, work.judged(yesterday)) is todays


def test_closing_ends_a_job_that_is_being_done(planner):
    failed: list[InterlockError] = []

    def wait() -> None:
        try:
            planner.run(time.sleep, 600)
        except InterlockError as error:
            failed.append(error)

    pid = planner.start().pid
    waiting = threading.Thread(target=wait)
    waiting.start()
    planner.close()
    waiting.join(30)
    assert not waiting.is_alive() and failed
    assert not is_there(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_process_of_an_app_that_was_killed_ends(planner):
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60)
    pid = int(done.stdout)
    deadline = time.monotonic() + 30
    while is_there(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_there(pid)


def test_what_cannot_be_read_ends_the_process_and_whoever_waits_is_told(planner, inputs):
    stdin = planner.start().stdin
    assert stdin is not None
    stdin.write(b"\xff\n")
    stdin.flush()
    with pytest.raises(InterlockError, match="ended unexpectedly"):
        planner.run(work.planned, inputs)
