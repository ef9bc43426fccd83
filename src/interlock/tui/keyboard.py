"""Textual's driver for terminals, reading keys in a way that neither odd bytes nor a closed terminal upset."""

from __future__ import annotations

import codecs
import os
import selectors
import signal

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Bytes that are no UTF-8 become symbols, and where there is nothing more to read the app ends."""

    def run_input_thread(self) -> None:
        """Read until the app ends or the terminal is closed; a closed one can be read for ever, and says nothing."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        os.kill(os.getpid(), signal.SIGHUP)  # as the kernel tells a program whose terminal it is
                        return
                    self._parse(decode(data))
                for event in self._parser.tick():
                    self.process_message(event)

    def _parse(self, text: str) -> None:
        try:
            for event in self._parser.feed(text) if text else ():
                self.process_message(event)
        except (ValueError, OverflowError):  # a sequence that no keyboard sends; Textual's parser is of no use after it
            self._parser = XTermParser(self._debug)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""
