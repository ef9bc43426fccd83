"""Redirects in every spelling: followed on the server's own origin, to nowhere else that is not public."""

from __future__ import annotations

from typing import Any

from hostile_servers.behaviours import Behaviour, hostile_statement
from hostile_servers.serving import METADATA, STATEMENT, Answer, Peer, reply

#: An address of the server itself where the statement is, to which a harmless redirect leads.
_OTHER = "/fhir/other"


def _to(location: str, status: str = "302 Found") -> Answer:
    """A redirect; the site's own addresses are filled in."""
    return lambda peer: reply(b"", status, None, f"Location: {peer.site.fill(location)}")


def _row(name: str, location: str, word: str, *says: str, **more: Any) -> Behaviour:
    behaviour = hostile_statement(f"redirect: {name}", _to(location), word, *says, **more)
    return Behaviour(**{**_fields(behaviour), "answers": {METADATA: _to(location), _OTHER: reply(STATEMENT)}})


def _fields(row: Behaviour) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def _with_status(status: str, location: str, word: str, name: str, body: bytes = b"") -> Behaviour:
    def answer(peer: Peer) -> bytes:
        return reply(body, status, "application/fhir+json", f"Location: {peer.site.fill(location)}")

    row = hostile_statement(f"redirect: {name}", answer, word)
    return Behaviour(**{**_fields(row), "answers": {METADATA: answer, _OTHER: reply(STATEMENT)}})


_HARMLESS = [
    _row("a relative address", "other", "document"),
    _row("an absolute path", "/fhir/other", "document"),
    _row("the same origin in full", "ORIGIN/fhir/other", "document"),
    _row("the scheme in capitals", "HTTP://HOST:PORT/fhir/other", "document"),
    _row("the same origin without a scheme", "//HOST:PORT/fhir/other", "document"),
    _row("an empty port on the way", "/fhir/other?:", "document"),
    _row("up and down the path", "../../../../fhir/./x/../other", "document"),
    _row("with a fragment", "/fhir/other#/../victim", "document"),
    _row("with spaces around", "   /fhir/other  ", "document"),
    _row("a path that is percent-encoded", "/fhir/%6Fther", "document"),
]

#: What browsers take for another host and a client of RFC 3986 does not: asked of the server itself, which has nothing.
_OWN = [
    _row("backslashes for slashes", "\\\\VICTIM\\x", "absent"),
    _row("a slash and a backslash", "/\\VICTIM/x", "absent"),
    _row("a scheme and backslashes", "http:\\\\VICTIM\\x", "absent"),
    _row("a scheme with one slash", "http:/VICTIM/x", "absent"),
    _row("a scheme without slashes", "http:VICTIM/x", "absent"),
    _row("a scheme with three slashes", "http:///VICTIM/x", "absent"),
    _row("three slashes", "///VICTIM/x", "absent"),
    _row("a host in the path", "/fhir/http://VICTIM/x", "absent"),
    _row("a host in the query", "/fhir/nothing?next=http://VICTIM/x", "absent"),
    _row("a host behind the fragment's sign", "ORIGIN#@VICTIM/", "absent"),
    _row("a scheme with a Cyrillic letter", "h\u0442tp://VICTIM/x", "absent"),
    _row("a percent-encoded authority", "/%2F%2FVICTIM/x", "absent"),
    _row("an encoded line feed and a header", "/fhir/nothing%0d%0aHost:%20VICTIM", "absent"),
]

_ELSEWHERE = [
    _row("another port of the same host", "http://VICTIM/x", "redirect", "private network"),
    _row("another port without a scheme", "//VICTIM/x", "redirect", "private network"),
    _row("another port by TLS", "https://VICTIM/x", "redirect", "private network"),
    _row("the same port by TLS", "https://127.0.0.2:PORT/x", "redirect", "private network"),
    _row("a tab before the scheme", "\thttp://VICTIM/x", "redirect", "private network"),
    _row("credentials of a user", "http://user:secret@VICTIM/x", "redirect", "credentials"),
    _row("an empty user", "http://@VICTIM/x", "redirect", "credentials"),
    _row("the server as the user of another", "http://127.66.0.1:80@VICTIM/x", "redirect", "credentials"),
    _row("another as the user of the server", "http://VICTIM@127.66.0.1/x", "redirect", "credentials"),
    _row("a backslash before the user's sign", "ORIGIN\\@VICTIM/x", "redirect"),
    _row("a query before the user's sign", "ORIGIN?@VICTIM/x", "redirect", "credentials"),
    _row("port 0", "http://127.0.0.1:0/x", "redirect", "no http address"),
    _row("port 99999", "http://127.0.0.1:99999/x", "redirect", "no http address"),
    _row("port -1", "http://127.0.0.1:-1/x", "redirect", "no http address"),
    _row("a port in letters", "http://127.0.0.1:http/x", "redirect", "no http address"),
    _row("an IPv6 address without its end", "http://[::1/x", "redirect", "no http address"),
    _row("an IPv6 address with a user inside", "http://[::1@VICTIM]/x", "redirect"),
    _row("no host", "http://", "redirect"),
    _row("a host of 5,000 letters", f"http://{'a' * 5000}.test/x", "redirect"),
    _row("a label of 64 letters", f"http://{'a' * 64}.test/x", "dns"),
    _row("an empty label", "http://a..test/x", "dns"),
    _row("a name that nobody has", "http://nowhere.invalid/x", "dns"),
    _row("a path of 60,000 letters", f"/fhir/{'x' * 60_000}", "redirect"),
]

_SCHEMES = [
    _row(f"to {scheme}", f"{scheme}", "redirect", "no http address")
    for scheme in (
        "ftp://VICTIM/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:application/json,{}",
        "gopher://VICTIM/_GET%20/",
        "ws://VICTIM/x",
        "mailto:victim@x.test",
        "about:blank",
        "unix:/var/run/docker.sock",
        "view-source:http://VICTIM/x",
        "dict://VICTIM/show",
        "urn:uuid:0",
        "httpx://VICTIM/x",
    )
]

#: This machine, and addresses behind a gateway or nobody's, as an attacker would write it.
PRIVATE = {
    "127.0.0.1": "127.0.0.1",
    "127.0.0.2, another loopback": "127.0.0.2",
    "127.1": "127.1",
    "127.0.1": "127.0.1",
    "one decimal number": "2130706433",
    "one hexadecimal number": "0x7f000001",
    "one octal number": "017700000001",
    "octal parts": "0177.0.0.01",
    "hexadecimal parts": "0x7f.0x0.0x0.0x1",
    "mixed parts": "0x7f.0.0.02",
    "a dot at its end": "127.0.0.1.",
    "IPv6 loopback": "[::1]",
    "IPv6 loopback in full": "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "IPv4 mapped into IPv6": "[::ffff:127.0.0.1]",
    "IPv4 mapped, in hexadecimal": "[::ffff:7f00:1]",
    "IPv4 compatible with IPv6": "[::127.0.0.1]",
    "IPv4 behind NAT64": "[64:ff9b::7f00:1]",
    "IPv4 behind 6to4": "[2002:7f00:1::]",
    "an unspecified address": "0.0.0.0",
    "a bare zero": "0",
    "an unspecified IPv6 address": "[::]",
    "localhost": "localhost",
    "localhost in capitals with a dot": "LocalHost.",
    "a name below localhost": "victim.localhost",
    "localhost in full-width letters": "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54",
    "circled digits": "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "ideographic full stops": "127\u30020\u30020\u30021",
    "a percent-encoded host": "%31%32%37.0.0.1",
    "10/8": "10.0.0.5",
    "172.16/12": "172.31.255.254",
    "192.168/16": "192.168.1.1",
    "carrier-grade NAT": "100.64.0.1",
    "link-local, the clouds' metadata": "169.254.169.254",
    "metadata as one number": "2852039166",
    "metadata mapped into IPv6": "[::ffff:a9fe:a9fe]",
    "Alibaba's metadata": "100.100.100.200",
    "Azure's own address": "168.63.129.16",
    "Oracle's metadata": "192.0.0.192",
    "AWS's metadata in IPv6": "[fd00:ec2::254]",
    "IPv6 link-local": "[fe80::1]",
    "IPv6 link-local with a zone": "[fe80::1%25lo]",
    "unique local": "[fc00::1]",
    "multicast": "224.0.0.1",
    "IPv6 multicast": "[ff02::1]",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "a network for documents": "192.0.2.1",
    "a name of this machine's": "victim.test",
}

#: What is not even looked up as that: a client of RFC 3986 does not decode hosts, nor map them (UTS 46).
ODD = {
    "localhost in full-width letters": "protocol",
    "circled digits": "protocol",
    "ideographic full stops": "protocol",
    "a percent-encoded host": "dns",
}

_ADDRESSES = [
    _row(f"to {name}", f"http://{host}:PORT/x", ODD.get(name, "redirect"), public=bool(number % 2))
    for number, (name, host) in enumerate(PRIVATE.items())
]


def _next(peer: Peer) -> bytes:
    return reply(b"", "302 Found", None, f"Location: {peer.target}x")


def _back_and_forth(peer: Peer) -> bytes:
    there = _OTHER if peer.target == METADATA else METADATA
    return reply(b"", "302 Found", None, f"Location: {there}")


def _hops(count: int) -> Answer:
    """Redirects, so many of them, and then the statement."""

    def answer(peer: Peer) -> bytes:
        done = int(peer.target.partition("?hop=")[2] or 0)
        if done == count:
            return reply(STATEMENT)
        return reply(b"", "307 Temporary Redirect", None, f"Location: {METADATA}?hop={done + 1}")

    return answer


_CHAINS = [
    hostile_statement("redirect: to itself", _to("/fhir/metadata"), "redirect", "circle"),
    hostile_statement("redirect: to itself with a fragment", _to("#again"), "redirect", "circle"),
    hostile_statement("redirect: to itself with an empty address", _to(""), "unexpected_status"),
    hostile_statement("redirect: to itself with one query for ever", _to("?x=1"), "redirect", "circle"),
    hostile_statement("redirect: five times, and there it is", _hops(5), "document"),
    hostile_statement("redirect: six times", _hops(6), "redirect", "more than 5 times"),
    Behaviour(
        "redirect: back and forth",
        {METADATA: _back_and_forth, _OTHER: _back_and_forth},
        endings={"metadata": "redirect"},
        says=("circle",),
        missing=("capability",),
    ),
    Behaviour(
        "redirect: to somewhere new for ever",
        {METADATA: _next, "*": _next},
        outcome="not_observed",
        endings={"metadata": "redirect"},
        says=("more than 5 times",),
        missing=("capability",),
    ),
    Behaviour(
        "redirect: out, and back by way of a victim",
        {METADATA: _to("/fhir/other"), _OTHER: _to("http://127.0.0.3:PORT/x")},
        endings={"metadata": "redirect"},
        missing=("capability",),
    ),
    Behaviour(
        "redirect: every document to a victim",
        {
            "*": _to("http://VICTIM/x"),
            METADATA: _to("http://VICTIM/y"),
            "/fhir/.well-known/smart-configuration": _to("//VICTIM/z"),
        },
        outcome="not_observed",
        endings={"metadata": "redirect", "smart": "redirect", "udap": "redirect"},
        missing=("capability", "smart"),
    ),
]

_STATUSES = [
    _with_status("301 Moved", _OTHER, "document", "301"),
    _with_status("303 See Other", _OTHER, "document", "303"),
    _with_status("307 Temporary", _OTHER, "document", "307"),
    _with_status("308 Permanent", _OTHER, "document", "308"),
    _with_status("300 Choices", "http://VICTIM/x", "unexpected_status", "300 is not followed"),
    _with_status("304 Not Modified", "http://VICTIM/x", "unexpected_status", "304 is not followed"),
    _with_status("305 Use Proxy", "http://VICTIM/", "unexpected_status", "305 names a proxy, which is not used"),
    _with_status("306 Unused", "http://VICTIM/x", "unexpected_status", "306 is not followed"),
    _with_status("309 Nothing", "http://VICTIM/x", "unexpected_status", "309 is not followed"),
    _with_status("201 Created", "http://VICTIM/x", "document", "201 with an address is not followed", STATEMENT),
    _with_status("202 Accepted", "http://VICTIM/x", "empty", "202 with an address is not followed"),
    _with_status("200 OK", "http://VICTIM/x", "document", "200 with an address is not followed", STATEMENT),
    _with_status("401 Unauthorized", "http://VICTIM/x", "unauthorized", "401 with an address is not followed"),
    _with_status("503 Busy", "http://VICTIM/x", "server_error", "503 with an address is not followed"),
    hostile_statement("redirect: 302 without an address", reply(b"", "302 Found", None), "unexpected_status"),
    hostile_statement("redirect: 302 with a statement, to nowhere", reply(STATEMENT, "302 Found"), "unexpected_status"),
    hostile_statement(
        "redirect: two addresses",
        lambda peer: reply(b"", "302 Found", None, f"Location: {_OTHER}", f"Location: http://{peer.site.victim}/"),
        "absent",
    ),
    hostile_statement(
        "redirect: an address in Refresh and in Link",
        lambda peer: reply(
            STATEMENT, "200 OK", "application/json", f"Refresh: 0;url=http://{peer.site.victim}/",
            f'Link: <http://{peer.site.victim}/>; rel="preload"', f"Content-Location: http://{peer.site.victim}/",
        ),
        "document",
    ),
]  # fmt: skip

_CHARACTERS = [
    _row("an escape in the address", "/fhir/\x1b]52;c;dmljdGlt\x07", "redirect"),
    _row("a carriage return in the address", "/fhir/a\rSet-Cookie:x", "protocol"),
    _row("NUL in the address", "/fhir/\x00", "protocol"),
    _row("a C1 control in the address", "/fhir/\u009b2J", "redirect"),
    _row("a bidirectional override in the address", "/fhir/\u202emoc", "redirect"),
    _row("a bidirectional override in the host", "http://\u202evictim.test/x", "redirect"),
    _row("a line separator in the address", "/fhir/\u2028x", "redirect"),
    _row("a zero-width space in the host", "http://vic\u200btim.test/x", "redirect"),
    _row("bytes that are no UTF-8", "/fhir/\udcff\udcfe", "absent"),
    _row("a name in another script", "http://b\u00fccher.example/x", "dns"),
    _row("a name that is no IDN", "http://xn--a-ecp.ru-\u2603.example/x", "dns"),
]

_PATIENTS = [
    _row(f"to {path}", f"/fhir/{path}", "redirect", "patient data")
    for path in (
        "Patient",
        "Patient?_count=1",
        "Patient/1",
        "Patient/1/",
        "Patient//1",
        "Patient/1/_history",
        "Patient/1/_history/2",
        "Patient/1/$everything",
        "Patient/$match",
        "Patient/_search?name=a",
        "Patient/1/Observation",
        "Patient/1/*",
        "%50atient/1",
        "Patient;v=1/1",
        "Observation?patient=1",
        "Observation/$lastn",
    )
]

ROWS = (
    *_HARMLESS, *_OWN, *_ELSEWHERE, *_SCHEMES, *_ADDRESSES, *_CHAINS, *_STATUSES, *_CHARACTERS, *_PATIENTS,
)  # fmt: skip
