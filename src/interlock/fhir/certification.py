"""A SMART configuration against ONC's criterion (g)(10), as Inferno tests it, and US Core's granular scopes.

What certification asks is owed by certified systems only. A scope that is not listed may still be granted: the list
need not be complete (SMART App Launch 2.2, ``scopes_supported``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from interlock.fhir.scopes import parse as parse_scope
from interlock.fhir.smart import signs_of_2
from interlock.fhir.tables import onc_g10, us_core
from interlock.fhir.tables.smart import SmartVersion
from interlock.fhir.tables.us_core import EDITIONS
from interlock.model.facts import CapabilityFacts, SmartFacts
from interlock.model.us_core import CertificationFacts, UsCoreFacts


def parse(smart: SmartFacts, capability: CapabilityFacts, guide: UsCoreFacts) -> CertificationFacts | None:
    """The configuration against the edition that the statement claims, or comes closest to; none without either."""
    if not guide.named or smart.source != "well-known":
        return None
    version: SmartVersion = "2.0" if signs_of_2(smart) else "1.0"
    if smart.user_access_brand_bundle is not None:
        version = "2.2"
    required = _capabilities(version, guide.closest)
    listed = _granular_of(smart.scopes_supported or ())
    wanted = _granular(guide.closest)
    served = [scope for scope in wanted if scope.partition(".")[0] in capability.resources]
    there = [scope for scope in served if wanted[scope] & listed]
    return CertificationFacts.trusted(
        edition=guide.closest,
        smart_version=version,
        required=len(required),
        missing=tuple(sorted(required - set(smart.capabilities))) if smart.capabilities is not None else (),
        undeclared=tuple(sorted(required)) if smart.capabilities is None else (),
        granular_listed=tuple(there),
        granular_unlisted=tuple(scope for scope in served if scope not in there),
    )


@cache
def _capabilities(version: SmartVersion, edition: str) -> frozenset[str]:
    """What both launches together require."""
    number = next(known for known in EDITIONS if known == edition)
    return onc_g10().required_capabilities("ehr-practitioner-app", version, number) | onc_g10().required_capabilities(
        "standalone-patient-app", version, number
    )


@cache
def _granular(edition: str) -> dict[str, frozenset[tuple[str, str]]]:
    """The granular scopes that an edition requires, or certification with it, each with its spellings as type, query.

    US Core prints the category of social history with a malformed system; servers follow either.
    """
    table = us_core(next(known for known in EDITIONS if known == edition))
    spelt = {row.scope: {row.scope.partition("=")[2], row.as_published} for row in table.scopes if row.verb == "SHALL"}
    wanted = {scope: texts for scope, texts in spelt.items() if "?" in scope}
    for rule in onc_g10().scopes:
        if rule.kind == "granular" and edition in rule.editions:
            wanted.setdefault(rule.scope, set()).add(rule.scope.partition("=")[2])
    return {
        scope: frozenset((scope.partition(".")[0], f"category={text}") for text in texts if text)
        for scope, texts in sorted(wanted.items())
    }


def _granular_of(scopes: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Type and query of each scope that reads and searches within one query."""
    queries: set[tuple[str, str]] = set()
    for text in scopes:
        scope = parse_scope(text) if "?" in text else None
        if scope is not None and {"r", "s"} <= set(scope.letters) and len(scope.constraint) == 1:
            queries.update((scope.type, query) for query in scope.constraint)
    return frozenset(queries)
