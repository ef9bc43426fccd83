"""What a probe saw, in a dozen lines. A family that was not seen says so; it is never shown as empty."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.observation import CapabilityFacts, Observation, SmartFacts
from interlock.report import safe
from interlock.report.elements import Pair

_LIMIT = 8


def probe_facts(observation: Observation) -> tuple[Pair, ...]:
    """Terms and values of one observation, in reading order."""
    facts = observation.facts
    pairs = [Pair(term="Base URL probed", value=safe.text(observation.target.base_url, 300))]
    if facts.capability is None:
        pairs.append(Pair(term="Capability statement", value=_absent(observation, "CAP")))
    else:
        pairs += _capability(facts.capability)
    if facts.smart is None:
        pairs.append(Pair(term="SMART configuration", value=_absent(observation, "SMART")))
    else:
        pairs += _smart(facts.smart)
    if facts.jwks is not None:
        state = "usable" if facts.jwks.valid else "not usable"
        pairs.append(Pair(term="Server's JWK Set", value=f"{state}, {words.count(facts.jwks.keys, 'key')}"))
    return tuple(pairs)


def _absent(observation: Observation, family: str) -> str:
    """Not observed, unless a check of the family read an answer and failed it: then that check's own words."""
    failed = [
        check
        for check in observation.checks
        if check.outcome is CheckOutcome.FAIL and check.id.startswith(f"{family}-")
    ]
    if failed:
        return safe.text(f"none usable ({failed[0].id}: {failed[0].message})", 300)
    return "not observed"


def _capability(facts: CapabilityFacts) -> list[Pair]:
    release: str = facts.fhir_release or "not stated"
    if facts.fhir_version and facts.fhir_version != release:
        release += f" ({safe.text(facts.fhir_version, 30)})"
    software = " ".join(safe.text(facts.software[key], 80) for key in ("name", "version") if facts.software.get(key))
    pairs = [
        Pair(term="FHIR release", value=release),
        Pair(term="Software", value=software or "not stated"),
        Pair(term="Resource types declared", value=f"{len(facts.resources):,}"),
    ]
    if facts.instantiates:
        pairs.append(Pair(term="Instantiates", value=_list(facts.instantiates)))
    return pairs


def _smart(facts: SmartFacts) -> list[Pair]:
    source = "from the capability statement’s oauth-uris" if facts.source == "oauth-uris" else ""
    pairs = [
        Pair(term="SMART configuration", value=source),
        Pair(term="Launch modes", value=_list(facts.launch_modes) or "none declared"),
        Pair(term="Capability sets", value=_list(facts.capability_sets) or "none complete"),
        Pair(term="Client types", value=_list(facts.client_types) or "none declared"),
        Pair(term="PKCE S256", value=_state(facts.pkce_s256, "offered", "not offered")),
        Pair(term="Scope syntax", value=_scopes(facts)),
    ]
    return [pair for pair in pairs if pair.value]


def _scopes(facts: SmartFacts) -> str:
    named = [label for label, state in (("v1", facts.scopes_v1), ("v2", facts.scopes_v2)) if state]
    if named:
        return " and ".join(named)
    return "not stated" if facts.scopes_v1 is None and facts.scopes_v2 is None else "neither v1 nor v2"


def _state(value: bool | None, yes: str, no: str) -> str:
    return "not stated" if value is None else yes if value else no


def _list(values: Sequence[str]) -> str:
    return words.listed([safe.text(value, 80) for value in values], _LIMIT)
