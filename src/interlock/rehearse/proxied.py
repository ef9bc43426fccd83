"""What a browser and its proxy say to each other: requests and answers in HTTP/1.1, and bytes as they come."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from io import BufferedIOBase
from typing import Any
from urllib.parse import parse_qsl

#: Of one answer that is no page, of one tunnel each way, and of one request.
MAX_PART_BYTES, _MAX_REQUEST_BYTES = 20_000_000, 2_000_000
_MAX_LINE, _MAX_LINES = 262_144, 200
IDLE_SECONDS = 30.0
#: Headers that are between two neighbours alone, and those that say how a body is packed.
BETWEEN = frozenset(
    ("connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding")
)
_PACKED = frozenset(("content-encoding", "content-length"))


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the browser."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, or nothing."""
        return next((value for known, value in self.headers if known.lower() == name), "")

    @property
    def is_page(self) -> bool:
        """Whether it is for what the tab itself shows."""
        return self.header("sec-fetch-dest") == "document"

    @property
    def is_visit(self) -> bool:
        """Whether the browser itself asks, and no script: for a tab, for a frame, or whether a page may ask."""
        preflight = self.method == "OPTIONS" and bool(self.header("access-control-request-method"))
        return preflight or self.header("sec-fetch-mode") == "navigate"

    @property
    def form(self) -> dict[str, str] | None:
        """The fields of a form that is posted, or none."""
        if "form-urlencoded" not in self.header("content-type"):
            return None
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
        return dict(pairs)


def read_request(file: BufferedIOBase) -> Request | None:
    """The next request of a connection; none where it ends, or is more than a browser asks."""
    parts = _line(file).split(" ")
    if len(parts) != 3:
        return None
    headers = []
    while line := _line(file):
        name, _, value = line.partition(":")
        headers.append((name.strip(), value.strip()))
        if len(headers) > _MAX_LINES:
            return None
    asked = Request(parts[0], parts[1], tuple(headers), b"")
    length = int(asked.header("content-length") or 0)
    if not 0 <= length <= _MAX_REQUEST_BYTES or asked.header("transfer-encoding"):
        return None
    return Request(parts[0], parts[1], tuple(headers), file.read(length)) if length else asked


def _line(file: BufferedIOBase) -> str:
    return file.readline(_MAX_LINE).decode("latin-1").rstrip("\r\n")


class Answer:
    """The answer to the browser, written piece by piece."""

    def __init__(self, write: Callable[[bytes], Any], *, without_body: bool) -> None:
        self._write, self._bare = write, without_body
        self.closes = False

    def whole(self, status: int, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        """An answer of ours."""
        length = () if status == HTTPStatus.NO_CONTENT else (("Content-Length", str(len(body))),)
        self._head(status, [*headers, *length, ("Cache-Control", "no-store")])
        if not self._bare:
            self._write(body)

    def begin(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """The beginning of somebody else's answer."""
        self._bare = self._bare or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED) or status < 200
        left_out = BETWEEN if self._bare else BETWEEN | _PACKED
        kept = [(name, value) for name, value in headers if name.lower() not in left_out]
        self._head(status, kept if self._bare else [*kept, ("Transfer-Encoding", "chunked")])

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._write(f"HTTP/1.1 {status} -\r\n{lines}\r\n".encode("latin-1", "replace"))

    def part(self, chunk: bytes) -> None:
        """More of the body."""
        if chunk and not self._bare:
            self._write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def end(self) -> None:
        """The end of the body."""
        if not self._bare:
            self._write(b"0\r\n\r\n")

    def cut(self) -> None:
        """No more of it: the connection ends, so that the browser knows that something is missing."""
        self.closes = True


def carry(ours: socket.socket, theirs: socket.socket) -> None:
    """Carry bytes both ways until a side ends, nothing is said any more, or it is enough."""
    ends, carried = {ours: theirs, theirs: ours}, 0
    while carried < MAX_PART_BYTES:
        ready, _, _ = select.select(list(ends), [], [], IDLE_SECONDS)
        if not ready:
            return
        for side in ready:
            data = side.recv(65_536)
            if not data:
                return
            carried += len(data)
            ends[side].sendall(data)
