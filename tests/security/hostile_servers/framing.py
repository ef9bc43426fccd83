"""Answers that break HTTP's own rules, or stretch them."""

from __future__ import annotations

from hostile_servers.behaviours import Behaviour, hostile_statement
from hostile_servers.serving import CONFIGURATION, METADATA, STATEMENT, Peer, reply

_S = STATEMENT
_N = str(len(_S)).encode()
_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
_CHUNKED = _JSON + b"Transfer-Encoding: chunked\r\n\r\n"


def _framed(*headers: bytes, body: bytes = _S) -> bytes:
    return _JSON + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def _chunks(*sizes_and_data: tuple[bytes, bytes], end: bytes = b"0\r\n\r\n") -> bytes:
    return _CHUNKED + b"".join(size + b"\r\n" + data + b"\r\n" for size, data in sizes_and_data) + end


_HEX = f"{len(_S):x}".encode()


def _says(name: str, data: bytes, word: str, *texts: str) -> Behaviour:
    return hostile_statement(f"framing: {name}", data, word, *texts)


async def _resets_at_once(peer: Peer) -> None:
    peer.reset()


async def _closes_at_once(peer: Peer) -> None:
    peer.writer.close()


async def _resets_in_the_head(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 200 O")
    peer.reset()


async def _resets_in_the_body(peer: Peer) -> None:
    await peer.send(_framed(b"Content-Length: " + _N, body=_S[:50]))
    peer.reset()


async def _byte_by_byte(peer: Peer) -> None:
    for byte in reply(_S)[:400]:
        await peer.send(bytes([byte]))
    await peer.send(reply(_S)[400:])


async def _poisons_the_next(peer: Peer) -> None:
    """The answer to a request that was never sent comes along with the answer to the request that was sent."""
    other = _S.replace(b"Example EHR", b"Poison- EHR")
    await peer.send(_framed(b"Content-Length: " + _N) + _framed(b"Content-Length: " + _N, body=other))
    await peer.gone()


_STATUS_LINES = [
    _says("no status line at all (HTTP/0.9)", _S, "protocol"),
    _says("another protocol's greeting (SSH)", b"SSH-2.0-OpenSSH_9.6\r\n", "protocol"),
    _says("another protocol's greeting (SMTP)", b"220 mail.test ESMTP\r\n", "protocol"),
    _says("an FTP banner of many lines", b"220-hello\r\n220-hello\r\n220 ready\r\n", "protocol"),
    _says("HTTP/2's own preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "protocol"),
    _says("frames of HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), "protocol"),
    _says("a TLS alert on a plain port", b"\x15\x03\x01\x00\x02\x02\x46", "protocol"),
    _says("binary noise", bytes(range(256)) * 4, "protocol"),
    _says("a status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "protocol"),
    _says("a status of forty digits", b"HTTP/1.1 " + b"9" * 40 + b" OK\r\n\r\n", "protocol"),
    _says("a negative status", b"HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n", "protocol"),
    _says("a status in letters", b"HTTP/1.1 TWO OK\r\nContent-Length: 0\r\n\r\n", "protocol"),
    _says("no status", b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "protocol"),
    _says("status 999", b"HTTP/1.1 999 Never\r\nContent-Length: 0\r\n\r\n", "server_error", "HTTP 999"),
    _says("status 600 with the statement in it", reply(_S, "600 Beyond"), "server_error", "HTTP 600"),
    _says("status 299 with the statement in it", reply(_S, "299 Odd"), "document"),
    _says("HTTP/9.9", b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}", "protocol"),
    _says("HTTP/1.0 without a length", b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + _S, "document"),
    _says("HTTP in lower case", b"http/1.1 200 ok\r\nContent-Length: 2\r\n\r\n{}", "protocol"),
    _says("another name for HTTP (ICY)", b"ICY 200 OK\r\nContent-Length: 2\r\n\r\n{}", "protocol"),
    _says("a reason of 100,000 letters", reply(_S, "200 " + "O" * 100_000), "protocol"),
    _says("terminal escapes in the reason", reply(b"", "403 \x1b]52;c;dmljdGlt\x07\x9b2J"), "forbidden"),
    _says("a carriage return in the reason", b"HTTP/1.1 200 O\rX: y\r\nContent-Length: 2\r\n\r\n{}", "protocol"),
    _says("line feeds without carriage returns", reply(_S).replace(b"\r\n", b"\n"), "document"),
    _says("empty lines before the status line", b"\r\n\r\n\r\n" + reply(_S), "document"),
]

_LENGTHS = [
    _says("a negative Content-Length", _framed(b"Content-Length: -5"), "protocol"),
    _says("a Content-Length with a sign", _framed(b"Content-Length: +" + _N), "protocol"),
    _says("a Content-Length in hexadecimal", _framed(b"Content-Length: 0x10"), "protocol"),
    _says("a Content-Length with a comma in it", _framed(b"Content-Length: " + _N + b", " + _N), "protocol"),
    _says("a Content-Length beyond 64 bits", _framed(b"Content-Length: 99999999999999999999999"), "protocol"),
    _says("a Content-Length of 8 exabytes", _framed(b"Content-Length: 9223372036854775807"), "truncated"),
    _says("an empty Content-Length", _framed(b"Content-Length: "), "protocol"),
    _says("a Content-Length in words", _framed(b"Content-Length: many"), "protocol"),
    _says("two Content-Lengths that agree", _framed(b"Content-Length: " + _N, b"Content-Length: " + _N), "protocol"),
    _says("two Content-Lengths that disagree", _framed(b"Content-Length: 2", b"Content-Length: " + _N), "protocol"),
    _says("a Content-Length that is too long", _framed(b"Content-Length: 99999"), "truncated"),
    _says("a Content-Length that is too short", _framed(b"Content-Length: 20"), "protocol"),
    _says("a Content-Length of nothing", _framed(b"Content-Length: 0"), "protocol"),
    _says("neither a length nor chunks", _framed(), "document"),
    _says(
        "both a length and chunks",
        _framed(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=_HEX + b"\r\n" + _S + b"\r\n0\r\n\r\n"),
        "protocol",
    ),
    _says("data after the end", _framed(b"Content-Length: " + _N) + b"GARBAGE" * 50, "protocol"),
]

_CHUNKS = [
    _says("a chunk of negative size", _chunks((b"-1", _S)), "protocol"),
    _says("a chunk beyond 64 bits", _chunks((b"FFFFFFFFFFFFFFFFF", _S)), "protocol"),
    _says("a chunk of 8 exabytes", _chunks((b"7FFFFFFFFFFFFFFF", _S), end=b""), "truncated"),
    _says("a chunk with 0x in its size", _chunks((b"0x" + _HEX, _S)), "protocol"),
    _says("a chunk size that is no number", _chunks((b"zz", _S)), "protocol"),
    _says("a chunk without a size", _chunks((b"", _S)), "protocol"),
    _says("a chunk size with spaces around", _chunks((b" " + _HEX + b" ", _S)), "protocol"),
    _says("a chunk size of 5,000 zeros", _chunks((b"0" * 5000 + _HEX, _S)), "document"),
    _says("a chunk that is longer than it says", _chunks((b"5", _S)), "protocol"),
    _says("a chunk that is shorter than it says", _chunks((b"FFFF", _S), end=b""), "truncated"),
    _says("no last chunk", _chunks((_HEX, _S), end=b""), "truncated"),
    _says("chunks of one byte", _chunks(*((b"1", bytes([byte])) for byte in _S)), "document"),
    _says("a chunk with a long extension", _chunks((_HEX + b";x=" + b"y" * 20_000, _S)), "document"),
    _says("a line feed in a chunk's extension", _chunks((_HEX + b";x=\n", _S)), "protocol"),
    _says("trailers that look like headers", _chunks((_HEX, _S), end=b"0\r\nContent-Length: 1\r\n\r\n"), "protocol"),
    _says("1,000 trailers", _chunks((_HEX, _S), end=b"0\r\n" + b"X-A: b\r\n" * 1000 + b"\r\n"), "protocol"),
    _says("chunks, twice", _framed(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), "empty"),
    _says("a transfer coding that nobody has", _framed(b"Transfer-Encoding: zstd"), "document"),
    _says("chunks under a misspelt name", _framed(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), "empty"),
]

_HEADERS = [
    _says("a header without a colon", _framed(b"Nonsense", b"Content-Length: " + _N), "protocol"),
    _says("a header without a name", _framed(b": value", b"Content-Length: " + _N), "protocol"),
    _says("a header name with a space", _framed(b"X Y: z", b"Content-Length: " + _N), "protocol"),
    _says("a header folded over lines", _framed(b"Server: a\r\n b\r\n\tc", b"Content-Length: " + _N), "document"),
    _says("NUL in a header", _framed(b"Server: a\x00b", b"Content-Length: " + _N), "protocol"),
    _says("NUL in a header's name", _framed(b"Se\x00rver: ab", b"Content-Length: " + _N), "protocol"),
    _says("a bare carriage return in a header", _framed(b"Server: a\rb", b"Content-Length: " + _N), "protocol"),
    _says("headers in no character set", _framed(b"Server: \xff\xfe\x80", b"Content-Length: " + _N), "document"),
    _says("a header of 100,000 bytes", _framed(b"X-Big: " + b"a" * 100_000, b"Content-Length: " + _N), "protocol"),
    _says("a header name of 70,000 bytes", _framed(b"a" * 70_000 + b": b", b"Content-Length: " + _N), "protocol"),
    _says("5,000 headers", _framed(*[b"X-%d: y" % n for n in range(5000)], b"Content-Length: " + _N), "protocol"),
    _says("the same header 100 times", _framed(*[b"Server: x"] * 100, b"Content-Length: " + _N), "document"),
    _says(
        "two Content-Types that disagree",
        _framed(b"Content-Type: text/html", b"Content-Length: " + _N),
        "document",
    ),
    _says("no header at all", b"HTTP/1.1 200 OK\r\n\r\n" + _S, "document"),
]

_ENDS = [
    hostile_statement("framing: closed before a byte", _closes_at_once, "reset"),
    hostile_statement("framing: reset before a byte", _resets_at_once, "reset"),
    _says("closed in the status line", b"HTTP/1.1 2", "reset"),
    hostile_statement("framing: reset in the status line", _resets_in_the_head, "reset"),
    _says("closed in the headers", b"HTTP/1.1 200 OK\r\nContent-Ty", "reset"),
    _says("closed after the headers", _framed(b"Content-Length: " + _N, body=b""), "truncated"),
    _says("closed in the body", _framed(b"Content-Length: " + _N, body=_S[:100]), "truncated"),
    hostile_statement("framing: reset in the body", _resets_in_the_body, "truncated"),
    _says("closed in a chunk's size", _CHUNKED + b"5", "truncated"),
    hostile_statement("framing: a byte at a time, all of it", _byte_by_byte, "document"),
    hostile_statement(
        "framing: a second answer sent ahead",
        _poisons_the_next,
        "document",
        also=lambda observation: "Poison" not in observation.model_dump_json(),
    ),
]

_STATUSES = [
    _says("204 with a body", reply(_S, "204 No Content"), "protocol"),
    _says("205 with a body", reply(_S, "205 Reset Content"), "document"),
    _says("206 with half of the statement", reply(_S[:200], "206 Partial Content"), "not_json"),
    _says("304 with a body", reply(_S, "304 Not Modified"), "protocol"),
    _says("the answer to a HEAD", _framed(b"Content-Length: " + _N, body=b""), "truncated"),
    _says("101, as if asked to upgrade", b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n" + _S, "unexpected_status"),
    _says("100 and nothing more", b"HTTP/1.1 100 Continue\r\n\r\n", "reset"),
    _says("103 before the answer", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(_S), "document"),
    _says("fifty 102s before the answer", b"HTTP/1.1 102 Wait\r\n\r\n" * 50 + reply(_S), "document"),
    _says("a statement with status 401", reply(_S, "401 Unauthorized"), "unauthorized"),
    _says("a statement with status 418", reply(_S, "418 Teapot"), "client_error"),
    _says("a statement with status 500", reply(_S, "500 Oops"), "server_error"),
    _says("a statement with status 300", reply(_S, "300 Multiple Choices"), "unexpected_status"),
    _says("407, as a proxy would say", reply(b"", "407 Proxy Authentication Required"), "client_error"),
    _says("511, as a captive portal would say", reply("<html>", "511 Login", "text/html"), "server_error"),
    Behaviour(
        "framing: every document is cut in half",
        {METADATA: reply(_S)[:-200], CONFIGURATION: b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"token'},
        "not_observed",
        {"metadata": "truncated", "smart": "truncated"},
        checks={"NET-004": "warn"},
        missing=("capability", "smart"),
    ),
]

ROWS = (*_STATUS_LINES, *_LENGTHS, *_CHUNKS, *_HEADERS, *_ENDS, *_STATUSES)
