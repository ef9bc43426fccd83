"""USC: US Core, as the server's own documents declare it, against the edition that they claim.

Nothing is asked of a server that does not name US Core. A list that leaves something out lacks it; where there is no
list, nothing can be said. Profiles are an inventory, not a duty: the guide asks for Patient and one more.
"""

from __future__ import annotations

from interlock.fhir.tables.us_core import EDITIONS
from interlock.fhir.us_core import required_types
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.us_core import CertificationFacts, UsCoreFacts
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
    Result,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

_SERVER = "CapabilityStatement-us-core-server.html"
_BEHAVIOUR = cite("UC6", "behavior", "Server CapabilityStatement: behaviour", page=_SERVER)
_STATEMENTS = tuple(cite(source, "", "Server CapabilityStatement", page=_SERVER) for source in ("UC6", "UC7", "UC8"))


def _named(probed: CheckInput) -> UsCoreFacts:
    """US Core in the statement.

    :raises NeedError: it is not of R4, or does not name US Core.
    """
    facts = probed.facts.us_core
    if facts is None:
        raise NeedError(not_applicable("the editions that are known here are of R4", probed.at("metadata")))
    if not facts.named:
        raise NeedError(not_applicable("the statement does not name US Core", probed.at("metadata")))
    return facts


def _certification(probed: CheckInput) -> CertificationFacts:
    """The SMART configuration against what certification asks.

    :raises NeedError: the statement does not name US Core, or was not seen.
    """
    probed.require("metadata")
    _named(probed)
    if probed.facts.certification is None:
        raise NeedError(not_observed("the SMART configuration was not seen", probed.at("smart")))
    return probed.facts.certification


@check(
    "USC-001",
    "The edition of US Core that is claimed is one that exists",
    Severity.LOW,
    cite("UC7", "", "General requirements", page="general-requirements.html"),
    rows=("UC-01", "UC-02"),
    needs="metadata",
    at="metadata#/instantiates",
)
def edition(probed: CheckInput) -> Result:
    """Statements name it as a version: of the guide, of its server statement, or of a profile."""
    facts = _named(probed)
    unknown = [number for number in facts.claimed if number not in facts.editions]
    if facts.unknown_profiles:
        return warned(
            f"Declared under US Core's address, and in no edition of {words.listed(EDITIONS)}: "
            f"{quoted_list(facts.unknown_profiles, 3)}",
            probed.at("metadata", "/rest/0/resource"),
        )
    if unknown:
        return warned(f"Named as an edition, and none of {words.listed(EDITIONS)}: {quoted_list(unknown, 3)}")
    if not facts.claimed:
        editions = words.listed(facts.possible, last="or")
        among = f"; the profiles declared are those of {editions}" if editions else ""
        return not_observed(f"US Core is named without an edition{among}", probed.at("metadata", "/instantiates"))
    said = [f"{number} ({words.listed(pointers)})" for number, pointers in facts.claimed.items()]
    return passed(f"Claimed: {words.listed(said)}")


@check(
    "USC-002",
    "What US Core requires of a declared type is declared",
    Severity.LOW,
    *_STATEMENTS,
    rows=("UC-15",),
    needs="metadata",
    at="metadata#/rest/0/resource",
    level="SHALL",
)
def rows_of_types(probed: CheckInput) -> Result:
    """Interactions, parameters, combinations, reverse includes and operations; a contract says which of them matter.

    Without a claimed edition the one that comes closest is looked at, and the result is a warning. Combinations of
    declared parameters count as declared: FHIR joins parameters, and hardly any statement speaks of combinations.
    """
    facts = _named(probed)
    number, claimed = facts.closest, facts.closest in facts.claimed
    of_edition = f"US Core {number}" if claimed else f"US Core {number}, the edition that comes closest,"
    missing = [label for label in facts.missing_of(number) if is_row(label)]
    silent = [label for label in facts.undeclared_of(number) if is_row(label)]
    if missing:
        message = (
            f"Of what {of_edition} requires (SHALL) of the types declared, the statement's lists leave out "
            f"{len(missing)}: {words.listed(missing, 12)}"
        )
        return failed(message) if claimed else warned(message)
    if silent:
        return not_observed(
            f"of what {of_edition} requires, the statement gives no list for {len(silent)}: {words.listed(silent, 4)}",
            probed.at("metadata", "/rest/0/resource"),
        )
    return passed(f"Everything that {of_edition} requires of the types declared is declared")


#: Signs in the label of a requirement of a type.
_MARKS = frozenset(".?/")


def is_row(label: str) -> bool:
    """Whether a requirement is one of a type (``Goal.read``), not a profile or one of the whole statement."""
    return not _MARKS.isdisjoint(label)


@check(
    "USC-003",
    "Patient and one type more of US Core are declared",
    Severity.MEDIUM,
    _BEHAVIOUR,
    cite("G10"),
    rows=("UC-16",),
    needs="metadata",
    at="metadata#/rest/0/resource",
    level="SHALL",
)
def least(probed: CheckInput) -> Result:
    """That is all that the guide asks of every server; certification asks for the types that hold USCDI's data."""
    facts = _named(probed)
    types = facts.types_of(facts.closest)
    if not probed.capability.resources:
        return not_observed("the statement lists no types", probed.at("metadata", "/rest/0/resource"))
    if probed.capability.subsetted or probed.capability.limits:
        return not_observed("the statement was not read whole", probed.at("metadata"))
    if "Patient" not in probed.capability.resources:
        return failed("US Core is named, and Patient is not among the types declared")
    if len(probed.capability.resources.keys() & required_types()) < 2:
        return failed("US Core is named, and Patient is the only one of its types that is declared")
    if not types:
        return passed(f"Patient and others are declared, all that US Core {facts.closest} lists")
    return passed(
        f"Patient and others are declared; not declared, to which US Core {facts.closest} obliges nobody by itself: "
        f"{words.listed(types)}"
    )


@check(
    "USC-004",
    "The capabilities that certification asks for are listed",
    Severity.LOW,
    cite("G10"),
    rows=("UC-17",),
    needs="smart",
    rests_on=("metadata",),
    at="smart#/capabilities",
)
def capabilities(probed: CheckInput) -> Result:
    """ONC's criterion (g)(10), as Inferno tests it; only certified systems owe them, and US Core hints at one."""
    facts = _certification(probed)
    probed.listed("capabilities")
    if facts.missing:
        return not_observed(
            f"whether the server is certified no document says; of the {facts.required} capabilities of (g)(10) with "
            f"SMART {facts.smart_version}, not listed: {words.listed(facts.missing)}",
            probed.at("smart", "/capabilities"),
        )
    return passed(f"All {facts.required} capabilities of (g)(10) with SMART {facts.smart_version} are listed")


@check(
    "USC-005",
    "Granular scopes are listed",
    Severity.LOW,
    cite("UC8", "additional-us-core-requirements", "Scopes", page="scopes.html"),
    cite("G10"),
    rows=("UC-10", "UC-13"),
    needs="smart",
    rests_on=("metadata",),
    at="smart#/scopes_supported",
    level="SHALL",
)
def granular(probed: CheckInput) -> Result:
    """SHALL be supported from US Core 7.0 on, and be listed in 8.0; with 6.1.0 certified systems owe them.

    Only scopes of types that the statement declares count. A list without one of them does not say that it is refused.
    """
    facts = _certification(probed)
    if not facts.granular_listed and not facts.granular_unlisted:
        return not_applicable(f"US Core {facts.edition} asks for none", probed.at("smart", "/scopes_supported"))
    probed.listed("scopes_supported")
    number = len(facts.granular_listed) + len(facts.granular_unlisted)
    if not facts.granular_unlisted:
        return passed(f"All {number} granular scopes are listed")
    names = words.listed([scope_name(scope) for scope in facts.granular_unlisted])
    message = f"{len(facts.granular_unlisted)} of {number} granular scopes are not listed: {names}"
    if facts.edition == "8.0.0" and facts.edition in _named(probed).claimed:
        return failed(f"{message}; US Core 8.0.0 wants them listed")
    return not_observed(f"{message}, which does not say that they are refused", probed.at("smart", "/scopes_supported"))


def scope_name(scope: str) -> str:
    """``Condition health-concern`` for the scope of that category."""
    return f"{scope.partition('.')[0]} {scope.rpartition('|')[2]}"


@check(
    "USC-006",
    "Introspection is named where US Core asks for it",
    Severity.LOW,
    cite("UC7", "", "Scopes: token introspection", page="scopes.html"),
    cite("UC8", "", "Scopes: token introspection", page="scopes.html"),
    rows=("UC-09",),
    needs="smart",
    rests_on=("metadata",),
    at="smart#/introspection_endpoint",
    level="SHALL",
)
def introspection(probed: CheckInput) -> Result:
    """From 7.0 on; a server that claims an earlier edition owes none."""
    probed.require("metadata")
    facts = _named(probed)
    claims = [number for number in facts.claimed if number in {"7.0.0", "8.0.0"}]
    if not claims:
        return not_applicable("neither US Core 7.0.0 nor 8.0.0 is claimed", probed.at("metadata", "/instantiates"))
    if probed.smart.source != "well-known":
        return not_observed("the SMART configuration was not seen", probed.at("smart"))
    return (
        passed("introspection_endpoint is there")
        if probed.smart.introspection_endpoint is not None
        else failed(f"introspection_endpoint is not there, and US Core {claims[-1]} is claimed")
    )
