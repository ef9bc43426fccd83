"""Servers on loopback that do to a probe whatever a row says, and victims that must not hear of it.

Every behaviour has an address of its own in 127.66.0.0/16, so that its doings to its host (a pause that it asks for,
a full queue) costs no other. All listen on one port; a victim listens on a second port of each, and on both ports of
127.0.0.1, 127.0.0.2, 127.0.0.3 and ::1.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from probe.probe_documents import smart, statement

#: Where the victims wait besides the second port of every behaviour's own address.
VICTIMS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "::1")
_BLOCK = 65_536


@dataclass(frozen=True)
class Site:
    """The addresses of a behaviour.

    :ivar name: the name that it is met by; empty when it is met by its loopback address.
    :ivar origin: scheme, host and port of its base URL.
    :ivar victim: host and port of the victim at the same address.
    """

    number: int
    port: int
    victim_port: int
    name: str = ""
    secure: bool = False

    @property
    def address(self) -> str:
        return f"127.66.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def host(self) -> str:
        return self.name or self.address

    @property
    def origin(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host}:{self.port}"

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    @property
    def victim(self) -> str:
        return f"{self.host}:{self.victim_port}"

    def fill(self, text: str) -> str:
        """A text in which the words in capitals below stand for this site's own."""
        named = {
            "NAME": name_of(self.number),
            "VICTIM": self.victim,
            "ORIGIN": self.origin,
            "BASE": self.base,
            "HOST": self.host,
            "PORT": str(self.port),
        }
        for name, value in named.items():
            text = text.replace(name, value)
        return text


def name_of(number: int) -> str:
    """The name under which a behaviour's server is public."""
    return f"b{number}.test"


@dataclass
class Peer:
    """One request that came in, and the connection to do harm over."""

    site: Site
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    count: int = 1

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def flood(self, block: bytes, pause: float = 0.0) -> None:
        """The same bytes until the other side goes away."""
        while not self.writer.is_closing():
            await self.send(block)
            await asyncio.sleep(pause)

    async def gone(self) -> None:
        """Wait until the other side goes away."""
        while await self.reader.read(_BLOCK):
            pass

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


#: What is sent in answer to a request: these bytes, or whatever a function makes of it or does.
Answer = bytes | Callable[[Peer], "bytes | Awaitable[None]"]


def reply(
    body: bytes | str = b"", status: str = "200 OK", kind: str | None = "application/fhir+json", *headers: str
) -> bytes:
    """A well-formed answer."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), *headers]
    lines += [f"Content-Length: {len(data)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + data


def document(value: Any, status: str = "200 OK", kind: str = "application/json", *headers: str) -> Answer:
    """A JSON document in a well-formed answer; addresses in it are the site's own (:meth:`Site.fill`)."""
    text = json.dumps(value)
    return lambda peer: reply(peer.site.fill(text), status, kind, *headers)


def filled(text: str) -> Answer:
    """Bytes with the site's addresses in them."""
    return lambda peer: peer.site.fill(text).encode("utf-8", "surrogateescape")


STATEMENT = json.dumps(statement()).encode()
#: Both of its endpoints are the server's own.
SMART = smart(authorization_endpoint="ORIGIN/authorize", token_endpoint="ORIGIN/token")
METADATA, CONFIGURATION = "/fhir/metadata", "/fhir/.well-known/smart-configuration"
USUAL: Mapping[str, Answer] = {METADATA: reply(STATEMENT), CONFIGURATION: document(SMART)}


class Hosts:
    """All servers and all victims of the suite, on an event loop in a thread of its own.

    :ivar asked: site number → the targets of its requests, in order.
    :ivar sent: site number → bytes handed to the operating system.
    :ivar hit: every connection that a victim got, as (address, port).
    """

    def __init__(self, answers: Mapping[int, Mapping[str, Answer]], contexts: Mapping[int, ssl.SSLContext]) -> None:
        self.asked: dict[int, list[str]] = {}
        self.sent: Counter[int] = Counter()
        self.hit: list[tuple[str, int]] = []
        self._answers = answers
        self._contexts = contexts
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts: Counter[tuple[int, str]] = Counter()
        ready: threading.Event = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._main(ready)), daemon=True)
        self._thread.start()
        if not ready.wait(20):
            raise RuntimeError("the servers did not start")

    def site(self, number: int, *, public: bool = False) -> Site:
        secure = number in self._contexts
        return Site(number, self.port, self.victim_port, name_of(number) if public or secure else "", secure)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _main(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._loop.set_exception_handler(lambda loop, context: None)
        servers: list[asyncio.Server] = []
        while not servers:
            self.port, self.victim_port = _free_ports()
            with contextlib.suppress(OSError):  # taken meanwhile by another process: the next two will do
                await self._open(servers)
        ready.set()
        await self._stop.wait()
        for server in servers:
            server.close()
        for _ in range(10):  # closed transports let go on the loop's next rounds
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0.001)

    async def _open(self, servers: list[asyncio.Server]) -> None:
        try:
            for number in self._answers:
                address = Site(number, 0, 0).address
                servers.append(await self._listen(number, address))
                servers.append(await asyncio.start_server(self._hurt, address, self.victim_port))
            for address in VICTIMS:
                for port in (self.port, self.victim_port):
                    servers.append(await asyncio.start_server(self._hurt, address, port))
        except OSError:
            for server in servers:
                server.close()
            servers.clear()
            raise

    async def _listen(self, number: int, address: str) -> asyncio.Server:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            try:
                await self._converse(number, reader, writer)
                writer.close()
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                writer.transport.abort()
            except asyncio.CancelledError:
                writer.transport.abort()
                raise

        return await asyncio.start_server(accept, address, self.port, ssl=self._contexts.get(number), limit=4 * _BLOCK)

    async def _converse(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = await reader.readexactly(1)
        if start == b"\x16":  # a TLS handshake where none is spoken
            site = self.site(number, public=True)
            peer = Peer(site, "TLS", "", {}, await reader.read(_BLOCK), reader, writer)
            await self._answer(peer, self._answers[number].get("TLS", b""))
            return
        head = (start + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.setdefault(number, []).append(f"{method} {target}")
        path = target.partition("?")[0]
        self._counts[number, path] += 1
        host = headers["host"].rpartition(":")[0]
        name = "" if host.replace(".", "").isdigit() else host
        site = Site(number, self.port, self.victim_port, name, number in self._contexts)
        peer = Peer(site, method, target, headers, body, reader, writer, self._counts[number, path])
        answers = self._answers[number]
        usual = USUAL.get(path, reply(b"", "404 Not Found", None))
        await self._answer(peer, answers.get(path, answers.get("*", usual)))

    async def _answer(self, peer: Peer, answer: Answer) -> None:
        transport = peer.writer.transport
        write = transport.write

        def counted(data: bytes) -> None:
            self.sent[peer.site.number] += len(data)
            write(data)

        transport.write = counted  # type: ignore[method-assign]
        answered = answer(peer) if callable(answer) else answer
        if not isinstance(answered, bytes):
            await answered
            return
        await peer.send(answered)
        with contextlib.suppress(TimeoutError):  # a close with bytes unread would reset bytes that were sent
            if peer.writer.can_write_eof():
                peer.writer.write_eof()
            await asyncio.wait_for(peer.reader.read(), 5)

    async def _hurt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = writer.get_extra_info("sockname")[:2]
        self.hit.append((address, port))
        writer.close()


def unusable(listeners: int) -> str | None:
    """Why the servers cannot listen on this machine, or none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * listeners
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return f"a process may open {hard} files, and {wanted} are needed"
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with socket.socket() as probing:
        try:
            probing.bind(("127.66.0.1", 0))
        except OSError:
            return "not all of 127.0.0.0/8 is this machine"
    return None


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@dataclass
class Network:
    """The network as a probe meets it here: names resolve as scripted, and nothing leaves this machine.

    8.66.x.y stands for the public address of the server at 127.66.x.y. A connection to any other address than loopback
    is refused and written down.

    :ivar names: name → its answers: addresses, an error to raise, or seconds to wait. One is used up by each lookup but
        the last.
    :ivar tried: addresses outside of this machine that somebody tried to connect to.
    """

    names: dict[str, list[Any]] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    looked_up: Counter[str] = field(default_factory=Counter)

    def install(self, patch: Any) -> None:
        """Stand in for the system's resolver and of the event loop's ``connect``."""
        real_lookup = socket.getaddrinfo
        loop_type = asyncio.selector_events.BaseSelectorEventLoop
        real_connect = loop_type.sock_connect

        def lookup(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else str(host)
            self.looked_up[name] += 1
            rows: list[Any] = []
            for address in self._addresses(name):
                rows += real_lookup(address, port, *arguments, **named)
            return rows

        async def connect(loop: Any, sock: socket.socket, address: Any) -> Any:
            host = str(address[0])
            if host.startswith("8.66."):
                return await real_connect(loop, sock, (f"127.{host[2:]}", *address[1:]))
            if not (host.startswith("127.") or host in {"::1"}):
                self.tried.append(host)
                raise ConnectionRefusedError(111, "nothing leaves this machine")
            return await real_connect(loop, sock, address)

        patch.setattr(socket, "getaddrinfo", lookup)
        patch.setattr(loop_type, "sock_connect", connect)

    def _addresses(self, name: str) -> list[str]:
        answers = self.names.get(name)
        if answers is not None:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, int | float):
                threading.Event().wait(answer)
                return self._addresses(name)
            return list(answer)
        if name.endswith(".test") and name[1:-5].isdigit():
            number = int(name[1:-5])
            return [f"8.66.{number // 250}.{number % 250 + 1}"]
        if name.lower().rstrip(".") == "localhost":
            return ["127.0.0.1", "::1"]
        try:
            socket.inet_aton(name)  # every spelling of an IPv4 address that the C library knows
            return [name]
        except (OSError, ValueError):
            if ":" in name:
                return [name]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
