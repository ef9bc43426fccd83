"""What product.yaml names for a rehearsal to run or to read: programs, and the product's log; all of it bounded."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from interlock.model.product import ProductLog
from interlock.rehearse.hospitals import OutOfReachError

#: A log that grows by more than this during a rehearsal is not judged: what was left out might say otherwise.
MAX_LOG_BYTES = 16_000_000
_MAX_OUTPUT_BYTES, _PROGRAM_SECONDS = 200_000, 30.0


@dataclass(frozen=True, slots=True)
class Programs:
    """How programs of product.yaml run, which its user has allowed before.

    :ivar environment: what they are told besides what this process has: the simulated hospitals.
    """

    folder: Path
    environment: Mapping[str, str]

    def run(self, command: str, most: int = _MAX_OUTPUT_BYTES, **filled: str) -> tuple[int, str]:
        """Its status and what it printed; it has 30 seconds, and ends with everything that it started.

        :param filled: what stands for ``{org}`` and the like in its words.
        :raises OutOfReachError: it cannot be started, takes too long or prints without end.
        """
        try:
            words = [_filled(word, {"python": sys.executable, **filled}) for word in shlex.split(command)]
            process = subprocess.Popen(  # noqa: S603  # the user has allowed this very command
                words,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise OutOfReachError(f"{command[:100]} cannot be run: {error}") from error
        late = threading.Timer(_PROGRAM_SECONDS, _end, [process])
        late.start()
        try:
            assert process.stdout is not None
            output = process.stdout.read(most + 1)
            if len(output) > most:
                raise OutOfReachError(f"{command[:100]} printed more than {most:,} bytes")
            status = process.wait()
        finally:
            in_time = late.is_alive()
            late.cancel()
            _end(process)
            process.communicate()
        if not in_time:
            raise OutOfReachError(f"{command[:100]} had not ended after {_PROGRAM_SECONDS:g} s")
        return status, output.decode("utf-8", "replace")


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass
class Log:
    """The product's log from the moment at which the rehearsal began. Nothing of it is ever kept.

    :ivar source: what product.yaml says of it.
    """

    source: ProductLog
    programs: Programs
    _since: str = field(init=False)
    _before: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Remember where it ends now."""
        self._since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with contextlib.suppress(OutOfReachError, OSError):
            self._before = len(self._printed()) if self.source.command else self._file.stat().st_size

    def text(self) -> str:
        """What was written since then.

        :raises OutOfReachError: it is not there, no file, or has grown by too much.
        """
        if self.source.command is not None:
            return self._printed()[self._before :]
        try:
            # A pipe would wait for a writer without O_NONBLOCK.
            with os.fdopen(os.open(self._file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
                about = os.fstat(opened.fileno())
                if not stat.S_ISREG(about.st_mode):
                    raise OutOfReachError(f"the log {self.source.file} is no file")
                opened.seek(self._before if about.st_size >= self._before else 0)  # begun anew: all of it is newer
                read = opened.read(MAX_LOG_BYTES + 1)
        except OSError as error:
            raise OutOfReachError(f"the log {self.source.file} cannot be read: {error.strerror}") from error
        if len(read) > MAX_LOG_BYTES:
            raise OutOfReachError(f"the log {self.source.file} has grown by more than {MAX_LOG_BYTES // 1_000_000} MB")
        return read.decode("utf-8", "replace")

    def _printed(self) -> str:
        assert self.source.command is not None
        since = self._since if "{since}" in self.source.command else ""
        _, printed = self.programs.run(self.source.command, MAX_LOG_BYTES, since=since)
        return printed

    @property
    def _file(self) -> Path:
        return self.programs.folder / (self.source.file or "")
