"""Rendering a reader's own template in a process that is bounded in time, memory and output, and knows nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interlock.model.errors import DocumentError, Location
from interlock.model.text import plain

#: Seconds on the clock and of the processor, bytes of memory and of the text.
WALL_SECONDS = 60
CPU_SECONDS = 20
MEMORY_BYTES = 1_000_000_000
OUTPUT_BYTES = 50_000_000

_REMEDY = "simplify the template; the shipped ones are a beginning"


def render(
    sources: Mapping[str, tuple[str, Path]], name: str, variables: Mapping[str, Any], *, autoescape: bool
) -> str:
    """The text of a template.

    :param sources: name → text and file of every template that there is.
    :param variables: plain data only: it goes to the other process as JSON.
    :raises DocumentError: the template has a mistake, does what it may not do, or exceeds a limit.
    """
    file = str(sources[name][1])
    job = {
        "templates": {key: (text, str(path)) for key, (text, path) in sources.items()},
        "name": name,
        "variables": variables,
        "autoescape": autoescape,
    }
    limits = [str(limit) for limit in (CPU_SECONDS, MEMORY_BYTES, OUTPUT_BYTES)]
    # Nothing of the user's environment is needed there; -P and absolute paths: nothing is imported from where we are.
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if os.path.isabs(path))}  # noqa: PTH117
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603  # our own module
                [sys.executable, "-P", "-m", "interlock.report.template_child", *limits],
                input=json.dumps(job).encode(),
                stdout=output,
                stderr=subprocess.PIPE,
                timeout=WALL_SECONDS,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DocumentError(
                f"the template was stopped after {WALL_SECONDS} seconds", location=Location(file=file), remedy=_REMEDY
            ) from error
        if done.returncode:
            raise _failure(done, file)
        output.seek(0)
        return output.read().decode()


def _failure(done: subprocess.CompletedProcess[bytes], file: str) -> DocumentError:
    if done.returncode == 1:
        try:
            told = json.loads(done.stderr)
            location = Location(file=str(told["file"]), line=told["line"])
            return DocumentError(plain(told["problem"]), location=location, remedy=_REMEDY)
        except (ValueError, TypeError, KeyError):
            pass  # the process broke before it could say what is wrong
    out_of_time = done.returncode in {-getattr(signal, "SIGXCPU", 0), -getattr(signal, "SIGKILL", 0)}
    after = f"was stopped after {CPU_SECONDS} seconds of work" if out_of_time else "broke the process that renders it"
    return DocumentError(f"the template {after}", location=Location(file=file), remedy=_REMEDY)
