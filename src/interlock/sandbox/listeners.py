"""The event loop of a running sandbox: a uvicorn server for each socket, ended together and at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from starlette.applications import Starlette

from interlock.model.errors import InterlockError
from interlock.sandbox.wire import WireProtocol

_logger = logging.getLogger(__name__)

_START_SECONDS = 15.0
_LAST_ANSWERS_SECONDS = 0.5


class Listeners:
    """The event loop of one server, in its thread: a uvicorn server for each socket, ended together."""

    def __init__(
        self, app: Starlette, sockets: Mapping[str, socket.socket], contexts: Mapping[str, ssl.SSLContext]
    ) -> None:
        self._servers = [_uvicorn(app, contexts.get(name), self._started) for name in sockets]
        self._sockets = list(sockets.values())
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Serve until :meth:`stop`; the thread's target."""
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            for sock in self._sockets:
                sock.close()
            self._ready.set()

    def wait_until_ready(self, thread: threading.Thread) -> None:
        """Block until every socket is served.

        :raises InterlockError: that did not happen within 15 s, or the loop ended instead.
        """
        self._ready.wait(_START_SECONDS)
        if self._failure is not None or not thread.is_alive() or not all(server.started for server in self._servers):
            raise InterlockError("the sandbox did not start", remedy="try again") from self._failure

    def stop(self) -> None:
        """Ask the loop to end; may be called from any thread, and more than once."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._end)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_note)  # a client that breaks off a handshake is no news
        tasks = [
            asyncio.create_task(server.serve(sockets=[sock]))
            for server, sock in zip(self._servers, self._sockets, strict=True)
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self._end()
        await asyncio.gather(*tasks)

    def _started(self) -> None:
        if all(server.started for server in self._servers):
            self._ready.set()

    def _end(self) -> None:
        for server in self._servers:
            server.stopping.set()


class _QuickServer(uvicorn.Server):
    """A uvicorn server that ends at once: simulated answers are not worth waiting for."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as ever, and tell."""
        await super().startup(sockets)
        self._on_started()

    async def main_loop(self) -> None:
        """Keep the Date header fresh until told to stop."""
        ticks = 0
        while not self.stopping.is_set():
            await self.on_tick(ticks)
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, drop every connection, and give the answers being made a moment to notice."""
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        tasks = set(self.server_state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_ANSWERS_SECONDS)


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _logger.debug("%s", context.get("message"), exc_info=context.get("exception"))


def _uvicorn(app: Starlette, context: ssl.SSLContext | None, on_started: Callable[[], None]) -> _QuickServer:
    config = uvicorn.Config(
        app,
        http=WireProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )
    return _QuickServer(config, on_started)
