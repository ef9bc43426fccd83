"""CAP and SMART against the workflow contract: what it needs, and what this organisation publishes.

What was not published is not refused: only what a list positively leaves out is a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from interlock.fhir.auth_path import auth_paths
from interlock.fhir.scopes import covers
from interlock.model.auth_path import AuthPath
from interlock.model.base import Severity
from interlock.model.observation import SmartFacts
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    failed,
    listed,
    not_applicable,
    not_observed,
    passed,
    warned,
)
from interlock.probe.checks.sources import cite

if TYPE_CHECKING:
    from interlock.model.contract import ContractFit, NeedMatch, WorkflowContract

CAP = Family("CAP")
SMART = Family("SMART")
FAMILIES = (CAP, SMART)

_Kind = Literal["resource", "interaction", "search_parameter", "operation", "profile", "release"]


def _given(seen: CheckInput) -> tuple[WorkflowContract, ContractFit]:
    if seen.contract is None or seen.fit is None:
        raise LookupError("a check looked at a contract that it did not declare to need")
    return seen.contract, seen.fit


def _need(number: int, kind: _Kind, title: str, severity: Severity, element: str, row: str) -> None:
    """Register the comparison of one kind of need."""
    where = "/fhirVersion" if kind == "release" else "/rest/0/resource"

    @CAP.check(
        number, title, severity, cite("R4-CSD", element, element), rows=(row,), needs="contract", level="contract"
    )
    def compare(seen: CheckInput) -> Result:
        """What a list leaves out is missing; what the statement does not list at all is unknown."""
        matches = [match for match in _given(seen)[1].matches if match.kind == kind]
        return _compared(matches, seen, where)


def _compared(matches: list[NeedMatch], seen: CheckInput, pointer: str) -> Result:
    if not matches:
        return not_applicable("the contract needs none")
    where = seen.at("metadata", pointer)
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
    return listed(
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

_CAPABILITIES = cite("SM-CONF", "capabilities", "Capabilities")


def _launch(mode: Literal["ehr", "standalone", "backend"], number: int, title: str) -> None:
    """Register the auth path of one launch mode."""
    source = cite("SM-BACK", "request-1", "Request") if mode == "backend" else _CAPABILITIES
    rows = ("SET-T", "BCK-01") if mode == "backend" else ("CPB-01", "FLD-03", "FLD-04")

    @SMART.check(number, title, Severity.CRITICAL, source, rows=rows, needs="contract", level="contract")
    def path(seen: CheckInput) -> Result:
        """Worked out from capabilities, endpoints, grant types and authentication methods together."""
        if mode not in _given(seen)[0].launch.modes:
            return not_applicable("the contract does not use this launch mode")
        found = _path(seen, mode)
        where = seen.at("smart", "/grant_types_supported" if mode == "backend" else "/capabilities")
        if found.state == "possible":
            return passed(found.summary(), where)
        if found.state == "not_offered":
            return failed(f"Needed by the contract: {found.summary()}", where)
        return not_observed(found.reason, where)


def _path(seen: CheckInput, mode: str) -> AuthPath:
    paths = auth_paths(seen.facts.smart, absent=seen.is_absent("smart"), why=seen.why_unseen("smart"))
    return next(path for path in paths if path.mode == mode)


_launch("ehr", 50, "The contract's EHR launch has an auth path")
_launch("standalone", 51, "The contract's standalone launch has an auth path")
_launch("backend", 52, "The contract's backend service has an auth path")


def _smart_need(
    number: int, title: str, severity: Severity, rows: tuple[str, ...]
) -> Callable[[Callable[[CheckInput, WorkflowContract, SmartFacts], Result]], None]:
    def register(run: Callable[[CheckInput, WorkflowContract, SmartFacts], Result]) -> None:
        @SMART.check(number, title, severity, _CAPABILITIES, rows=rows, needs="contract", level="contract")
        def compare(seen: CheckInput) -> Result:
            if seen.facts.smart is None:
                return not_observed(seen.why_unseen("smart"), seen.at("smart"))
            return run(seen, _given(seen)[0], seen.facts.smart)

        compare.__doc__ = run.__doc__

    return register


@_smart_need(53, "The contract's launch context is offered", Severity.HIGH, ("CPB-06", "CPB-07"))
def context(seen: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """``context-ehr-patient`` and its siblings, for each launch mode and context that the contract names."""
    modes = [mode for mode in contract.launch.modes if mode != "backend"]
    wanted = [f"context-{mode}-{kind}" for mode in modes for kind in contract.launch.context if kind != "user"]
    where = seen.at("smart", "/capabilities")
    if not wanted:
        return not_applicable("the contract needs no launch context")
    if smart.capabilities is None:
        return not_observed("the capabilities are not listed", where)
    missing = [name for name in wanted if name not in smart.capabilities]
    if missing:
        return failed(f"Needed by the contract and not listed: {', '.join(missing)}", where)
    return passed(f"Listed: {', '.join(wanted)}", where)


@_smart_need(54, "The contract's kind of client is accepted", Severity.HIGH, ("CPB-03",))
def client(seen: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """public, or confidential with a secret or a key."""
    wanted = contract.launch.client
    where = seen.at("smart", "/capabilities")
    if wanted is None:
        return not_applicable("the contract does not say which kind of client the product is")
    if smart.capabilities is None:
        return not_observed("the capabilities are not listed", where)
    if wanted in smart.client_types:
        return passed(f"client-{wanted} is listed", where)
    offered = listed(smart.client_types) or "none"
    return failed(f"The product is a client-{wanted}; listed: {offered}", where)


@_smart_need(55, "The contract's scopes are listed", Severity.MEDIUM, ("FLD-13", "SCO-07", "SCO-08"))
def scopes(seen: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """The list need not be complete: what it leaves out has to be asked, and is not refused."""
    needed = [match.name for match in _given(seen)[1].matches if match.kind == "scope"]
    where = seen.at("smart", "/scopes_supported")
    if not needed:
        return not_applicable("the contract needs no scope")
    if smart.scopes_supported is None:
        return not_observed("scopes_supported is not listed", where)
    silent = [scope for scope in needed if not covers(smart.scopes_supported, scope)]
    if silent:
        return warned(
            f"Not listed, and to be asked for (the list need not be complete): {listed(silent)}; "
            f"{len(needed) - len(silent)} of {len(needed)} are listed",
            where,
        )
    return passed(f"All {len(needed)} scopes are listed", where)


@_smart_need(56, "A browser client can be public and use PKCE", Severity.HIGH, ("CPB-03", "AUT-03"))
def browser(seen: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """A client that lives in a browser cannot keep a secret."""
    where = seen.at("smart", "/capabilities")
    if not contract.launch.browser:
        return not_applicable("the contract has no client in a browser")
    if smart.capabilities is None:
        return not_observed("the capabilities are not listed", where)
    if "client-public" not in smart.capabilities:
        return failed("The product's client lives in a browser, and client-public is not listed", where)
    if smart.pkce_s256 is False:
        return failed("client-public is listed, but PKCE with S256 is not", where)
    return passed("client-public is listed", where)
