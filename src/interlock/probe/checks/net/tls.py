"""NET, TLS: the handshake, the certificate chain that is presented, and the versions that are offered.

What this machine could not try is never called "not offered" (RFC 8996, RFC 9325).
"""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.facts import TlsFacts, TlsVersion
from interlock.model.text import plain
from interlock.probe.checks.base import CheckInput, check, unseen
from interlock.probe.checks.results import (
    NOT_HTTPS,
    NeedError,
    Result,
    capitalized,
    failed,
    host_of,
    not_observed,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.tls_facts import NAMELESS, chain_is_linked

MIN_RSA_BITS = 2048
MIN_CURVE_BITS = 224

_KEYS = cite("RFC 9325", "section-4.5")
_VERSIONS = cite("RFC 9325", "section-3.1.1")


@check(
    "NET-009",
    "The TLS handshake comes to an end",
    Severity.CRITICAL,
    cite("UC7", "", "Security: TLS 1.2 or later outside a secured network", page="security.html"),
    rows=("TLS-06", "OAU-23"),
    rests_on=("tls",),
    at="metadata",
)
def handshake(probed: CheckInput) -> Result:
    """Apart from the certificate's validity: no TLS on the port, no version in common, a client certificate asked."""
    if not probed.base.startswith("https://"):
        raise NeedError(NOT_HTTPS)
    tls = probed.facts.tls
    if tls is None or (tls.verified is None and not tls.chain):
        return unseen(probed, "metadata")
    if tls.error == "not_tls":
        return failed("The server does not speak TLS on this port")
    if tls.error in {"version", "client_certificate"}:
        return warned(f"{_ended(tls)}; that is a door with another key, not a server that is down")
    if tls.error == "other" and not tls.chain:
        return warned(_ended(tls))
    offered = [version for version, offer in tls.versions.items() if offer == "offered"]
    if offered and not {"TLSv1.2", "TLSv1.3"} & set(offered):
        return warned(
            f"Only {words.listed(offered)} is offered, which MUST NOT be used (RFC 8996) and this machine refuses"
        )
    spoken = f" with {tls.negotiated}" if tls.negotiated else ""
    return passed(f"The handshake comes to an end{spoken}")


def _ended(tls: TlsFacts) -> str:
    """Why the handshake failed; the reason may begin with the host's name, which is written as it is."""
    return "The handshake failed" + (f": {plain(tls.message, 300)}" if tls.message else "")


@check(
    "NET-010",
    "The certificate is within its dates, and for a while",
    Severity.HIGH,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
    at="metadata",
    level="SHALL",
)
def dates(probed: CheckInput) -> Result:
    """Expiry is the requirement; the warning before it, when nobody renewed the certificate, is our judgement."""
    leaf = probed.tls.chain[0]
    until = words.iso_day(leaf.not_after)
    if leaf.days_left < 0:
        # ``days_left`` is rounded down: 9 days and some hours ago is -10.
        days = -leaf.days_left - 1
        ago = f"{words.count(days, 'day')} ago" if days else "less than a day ago"
        return failed(f"The certificate expired on {until}, {ago}")
    if probed.tls.error == "not_yet_valid":
        return warned(f"The certificate is valid from {words.iso_day(leaf.not_before)} only")
    if leaf.ends_soon:
        ahead = f"in {words.count(leaf.days_left, 'day')}" if leaf.days_left else "in less than a day"
        return warned(f"The certificate expires {ahead}, on {until}")
    return passed(f"The certificate is valid for {leaf.days_left} more days")


@check(
    "NET-011",
    "The certificate names the host",
    Severity.CRITICAL,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
    at="metadata",
    level="SHALL",
)
def names(probed: CheckInput) -> Result:
    """Wildcards match one label; the comparison is made here, whatever else was wrong with the certificate."""
    host, leaf = host_of(probed.base), probed.tls.chain[0]
    if probed.tls.verified or any(_matches(name, host) for name in leaf.names):
        return passed(f"The certificate is for {quoted(host)}")
    if len(leaf.names) >= 10:
        return not_observed("the certificate has more names than were kept")
    return (
        failed(capitalized(NAMELESS))
        if not leaf.names
        else failed(f"The certificate is for {quoted_list(leaf.names, 3)}, not for {quoted(host)}")
    )


def _matches(pattern: str, host: str) -> bool:
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    return pattern[1:] == host[host.find(".") :] and "." in host if pattern.startswith("*.") else pattern == host


@check(
    "NET-012",
    "The certificate comes from an authority",
    Severity.HIGH,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
    at="metadata",
    level="SHALL",
)
def not_self_signed(probed: CheckInput) -> Result:
    """A certificate that signs itself proves nothing about its owner."""
    leaf = probed.tls.chain[0]
    return (
        failed("The server's certificate is signed by itself")
        if leaf.self_signed and not probed.tls.verified
        else passed(f"The certificate is issued by {quoted(leaf.issuer)}")
    )


@check(
    "NET-013",
    "The chain is presented with its intermediates",
    Severity.HIGH,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
    at="metadata",
)
def chain(probed: CheckInput) -> Result:
    """Browsers fetch a missing intermediate by themselves; programs do not, and fail where a person sees no problem."""
    tls = probed.tls
    top = tls.chain[-1]
    if tls.verified:
        number = len(tls.chain)
        presented = f"{words.count(number, 'certificate')} {words.agree(number, 'is', 'are')} presented"
        return passed(f"{presented}, and {words.agree(number, 'leads', 'lead')} to an authority")
    if not chain_is_linked(tls.chain):
        return warned("The certificates presented do not follow one another")
    if tls.error != "untrusted_issuer":
        return not_observed("something else is wrong with the certificate (see NET-003)")
    if len(tls.chain) == 1 and not top.self_signed:
        result = failed if tls.cause == "server" else warned
        return result(
            f"Only the server's own certificate is presented; that of its issuer {quoted(top.issuer)} is missing, "
            "unless that authority is a private one"
        )
    return warned(f"The chain ends at {quoted(top.subject)}, which is not known here ({tls.cause_note})")


@check(
    "NET-014",
    "The certificate's key is long enough",
    Severity.HIGH,
    _KEYS,
    rows=("TLS-04",),
    needs="chain",
    at="metadata",
    level="SHALL",
)
def key_size(probed: CheckInput) -> Result:
    """RSA of 2048 bits or more; no curve under 224 bits."""
    leaf = probed.tls.chain[0]
    least = MIN_RSA_BITS if leaf.key.startswith("RSA") else MIN_CURVE_BITS
    return (
        failed(f"The key is {leaf.key}; {least} bits or more MUST be used")
        if leaf.key_bits is not None and leaf.key_bits < least
        else passed(f"The key is {leaf.key}")
    )


@check(
    "NET-015",
    "No certificate of the chain is signed with SHA-1 or MD5",
    Severity.HIGH,
    _KEYS,
    rows=("TLS-04",),
    needs="chain",
    at="metadata",
    level="SHALL",
)
def signature(probed: CheckInput) -> Result:
    """A root's own signature is verified by nobody and does not count."""
    weak = [
        certificate
        for certificate in probed.tls.chain
        if certificate.signature in {"sha1", "md5"} and not (certificate.self_signed and certificate.authority)
    ]
    if weak:
        subjects = quoted_list(certificate.subject for certificate in weak)
        return failed(f"{subjects}: signed with {weak[0].signature}, which MUST NOT be used")
    return passed("No certificate is signed with SHA-1 or MD5")


def _offers(probed: CheckInput, *versions: TlsVersion) -> list[str | None]:
    """What the server answered to each of some versions of TLS; none where one was not tried."""
    return [probed.tls.versions.get(version) for version in versions]


@check(
    "NET-016",
    "TLS 1.0 and 1.1 are not offered",
    Severity.MEDIUM,
    cite("RFC 8996", "section-4"),
    cite("RFC 8996", "section-5"),
    _VERSIONS,
    rows=("TLS-01",),
    needs="versions",
    rests_on=("versions",),
    at="metadata",
    level="SHALL",
)
def no_old_versions(probed: CheckInput) -> Result:
    """Tried at OpenSSL's security level 0: at its usual level the refusal would be this machine's own."""
    old: tuple[TlsVersion, ...] = ("TLSv1", "TLSv1.1")
    offers = dict(zip(old, _offers(probed, *old), strict=True))
    if "offered" in offers.values():
        offered = [version for version in old if offers[version] == "offered"]
        return failed(f"Offered, though it MUST NOT be used: {words.listed(offered)}")
    unknown = [version for version in old if offers[version] != "refused"]
    return (
        not_observed(f"{words.listed(unknown)} could not be tried, or got no clear answer")
        if unknown
        else passed("The server refuses TLS 1.0 and 1.1")
    )


@check(
    "NET-017",
    "TLS 1.2 is offered",
    Severity.HIGH,
    _VERSIONS,
    rows=("TLS-02", "TLS-06"),
    needs="versions",
    rests_on=("versions",),
    at="metadata",
    level="SHALL",
)
def tls_1_2(probed: CheckInput) -> Result:
    """A server of TLS 1.3 alone breaks the letter of it: a note, no failure."""
    offer, of_1_3 = _offers(probed, "TLSv1.2", "TLSv1.3")
    if offer == "offered":
        return passed("TLS 1.2 is offered")
    if offer != "refused":
        return not_observed("TLS 1.2 got no clear answer")
    return (
        warned("Only TLS 1.3 is offered; TLS 1.2 MUST be supported")
        if of_1_3 == "offered"
        else failed("TLS 1.2 is not offered, nor is TLS 1.3; health data require one of them")
    )


@check(
    "NET-018",
    "TLS 1.3 is offered",
    Severity.LOW,
    _VERSIONS,
    rows=("TLS-03",),
    needs="versions",
    rests_on=("versions",),
    at="metadata",
    level="SHOULD",
)
def tls_1_3(probed: CheckInput) -> Result:
    """A SHOULD: its absence is advice."""
    (offer,) = _offers(probed, "TLSv1.3")
    if offer == "offered":
        return passed("TLS 1.3 is offered")
    return (
        warned("TLS 1.3 is not offered; it SHOULD be")
        if offer == "refused"
        else not_observed("TLS 1.3 got no clear answer")
    )
