"""Which findings of a probe become which question to an organisation.

Which of them a person must ask, and what blocks, is our judgement; what each rests on stands with its check. A question
is written to be read by the organisation: full sentences, the words of its own documents, no ids of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.facts import SmartFacts
from interlock.model.observation import Observation
from interlock.model.text import plain


class Question(NamedTuple):
    """A question, and the checks that raise it when one of them fails or warns.

    :ivar ask: what is asked; ``{said}`` is what the first of the checks says, as a sentence, ``{seen}`` that within
        one, ``{tail}`` what stands after its "for", ``{rest}`` what it names after its colon; other words are those of
        :func:`values_of`. Empty where nobody has to be asked.
    :ivar do: what to do where it blocks; ``{ask}`` is "ask them question N".
    :ivar aside: what the user is told beside a question that does not block.
    """

    checks: tuple[str, ...]
    ask: str
    do: str = "{ask}."
    aside: str = ""


_CHANGE = "{ask}. If the answer is no, the contract or the product has to change for this organisation."
_NEARBY = "Probe the address where a statement is: interlock probe {}. Then"
_IN_TIME = "{ask}: only they can renew or correct the certificate."

QUESTIONS: tuple[Question, ...] = (
    Question(
        ("NET-010", "NET-011", "NET-012", "NET-013", "NET-003", "NET-009", "NET-017", "NET-014", "NET-015"),
        "Our client cannot connect to {base} safely. {said} When will this be corrected?",
        _IN_TIME,
    ),
    Question(
        ("CAP-046", "CAP-001"),
        "Which is the FHIR base URL that we should use? We were given {base}. {said}",
        "{try_base} {ask}.",
    ),
    Question(
        ("CAP-050",),
        "Is there a base URL of yours for the FHIR release that our product is written for? {said}",
        "{ask}. If there is none, the contract or the product has to change for this organisation.",
    ),
    Question(
        ("NET-008",),
        "{said} Can you correct this, or tell us why it is so?",
        "Probe it again later; if it stays so, {ask}.",
    ),
    Question(
        ("NET-024",),
        "Your firewall seems to answer our program in your server's place. {said} Which name or address has to be "
        "allowed for us?",
    ),
    Question(
        ("SMART-001", "SMART-016"),
        "We find no SMART configuration at {base}/.well-known/smart-configuration{services}. Is it somewhere else, or "
        "when will it be published? Until then: which launches (EHR, standalone, backend service), scopes and PKCE "
        "methods do you support?",
        "{ask}: {sign_in}.",
    ),
    Question(
        ("NEG-004",),
        "{said} Is it intended that patient data can be read without a token at {base}?",
        "{ask}, and send no patient's data there before the answer.",
    ),
    Question(("CDS-001", "CDS-002", "CDS-003"), "", "Correct your own CDS service; nobody has to be asked."),
    Question(
        ("CAP-051", "CAP-052", "CAP-053", "CAP-054", "CAP-055"),
        "Our product needs what your capability statement does not list: {rest}. Is it supported all the same, or can "
        "it be enabled?",
        _CHANGE,
    ),
    Question(
        ("SMART-050", "SMART-051", "SMART-052"),
        "Our product needs a way in that your SMART configuration does not list: {rest}. Is it supported all the "
        "same, or can it be enabled?",
        _CHANGE,
    ),
    Question(
        ("SMART-053",),
        "Our product needs launch context that your SMART configuration does not list: {rest}. Is it given all "
        "the same?",
        _CHANGE,
    ),
    Question(("SMART-054", "SMART-056"), "Can our client be registered as it is? {said}", _CHANGE),
    Question(
        ("SMART-055",),
        "Can our client be granted scopes that your SMART configuration does not list: {rest}?",
        _CHANGE,
        "Does not block yet: a list of scopes need not be complete.",
    ),
    Question(
        ("DRIFT-001", "DRIFT-002"),
        "Since we last looked, something that our product uses changed. {said} Was that intended, and will it stay?",
        "Look at what changed (interlock diff), then {ask}.",
    ),
    Question(
        ("DATA-001",),
        "Your token endpoint gives our client no token. {said} Is our client registered and active, and with which "
        "authentication method?",
        "Check the credentials that were used, then {ask}.",
    ),
    Question(
        ("DATA-002",),
        "Our client may not read what it needs. {said} Which scopes or roles does it need?",
        "Check which scopes your token has, then {ask}.",
    ),
    Question(
        ("CORS-001", "CORS-002", "CORS-003", "CORS-004"),
        "Our app runs in the browser, and your server does not let it read the answers (CORS). {said} Can our origin "
        "be allowed?",
    ),
    Question(
        ("CAP-002",),
        "Your capability statement at {base}/metadata is answered only to clients with a token. Can you send us the "
        "statement, or open it for reading without a token, as is usual?",
    ),
    Question(
        ("SMART-015",),
        "Your capability statement and your SMART configuration name different addresses for {tail} Which is right?",
        "{ask}. Meanwhile try the address of the SMART configuration, whose form is the newer one.",
    ),
    Question(
        ("SMART-007", "OIDC-001", "OIDC-003", "JWKS-001"),
        "How do we verify your ID tokens? We read that {seen} Please tell us the issuer and the address of "
        "its keys (jwks_uri).",
    ),
    Question(
        ("OIDC-002", "OIDC-011"),
        "Which issuer (iss) do your ID tokens carry? In your documents, {seen}",
    ),
    Question(
        ("SMART-010",),
        "Your SMART configuration names addresses that we cannot reach from outside your network. {said} Which "
        "addresses are for clients outside?",
    ),
    Question(
        ("CAP-010",),
        "Your capability statement calls its own base URL {own_base}; we were given {base}. Are both the same system, "
        "and which one should we use?",
    ),
    Question(
        ("SMART-004",),
        "Do you support PKCE with the method S256? In your SMART configuration, {seen}",
    ),
    Question(
        ("SMART-005",),
        "SMART requires {lacking} in your SMART configuration, and we cannot read it there. What is its value?",
    ),
    Question(
        ("SMART-013",),
        "Which scope syntax do you grant: v1 (patient/Observation.read), v2 (patient/Observation.rs) or both? In your "
        "SMART configuration, {seen}",
    ),
    Question(
        ("CAP-017", "CAP-018", "USC-001"),
        "{edition} In your capability statement, {seen}",
    ),
    Question(
        ("USC-002", "USC-003"),
        "Of what US Core requires of the types that you declare, your capability statement leaves out: {rest}. Is it "
        "supported all the same?",
    ),
    Question(
        ("CAP-019",),
        "Is your capability statement kept up to date? It is dated {date}.",
    ),
    Question(
        ("CAP-045", "CAP-042"),
        "Is {base} the system that our users will work with? {said}",
    ),
    Question(
        ("CAP-011",),
        "Which software and version answers at {base}, and how do you announce upgrades? Your capability statement "
        "does not say the version.",
    ),
    Question(("DATA-003", "DATA-004"), "We looked at a page of test data. {said} Will it be so in production?"),
    Question(
        ("BULK-002", "BULK-003", "BULK-004"),
        "Does your $export behave as the Bulk Data Access guide says, and how do we find the group to export? In "
        "your capability statement, {seen}",
    ),
)

#: By the last words of its purpose, what a failed look at the base means for a reader.
UNREACHED: Mapping[str, str] = {
    "dns": "Check the address for a mistake; if it is right, send them the question below.",
    "connect": "Check address and port; then try from a network that they let in (VPN, allow-list), or send them the "
    "question below.",
    "tls": "Send them the question below: a client that checks certificates cannot connect.",
    "timeout": "Try again with more time (--timeout 60); if it stays so, send them the question below.",
    "refused": "The address is private. If it is the one you mean, allow it: --allow-private HOST.",
}


def asked_by_facts(observation: Observation) -> list[str]:
    """Questions that a SMART configuration leaves open though no check speaks of them as a whole."""
    smart = observation.facts.smart
    if smart is None or smart.source != "well-known":
        return []
    return [ask for ask in (look(smart) for look in _OPEN) if ask] + _hosts(observation)


def other_hosts(observation: Observation) -> dict[str, str]:
    """Host that could not be found or reached, other than the base's → the document that names it."""
    base = urlsplit(observation.target.base_url).hostname
    smart = observation.facts.smart
    documents: dict[str, str] = {}
    for request in observation.requests:
        host = urlsplit(request.url).hostname
        if request.failure in {"dns", "connect"} and request.purpose in {"openid", "jwks"} and host and host != base:
            from_smart = request.purpose == "openid" or (smart is not None and request.url == smart.jwks_uri)
            documents.setdefault(plain(host, 200), "SMART configuration" if from_smart else "OpenID configuration")
    return documents


def _hosts(observation: Observation) -> list[str]:
    return [
        f"Your {document} names an address at {host}, which we cannot find or reach. Is it for clients inside your "
        "network only, or a mistake?"
        for host, document in other_hosts(observation).items()
    ]


def _scopes(smart: SmartFacts) -> str:
    listed = smart.scopes_supported is not None
    return "" if listed else "Which scopes can our client be granted? Your SMART configuration lists none."


def _methods(smart: SmartFacts) -> str:
    listed = smart.token_endpoint_auth_methods_supported is not None
    said = "Which client authentication methods does your token endpoint take? Your SMART configuration does not say."
    return "" if listed else said


def _algorithms(smart: SmartFacts) -> str:
    signs = "private_key_jwt" in (smart.token_endpoint_auth_methods_supported or ()) or (
        "client-confidential-asymmetric" in (smart.capabilities or ())
    )
    if not signs or smart.token_endpoint_auth_signing_alg_values_supported is not None:
        return ""
    return (
        "With which algorithms may a client sign its assertion (private_key_jwt): RS384, ES384 or both? Your SMART "
        "configuration lists none."
    )


def _backend(smart: SmartFacts) -> str:
    offered = "client_credentials" in (smart.grant_types_supported or ())
    if not offered or smart.scopes_supported is None or any(s.startswith("system/") for s in smart.scopes_supported):
        return ""
    return (
        "Do you offer SMART Backend Services, and with which system/ scopes? Your SMART configuration lists "
        "client_credentials and no system/ scope."
    )


_OPEN: tuple[Callable[[SmartFacts], str], ...] = (_scopes, _methods, _algorithms, _backend)


def values_of(observation: Observation) -> dict[str, str]:
    """What questions quote of an observation's facts, made plain."""
    capability = observation.facts.capability
    services = capability.security.services if capability else ()
    named = words.listed([f"“{plain(name, 60)}”" for name in services], 3)
    deeper = deeper_base(observation)
    return {
        "base": plain(observation.target.base_url, 300).rstrip("/"),
        "try_base": _NEARBY.format(deeper) if deeper else "Check the address for a mistake, then",
        "services": f", though your capability statement declares {named}" if named else "",
        "own_base": plain(capability.implementation_url or "", 300) if capability else "",
        "edition": _edition(observation),
        "sign_in": _sign_in(observation.facts.smart),
        "lacking": words.listed(_lacking(observation.facts.smart)) or "more than we can read",
        "date": words.iso_day(plain(capability.date or "", 40)) if capability else "",
    }


def deeper_base(observation: Observation) -> str:
    """The base one segment deeper at which a statement was found; nothing where none was."""
    found = any(check.id == "CAP-046" and check.outcome is CheckOutcome.FAIL for check in observation.checks)
    urls = [request.url for request in observation.requests if request.purpose == "deeper" and request.status == 200]
    return plain(urls[-1].partition("?")[0].removesuffix("/metadata"), 300) if found and urls else ""


def _edition(observation: Observation) -> str:
    """The question about the edition of US Core: which of those that the statement names, or which at all."""
    facts = observation.facts.us_core
    unversioned = any(
        check.id == "CAP-017" and check.outcome is CheckOutcome.WARN and "without a version" in check.message
        for check in observation.checks
    )
    if facts is None or not facts.claimed or not unversioned:
        capability = observation.facts.capability
        if capability is not None and capability.fhir_release == "DSTU2":  # no edition of US Core is of it
            return "Which implementation guide does your server follow?"
        return "Which edition of US Core, or of another implementation guide, does your server follow?"
    claimed = words.listed([plain(number, 20) for number in facts.claimed])
    return f"You name US Core {claimed}. Which edition do the profiles have that you declare without a version?"


def _sign_in(smart: SmartFacts | None) -> str:
    """What the lack of a SMART configuration leaves unsaid: a statement may name the addresses (SMART 1.0)."""
    named = (("authorize", "authorization_endpoint"), ("token", "token_endpoint"))
    given = [name for name, field in named if getattr(smart, field, None) is not None]
    if not given:
        return "without it nothing says how a client signs in"
    addresses = words.agree(len(given), "address", "addresses")
    return f"the statement gives the {words.listed(given)} {addresses} (SMART 1.0), but not launches, scopes or PKCE"


def _lacking(smart: SmartFacts | None) -> list[str]:
    required = ("token_endpoint", "grant_types_supported", "capabilities")
    return [name for name in required if smart is not None and getattr(smart, name) is None]
