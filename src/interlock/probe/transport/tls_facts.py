"""Explaining a failed verification by the certificate chain: who has to mend it. Pure: nothing is contacted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from interlock.model.facts import Certificate, TlsFacts

#: Products that put themselves between a machine and the internet, by the names in the certificates that they make
#: (judgement, as of 2026-11; the list need not be complete).
_MIDDLEBOXES = re.compile(
    r"zscaler|forti(?:net|gate)|palo alto|netskope|blue ?coat|websense|forcepoint|umbrella|sophos|check ?point|"
    r"mcafee|barracuda|watchguard|sonicwall|squid|mitmproxy|charles proxy|fiddler|burp|ssl inspection|ssl proxy|"
    r"kaspersky|avast|bitdefender|eset ssl",
    re.IGNORECASE,
)


#: Names are looked for nowhere else (RFC 9525 section 2); the common name is no name of a host.
NAMELESS = "the certificate has no subjectAltName, so it is for no host at all"


def explained(tls: TlsFacts, *, trusted_here: int, shared_issuer: bool = False) -> TlsFacts:
    """TLS facts with a failed verification explained by its chain: the more telling word, its cause, and why.

    OpenSSL names the first thing that it objects to: a certificate that has expired and whose authority is unknown
    here is reported as the latter. ``trusted_here`` counts the authorities that this machine trusts;
    ``shared_issuer`` says that hosts of other names presented certificates of the same unknown issuer.
    """
    leaf = tls.leaf
    if tls.verified is not False:
        return tls
    if leaf is not None and leaf.days_left < 0 and tls.error != "expired":
        besides = "its issuer is not trusted here" if tls.error == "untrusted_issuer" else tls.message
        message = f"the certificate has expired, and {besides}" if besides else "the certificate has expired"
        tls = tls.model_copy(update={"error": "expired", "message": message})
    if leaf is not None and not leaf.names and tls.error == "hostname_mismatch":
        tls = tls.model_copy(update={"message": NAMELESS})
    cause, note = _cause(tls, trusted_here, shared_issuer)
    return tls.model_copy(update={"cause": cause, "cause_note": note})


def _cause(tls: TlsFacts, trusted_here: int, shared_issuer: bool) -> tuple[str, str]:
    leaf = tls.leaf
    top = tls.chain[-1] if tls.chain else None
    if trusted_here == 0:
        return "here", "this machine trusts no certificate authority at all: its trust store is empty"
    if leaf is not None and top is not None and (middlebox := _middlebox(leaf, top)):
        return "here", f"the issuer “{middlebox}” is the name of a product that inspects connections on their way"
    if shared_issuer:
        return "here", "hosts of different owners presented certificates of the same unknown issuer: a middlebox's"
    if tls.error in {"expired", "hostname_mismatch", "self_signed", "not_tls"}:
        return "server", "wrong wherever one looks from"
    if tls.error == "not_yet_valid":
        return "cannot_tell", "issued for later, or this machine's clock is slow"
    if tls.error == "untrusted_issuer" and leaf is not None and top is not None:
        if len(tls.chain) == 1 and leaf.names_its_issuer:
            return (
                "server",
                "only the server's own certificate was presented, and it says where its issuer's is to be "
                "had: the server leaves out the intermediate",
            )
        if len(tls.chain) == 1:
            return (
                "cannot_tell",
                "only the server's own certificate was presented: the server leaves out the "
                "intermediate, or its authority is a private one that is unknown here",
            )
        return (
            "cannot_tell",
            f"the chain was presented up to “{top.subject}”, which is unknown here: a private authority, "
            "a middlebox, or an authority missing from this machine's trust store",
        )
    return "cannot_tell", "what was presented does not tell"


def chain_is_linked(chain: Sequence[Certificate]) -> bool:
    """Whether each certificate names the next one's subject as its issuer."""
    return all(certificate.issuer == issuer.subject for certificate, issuer in pairwise(chain))


def _middlebox(*certificates: Certificate) -> str | None:
    names = (name for certificate in certificates for name in (certificate.issuer, certificate.subject))
    return next((name for name in names if _MIDDLEBOXES.search(name)), None)
