"""Connections on which a server cannot send without an end: the bytes of an answer are counted as they arrive.

The parser of HTTP drops informational answers, extensions of chunks and empty lines, so that nobody behind it can tell
how many of them came.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from interlock.probe.failures import RequestFailed
from interlock.probe.http import ResponseHandler, aiohttp

#: Bytes beyond twice the largest body: for headers, and for the framing of a body in small chunks.
_BESIDES = 1_000_000


class BoundedConnector(aiohttp.TCPConnector):
    """A connector whose connections end when the answer to a request is far larger than any body may be."""

    def __init__(self, max_bytes: int, **named: Any) -> None:
        super().__init__(**named)
        bounded: partial[Any] = partial(_BoundedHandler, 2 * max_bytes + _BESIDES, loop=self._loop)
        self._factory = bounded


class _BoundedHandler(ResponseHandler):
    def __init__(self, limit: int, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._limit = limit
        self._came = 0

    def close(self) -> None:
        """End the connection at once. A close over TLS waits for the server's farewell, which may never come."""
        self.abort()

    def set_response_params(self, **named: Any) -> None:
        """Begin the answer to another request on this connection."""
        self._came = 0
        super().set_response_params(**named)

    def data_received(self, data: bytes) -> None:
        """Take some bytes, or end the connection."""
        self._came += len(data)
        if self._came <= self._limit:
            super().data_received(data)
        elif self.transport is not None:
            failure = RequestFailed("too_large", f"more than {self._limit:,} bytes came in answer to one request")
            if self._payload is not None:
                self._payload.set_exception(failure)
            self.set_exception(failure)
            self.transport.abort()
