"""The file that a long run appends its results to: whatever ends the run, every complete line of it counts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pydantic import ValidationError

from interlock.model.address_secrets import redacted_json
from interlock.model.errors import InterlockError, Location
from interlock.model.observation import Observation, Target

_MAX_LINE = 64 * 1024 * 1024

Key = tuple[str, str | None]


def key_of(target: Target) -> Key:
    """The key of a target: its base URL as given, and its organisation."""
    return target.base_url, target.org


class ResultFile:
    """Newline-delimited observations. A context manager; lines are only ever appended.

    A line is written with a single call and counts once its line feed is there: a killed process leaves behind at most
    a torn last line, which :meth:`earlier` removes.

    :raises InterlockError: the file exists although nothing is to be resumed, or it cannot be written.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        location = Location(file=str(path))
        if not resume and path.exists() and path.stat().st_size:
            raise InterlockError(
                "the file exists already and would be overwritten",
                location=location,
                remedy="--resume continues it; or name another file",
            )
        try:
            self._file: BinaryIO = path.open("a+b", buffering=0)
        except OSError as error:
            raise InterlockError(f"cannot be written: {error.strerror or error}", location=location) from error

    def __enter__(self) -> ResultFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def earlier(self) -> Iterator[Observation]:
        """The observations that are in the file already; a torn last line is cut off.

        :raises InterlockError: a complete line is no observation; with its number.
        """
        good = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_MAX_LINE), b""), 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    observation = Observation.model_validate_json(redacted_json(line))
                except ValidationError as error:
                    raise InterlockError(
                        "this line is no result of a probe",
                        location=Location(file=str(self._path), line=number),
                        remedy="remove the line, or name another file",
                    ) from error
                good += len(line)
                yield observation
        self._file.truncate(good)

    def write(self, line: bytes) -> None:
        """Append a line, its line feed included.

        :raises InterlockError: the disk is full or the file is gone.
        """
        try:
            left = memoryview(line)
            while left:  # a disk that fills up takes part of a line
                left = left[os.write(self._file.fileno(), left) :]
        except OSError as error:
            raise InterlockError(
                f"cannot be written: {error.strerror or error}",
                location=Location(file=str(self._path)),
                remedy="make room and go on with --resume",
            ) from error
