"""CAP, the contract: what the workflow contract needs of the server, and what the statement declares.

What was not published is not refused: only what a list positively leaves out is a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from interlock.model.base import Severity
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    failed,
    given,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

if TYPE_CHECKING:
    from interlock.model.contract import NeedMatch

FAMILY = Family("CAP")

_Kind = Literal["resource", "interaction", "search_parameter", "operation", "profile", "release"]


def _need(number: int, kind: _Kind, title: str, severity: Severity, element: str, row: str) -> None:
    """Register the comparison of one kind of need."""
    pointer = "/fhirVersion" if kind == "release" else "/rest/0/resource"

    @FAMILY.check(
        number, title, severity, cite("R4-CSD", element, element), rows=(row,), needs="contract", level="contract"
    )
    def compare(probed: CheckInput) -> Result:
        """What a list leaves out is missing; what the statement does not list at all is unknown."""
        matches = [match for match in given(probed.fit).matches if match.kind == kind]
        if not matches:
            return not_applicable("the contract needs none")
        where = probed.at("metadata", pointer)
        needed = [match for match in matches if not match.optional]
        missing = [match for match in needed if match.outcome == "missing"]
        if missing:
            return failed(f"Needed by the contract and not offered: {_names(missing)}", where)
        unseen = [match for match in matches if match.outcome == "not_observed"]
        if unseen:
            return not_observed("the capability statement was not seen", where)
        silent = [match for match in matches if match.outcome == "undeclared"]
        lost = [match for match in matches if match.outcome == "missing"]
        if lost:
            return warned(f"Optional in the contract, and not offered: {_names(lost)}", where)
        if silent:
            return warned(f"Needed by the contract, and the statement does not say: {_names(silent)}", where)
        return passed(f"All {len(matches)} are offered", where)


def _names(matches: list[NeedMatch]) -> str:
    return quoted_list(
        f"{match.resource}.{match.name}" if match.resource and match.kind != "resource" else match.name
        for match in matches
    )


_RESOURCE = "CapabilityStatement.rest.resource"
_need(50, "release", "The FHIR release is the contract's", Severity.HIGH, "CapabilityStatement.fhirVersion", "CS-04")
_need(51, "resource", "The contract's resource types are offered", Severity.HIGH, _RESOURCE, "CS-11")
_need(52, "interaction", "The contract's interactions are offered", Severity.HIGH, f"{_RESOURCE}.interaction", "CS-11")
_need(
    53,
    "search_parameter",
    "The contract's search parameters are offered",
    Severity.MEDIUM,
    f"{_RESOURCE}.searchParam",
    "CS-12",
)
_need(54, "profile", "The contract's profiles are declared", Severity.MEDIUM, f"{_RESOURCE}.supportedProfile", "CS-13")
_need(55, "operation", "The contract's operations are declared", Severity.MEDIUM, f"{_RESOURCE}.operation", "CS-14")
