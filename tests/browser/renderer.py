"""NLM's LHC-Forms in a headless browser, all of it on loopback.

The package is not part of this project: ``npm pack lforms`` fetches it, and ``INTERLOCK_LFORMS`` names its ``dist``.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chromium import FLAGS

PAGE = Path(__file__).with_name("lhc_forms.html")
#: Longest wait for a page with all its forms, in seconds; a renderer that hangs must not hang the tests.
DEADLINE = 120.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A form to show, the answers to fill in, and the options to click, by their labels."""

    questionnaire: Json
    response: Json | None = None
    click: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """What the page showed, the response it gave, and everything that went wrong."""

    text: str
    response: Json
    errors: tuple[str, ...]


@dataclass
class _State:
    lforms: Path
    jobs: bytes
    results: list[Json] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, state: _State, *arguments: Any) -> None:
        self.state = state
        super().__init__(*arguments, directory=str(state.lforms))

    def do_GET(self) -> None:
        own = {"/": (PAGE.read_bytes(), "text/html"), "/jobs.json": (self.state.jobs, "application/json")}
        if self.path not in own:
            super().do_GET()  # /lforms/…, from the package
            return
        body, kind = own[self.path]
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.state.results = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        self.state.done.set()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Say nothing."""


def find_lforms() -> Path | None:
    """The package's ``dist`` folder, or none."""
    given = os.environ.get("INTERLOCK_LFORMS")
    folder = Path(given) if given else None
    return folder if folder and (folder / "lforms/webcomponent/main.js").is_file() else None


def render(browser: str, lforms: Path, jobs: Sequence[Job], profile: Path) -> list[Rendered]:
    """Show each form in one page, one after the other.

    :raises TimeoutError: the page never finished; with the browser's own messages.
    """
    state = _State(lforms, json.dumps([job.__dict__ for job in jobs]).encode())
    with _server(state) as address, (profile / "browser.log").open("w+b") as log:
        command = [
            browser,
            *FLAGS,
            "--window-size=1000,2400",
            f"--user-data-dir={profile}",
            "--remote-debugging-port=0",
            address,
        ]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            if not state.done.wait(DEADLINE):
                log.seek(0)
                raise TimeoutError(log.read().decode(errors="replace")[-2000:])
        finally:
            process.terminate()
            process.wait(20)
    return [
        Rendered(
            result.get("text", ""), result.get("response", {}), (*result["errors"], *result.get("shown_errors", ()))
        )
        for result in state.results
    ]


@contextmanager
def _server(state: _State) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, state))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
