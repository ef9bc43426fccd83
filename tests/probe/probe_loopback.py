"""A tiny server on loopback that answers exactly what a test says, down to the socket."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Handler = Callable[["Request", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    content_type: str | None = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Something"]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


def as_json(value: Any, status: int = 200, content_type: str = "application/json", **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), status, content_type, named)


def redirect(to: str, status: int = 302) -> Reply:
    return Reply(b"", status, None, {"Location": to})


async def hang(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never answers; ends when the client goes away."""
    await reader.read()


async def reset(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def slam(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def raw(data: bytes) -> Handler:
    async def send(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return send


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, first: bytes = b"") -> None:
    """Passes on what comes from either side to a server on this machine, after ``first``, until one side ends."""
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
        sink.close()

    try:
        inner_writer.write(first)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer), return_exceptions=True)
    finally:
        inner_writer.transport.abort()


async def drip(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte every few milliseconds, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not reader.at_eof():
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


Answer = Reply | Handler | Callable[[Request], Reply]


class Loopback:
    """Routes are looked up by path; an unknown path is a 404. ``requests`` holds everything that came in."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.routes: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.active = 0
        self.most_active = 0
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._arrived = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._started.wait(5)

    @property
    def origin(self) -> str:
        scheme = "https" if self._context else "http"
        host = "localhost" if self._context else "127.0.0.1"
        return f"{scheme}://{host}:{self.port}"

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    def serve(self, metadata: Answer | None = None, smart: Answer | None = None, **others: Answer) -> str:
        """Routes of one FHIR base; returns its URL."""
        if metadata is not None:
            self.routes["/fhir/metadata"] = metadata
        if smart is not None:
            self.routes["/fhir/.well-known/smart-configuration"] = smart
        self.routes.update({f"/{name}": answer for name, answer in others.items()})
        return self.base

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def wait_for_request(self) -> bool:
        return self._arrived.wait(5)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: weakref.WeakSet[asyncio.StreamWriter] = weakref.WeakSet()
        self._loop.set_exception_handler(lambda loop, context: None)
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for _ in range(10):  # connections come in meanwhile; closed transports let go on the loop's next rounds
            ours = list(self._tasks)
            for task in ours:
                task.cancel()
            await asyncio.gather(*ours, return_exceptions=True)
            for writer in self._writers:  # a close waits for a peer that may not read, or not say goodbye in TLS
                writer.transport.abort()
            await asyncio.sleep(0.001)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.active -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = await reader.readexactly(1)
        if start == b"\x16":  # a TLS handshake where plain HTTP is spoken
            writer.write(Reply(b"", 400).encode())
            await writer.drain()
            return
        head = (start + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        request = Request(method, target, headers)
        self.requests.append(request)
        self._arrived.set()
        answer = self.routes.get(request.path, Reply(b"", 404, None))
        if callable(answer):
            result = answer(request) if not asyncio.iscoroutinefunction(answer) else answer(request, reader, writer)
            if asyncio.iscoroutine(result):
                await result
                return
            answer = result
        assert isinstance(answer, Reply)
        data = answer.encode().replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        writer.write(data)
        await writer.drain()
