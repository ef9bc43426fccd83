"""Live updates as a rehearsal hears them: bounded in time, as a WebSocket and as server-sent events."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from interlock.rehearse.browser import Budget
from interlock.rehearse.http_browser import HttpBrowser

FRAME = b"\x81\x0azqxalderp1"


@contextlib.contextmanager
def answering(*answers: bytes, stays: bool = True) -> Iterator[str]:
    """A server that gives one answer to each connection, and then says nothing more."""
    kept = []

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for answer in answers:
                connection, _ = listener.accept()
                connection.recv(65_536)
                connection.sendall(answer)
                kept.append(connection) if stays else connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/live"
        thread.join(10)
    for connection in kept:
        connection.close()


def heard(*answers: bytes, is_socket: bool, stays: bool = True) -> list[tuple[int, str]]:
    browser = HttpBrowser(Budget(10, time.monotonic() + 60))
    with answering(*answers, stays=stays) as url:
        pages = [browser.listen(url, {}, socket=is_socket, seconds=0.2) for _ in answers]
    browser.close()
    return [(page.status, page.text) for page in pages]


def test_a_socket_is_heard_until_its_time_is_over_or_it_closes() -> None:
    upgraded = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + FRAME
    refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    for stays in (True, False):
        first, second = heard(upgraded, refused, is_socket=True, stays=stays)
        assert first[0] == 101 and "zqxalderp1" in first[1]
        assert second == (401, "")


def test_events_are_heard_even_where_they_never_end_and_nonsense_is_nothing() -> None:
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: zqxalderp1\n\n"
    assert heard(events, b"nonsense\r\n\r\n", b"", is_socket=False) == [(200, "data: zqxalderp1\n\n"), (0, ""), (0, "")]


def test_nobody_elsewhere_is_listened_to() -> None:
    browser = HttpBrowser(Budget(0, time.monotonic() + 60))
    assert browser.listen("http://example.org/live", {}, socket=True, seconds=1).stopped == "elsewhere"
