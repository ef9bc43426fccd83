"""How far an observation meets the product's contract, and what can be built against that server already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.observation import Check, Observation
from interlock.model.text import plain

#: The checks that compare what the contract needs, and what each is about.
NEEDS: Mapping[str, str] = {
    "CAP-050": "the FHIR release",
    "CAP-051": "resource types",
    "CAP-052": "interactions",
    "CAP-053": "search parameters",
    "CAP-054": "profiles",
    "CAP-055": "operations",
    "SMART-050": "the EHR launch",
    "SMART-051": "the standalone launch",
    "SMART-052": "the backend service",
    "SMART-053": "launch context",
    "SMART-054": "the kind of client",
    "SMART-055": "scopes",
    "SMART-056": "a public client with PKCE",
}
#: What they say where there is no contract.
UNWRITTEN = "no workflow contract"
#: Of those, what a way in needs, and what requests for data need.
_WAYS = ("SMART-050", "SMART-051", "SMART-052", "SMART-054", "SMART-056")
_DATA = ("CAP-051", "CAP-052", "CAP-053", "CAP-055")
#: What has a reason of its own in :func:`built`, or holds nothing up there.
_TOLD = re.compile(r"CAP-05\d|SMART-05\d|SMART-001|SMART-01[56]|DATA-00\d|NEG-004|NET-008")
_OF_WAY = re.compile(r"SMART-|OIDC-|JWKS-|NEG-")
_OF_DATA = re.compile(r"CAP-")
#: Addresses without which nobody signs in; a client cannot know which of two is right.
SIGN_IN = re.compile(r"\b(authorization|token)_endpoint\b")


def is_generic(observation: Observation) -> bool:
    """Whether there was no contract to compare with."""
    return any(UNWRITTEN in check.message for check in observation.checks if check.id in NEEDS)


def compared(observation: Observation, questions: Mapping[str, int]) -> str:
    """Which needs of the contract were found, which not and which could not be told; each by name.

    :param questions: by check, the number of the question that asks about it.
    """
    if is_generic(observation):
        return "Your product's needs were not compared (no contract)."

    def named(*outcomes: CheckOutcome) -> str:
        return words.listed(
            [
                NEEDS[check.id] + (f" (question {questions[check.id]})" if check.id in questions else "")
                for check in observation.checks
                if check.id in NEEDS and check.outcome in outcomes
            ],
            len(NEEDS),
        )

    parts = (
        ("found", named(CheckOutcome.PASS)),
        ("not found", named(CheckOutcome.FAIL)),
        ("not listed, which does not block yet", named(CheckOutcome.WARN)),
        ("could not be told", named(CheckOutcome.NOT_OBSERVED)),
    )
    told = "; ".join(f"{label}: {names}" for label, names in parts if names)
    return f"Of what your contract needs, {told}." if told else ""


def built(observation: Observation, blocking: Iterable[str]) -> str:
    """What can be built now and what not yet, by facts alone: release, addresses, the statement, the needs met.

    :param blocking: ids of the checks that block; what no reason here speaks of holds up what it is about.
    """
    if observation.outcome == "not_observed":
        return ""
    off = {check.id: check for check in observation.checks if check.outcome in {CheckOutcome.FAIL, CheckOutcome.WARN}}
    others = {check_id for check_id in blocking if not _TOLD.fullmatch(check_id)}
    connects = any(check_id.startswith("NET-") for check_id in others)
    blocked = "of what blocks you" if connects else ""
    way = _no_way_in(observation, off) or blocked or ("of what blocks you" if any(map(_OF_WAY.match, others)) else "")
    data = _no_data(observation, off) or blocked or ("of what blocks you" if any(map(_OF_DATA.match, others)) else "")
    capability = observation.facts.capability
    requests = f"requests for data in {capability.fhir_release}" if capability else "requests for data"
    now = [name for name, why in (("the sign-in", way), (requests, data)) if not why]
    later = [f"{name}, because {why}" for name, why in (("the sign-in", way), (requests, data)) if why]
    if not data:
        later += _parts_of_data(off)
    if not now:
        return f"Cannot be built yet: {'; '.join(later)}."
    return f"Can be built now: {words.listed(now)}" + (f"; not yet: {'; '.join(later)}." if later else ".")


def _no_way_in(observation: Observation, off: Mapping[str, Check]) -> str:
    """Why the sign-in cannot be built; empty where it can."""
    smart = observation.facts.smart
    if smart is None:
        return "no authorize and token addresses are known"
    checks = {check.id: check.outcome for check in observation.checks}
    unattended = all(checks.get(launch) is CheckOutcome.NOT_APPLICABLE for launch in ("SMART-050", "SMART-051"))
    unattended = unattended and not is_generic(observation)
    needed = ["token_endpoint"] if unattended else ["authorization_endpoint", "token_endpoint"]
    if lacking := [name for name in needed if not getattr(smart, name)]:
        return f"no {words.listed(lacking, last='or')} is known"
    if smart.source != "well-known":
        return "launches, scopes and PKCE are not known without a SMART configuration"
    agreement = off.get("SMART-015")
    if agreement is not None and (conflict := SIGN_IN.search(agreement.message)):
        return f"two addresses are given for {conflict[0]}"
    if lost := [NEEDS[way] for way in _WAYS if way in off and off[way].outcome is CheckOutcome.FAIL]:
        return f"their SMART configuration does not list what your contract needs: {words.listed(lost)}"
    return ""


def _no_data(observation: Observation, off: Mapping[str, Check]) -> str:
    """Why no request for data can be built; empty where some can."""
    capability = observation.facts.capability
    if capability is None:
        return "their capability statement was not read"
    if capability.fhir_release is None:
        return "their capability statement names no release that we know"
    release = off.get("CAP-050")
    if release is not None and release.outcome is CheckOutcome.FAIL:
        return "your contract is written for another release"
    return ""


def _parts_of_data(off: Mapping[str, Check]) -> list[str]:
    """What of the data cannot be built for: what the contract needs and they do not declare, and what was refused."""

    def told() -> Iterator[str]:
        for check_id in _DATA:
            check = off.get(check_id)
            needed = re.match(r"Needed by the contract and not declared: (.*)$", check.message) if check else None
            if needed:
                yield f"{plain(needed[1], 300)}, because it is not declared"
        if "NEG-004" in off and off["NEG-004"].outcome is CheckOutcome.FAIL:
            yield "anything with patients' data, because requests are answered without a token"
        refused = off.get("DATA-002")
        refusal = re.match(r"Refused: ([^(;]*)\(HTTP (\d+)\)", refused.message) if refused else None
        if refusal:
            yield f"{plain(refusal[1], 100).strip()}, because it was refused (HTTP {refusal[2]})"

    return list(told())
