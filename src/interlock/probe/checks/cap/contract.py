"""CAP, the contract: what the workflow contract needs of the server, and what the statement declares.

What was not published is not refused: only what a list positively leaves out is a failure.
"""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check, given
from interlock.probe.checks.results import (
    NeedError,
    Result,
    capitalized,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

_Kind = Literal["resource", "interaction", "search_parameter", "operation", "profile", "release"]


def _need(check_id: str, kind: _Kind, title: str, severity: Severity, element: str, row: str) -> None:
    """Register the comparison of one kind of need."""
    source = cite("R4-CSD", element, element)
    at = "metadata#/fhirVersion" if kind == "release" else "metadata#/rest/0/resource"

    @check(
        check_id,
        title,
        severity,
        source,
        rows=(row,),
        needs="contract",
        rests_on=("metadata",),
        at=at,
        level="contract",
    )
    def compare(probed: CheckInput) -> Result:
        """What a list leaves out is missing; what the statement does not list at all is unknown."""
        matches = [match for match in given(probed.fit).matches if match.kind == kind]
        if not matches:
            raise NeedError(not_applicable("the contract needs none"))

        def names(outcome: str, *, optional: bool) -> str:
            return quoted_list(
                f"{match.resource}.{match.name}" if match.resource and kind != "resource" else match.name
                for match in matches
                if match.outcome == outcome and (optional or not match.optional)
            )

        if missing := names("missing", optional=False):
            return failed(f"Needed by the contract and not offered: {missing}")
        if names("not_observed", optional=True):
            return not_observed("the capability statement was not seen")
        if lost := names("missing", optional=True):
            return warned(f"Optional in the contract, and not offered: {lost}")
        if kind == "release" and matches[0].outcome == "undeclared" and matches[0].note:
            return warned(capitalized(matches[0].note))
        if silent := names("undeclared", optional=True):
            return warned(f"Needed by the contract, and the statement does not say: {silent}")
        if wrong := names("not_fhir", optional=True):
            return not_observed(f"no server was asked for what FHIR has no name for: {wrong}")
        return passed(f"All {len(matches)} are offered")


_RESOURCE = "CapabilityStatement.rest.resource"
_need(
    "CAP-050",
    "release",
    "The FHIR release is the contract's",
    Severity.HIGH,
    "CapabilityStatement.fhirVersion",
    "CS-04",
)
_need("CAP-051", "resource", "The contract's resource types are offered", Severity.HIGH, _RESOURCE, "CS-11")
_need(
    "CAP-052",
    "interaction",
    "The contract's interactions are offered",
    Severity.HIGH,
    f"{_RESOURCE}.interaction",
    "CS-11",
)
_need(
    "CAP-053",
    "search_parameter",
    "The contract's search parameters are offered",
    Severity.MEDIUM,
    f"{_RESOURCE}.searchParam",
    "CS-12",
)
_need(
    "CAP-054",
    "profile",
    "The contract's profiles are declared",
    Severity.MEDIUM,
    f"{_RESOURCE}.supportedProfile",
    "CS-13",
)
_need(
    "CAP-055", "operation", "The contract's operations are declared", Severity.MEDIUM, f"{_RESOURCE}.operation", "CS-14"
)
