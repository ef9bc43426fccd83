"""A plain HTTP server that answers recorded requests with the recorded status, headers and bytes."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: Fields that describe the connection of the recording; the replay has its own. ``http.client`` undid the gzip of
#: most recordings, so a recorded Content-Encoding would be untrue.
_OF_THE_CONNECTION = {"connection", "content-encoding", "content-length", "date", "transfer-encoding", "keep-alive"}


@dataclass(frozen=True)
class Recorded:
    """One recorded exchange."""

    method: str
    host: str
    target: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def content_type(self) -> str | None:
        return next((value for name, value in self.headers if name.lower() == "content-type"), None)


def read_tracks(path: Path) -> list[Recorded]:
    """The exchanges of a recording: Go's ``http.Request`` and ``http.Response`` as JSON, bodies in base64."""
    return [_track(track) for track in json.loads(path.read_bytes())["Tracks"]]


def _track(track: dict[str, Any]) -> Recorded:
    asked, answer = track["Request"], track["Response"]
    url = asked["URL"]
    query = f"?{url['RawQuery']}" if url["RawQuery"] else ""
    return Recorded(
        method=asked["Method"],
        host=url["Host"],
        target=(url["RawPath"] or url["Path"]) + query,
        status=answer["StatusCode"],
        headers=tuple((name, value) for name, values in answer["Header"].items() for value in values),
        body=base64.b64decode(answer["Body"] or ""),
    )


@dataclass
class ReplayServer:
    """Exchanges by target; ``asked`` holds every request line and its headers that came in."""

    answers: dict[str, Recorded] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def __enter__(self) -> ReplayServer:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def put(self, path: str, body: bytes, content_type: str | None = "application/json", status: int = 200) -> None:
        """Answer one path with bytes of the test's own."""
        headers = (("Content-Type", content_type),) if content_type else ()
        self.answers[path] = Recorded("GET", "", path, status, headers, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer()

            def do_OPTIONS(self) -> None:
                self._answer()

            def _answer(self) -> None:
                owner.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                found = owner.answers.get(self.path) if self.command == "GET" else None
                found = found or Recorded("GET", "", self.path, 404, (), b"")
                self.send_response_only(found.status)
                for name, value in found.headers:
                    if name.lower() not in _OF_THE_CONNECTION:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(found.body)))
                self.end_headers()
                self.wfile.write(found.body)

            def log_message(self, *args: object) -> None:
                """Quiet: the requests are in ``asked``."""

        return Handler
