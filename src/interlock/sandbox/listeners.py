"""The event loop of a running sandbox: uvicorn's HTTP/1.1 on each of its sockets, ended together and at once."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
import threading
from collections.abc import Coroutine, Mapping
from email.utils import formatdate
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from interlock.model.errors import InterlockError
from interlock.sandbox.tls import accept_either
from interlock.sandbox.wire import WireProtocol

_logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_START_SECONDS = 15.0
_LAST_ANSWERS_SECONDS = 0.5
_STOP_SECONDS = 10.0
_ACTION_SECONDS = 30.0


class Listeners(threading.Thread):
    """The thread of one server's event loop; ``contexts`` names the sockets that speak TLS, ``either`` those that do
    to whoever begins so, and HTTP to others."""

    def __init__(
        self,
        app: ASGIApp,
        sockets: Mapping[str, socket.socket],
        contexts: Mapping[str, ssl.SSLContext],
        either: Mapping[str, ssl.SSLContext],
    ) -> None:
        super().__init__(name="interlock-sandbox", daemon=True)
        self._config = uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=5,
        )
        self._sockets = [(sock, contexts.get(name)) for name, sock in sockets.items() if name not in either]
        self._either = [(sockets[name], context) for name, context in either.items()]
        self._state = ServerState()
        self._ready = threading.Event()
        self._serving = False
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Start, and wait until every socket is served.

        :raises InterlockError: that did not happen within 15 s, or the loop ended instead.
        """
        super().start()
        self._ready.wait(_START_SECONDS)
        if not self._serving:
            raise InterlockError("the sandbox did not start", remedy="try again")

    def run(self) -> None:
        """Serve until :meth:`stop`."""
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        finally:
            self._ready.set()

    def stop(self) -> None:
        """End the loop and wait for it."""
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stopping.set)
        self.join(_STOP_SECONDS)

    def hang_up(self) -> None:
        """End every connection that is open."""

        async def abort() -> None:
            for connection in list(self._state.connections):
                connection.transport.abort()

        self.run_within(abort())

    def run_within(self, action: Coroutine[Any, Any, _T]) -> _T:
        """Do something in the event loop, so that it meets no request half done, and wait for it."""
        return asyncio.run_coroutine_threadsafe(action, self._loop).result(_ACTION_SECONDS)

    async def _serve(self) -> None:
        self._loop.set_exception_handler(_note)  # a client that breaks off a handshake is no news
        self._config.load()
        protocol = functools.partial(WireProtocol, self._config, self._state, {})
        servers = [await self._loop.create_server(protocol, sock=sock, ssl=context) for sock, context in self._sockets]
        either = [asyncio.create_task(accept_either(sock, context, protocol)) for sock, context in self._either]
        self._serving = True
        while not self._stopping.is_set():
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            self._ready.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.5)
        for server in servers:
            server.close()
        for task in either:
            task.cancel()
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks), timeout=_LAST_ANSWERS_SECONDS)


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _logger.debug("%s", context.get("message"), exc_info=context.get("exception"))
