"""Errors that tell a person what happened, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """Where something is: a file with 1-based line and column, a URL, or a JSON pointer."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    url: str | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        if self.url:
            return self.url + (f" at {self.pointer}" if self.pointer else "")
        parts = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        return ":".join(parts) + (f" at {self.pointer}" if self.pointer else "")


class InterlockError(Exception):
    """Bad input or a failed operation, for a person to read.

    :param message: what happened, one sentence without a full stop.
    :param place: where, if anywhere.
    :param remedy: what to do, one sentence, imperative.
    :cvar exit_code: the command's exit code (2 unless a subclass says otherwise).
    """

    exit_code = 2

    def __init__(self, message: str, *, location: Location | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        what_to_do = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{self.message}{what_to_do}"


class DocumentError(InterlockError):
    """A file that cannot be read as what it should be."""


class WorkspaceError(InterlockError):
    """The workspace is missing, locked, read-only or full."""


class NothingObservedError(InterlockError):
    """No target could be observed at all; trying again may help."""

    exit_code = 3


class ThresholdNotMetError(InterlockError):
    """A threshold that the caller asked for was not met."""

    exit_code = 1
