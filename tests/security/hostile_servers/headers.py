"""Headers that ask, promise or smuggle: little of them is kept, in plain text, and nothing obeys them but pauses."""

from __future__ import annotations

from typing import Any

from hostile_servers.behaviours import Behaviour, hostile_statement
from hostile_servers.serving import METADATA, STATEMENT, Answer, Peer, reply
from hostile_text import HOSTILE


def _kept(name: str, *headers: str, **more: Any) -> Behaviour:
    """A good statement under odd headers."""
    answer = reply(STATEMENT, "200 OK", "application/fhir+json", *headers)
    return hostile_statement(f"header: {name}", answer, "document", **more)


def _fits(text: str) -> bool:
    """Whether a header can hold a text."""
    return len(text) < 2000 and not any(
        ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 or letter == "\x7f" for letter in text
    )


def _pause(name: str, value: str, status: str = "429 Slow", word: str = "rate_limited", **more: Any) -> Behaviour:
    """A request to wait, kept or not, and no answer in the end."""
    answer = reply(b"", status, None, f"Retry-After: {value}")
    return hostile_statement(f"header: Retry-After, {name}", answer, word, run="pauses", **more)


def _once(value: str) -> Answer:
    def answer(peer: Peer) -> bytes:
        return reply(b"", "503 Busy", None, f"Retry-After: {value}") if peer.count == 1 else reply(STATEMENT)

    return answer


_PAUSES = [
    _pause("a number below nothing", "-1"),
    _pause("a number of 300 digits", "9" * 300),
    _pause("a fraction", "0.5"),
    _pause("no number", "NaN"),
    _pause("infinity", "inf"),
    _pause("digits in another script", "\u0661\u0662"),
    _pause("an hour", "3600"),
    _pause("a day, from a server that is busy", "86400", "503 Busy", "server_error"),
    _pause("a date in the year 9999", "Fri, 31 Dec 9999 23:59:59 GMT"),
    _pause("a date in the year 1970", "Thu, 01 Jan 1970 00:00:00 GMT"),
    _pause("a date beyond all calendars", "Fri, 31 Dec 99999 23:59:59 GMT"),
    _pause("a date with an impossible zone", "Fri, 31 Dec 2027 23:59:59 +9999"),
    _pause("half a date", "Fri, 31"),
    _pause("nothing", ""),
    _pause("an escape", "\u009b2J"),
    _pause("two of them", "0, 3600"),
    _pause("60,000 letters", "1" * 60_000),
    hostile_statement("header: Retry-After, nothing, and then the statement", _once("0"), "document", run="pauses"),
    hostile_statement(
        "header: Retry-After, a date gone by, and then the statement",
        _once("Thu, 01 Jan 1970 00:00:00 GMT"),
        "document",
        run="pauses",
    ),
    _kept("Retry-After with a success", "Retry-After: 86400"),
]

_KEPT = [
    _kept("Server with escapes", "Server: \x9b2J\u202e\u200b" + HOSTILE["terminal: C1 control sequence"]),
    _kept("Server of 60,000 letters", "Server: " + "x" * 60_000),
    _kept("Server with markup", "Server: <script>alert(1)</script> [bold]x[/] =cmd|' /C calc'!A0"),
    _kept("ETag that is no tag", 'ETag: """"*/\'; DROP'),
    _kept("Content-Type that is none", 'Content-Type: \x9b;;;="\\'),
    _kept("Content-Type of 60,000 letters", "Content-Type: application/" + "x" * 60_000),
    _kept("Content-Disposition with a path", 'Content-Disposition: attachment; filename="../../../etc/passwd"'),
    _kept("90 cookies", *[f"Set-Cookie: a{n}=b; Domain=victim.test" for n in range(90)]),
    _kept("a cookie of 60,000 letters", "Set-Cookie: a=" + "b" * 60_000),
    _kept("a cookie that is none", "Set-Cookie: \x9b=;;;=;"),
    _kept(
        "Strict-Transport-Security for ever",
        "Strict-Transport-Security: max-age=99999999999999999999; includeSubDomains",
    ),
    _kept("Strict-Transport-Security that is none", "Strict-Transport-Security: max-age=-1; =;;"),
    _kept("Alt-Svc to a victim", 'Alt-Svc: h3="127.0.0.2:443"; ma=86400'),
    _kept("Link to victims", *['Link: <http://127.0.0.2/>; rel="preconnect"'] * 20),
    _kept("reporting to victims", 'Report-To: {"endpoints":[{"url":"http://127.0.0.2/"}]}', "NEL: {}"),
    _kept("a proxy's own headers", "Proxy-Authenticate: Basic", "Via: 1.1 victim", "Proxy-Connection: keep-alive"),
    _kept("Connection with nonsense", "Connection: \x9b, close, keep-alive, x" + "y" * 5000),
    _kept("Keep-Alive for ever", "Keep-Alive: timeout=99999999999, max=-1"),
    _kept("Content-Encoding, empty", "Content-Encoding: "),
    _kept("Content-Encoding of identity", "Content-Encoding: identity"),
    _kept("Content-Length in words of HTML", 'X-Content-Length: "5"'),
    _kept("Location with a success", "Location: http://127.0.0.2/"),
    _kept("Upgrade to another protocol", "Upgrade: h2c, websocket", "Connection: Upgrade"),
    _kept("Age and Date of nonsense", "Age: -99999999999", "Date: yesterday", "Expires: 0", "Cache-Control: \x9b=;,,"),
    _kept("Clear-Site-Data and Refresh", 'Clear-Site-Data: "*"', "Refresh: 0; url=http://127.0.0.2/"),
    *(_kept(f"Server holding what tries “{name}”", f"Server: {text}") for name, text in HOSTILE.items() if _fits(text)),
]


def _challenge(name: str, *headers: str, word: str = "unauthorized") -> Behaviour:
    answer = reply(b"", "401 Unauthorized", None, *headers)
    return hostile_statement(f"header: WWW-Authenticate, {name}", answer, word)


_CHALLENGES = [
    _challenge("none"),
    _challenge("90 of them", *["WWW-Authenticate: Bearer"] * 90),
    _challenge("of 60,000 letters", "WWW-Authenticate: " + "x" * 60_000),
    _challenge("of escapes", 'WWW-Authenticate: \x9b2J\u202e realm="\x9d0;x\x9c"'),
    _challenge("Negotiate", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM"),
    _challenge(
        "a victim as the realm",
        'WWW-Authenticate: Bearer realm="http://127.0.0.2/", authorization_uri="http://127.0.0.3/"',
    ),
    _challenge("quotes without an end", 'WWW-Authenticate: Bearer realm="' + '\\"' * 1000),
]


def _cors(name: str, *headers: str, reflect: bool = False) -> Behaviour:
    def answer(peer: Peer) -> bytes:
        own = (f"Access-Control-Allow-Origin: {peer.headers.get('origin')}",) if reflect else ()
        return reply(STATEMENT, "200 OK", "application/fhir+json", *headers, *own)

    return Behaviour(f"header: CORS, {name}", {METADATA: answer}, "observed", present=("cors",), run="active")


_CROSS_ORIGIN = [
    _cors("the origin reflected, with credentials", "Access-Control-Allow-Credentials: true", reflect=True),
    _cors("null", "Access-Control-Allow-Origin: null"),
    _cors("everything, twice", "Access-Control-Allow-Origin: *", "Access-Control-Allow-Origin: *"),
    _cors("a list", "Access-Control-Allow-Origin: https://a.test, https://b.test"),
    _cors("escapes", "Access-Control-Allow-Origin: \x9b2J\u202e"),
    _cors("60,000 letters", "Access-Control-Allow-Headers: " + "x," * 30_000),
    _cors("a regular expression", "Access-Control-Allow-Origin: (a+)+$"),
]

ROWS = (*_PAUSES, *_KEPT, *_CHALLENGES, *_CROSS_ORIGIN)
