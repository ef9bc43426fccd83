"""The terminal UI's driver for a browser."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest
from textual.app import App

from interlock.tui.browser import BrowserDriver


async def test_a_file_and_the_screen_at_once_are_whole_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a pipe takes at once, from two threads: one packet never begins within another."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read, os.fdopen(writing, "w") as written:
        monkeypatch.setattr("sys.__stdout__", written)
        monkeypatch.setattr("sys.__stdin__", read)  # it wants one that it can wait for; nothing is read from it
        driver = BrowserDriver(App())

        def draw() -> None:
            for _ in range(100):
                driver.write("x" * 100_000)

        def hand_over() -> None:
            for _ in range(100):
                driver.write_binary_encoded(("deliver_chunk", "key", b"y" * 60_000))

        def read_all() -> Counter[bytes]:
            kinds: Counter[bytes] = Counter()
            for _ in range(200):
                kind, size = read.read(1), int.from_bytes(read.read(4), "big")
                packet = read.read(size)
                assert packet == b"x" * 100_000 if kind == b"D" else b"y" * 60_000 in packet
                kinds[kind] += 1
            return kinds

        kinds, *_ = await asyncio.gather(*map(asyncio.to_thread, (read_all, draw, hand_over)))
    assert kinds == {b"D": 100, b"P": 100}
