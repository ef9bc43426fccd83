"""A loopback FHIR server for measuring: a raw asyncio protocol that writes prebuilt bytes. Run as a program.

`python bench/probe_server.py [--delay SECONDS]` prints `{"port": N}` and serves until its stdin ends. The first path
segment chooses how a target behaves: `fast`, `varied` (no two statements have an entry in common), `slow` (200 ms),
`faulty` (HTML, 500, cut short, not JSON, in turns by the path), `dead` (the connection is closed without an answer).
Any other path answers at once, or after `--delay`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import zlib
from pathlib import Path

SMART_END = b"/.well-known/smart-configuration"


def statement(kilobytes: int = 92) -> dict[str, object]:
    """A CapabilityStatement of about the size that production servers publish."""
    parameter = {
        "name": "patient",
        "definition": "http://hl7.org/fhir/SearchParameter/clinical-patient",
        "type": "reference",
        "documentation": "The patient that the resource is about",
    }
    resource = {
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [parameter | {"name": f"parameter-{number}"} for number in range(8)],
    }
    size = len(json.dumps(resource, indent=2))
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-05-01",
        "kind": "instance",
        "software": {"name": "Bench EHR", "version": "1"},
        "implementation": {"description": "Measured on loopback"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [{"type": f"Type{n}"} | resource for n in range(max(1, kilobytes * 1024 // size))],
            }
        ],
    }


def configuration() -> dict[str, object]:
    """A SMART configuration that leads to no further document: two documents a probe."""
    return {
        "authorization_endpoint": "https://auth.example.org/authorize",
        "token_endpoint": "https://auth.example.org/token",
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": [f"user/Type{n}.read" for n in range(20)],
        "capabilities": ["launch-ehr", "launch-standalone", "client-public", "context-ehr-patient", "permission-user"],
    }


def encoded(body: bytes, status: str = "200 OK", kind: str = "application/fhir+json") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def documents(folder: Path | None) -> tuple[bytes, bytes]:
    """Statement and SMART configuration: Epic's where the corpus is at hand, otherwise made here."""
    if folder is not None and (folder / "servers/epic-r4").is_dir():
        found = folder / "servers/epic-r4"
        smart = json.loads((found / "smart-configuration.json").read_bytes())
        smart = {key: value for key, value in smart.items() if key not in {"issuer", "jwks_uri"}}
        smart["capabilities"] = [name for name in smart.get("capabilities", ()) if name != "sso-openid-connect"]
        return (found / "metadata.json").read_bytes(), json.dumps(smart).encode()
    return json.dumps(statement(), indent=2).encode(), json.dumps(configuration()).encode()


class Varied:
    """A statement whose entries differ from one time to the next, at the cost of joining them."""

    def __init__(self, metadata: bytes) -> None:
        document = json.loads(metadata)
        self.entries = [json.dumps(entry, indent=1).encode()[1:] for entry in document["rest"][0]["resource"]]
        document["rest"][0]["resource"] = "entries"
        self.head, self.tail = json.dumps(document, indent=1).encode().split(b'"entries"')
        self.served = 0

    def __call__(self) -> bytes:
        self.served += 1
        start = b'{"_type": {"id": "%d"},' % self.served
        return encoded(self.head + b"[" + b",".join([start + entry for entry in self.entries]) + b"]" + self.tail)


class Server(asyncio.Protocol):
    """One connection. Requests have no bodies, so a blank line ends each."""

    metadata = b""
    smart = b""
    varied: Varied
    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.data = b""
        if not transport.get_extra_info("peername")[0].startswith("127."):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head, self.data = self.data[:end], self.data[end + 4 :]
            path = head.split(b" ", 2)[1]
            mode = path.split(b"/", 2)[1]
            wait = 0.2 if mode == b"slow" else self.delay
            if mode == b"dead":
                self.transport.close()
                return
            answer = self.faulty(path) if mode == b"faulty" else self.healthy(path)
            if wait:
                asyncio.get_running_loop().call_later(wait, self.send, answer)
            else:
                self.transport.write(answer)

    def send(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)

    def healthy(self, path: bytes) -> bytes:
        if path.endswith(SMART_END):
            return self.smart
        return self.varied() if path.startswith(b"/varied/") else self.metadata

    def faulty(self, path: bytes) -> bytes:
        bodies = (
            encoded(b"<!doctype html><title>Sign in</title>", kind="text/html"),
            encoded(b'{"resourceType":"OperationOutcome"}', status="500 Oops"),
            encoded(self.healthy(path)[-3000:]),
            encoded(b"{}"),
            encoded(b"", status="404 Not Found"),
        )
        return bodies[zlib.crc32(path.rpartition(b"/fhir")[0]) % len(bodies)]


async def serve(delay: float, corpus: Path | None) -> None:
    metadata, smart = documents(corpus)
    Server.metadata, Server.smart = encoded(metadata), encoded(smart, kind="application/json")
    Server.varied = Varied(metadata)
    Server.delay = delay
    loop = asyncio.get_running_loop()
    # All of 127.0.0.0/8, which takes the wildcard address; whoever comes from elsewhere is not answered.
    server = await loop.create_server(Server, "0.0.0.0", 0, backlog=4096)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--corpus", type=Path)
    given = parser.parse_args()
    asyncio.run(serve(given.delay, given.corpus))
