"""A command in a terminal of its own: keys go in, what it writes comes out, and one can look at the line's settings."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path


class Session:
    """A Python program on a pseudo terminal; :attr:`written` is every byte that it has written."""

    def __init__(self, program: str, *arguments: str, size: tuple[int, int] = (80, 24)) -> None:
        self._master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            environment.pop(name, None)
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        self.written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            self.written += data

    def children(self) -> list[int]:
        """Ids of the processes that the program has started and that run; none where there is no /proc."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    @property
    def left(self) -> str:
        """What was written after the screen was left."""
        return self.written[self.written.rfind(b"\x1b[?1049l") :].decode()

    def resize(self, columns: int, lines: int) -> None:
        """Another size of the terminal."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, words: str, seconds: float = 40.0) -> None:
        """Wait until these words were written."""
        deadline = time.monotonic() + seconds
        while words.encode() not in self.written:
            if time.monotonic() > deadline or (self._process.poll() is not None and time.sleep(0.3) is None):
                assert words.encode() in self.written, self.written[-3000:].decode(errors="replace")
            time.sleep(0.02)

    def send(self, keys: str) -> None:
        """Type."""
        self.send_bytes(keys.encode())

    def send_bytes(self, data: bytes) -> None:
        """What a broken keyboard or a paste in another encoding sends."""
        os.write(self._master, data)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self._process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal, as closing its window does."""
        os.close(self.slave)
        os.close(self._master)

    def ended(self, seconds: float = 60.0) -> int:
        """The exit code, once the program has ended; negative for the signal that killed it."""
        code = self._process.wait(seconds)
        time.sleep(0.1)
        return code

    def close(self) -> None:
        """End whatever still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        for handle in (self.slave, self._master):
            with contextlib.suppress(OSError):
                os.close(handle)
