"""NET, TLS: the handshake, the certificate chain that is presented, and the versions that are offered.

What this machine could not try is never called "not offered" (RFC 8996, RFC 9325).
"""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.observation import TlsFacts, TlsVersion
from interlock.model.text import plain
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    capitalized,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    unseen,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.tls_facts import NAMELESS, chain_is_linked

FAMILY = Family("NET")

#: Days before the expiry from which a certificate is worth a word (judgement).
SOON_DAYS = 30
MIN_RSA_BITS = 2048
MIN_CURVE_BITS = 224

_KEYS = cite("RFC 9325", "section-4.5")
_VERSIONS = cite("RFC 9325", "section-3.1.1")


@FAMILY.check(
    9,
    "The TLS handshake comes to an end",
    Severity.CRITICAL,
    cite("UC7", "", "Security: TLS 1.2 or later outside a secured network", page="security.html"),
    rows=("TLS-06", "OAU-23"),
)
def handshake(probed: CheckInput) -> Result:
    """Apart from the certificate's validity: no TLS on the port, no version in common, a client certificate asked."""
    if not probed.base.startswith("https://"):
        return not_applicable("the base URL is not https (see NET-005)")
    tls = probed.facts.tls
    if tls is None or (tls.verified is None and not tls.chain):
        return unseen(probed, "metadata")
    if tls.error == "not_tls":
        return failed("The server does not speak TLS on this port", probed.at("metadata"))
    if tls.error in {"version", "client_certificate"}:
        return warned(
            f"{_ended(tls)}; that is a door with another key, not a server that is down", probed.at("metadata")
        )
    if tls.error == "other" and not tls.chain:
        return warned(_ended(tls), probed.at("metadata"))
    offered = [version for version, offer in tls.versions.items() if offer == "offered"]
    if offered and not {"TLSv1.2", "TLSv1.3"} & set(offered):
        return warned(
            f"Only {words.listed(offered)} is offered, which this machine and every current client refuse to use",
            probed.at("metadata"),
        )
    spoken = f" with {tls.negotiated}" if tls.negotiated else ""
    return passed(f"The handshake comes to an end{spoken}", probed.at("metadata"))


def _ended(tls: TlsFacts) -> str:
    """Why the handshake failed; the reason may begin with the host's name, which is written as it is."""
    return "The handshake failed" + (f": {plain(tls.message, 300)}" if tls.message else "")


@FAMILY.check(
    10,
    "The certificate is within its dates, and for a while",
    Severity.HIGH,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
    level="SHALL",
)
def dates(probed: CheckInput) -> Result:
    """Expiry is the requirement; the warning some weeks before is our judgement."""
    leaf = probed.tls.chain[0]
    until = words.iso_day(leaf.not_after)
    if leaf.days_left < 0:
        # ``days_left`` is rounded down: 9 days and some hours ago is -10.
        return failed(f"The certificate expired on {until}, {_ago(-leaf.days_left - 1)}", probed.at("metadata"))
    if probed.tls.error == "not_yet_valid":
        return warned(f"The certificate is valid from {words.iso_day(leaf.not_before)} only", probed.at("metadata"))
    if leaf.days_left < SOON_DAYS:
        ahead = f"in {words.count(leaf.days_left, 'day')}" if leaf.days_left else "in less than a day"
        return warned(f"The certificate expires {ahead}, on {until}", probed.at("metadata"))
    return passed(f"The certificate is valid for {leaf.days_left} more days", probed.at("metadata"))


def _ago(days: int) -> str:
    return f"{words.count(days, 'day')} ago" if days else "less than a day ago"


@FAMILY.check(
    11,
    "The certificate names the host",
    Severity.CRITICAL,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
    level="SHALL",
)
def names(probed: CheckInput) -> Result:
    """Wildcards match one label; the comparison is made here, whatever else was wrong with the certificate."""
    address = origin(probed.base)
    host = address.host if address else ""
    leaf = probed.tls.chain[0]
    if probed.tls.verified or any(_matches(name, host) for name in leaf.names):
        return passed(f"The certificate is for {quoted(host)}", probed.at("metadata"))
    if len(leaf.names) >= 10:
        return not_observed("the certificate has more names than were kept", probed.at("metadata"))
    if not leaf.names:
        return failed(capitalized(NAMELESS), probed.at("metadata"))
    return failed(f"The certificate is for {quoted_list(leaf.names, 3)}, not for {quoted(host)}", probed.at("metadata"))


def _matches(pattern: str, host: str) -> bool:
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if pattern.startswith("*."):
        return pattern[1:] == host[host.find(".") :] and "." in host
    return pattern == host


@FAMILY.check(
    12,
    "The certificate comes from an authority",
    Severity.HIGH,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
    level="SHALL",
)
def not_self_signed(probed: CheckInput) -> Result:
    """A certificate that signs itself proves nothing about its owner."""
    leaf = probed.tls.chain[0]
    if leaf.self_signed and not probed.tls.verified:
        return failed("The server's certificate is signed by itself", probed.at("metadata"))
    return passed(f"The certificate is issued by {quoted(leaf.issuer)}", probed.at("metadata"))


@FAMILY.check(
    13,
    "The chain is presented with its intermediates",
    Severity.HIGH,
    cite("RFC 9325", "section-7.1"),
    rows=("TLS-05",),
    needs="chain",
)
def chain(probed: CheckInput) -> Result:
    """Browsers fetch a missing intermediate by themselves; programs do not, and fail where a person sees no problem."""
    tls = probed.tls
    top = tls.chain[-1]
    if tls.verified:
        number = len(tls.chain)
        presented = f"{words.count(number, 'certificate')} {words.agree(number, 'is', 'are')} presented"
        return passed(f"{presented}, and {words.agree(number, 'leads', 'lead')} to an authority", probed.at("metadata"))
    if not chain_is_linked(tls.chain):
        return warned("The certificates presented do not follow one another", probed.at("metadata"))
    if tls.error != "untrusted_issuer":
        return not_observed("something else is wrong with the certificate (see NET-003)", probed.at("metadata"))
    if len(tls.chain) == 1 and not top.self_signed:
        result = failed if tls.cause == "server" else warned
        return result(
            f"Only the server's own certificate is presented; that of its issuer {quoted(top.issuer)} is missing, "
            "unless that authority is a private one",
            probed.at("metadata"),
        )
    return warned(
        f"The chain ends at {quoted(top.subject)}, which is not known here ({tls.cause_note})", probed.at("metadata")
    )


@FAMILY.check(
    14,
    "The certificate's key is long enough",
    Severity.HIGH,
    _KEYS,
    rows=("TLS-04",),
    needs="chain",
    level="SHALL",
)
def key_size(probed: CheckInput) -> Result:
    """RSA of 2048 bits or more; no curve under 224 bits."""
    leaf = probed.tls.chain[0]
    bits = leaf.key_bits
    if bits is None:
        return passed(f"The key is {leaf.key}", probed.at("metadata"))
    least = MIN_RSA_BITS if leaf.key.startswith("RSA") else MIN_CURVE_BITS
    if bits < least:
        return failed(f"The key is {leaf.key}; {least} bits or more MUST be used", probed.at("metadata"))
    return passed(f"The key is {leaf.key}", probed.at("metadata"))


@FAMILY.check(
    15,
    "No certificate of the chain is signed with SHA-1 or MD5",
    Severity.HIGH,
    _KEYS,
    rows=("TLS-04",),
    needs="chain",
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
        return failed(f"{subjects}: signed with {weak[0].signature}, which MUST NOT be used", probed.at("metadata"))
    return passed("No certificate is signed with SHA-1 or MD5", probed.at("metadata"))


def _offer(probed: CheckInput, version: TlsVersion) -> str:
    return (probed.facts.tls.versions if probed.facts.tls else {}).get(version, "")


def _untried(probed: CheckInput) -> Result | None:
    if not probed.base.startswith("https://"):
        return not_applicable("the base URL is not https (see NET-005)")
    if probed.facts.tls is None or not probed.facts.tls.versions:
        return not_observed("the TLS versions were not tried")
    return None


@FAMILY.check(
    16,
    "TLS 1.0 and 1.1 are not offered",
    Severity.MEDIUM,
    cite("RFC 8996", "section-4"),
    cite("RFC 8996", "section-5"),
    _VERSIONS,
    rows=("TLS-01",),
    level="SHALL",
)
def no_old_versions(probed: CheckInput) -> Result:
    """Tried at OpenSSL's security level 0: at its usual level the refusal would be this machine's own."""
    if untried := _untried(probed):
        return untried
    old: tuple[TlsVersion, ...] = ("TLSv1", "TLSv1.1")
    offered = [version for version in old if _offer(probed, version) == "offered"]
    if offered:
        return failed(f"Offered, though it MUST NOT be used: {words.listed(offered)}", probed.at("metadata"))
    unknown = [version for version in old if _offer(probed, version) != "refused"]
    if unknown:
        return not_observed(
            f"{words.listed(unknown)} could not be tried, or got no clear answer", probed.at("metadata")
        )
    return passed("The server refuses TLS 1.0 and 1.1", probed.at("metadata"))


@FAMILY.check(17, "TLS 1.2 is offered", Severity.HIGH, _VERSIONS, rows=("TLS-02", "TLS-06"), level="SHALL")
def tls_1_2(probed: CheckInput) -> Result:
    """A server of TLS 1.3 alone breaks the letter of it: a note, no failure."""
    if untried := _untried(probed):
        return untried
    if _offer(probed, "TLSv1.2") == "offered":
        return passed("TLS 1.2 is offered", probed.at("metadata"))
    if _offer(probed, "TLSv1.2") != "refused":
        return not_observed("TLS 1.2 got no clear answer", probed.at("metadata"))
    if _offer(probed, "TLSv1.3") == "offered":
        return warned("Only TLS 1.3 is offered; TLS 1.2 MUST be supported", probed.at("metadata"))
    return failed("TLS 1.2 is not offered, nor is TLS 1.3; health data require one of them", probed.at("metadata"))


@FAMILY.check(18, "TLS 1.3 is offered", Severity.LOW, _VERSIONS, rows=("TLS-03",), level="SHOULD")
def tls_1_3(probed: CheckInput) -> Result:
    """A SHOULD: its absence is advice."""
    if untried := _untried(probed):
        return untried
    if _offer(probed, "TLSv1.3") == "offered":
        return passed("TLS 1.3 is offered", probed.at("metadata"))
    if _offer(probed, "TLSv1.3") == "refused":
        return warned("TLS 1.3 is not offered; it SHOULD be", probed.at("metadata"))
    return not_observed("TLS 1.3 got no clear answer", probed.at("metadata"))
