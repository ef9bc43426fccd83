"""What the questions of a card quote of an observation: addresses, dates, what a document leaves out."""

from __future__ import annotations

import re

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.facts import SmartFacts
from interlock.model.observation import Observation
from interlock.model.text import plain

#: Scopes that a mail quotes.
_SCOPES = 12
#: Documents whose failing is told by the checks.
_PUBLISHED = frozenset({"metadata", "smart", "smart-root", "openid", "jwks", "udap"})
_NEARBY = "Probe the address where a statement is: interlock probe {}. Then"


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
        "moment": words.moment(observation.started),
        "open": _open_to_all(observation),
        "scopes": _listed_scopes(observation),
        "addresses": _two_addresses(observation),
        "statement_status": _status(observation, "metadata"),
        "smart_status": _status(observation, "smart"),
        "date": words.iso_day(plain(capability.date or "", 40)) if capability else "",
    }


def deeper_base(observation: Observation) -> str:
    """The base one segment deeper at which a statement was found; nothing where none was."""
    named = any(check.id == "CAP-046" and check.outcome is CheckOutcome.FAIL for check in observation.checks)
    urls = [request.url for request in observation.requests if request.purpose == "deeper" and request.status == 200]
    return plain(urls[-1].partition("?")[0].removesuffix("/metadata"), 300) if named and urls else ""


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


def asked_to_wait(observation: Observation) -> str:
    """How long the server asks to be left alone, where every failure of its own says so (Retry-After)."""
    last = {request.purpose: request for request in observation.requests if request.purpose in _PUBLISHED}
    failed = [request for request in last.values() if request.status is not None and _fails_for_now(request.status)]
    pauses = [request.headers.get("retry-after", "") for request in failed]
    if not pauses or not all(pauses):
        return ""
    longest = max(pauses, key=lambda pause: (len(pause), pause))
    return f"asks to wait {plain(longest, 40)} s" if longest.isdecimal() else f"asks to wait until {plain(longest, 40)}"


def _fails_for_now(status: int) -> bool:
    return status == 429 or status >= 500


def _status(observation: Observation, purpose: str) -> str:
    """The status that a document was refused with, in brackets; the most telling answer comes last."""
    statuses = [r.status for r in observation.requests if r.purpose == purpose and r.status is not None]
    return f" (HTTP {statuses[-1]})" if statuses and statuses[-1] >= 400 else ""


def _open_to_all(observation: Observation) -> str:
    """What came without a token, and no more than that."""
    said = next((check.message for check in observation.checks if check.id == "NEG-004"), "")
    if "with a resource" in said or "has entries" in said:
        return "patient data can be read"
    return "patients can be counted" if "total is above 0" in said else "such a request is answered"


def _listed_scopes(observation: Observation) -> str:
    """The scopes that they do list, of a long list those of the types that are asked about; and a conflict in it."""
    smart = observation.facts.smart
    if smart is None or not smart.scopes_supported:
        return ""
    said = next((check.message for check in observation.checks if check.id == "SMART-055"), "")
    scopes, lists = smart.scopes_supported, "It lists"
    if len(scopes) > _SCOPES:
        types = {*re.findall(r"/(\w+)\.", said), "*"}
        scopes = tuple(scope for scope in scopes if scope.partition("/")[2].partition(".")[0] in types)
        lists = "Of these types it lists"
    listed = words.listed([f"“{plain(scope, 300)}”" for scope in scopes], _SCOPES) or "none"
    launch = "launch-ehr" in (smart.capabilities or ()) and "“launch”" in said
    conflict = " It declares launch-ehr, whose clients ask for “launch”." if launch else ""
    return f" {lists} {listed}.{conflict}"


def _two_addresses(observation: Observation) -> str:
    """The addresses of the sign-in that the two documents give, where they differ."""
    capability, smart = observation.facts.capability, observation.facts.smart
    if capability is None or smart is None:
        return ""
    uris = capability.security.oauth_uris
    pairs = (
        ("authorization_endpoint", uris.authorize, smart.authorization_endpoint),
        ("token_endpoint", uris.token, smart.token_endpoint),
    )
    different = [
        f" The statement's {name} is {plain(stated, 300)}, the SMART configuration's {plain(configured, 300)}."
        for name, stated, configured in pairs
        if stated and configured and stated != configured
    ]
    return "".join(different)
