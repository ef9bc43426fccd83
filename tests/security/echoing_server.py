"""A FHIR server on loopback that says everything it was sent back to the client, in every place where a server can."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def text(self) -> str:
        """All of it, as a server would write it into a log."""
        return json.dumps([self.method, self.target, self.headers, self.body])


class EchoingServer(ThreadingHTTPServer):
    """Behaves as ``mode`` says; ``issued`` is the token that it gives out.

    :ivar elsewhere: an address of somebody else, to which it leads with the token.
    """

    daemon_threads = True

    def __init__(self, issued: str) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, self))
        self.issued = issued
        self.mode = "success"
        self.elsewhere = "http://127.0.0.1:9"
        self.received: list[Received] = []
        self.gone = threading.Event()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    def at(self, prefix: str) -> list[Received]:
        """The requests below a path."""
        return [request for request in self.received if request.path.startswith(prefix)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, echoing: EchoingServer, *arguments: Any) -> None:
        self.echoing = echoing
        super().__init__(*arguments)

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, self.path, headers, body)
        self.echoing.received.append(request)
        path = request.path
        if self.echoing.mode == "407":
            self._send(407, {"seen": request.text}, request, Proxy_Authenticate=f'Basic realm="{request.text[:500]}"')
        elif path == "/token":
            self._token(request)
        elif path == "/fhir/metadata":
            self._send(200, _statement(self.echoing, request))
        elif path == "/fhir/.well-known/smart-configuration":
            self._send(200, _smart(self.echoing, request))
        elif path.startswith("/fhir/") and ".well-known" not in path:
            self._sample(request)
        else:
            self._send(404, {"seen": request.text})

    do_GET = do_POST = do_OPTIONS = _handle  # noqa: N815

    def _token(self, request: Received) -> None:
        mode, said = self.echoing.mode, request.text
        error = {"error": "invalid_client", "error_description": said, "error_uri": f"https://x.test/?{quote(said)}"}
        grant = {"access_token": self.echoing.issued, "token_type": "bearer", "expires_in": 300, "scope": "system/*.rs"}
        if mode == "token refused" or "client_credentials" not in request.body:
            self._send(401, error, request)
        elif mode == "token page":
            self._send(200, f"<html><title>{said}</title><body>{said}</body></html>", request)
        elif mode == "token redirects":
            self._send(302, error, request, Location=f"{self.echoing.elsewhere}/?token={quote(said)}")
        elif mode == "token of another kind":
            self._send(200, grant | {"token_type": said, "expires_in": said, "scope": said}, request)
        elif mode == "token that is none":
            self._send(200, grant | {"access_token": f"{self.echoing.issued} {said}"}, request)
        elif mode == "token breaks":
            self.close_connection = True
        elif mode == "token hangs":
            self.echoing.gone.wait(30)
        else:
            self._send(200, grant, request)

    def _sample(self, request: Received) -> None:
        mode, said, token = self.echoing.mode, request.text, self.echoing.issued
        kind = request.path.removeprefix("/fhir/").partition("/")[0]
        if "authorization" not in request.headers:
            self._send(401, {"resourceType": "OperationOutcome"}, request)
        elif mode == "samples refused":
            issue = {"severity": "error", "code": "forbidden", "diagnostics": said, "details": {"text": said}}
            self._send(403, {"resourceType": "OperationOutcome", "issue": [issue]}, request)
        elif mode == "samples lead away":
            self._send(302, "", request, Location=f"{self.echoing.elsewhere}/fhir/{kind}?token={token}")
        elif mode == "samples lead on" and "moved" not in request.target:
            self._send(302, "", request, Location=f"/fhir/{kind}/moved?access_token={token}")
        elif mode == "samples break":
            self.close_connection = True
        elif mode == "samples hang":
            self.echoing.gone.wait(30)
        elif mode == "samples are no JSON":
            self._send(200, f"<html>{said}</html>", request)
        else:
            self._send(200, _bundle(self.echoing, request, kind), request)

    def _send(self, status: int, content: Any, request: Received | None = None, **headers: str) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "text/html" if isinstance(content, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if request is not None:
            said = request.headers.get("authorization", "") + request.body
            for name in ("Server", "ETag", "X-Seen", "Set-Cookie", "Cache-Control", "Access-Control-Allow-Origin"):
                self.send_header(name, said[:2000] or "nothing")
            self.send_header("WWW-Authenticate", f'Bearer realm="{said[:2000]}", error="{said[:500]}"')
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Say nothing."""


def _statement(server: EchoingServer, request: Received) -> dict[str, Any]:
    types = ("Patient", "Encounter", "Observation", "Condition", "MedicationAdministration")
    resource = [
        {
            "type": name,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [{"name": "patient", "type": "reference"}, {"name": "_id", "type": "token"}],
        }
        for name in types
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-05-01",
        "kind": "instance",
        "software": {"name": "Echo", "version": request.headers.get("authorization", "1")},
        "implementation": {"description": request.text, "url": server.base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": resource}],
    }


def _smart(server: EchoingServer, request: Received) -> dict[str, Any]:
    return {
        "authorization_endpoint": f"{server.origin}/authorize",
        "token_endpoint": f"{server.origin}/token",
        "grant_types_supported": ["client_credentials", "authorization_code"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2", request.headers.get("authorization", "x")],
        "scopes_supported": ["system/*.rs"],
    }


def _bundle(server: EchoingServer, request: Received, kind: str) -> dict[str, Any]:
    said, token = request.text, server.issued
    link = [
        {"relation": "next", "url": f"{server.base}/{kind}?page=2&token={token}"},
        {"relation": "self", "url": f"{server.elsewhere}/{kind}?access_token={token}"},
    ]
    resource = {
        "resourceType": kind,
        "id": "1",
        "status": request.headers.get("authorization", "final"),
        "code": {"coding": [{"system": f"https://x.test/?token={token}", "code": said}]},
        "text": {"status": "generated", "div": said},
        "extension": [{"url": said, "valueString": said}],
        "subject": {"reference": f"Patient/{token}"},
    }
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": said, "diagnostics": said}]}
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": link,
        "entry": [{"fullUrl": said, "resource": resource}, {"resource": outcome, "search": {"mode": "outcome"}}],
    }


@contextmanager
def echoing(issued: str) -> Iterator[EchoingServer]:
    """A running server."""
    server = EchoingServer(issued)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.gone.set()
        server.shutdown()
        time.sleep(0)  # let handlers that hung see that it is over
        server.server_close()
        thread.join()
