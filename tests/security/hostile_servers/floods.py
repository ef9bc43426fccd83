"""Answers that never end, never begin, or come a byte at a time: the deadline ends each, and little is read of it."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable

from hostile_servers.behaviours import Behaviour, hostile_statement
from hostile_servers.serving import CONFIGURATION, METADATA, STATEMENT, Peer, document, reply

_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
_CHUNKED = _JSON + b"Transfer-Encoding: chunked\r\n\r\n"
_BLOCK = 65_536
#: Bytes that the run allows of a body, and bytes that may lie in buffers on the way besides.
MAX_BYTES = 65_536
MAX_SENT = 16_000_000

_Act = Callable[[Peer], Awaitable[None]]


def _floods(head: bytes, block: bytes, pause: float = 0.0) -> _Act:
    async def act(peer: Peer) -> None:
        await peer.send(head)
        await peer.flood(block, pause)

    return act


def _drips(head: bytes, block: bytes = b" ") -> _Act:
    return _floods(head, block, 0.05)


def _stalls(head: bytes) -> _Act:
    async def act(peer: Peer) -> None:
        await peer.send(head)
        await peer.gone()

    return act


def _waits(name: str, act: _Act, word: str = "timeout", *says: str) -> Behaviour:
    return hostile_statement(f"flood: {name}", act, word, *says, run="waiting", max_sent=MAX_SENT)


def _gzip_with_endless_name() -> bytes:
    return b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03"  # FNAME follows, and never ends


async def _reads_nothing_and_waits(peer: Peer) -> None:
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(60)


async def _promises_and_sleeps_between(peer: Peer) -> None:
    await peer.send(_JSON + b"Content-Length: 400000\r\n\r\n" + STATEMENT)
    await peer.flood(b" ", 0.2)


async def _closes_one_way(peer: Peer) -> None:
    peer.writer.write_eof()
    await peer.gone()


async def _asks_to_wait_for_ever(peer: Peer) -> None:
    while True:
        await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.05)


async def _redirects_slowly(peer: Peer) -> None:
    await asyncio.sleep(0.8)
    await peer.send(reply(b"", "302 Found", None, f"Location: {peer.site.base}/slow/{len(peer.target)}{peer.target}"))


_STREAM = zlib.compressobj(9, zlib.DEFLATED, 31)
_ENDLESS_ZEROS = _STREAM.compress(b"[" + b"0," * 4_000_000) + _STREAM.flush(zlib.Z_FULL_FLUSH)
_EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff" * (_BLOCK // 5)

ROWS = (
    _waits("accepted and never answered", _stalls(b"")),
    _waits("half a status line and no more", _stalls(b"HTTP/1.1 200")),
    _waits("headers that never end, then silence", _stalls(_JSON)),
    _waits("silence in the body", _stalls(_JSON + b"Content-Length: 100000\r\n\r\n{"), "timeout", "1 bytes came"),
    _waits("silence in a chunk", _stalls(_CHUNKED + b"FFFF\r\n{")),
    _waits("silence before the last chunk", _stalls(_CHUNKED + b"2\r\n{}\r\n")),
    _waits("silence in the trailers", _stalls(_CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\n")),
    _waits(
        "silence in a gzip stream", _stalls(_JSON + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(STATEMENT)[:40])
    ),
    _waits("100 and silence", _stalls(b"HTTP/1.1 100 Continue\r\n\r\n")),
    _waits(
        "101 and silence",
        _stalls(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        "unexpected_status",
    ),
    _waits("no reading and no answer (a window of zero)", _reads_nothing_and_waits),
    _waits("one direction closed, the other silent", _closes_one_way, "reset"),
    _waits("a byte now and then in the status line", _drips(b"HTTP/1.1 200 ", b"O")),
    _waits("a byte now and then in a header", _drips(_JSON + b"X-Slow: ", b"a")),
    _waits("a header now and then", _drips(_JSON, b"X: y\r\n")),
    _waits("a byte now and then in the body", _drips(_JSON + b"Content-Length: 100000\r\n\r\n{")),
    _waits("a byte now and then until the end", _drips(_JSON + b"\r\n{")),
    _waits("a chunk of one byte now and then", _drips(_CHUNKED, b"1\r\n \r\n")),
    _waits("a chunk's extension now and then", _drips(_CHUNKED + b"1;", b"a")),
    _waits("a trailer now and then", _drips(_CHUNKED + b"0\r\n", b"X: y\r\n")),
    _waits("bytes now and then, enough of them in a day", _promises_and_sleeps_between),
    _waits("102 now and then", _asks_to_wait_for_ever),
    _waits("endless body", _floods(_JSON + b"\r\n", b" " * _BLOCK), "too_large"),
    _waits("endless chunks", _floods(_CHUNKED, b"10000\r\n" + b" " * _BLOCK + b"\r\n"), "too_large"),
    _waits("endless chunks of one byte", _floods(_CHUNKED, b"1\r\n \r\n" * 10_000), "too_large"),
    _waits("an endless chunk's extension", _floods(_CHUNKED + b"1;", b"a" * _BLOCK), "too_large"),
    _waits("an endless chunk size", _floods(_CHUNKED, b"0" * _BLOCK), "too_large"),
    _waits("endless trailers", _floods(_CHUNKED + b"0\r\n", b"X: y\r\n" * 10_000), "protocol"),
    _waits("endless status line", _floods(b"HTTP/1.1 200 ", b"O" * _BLOCK), "protocol"),
    _waits("endless header", _floods(_JSON + b"X: ", b"a" * _BLOCK), "protocol"),
    _waits("endless headers", _floods(_JSON, b"X: y\r\n" * 10_000), "protocol"),
    _waits("endless 100s", _floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000), "too_large"),
    _waits("endless 103s with headers", _floods(b"", b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" * 2_000), "too_large"),
    _waits("endless empty lines", _floods(b"", b"\r\n" * 30_000), "too_large"),
    _waits("endless noise", _floods(b"", b"\x00" * _BLOCK), "protocol"),
    _waits(
        "endless data after 101", _floods(b"HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n", b"a" * _BLOCK), "unexpected_status"
    ),
    _waits("endless body of an error", _floods(b"HTTP/1.1 500 Oops\r\n\r\n", b"<" * _BLOCK), "too_large"),
    _waits(
        "endless body of a redirect", _floods(b"HTTP/1.1 302 F\r\nLocation: /x\r\n\r\n", b"<" * _BLOCK), "too_large"
    ),
    _waits("endless list", _floods(_JSON + b"\r\n[", b"[]," * 20_000), "too_large"),
    _waits("endless zeros in gzip", _floods(_JSON + b"Content-Encoding: gzip\r\n\r\n", _ENDLESS_ZEROS), "too_large"),
    _waits(
        "a name without an end in gzip",
        _floods(_JSON + b"Content-Encoding: gzip\r\n\r\n" + _gzip_with_endless_name(), b"a" * _BLOCK),
        "too_large",
    ),
    _waits(
        "empty blocks without an end in deflate",
        _floods(_JSON + b"Content-Encoding: deflate\r\n\r\n\x78\x9c", _EMPTY_BLOCKS),
        "too_large",
    ),
    _waits(
        "endless bytes after the end of gzip",
        _floods(_JSON + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(STATEMENT), b"a" * _BLOCK),
        "too_large",
    ),
    _waits(
        "members of gzip that hold nothing, without an end",
        _floods(_JSON + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 3_000),
        "too_large",
    ),
    Behaviour(
        "flood: redirects that take their time",
        {METADATA: _redirects_slowly, "*": _redirects_slowly},
        outcome="not_observed",
        missing=("capability", "smart"),
        run="waiting",
    ),
    Behaviour(
        "flood: both documents never end",
        {
            METADATA: _floods(_CHUNKED, b"1000\r\n" + b" " * 4096 + b"\r\n"),
            CONFIGURATION: _floods(_JSON + b"\r\n", b"{" * _BLOCK),
        },
        outcome="not_observed",
        endings={"metadata": "too_large", "smart": "too_large"},
        missing=("capability", "smart"),
        run="waiting",
        max_sent=2 * MAX_SENT,
    ),
    Behaviour(
        "flood: the advertised keys never come",
        {
            CONFIGURATION: document({"token_endpoint": "ORIGIN/token", "jwks_uri": "ORIGIN/keys", "capabilities": []}),
            "/keys": _stalls(_JSON),
        },
        outcome="observed",
        endings={"jwks": "timeout"},
        missing=("jwks",),
        present=("capability", "smart"),
        run="waiting",
    ),
    Behaviour(
        "flood: 503 and a pause that does not fit",
        {METADATA: reply(b"", "503 Busy", None, "Retry-After: 3600")},
        endings={"metadata": "server_error"},
        says=("longer than the time left",),
        run="waiting",
        missing=("capability",),
    ),
    Behaviour(
        "flood: 429 for ever",
        {METADATA: reply(b"", "429 Slow", None, "Retry-After: 0")},
        endings={"metadata": "rate_limited"},
        run="waiting",
        missing=("capability",),
    ),
)
