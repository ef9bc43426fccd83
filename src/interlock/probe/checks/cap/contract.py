"""CAP, the contract: what the workflow contract needs of the server, and what the statement declares.

What was not published is not refused: only what a list positively leaves out is a failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from interlock.fhir.tables.us_core import derived_profiles
from interlock.model import words
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
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

if TYPE_CHECKING:
    from interlock.model.contract import NeedMatch

_Kind = Literal["resource", "interaction", "search_parameter", "operation", "profile"]
_PROFILES = ("http://hl7.org/fhir/us/core/StructureDefinition/", "http://hl7.org/fhir/StructureDefinition/")


def _named(match: NeedMatch) -> str:
    """A need as a reader knows it: ``Patient``, ``Patient.read``, ``Patient?name``, ``Patient: us-core-patient``."""
    if match.kind == "resource" or match.resource is None:
        return match.name
    name = match.name
    for prefix in _PROFILES if match.kind == "profile" else ():
        name = name.removeprefix(prefix)
    return f"{match.resource}{ {'search_parameter': '?', 'profile': ': '}.get(match.kind, '.') }{name}"


def _builds_on_them(probed: CheckInput, needs: Iterable[NeedMatch]) -> str:
    """Declared profiles that build on those that the contract names and the statement does not, as the rest of a
    sentence."""
    silent = (match.name.partition("|")[0] for match in needs if match.outcome == "undeclared")
    stated = {profile.partition("|")[0] for profile in probed.profiles}
    derived = {name.rpartition("/")[2] for profile in silent for name in derived_profiles(profile) & stated}
    names = sorted(derived, key=lambda name: (not name.startswith("us-core-"), name))
    return f"; declared are {words.listed(names, 2)}, which build on it" if derived else ""


@check(
    "CAP-050",
    "The FHIR release is the contract's",
    Severity.HIGH,
    cite("R4-CSD", "CapabilityStatement.fhirVersion", "CapabilityStatement.fhirVersion"),
    rows=("CS-04",),
    needs="contract",
    rests_on=("metadata",),
    at="metadata#/fhirVersion",
    level="contract",
)
def same_release(probed: CheckInput) -> Result:
    """An organisation may have a base for each release: another one here says nothing of the others."""
    probed.require("metadata")
    match = next(match for match in given(probed.fit).matches if match.kind == "release")
    if match.outcome == "missing":
        stated = f"{probed.capability.fhir_release} ({quoted(probed.capability.fhir_version or '', 20)})"
        return failed(f"The product's contract is written for {match.name}; this base is of {stated}")
    if match.outcome == "undeclared":
        return warned(capitalized(match.note or "the statement names no release"))
    return passed(f"The statement is of {match.name}, as the contract is")


def _need(check_id: str, kind: _Kind, title: str, severity: Severity, element: str, row: str) -> None:
    """Register the comparison of one kind of need; what is of a type that is not declared is told with that type."""
    source = cite("R4-CSD", element, element)

    @check(
        check_id,
        title,
        severity,
        source,
        rows=(row,),
        needs="contract",
        rests_on=("metadata",),
        at="metadata#/rest/0/resource",
        level="contract",
    )
    def compare(probed: CheckInput) -> Result:
        """What a list leaves out is missing; what the statement does not list at all is unknown."""
        every = given(probed.fit).matches
        matches = [match for match in every if match.kind == kind]
        if not matches:
            raise NeedError(not_applicable("the contract needs none"))
        probed.require("metadata")
        lost = [match for match in every if match.outcome == "missing" and match.kind in {"release", "resource"}]
        if any(match.kind == "release" for match in lost):
            raise NeedError(
                not_applicable("the contract is written for another release than this base's (see CAP-050)")
            )
        types = {match.name for match in lost} if kind != "resource" else set()
        declared = [match for match in matches if match.resource not in types]

        def names(outcome: str, *, optional: bool) -> str:
            return quoted_list(
                _named(match) for match in declared if match.outcome == outcome and (optional or not match.optional)
            )

        if missing := names("missing", optional=False):
            return failed(f"Needed by the contract and not declared: {missing}")
        if lacking := names("missing", optional=True):
            return warned(f"Optional in the contract, and not declared: {lacking}")
        if silent := names("undeclared", optional=True):
            more = _builds_on_them(probed, declared) if kind == "profile" else ""
            return warned(f"Needed by the contract, and the statement does not say: {silent}{more}")
        if wrong := names("not_fhir", optional=True):
            return not_observed(f"no server was asked for what FHIR has no name for: {wrong}")
        if len(declared) < len(matches):
            raise NeedError(not_applicable("what is missing is of types that are not declared at all (see CAP-051)"))
        return passed(f"All {len(matches)} are declared")


_RESOURCE = "CapabilityStatement.rest.resource"
_need("CAP-051", "resource", "The contract's resource types are declared", Severity.HIGH, _RESOURCE, "CS-11")
_need(
    "CAP-052",
    "interaction",
    "The contract's interactions are declared",
    Severity.HIGH,
    f"{_RESOURCE}.interaction",
    "CS-11",
)
_need(
    "CAP-053",
    "search_parameter",
    "The contract's search parameters are declared",
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
