"""``--log-file`` and ``--verbose``: what the program does, as lines of JSON in a file and as text on stderr.

The rooms log through :mod:`logging`, with what happened as the message and its particulars as ``extra={"fields": …}``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from interlock.documents.redaction import redacted
from interlock.documents.visible import visible_json
from interlock.model.errors import InterlockError, Location
from interlock.model.text import plain

#: A log that has grown so large is kept once, as ``FILE.1``, and begun anew.
MAX_BYTES = 20_000_000
_LONGEST = 4_000


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = getattr(record, "fields", None)
    named = {str(name): _told(value) for name, value in fields.items()} if isinstance(fields, Mapping) else {}
    if record.exc_info and record.exc_info[0] is not None:
        named["error"] = record.exc_info[0].__name__
    return named


def _told(value: object) -> object:
    return (
        value
        if value is None or isinstance(value, (bool, int, float))
        else redacted(str(value)[: 8 * _LONGEST])[:_LONGEST]
    )


class _JsonLines(logging.Formatter):
    """A record as one line of JSON; every character beyond ASCII is escaped, control characters among them."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "run": self._run_id,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _told(record.getMessage()),
            "fields": _fields(record),
        }
        return visible_json(json.dumps(line))


class _Words(logging.Formatter):
    """A record as a line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        told = [str(_told(record.getMessage())), *(f"{name}={value}" for name, value in _fields(record).items())]
        return f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S}  {plain(' '.join(told), _LONGEST)}"


class _Stderr(logging.StreamHandler[Any]):
    """Writes to whatever stderr is at the time: the terminal UI puts its own in place, so that its screen stays."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Nobody can be told that stderr cannot be written."""


class _PrivateFile(RotatingFileHandler):
    """Appends to a file that its owner alone may read. A full disk stops the log, never the program."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="ascii")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        logging.getLogger().removeHandler(self)
        with suppress(OSError, ValueError):
            sys.stderr.write(
                f"the log {plain(self.baseFilename, 300)} cannot be written any more; going on without it\n"
            )


@contextmanager
def logging_to(file: Path | None, *, verbose: bool, run_id: str) -> Iterator[None]:
    """Tell what happens while this block runs.

    :raises InterlockError: the log file cannot be written.
    """
    handlers: list[logging.Handler] = []
    if file is not None:
        try:
            handlers.append(_PrivateFile(file, maxBytes=MAX_BYTES, backupCount=1))
        except OSError as error:
            raise InterlockError(
                f"the log cannot be written: {error.strerror or error}",
                location=Location(file=str(file)),
                remedy="name a file that you may write: --log-file FILE",
            ) from error
        handlers[-1].setFormatter(_JsonLines(run_id))
    if verbose:
        handlers.append(_Stderr())
        handlers[-1].setFormatter(_Words())
    root, ours = logging.getLogger(), logging.getLogger("interlock")
    level = ours.level
    with ExitStack() as stack:
        stack.callback(ours.setLevel, level)
        for handler in handlers:
            root.addHandler(handler)
            stack.enter_context(suppress(OSError))
            stack.callback(handler.close)
            stack.callback(root.removeHandler, handler)
        ours.setLevel(logging.INFO)
        yield
