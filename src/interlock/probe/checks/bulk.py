"""BULK: export of many patients' data as the statement declares it. It is never invoked: that would start a job."""

from __future__ import annotations

from interlock.fhir.bulk import redefinitions
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.facts import BulkFacts
from interlock.probe.checks.base import CheckInput, check, given
from interlock.probe.checks.results import (
    NeedError,
    Result,
    not_applicable,
    not_observed,
    passed,
    quoted,
    warned,
)
from interlock.probe.checks.sources import cite

_KICK_OFF = cite("BULK", "bulk-data-kick-off-request")


def _exporting(probed: CheckInput) -> BulkFacts:
    """What is declared of export.

    :raises NeedError: none is.
    """
    bulk = given(probed.facts.bulk)
    if not bulk.exports:
        raise NeedError(not_applicable("no export is declared", probed.at("metadata", "/rest/0/operation")))
    return bulk


@check(
    "BULK-001",
    "Bulk export is declared",
    Severity.LOW,
    _KICK_OFF,
    rows=("BLK-02", "BLK-04"),
    needs="metadata",
    at="metadata#/rest/0/operation",
    level="SHOULD",
)
def declared(probed: CheckInput) -> Result:
    """Any one of system, patient and group; certification asks for the group's. An undeclared one is unknown."""
    bulk = given(probed.facts.bulk)
    if bulk.instantiates and not bulk.exports:
        return warned("The bulk data statement is instantiated, but no export operation is declared")
    return passed(f"Export is declared for: {words.listed(_exporting(probed).exports)}")


@check(
    "BULK-002",
    "Export is declared by its definition",
    Severity.LOW,
    _KICK_OFF,
    rows=("BLK-03",),
    needs="metadata",
    at="metadata#/rest/0/operation",
    level="SHOULD",
)
def defined(probed: CheckInput) -> Result:
    """By name alone it may be an export of the server's own kind."""
    bulk = _exporting(probed)
    if bulk.redefined:
        more = ", and one by name only" if bulk.undefined else ""
        named = words.listed([quoted(address, 300) for address in redefinitions(probed.statement)], 2)
        return warned(
            f"An export is declared with a definition that is not the guide's ({named}){more}; it may build on the "
            "guide's: ask what it does"
        )
    return (
        warned("An export is declared by name only, without the guide's definition")
        if bulk.undefined
        else passed("Every export names the guide's definition")
    )


@check(
    "BULK-003",
    "Groups can be found where they can be exported",
    Severity.LOW,
    cite("BULK", "endpoint---group-of-patients"),
    rows=("BLK-08",),
    needs="metadata",
    at="metadata#/rest/0/resource",
    level="SHOULD",
)
def groups(probed: CheckInput) -> Result:
    """Read and search of Group SHOULD be supported with its export; who defines a group has to be asked."""
    if "group" not in given(probed.facts.bulk).exports:
        return not_applicable("no export of groups is declared")
    group = probed.capability.resources.get("Group")
    missing = [code for code in ("read", "search-type") if group is None or code not in group.interactions]
    return (
        warned(
            "Groups can be exported; Group SHOULD then be read and searched, so that clients find them, and the "
            f"statement does not declare {words.listed(missing, last='or')}; ask how a group is found"
        )
        if missing
        else passed("Group can be read and searched")
    )


@check(
    "BULK-004",
    "Export comes with backend services",
    Severity.MEDIUM,
    cite("BULK", "privacy-and-security-considerations"),
    rows=("BLK-01",),
    needs="metadata",
    rests_on=("smart",),
    at="smart#/grant_types_supported",
    level="SHOULD",
)
def with_backend(probed: CheckInput) -> Result:
    """SMART Backend Services SHOULD protect it."""
    _exporting(probed)
    if probed.facts.smart is None:
        return not_observed("the SMART configuration was not seen", probed.at("smart"))
    probed.listed("grant_types_supported")
    return (
        warned("Export is declared, and SMART Backend Services, which SHOULD protect it, are not listed")
        if "backend" not in probed.smart.launch_modes
        else passed("Backend services are listed")
    )
