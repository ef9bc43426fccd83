"""Name servers that change their mind, name private addresses or do not answer; and handshakes of TLS that go wrong."""

from __future__ import annotations

import socket
from typing import Any

from hostile_servers.behaviours import Behaviour
from hostile_servers.serving import CONFIGURATION, METADATA, Answer, Peer, document, reply

_PRIVATE = "127.0.0.2"
#: Public, and nobody there.
_DEAD = [f"8.66.250.{number}" for number in range(1, 251)]


def _named(name: str, answers: list[Any], word: str, *says: str, **more: Any) -> Behaviour:
    """A base URL whose host resolves to these answers, one lookup after the other; ``PUBLIC`` is the server itself."""
    host = "".join(letter if letter.isalnum() else "-" for letter in name)[:50].strip("-").lower() + ".test"
    read = word == "document"
    facts = {"present" if read else "missing": ("capability", "smart")}
    given = {"outcome": "observed" if read else "not_observed", "endings": {"metadata": word, "smart": word}, **facts}
    return Behaviour(
        f"name: {name}", {}, says=says, names={host: answers}, base=f"http://{host}:PORT/fhir", **(given | more)
    )


def _fails(number: int) -> list[Any]:
    return [socket.gaierror(number, "as scripted")]


_ANSWERS = [
    _named("public, as it should be", [["PUBLIC"]], "document"),
    _named("public at first, then private", [["PUBLIC"], [_PRIVATE]], "document"),
    _named("private at first, then public", [[_PRIVATE], ["PUBLIC"]], "refused", "private network"),
    _named("public and private at once", [["PUBLIC", _PRIVATE]], "document"),
    _named("private and public at once", [[_PRIVATE, "PUBLIC"]], "document"),
    _named("a dead public one and a private one", [[_DEAD[0], _PRIVATE]], "connect"),
    _named("loopback", [["127.0.0.1"]], "refused", "private network"),
    _named("loopback in IPv6", [["::1"]], "refused", "private network"),
    _named("loopback mapped into IPv6", [["::ffff:127.0.0.1"]], "refused", "private network"),
    _named("loopback behind NAT64", [["64:ff9b::7f00:1"]], "refused"),
    _named("a private network", [["10.1.2.3", "192.168.7.7", "172.20.0.1"]], "refused", "private network"),
    _named("unique local", [["fd12:3456::1"]], "refused", "private network"),
    _named("link-local", [["169.254.169.254"]], "refused"),
    _named("link-local in IPv6", [["fe80::1"]], "refused"),
    _named("nothing at all, 0.0.0.0", [["0.0.0.0"]], "refused"),
    _named("nothing at all, in IPv6", [["::"]], "refused"),
    _named("multicast", [["224.0.0.251"]], "refused"),
    _named("broadcast", [["255.255.255.255"]], "refused"),
    _named("shared address space", [["100.64.0.7"]], "refused"),
    _named("no address", [[]], "dns"),
    _named("no such name", _fails(socket.EAI_NONAME), "dns", "could not be resolved from where we looked"),
    _named("no answer from the name servers", _fails(socket.EAI_AGAIN), "dns", "no answer"),
    _named("a failure of the name servers", _fails(socket.EAI_FAIL), "dns"),
    _named("a resolver that breaks", [OSError(5, "Input/output error")], "dns"),
    _named("a failure at first, then public", [*_fails(socket.EAI_AGAIN), ["PUBLIC"]], "dns"),
    _named("the same address 5,000 times", [["PUBLIC"] * 5000], "document"),
    _named("250 dead addresses and then the server", [[*_DEAD, "PUBLIC"]], "connect"),
    _named("the server and then 250 dead addresses", [["PUBLIC", *_DEAD]], "document"),
    _named("two dead addresses and then the server", [[*_DEAD[:2], "PUBLIC"]], "document"),
    _named("5,000 private addresses", [[f"10.0.{n // 250}.{n % 250}" for n in range(5000)]], "refused"),
    _named("public after half a second", [0.5, ["PUBLIC"]], "document"),
    _named("private after half a second", [0.5, [_PRIVATE]], "refused", "private network"),
    _named("silence", [8.0, ["PUBLIC"]], "timeout", run="waiting"),
    _named("silence, then private", [8.0, [_PRIVATE]], "timeout", run="waiting"),
]

_SPELLINGS = [
    Behaviour(
        f"name: a base URL with {name}",
        {},
        outcome="not_observed",
        endings={"metadata": word},
        missing=("capability", "smart"),
        base=base,
    )
    for name, base, word in (
        ("an empty label", "http://a..test:PORT/fhir", "dns"),
        ("a label of 64 letters", f"http://{'a' * 64}.test:PORT/fhir", "dns"),
        ("a name of 300 letters", f"http://{'a.' * 150}test:PORT/fhir", "dns"),
        ("an underscore that nobody has", "http://_x_.test:PORT/fhir", "dns"),
        ("an internationalised name that is none", "http://xn--a-ecp.ru-\u2603.test:PORT/fhir", "dns"),
        ("a loopback address that nobody typed", "http://127.66.9.9:PORT/fhir", "refused"),
        ("a link-local address", "http://169.254.169.254:PORT/fhir", "refused"),
        ("no address of a machine", "http://0.0.0.0:PORT/fhir", "refused"),
    )
]


def _leads(name: str, location: str, word: str, names: dict[str, list[Any]], run: str = "quick") -> Behaviour:
    """A redirect of a public server to a name."""
    return Behaviour(
        f"name: {name}",
        {METADATA: lambda peer: reply(b"", "302 Found", None, f"Location: {peer.site.fill(location)}")},
        endings={"metadata": word},
        names=names,
        run=run,
        public=True,
        missing=("capability",),
    )


_LED = [
    _leads("a redirect to a private name", "http://inside.test:PORT/x", "redirect", {"inside.test": [[_PRIVATE]]}),
    _leads(
        "a redirect to a silent name",
        "http://silent.test:PORT/x",
        "timeout",
        {"silent.test": [9.0, [_PRIVATE]]},
        "waiting",
    ),
    _leads(
        "a redirect to a name that fails", "http://fails.test:PORT/x", "dns", {"fails.test": _fails(socket.EAI_FAIL)}
    ),
    _leads("a redirect to no address", "http://empty.test:PORT/x", "dns", {"empty.test": [[]]}),
    _leads(
        "a redirect to a name that turns private",
        "http://turns.test:PORT/x",
        "connect",
        {"turns.test": [[_DEAD[7]], [_PRIVATE]]},
    ),
    Behaviour(
        "name: keys at a name that turns private",
        {CONFIGURATION: document({"token_endpoint": "ORIGIN/token", "jwks_uri": "https://keys.test:PORT/keys"})},
        outcome="observed",
        endings={"jwks": "refused"},
        names={"keys.test": [[_PRIVATE]]},
        public=True,
    ),
]


def _handshake(name: str, act: Answer, word: str, *says: str, run: str = "secure") -> Behaviour:
    """What meets a TLS handshake."""
    return Behaviour(
        f"TLS: {name}",
        {"TLS": act},
        outcome="not_observed",
        endings={"metadata": word, "smart": word},
        says=says,
        missing=("capability", "smart"),
        base="https://NAME:PORT/fhir",
        run=run,
    )


async def _says_nothing(peer: Peer) -> None:
    await peer.gone()


async def _drips_a_record(peer: Peer) -> None:
    await peer.send(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")
    await peer.flood(b"\x00", 0.05)


async def _floods_records(peer: Peer) -> None:
    await peer.flood(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 5000)  # HelloRequest without an end


async def _resets(peer: Peer) -> None:
    peer.reset()


def _alert(description: int) -> bytes:
    return b"\x15\x03\x03\x00\x02\x02" + bytes([description])


_TLS = [
    _handshake("plain HTTP in answer", b"HTTP/1.1 200 OK\r\n\r\n", "tls", "does not speak TLS"),
    _handshake("noise in answer", bytes(range(256)), "tls"),
    _handshake("closed at once", b"", "reset"),
    _handshake("reset at once", _resets, "reset"),
    _handshake("handshake failure", _alert(40), "tls"),
    _handshake("a version that is too old", _alert(70), "tls", "no TLS version"),
    _handshake("unrecognised name", _alert(112), "tls"),
    _handshake("a certificate that is demanded", _alert(116), "tls", "demands a client certificate"),
    _handshake("an alert that nobody knows", _alert(250), "tls"),
    _handshake("a record of 16 MB", b"\x16\x03\x03\xff\xff" + bytes(70_000), "tls"),
    _handshake("half a ServerHello", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(20), "reset"),
    _handshake("silence", _says_nothing, "timeout", run="waiting"),
    _handshake("a byte now and then", _drips_a_record, "timeout", run="waiting"),
    _handshake("endless requests to begin again", _floods_records, "timeout", run="waiting"),
    Behaviour("TLS: as it should be", {}, outcome="observed", secure=True, run="secure"),
    Behaviour(
        "TLS: a certificate for another host",
        {},
        outcome="not_observed",
        endings={"metadata": "tls", "smart": "tls"},
        secure=True,
        run="secure",
        base="https://other.test:PORT/fhir",
        names={"other.test": [["PUBLIC"]]},
    ),
    Behaviour(
        "TLS: a redirect to http",
        {
            METADATA: lambda peer: reply(
                b"", "302 F", None, f"Location: http://{peer.site.host}:{peer.site.port}/fhir/x"
            )
        },
        endings={"metadata": "redirect"},
        says=("from https to http",),
        secure=True,
        run="secure",
    ),
    Behaviour(
        "TLS: a redirect to http in capitals",
        {
            METADATA: lambda peer: reply(
                b"", "308 P", None, f"Location: HTTP://{peer.site.host}:{peer.site.port}/fhir/x"
            )
        },
        endings={"metadata": "redirect"},
        says=("from https to http",),
        secure=True,
        run="secure",
    ),
    Behaviour(
        "TLS: a token endpoint in the clear",
        {CONFIGURATION: document({"token_endpoint": "http://NAME:PORT/token"})},
        outcome="observed",
        endings={"token-negative": "refused"},
        checks={"SMART-009": "fail"},
        secure=True,
        run="secure",
    ),
]

ROWS = (*_ANSWERS, *_SPELLINGS, *_LED, *_TLS)
