"""What a failure of Interlock itself looks like: three lines on stderr, a crash report on disk, exit code 70.

A report holds what is needed to mend the fault and nothing that a person entered: names of the command and its options
without their values, the traceback without local variables, and messages without secrets.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from interlock.documents.redaction import redacted, without_known_secrets
from interlock.model.text import plain

#: EX_SOFTWARE of sysexits.h.
INTERNAL_ERROR = 70
KEPT = 20
_LINES_AT_EACH_END = 150
_LONGEST_LINE = 1000
_LONGEST_READ = 20_000
_SHOW_CURSOR_IN_PLAIN_COLOURS = "\x1b[0m\x1b[?25h"


def tell_crash(error: BaseException, arguments: Sequence[str], run_id: str) -> int:
    """Say what happened, where the crash report lies and what to do; the exit code.

    Never raises: where nothing can be written, nothing is.
    """
    with suppress(Exception):
        traceback.clear_frames(error.__traceback__)  # what filled the memory may be held by nothing but these frames
    trace = _trace(error)
    command = "not known: the command line could not be set up"
    with suppress(Exception):
        command = described(arguments)
    try:
        report = _keep(_report(trace, command, run_id), run_id)
        position, remedy = (
            str(report),
            "run it again; if it fails again, send the report to whoever maintains Interlock for you",
        )
    except Exception as problem:
        reason = plain(redacted(str(problem)), 300)
        position = f"no crash report could be written ({reason}); what it would have said:\n{trace}"
        remedy = "run it again; if it fails again, send the lines above to whoever maintains Interlock for you"
    with suppress(Exception):
        if sys.stderr.isatty():
            sys.stderr.write(_SHOW_CURSOR_IN_PLAIN_COLOURS)
        name = plain(type(error).__name__, 100)
        sys.stderr.write(
            f"error: something in Interlock itself failed ({name}); your files are as they were saved last\n"
        )
        sys.stderr.write(f"   at: {position}\n   do: {remedy}\n")
        sys.stderr.flush()
    return INTERNAL_ERROR


def _trace(error: BaseException) -> str:
    """The traceback with its causes, without local variables and secrets, and of bounded length."""
    try:
        told = traceback.TracebackException.from_exception(error, capture_locals=False)
        text, source = "".join(told.format()), frozenset(_source_lines(told))
    except Exception as second:  # an exception whose own words cannot be had
        words = f"{type(error).__name__} ({type(second).__name__} in its message)"
        text, source = "".join(traceback.format_tb(error.__traceback__)) + words, frozenset()
    lines = [line[:_LONGEST_READ] for line in without_known_secrets(text).rstrip().split("\n")]
    if len(lines) > 2 * _LINES_AT_EACH_END:
        left_out = f"  … {len(lines) - 2 * _LINES_AT_EACH_END} lines left out …"
        lines = [*lines[:_LINES_AT_EACH_END], left_out, *lines[-_LINES_AT_EACH_END:]]
    return "\n".join(_shown(line if line.strip() in source else redacted(line)) for line in lines)


def _shown(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))] + plain(line, _LONGEST_LINE)


def _source_lines(told: traceback.TracebackException) -> Iterator[str]:
    """The lines of program text in a traceback: what looks like a secret in them is the name of a variable."""
    waiting = [told]
    while waiting:
        current = waiting.pop()
        yield from (frame.line.strip() for frame in current.stack if frame.line)
        waiting += [part for part in (current.__cause__, current.__context__, *(current.exceptions or ())) if part]


def described(arguments: Sequence[str]) -> str:
    """Names of the command and of its options, such as ``org add --url``: no value, no argument."""
    from typer.main import get_command

    from interlock.cli.app import app

    command = get_command(app)
    options = _options(command)
    words: list[str] = []
    for argument in arguments:
        name = argument.partition("=")[0]
        glued = argument[:2] if not argument.startswith("--") else ""
        commands = getattr(command, "commands", {})
        if argument in commands:
            command = commands[argument]
            options |= _options(command)
            words.append(argument)
        elif name in options or glued in options:
            words.append(name if name in options else glued)
    return " ".join(words) or "interlock"


def _options(command: object) -> set[str]:
    parameters = getattr(command, "params", ())
    return {"-h", "--help"} | {
        name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts) if name[:1] == "-"
    }


def _report(trace: str, command: str, run_id: str) -> str:
    from interlock import __version__

    facts = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": run_id,
        "version": __version__,
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "command": command,
    }
    head = "".join(f"{name + ':':10} {value}\n" for name, value in facts.items())
    return f"Interlock crash report. Read it before you pass it on.\n\n{head}\n{trace}\n"


def crash_folder() -> Path:
    """Where crash reports lie: in the user's state folder."""
    import platformdirs

    return platformdirs.user_state_path("interlock") / "crashes"


def _keep(report: str, run_id: str) -> Path:
    """Write the report for its owner alone, and drop the oldest reports."""
    folder = crash_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{run_id}.txt"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(report)
    for old in sorted(folder.glob("*.txt"))[:-KEPT]:
        with suppress(OSError):
            old.unlink()
    return path
