"""Certificates that a stranger made: accepted when they name the host and come from the authority, else described."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hostile_servers.behaviours import Behaviour

from interlock.model.observation import Observation

_NOW = datetime.now(UTC)
_Made = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@cache
def authority() -> _Made:
    """The authority that the probe trusts here."""
    return _issue(_name("Authority of this test"), None, authority=True)


def _issue(
    subject: x509.Name,
    issuer: _Made | None,
    *names: x509.GeneralName,
    start: datetime = _NOW - timedelta(days=1),
    end: datetime = _NOW + timedelta(days=90),
    authority: bool = False,
    extensions: int = 0,
) -> _Made:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder(issuer[0].subject if issuer else subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for number in range(extensions):
        oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.55555.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def context_of(issued: _Made, *others: x509.Certificate) -> ssl.SSLContext:
    """A server's context that presents a certificate, and others behind it."""
    certificate, key = issued
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chain.pem"
        file.write_bytes(secret + b"".join(each.public_bytes(pem) for each in (certificate, *others)))
        context.load_cert_chain(file)
    return context


def good(host: str) -> ssl.SSLContext:
    """The context of a server as it should be."""
    return context_of(_issue(_name("good"), authority(), x509.DNSName(host)))


def trusted(folder: Path) -> Path:
    """A file of the authorities that the probe trusts: this test's alone."""
    file = folder / "authority.pem"
    file.write_bytes(authority()[0].public_bytes(serialization.Encoding.PEM))
    return file


def _row(name: str, make: Callable[[str], ssl.SSLContext], check: str = "", **more: Any) -> Behaviour:
    given = {"outcome": "not_observed", "endings": {"metadata": "tls", "smart": "tls"}, "present": ("tls",)}
    given |= {"checks": {check: "fail"}} if check else {}
    return Behaviour(f"certificate: {name}", {}, context=make, secure=True, run="secure", **(given | more))


def _from(host: str, subject: str = "x", issuer: _Made | None = None, **changes: Any) -> ssl.SSLContext:
    return context_of(_issue(_name(subject), issuer or authority(), x509.DNSName(host), **changes))


def _own(host: str, subject: str, *names: x509.GeneralName, **changes: Any) -> ssl.SSLContext:
    """A certificate that signs itself."""
    return context_of(_issue(_name(subject), None, *(names or (x509.DNSName(host),)), **changes))


def _with(*names: x509.GeneralName) -> Callable[[str], ssl.SSLContext]:
    """Names of any kind, from the authority that is trusted."""
    return lambda host: context_of(_issue(_name(host), authority(), *names))


def _chain(length: int) -> Callable[[str], ssl.SSLContext]:
    def make(host: str) -> ssl.SSLContext:
        others = [_issue(_name(f"other {number}"), None)[0] for number in range(length)]
        return context_of(_issue(_name(host), None, x509.DNSName(host)), *others)

    return make


def _is_short(observation: Observation) -> object:
    """Of a long chain and of many names only the first are kept."""
    tls = observation.facts.tls
    return tls is not None and 0 < len(tls.chain) <= 10 and all(len(each.names) <= 10 for each in tls.chain)


_FOREVER = {"start": datetime(1951, 1, 1, tzinfo=UTC), "end": datetime(9999, 12, 31, tzinfo=UTC)}

ROWS = (
    _row("as it should be", good, outcome="observed", endings={"metadata": "document"}),
    _row("the host as its common name alone", _with(), "NET-011"),
    _row("names of other hosts", _with(x509.DNSName("victim.test"), x509.DNSName("b1.test.victim.test")), "NET-011"),
    _row("a star for everything", _with(x509.DNSName("*")), "NET-011"),
    _row("a star in the middle of a label", _with(x509.DNSName("b*1.test")), "NET-011"),
    _row("a star above the host", _with(x509.DNSName("*.*.test")), "NET-011"),
    _row("an address instead of a name", _with(x509.IPAddress(ipaddress.ip_address("8.66.0.1"))), "NET-011"),
    _row("the host as an address of mail", _with(x509.RFC822Name("a@victim.test")), "NET-011"),
    _row("the host as an address of the web", _with(x509.UniformResourceIdentifier("https://victim.test")), "NET-011"),
    _row(
        "no longer valid",
        lambda host: _from(host, start=_NOW - timedelta(days=9), end=_NOW - timedelta(days=2)),
        "NET-010",
    ),
    _row("not yet valid", lambda host: _from(host, start=_NOW + timedelta(days=2))),
    _row("valid for 8,000 years, by itself", lambda host: _own(host, "for ever", **_FOREVER), "NET-012"),
    _row("by itself", lambda host: _own(host, host), "NET-012"),
    _row(
        "from an authority that nobody trusts",
        lambda host: _from(host, issuer=_issue(_name("Victim"), None, authority=True)),
    ),
    _row("from a certificate that is no authority", lambda host: _from(host, issuer=_issue(_name("b"), authority()))),
    _row("a subject of escapes", lambda host: _own(host, "\x1b]52;c;eA==\x07\x9b2J\u202e"[:60])),
    _row("a subject of markup and formulas", lambda host: _own(host, "=cmd|' /C calc'!A0<script>[bold]x[/]")),
    _row(
        "1,000 names", lambda host: _own(host, "x", *(x509.DNSName(f"n{n}.test") for n in range(1000))), also=_is_short
    ),
    _row("a name of 10,000 letters", lambda host: _own(host, "x", x509.DNSName("a" * 10_000)), also=_is_short),
    _row("a name with a line feed", lambda host: _own(host, "x", x509.DNSName("a\nb\x1b[2J"))),
    _row("no subject", lambda host: context_of(_issue(x509.Name([]), None, x509.DNSName(host)))),
    _row("500 extensions", lambda host: _own(host, "x", extensions=500)),
    _row("50 certificates that belong to nothing", _chain(50), also=_is_short),
)
