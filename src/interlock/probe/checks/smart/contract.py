"""SMART, the contract: what the workflow contract needs of sign-in and scopes, and what the server publishes.

What was not published is not refused: only what a list positively leaves out is a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from interlock.fhir.auth_path import auth_paths
from interlock.fhir.scopes import covers
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.observation import SmartFacts
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
    unseen,
    warned,
)
from interlock.probe.checks.sources import cite

if TYPE_CHECKING:
    from interlock.model.contract import WorkflowContract

FAMILY = Family("SMART")

_CAPABILITIES = cite("SM-CONF", "capabilities", "Capabilities")


def _launch(mode: Literal["ehr", "standalone", "backend"], number: int, title: str) -> None:
    """Register the auth path of one launch mode."""
    source = cite("SM-BACK", "request-1", "Request") if mode == "backend" else _CAPABILITIES
    rows = ("SET-T", "BCK-01") if mode == "backend" else ("CPB-01", "FLD-03", "FLD-04")

    @FAMILY.check(number, title, Severity.CRITICAL, source, rows=rows, needs="contract", level="contract")
    def path(probed: CheckInput) -> Result:
        """Worked out from capabilities, endpoints, grant types and authentication methods together."""
        if mode not in given(probed.contract).launch.modes:
            return not_applicable("the contract does not use this launch mode")
        paths = auth_paths(probed.facts.smart, absent=probed.is_absent("smart"), why=probed.why_unseen("smart"))
        auth_path = next(path for path in paths if path.mode == mode)
        where = probed.at("smart", "/grant_types_supported" if mode == "backend" else "/capabilities")
        if auth_path.state == "possible":
            return passed(auth_path.summary(), where)
        if auth_path.state == "not_offered":
            return failed(f"Needed by the contract: {auth_path.summary()}", where)
        return not_observed(auth_path.reason, where)


_launch("ehr", 50, "The contract's EHR launch has an auth path")
_launch("standalone", 51, "The contract's standalone launch has an auth path")
_launch("backend", 52, "The contract's backend service has an auth path")


def _smart_need(
    number: int, title: str, severity: Severity, rows: tuple[str, ...]
) -> Callable[[Callable[[CheckInput, WorkflowContract, SmartFacts], Result]], None]:
    def register(run: Callable[[CheckInput, WorkflowContract, SmartFacts], Result]) -> None:
        @FAMILY.check(number, title, severity, _CAPABILITIES, rows=rows, needs="contract", level="contract")
        def compare(probed: CheckInput) -> Result:
            if probed.facts.smart is None:
                return unseen(probed, "smart")
            return run(probed, given(probed.contract), probed.facts.smart)

        compare.__doc__ = run.__doc__

    return register


@_smart_need(53, "The contract's launch context is offered", Severity.HIGH, ("CPB-06", "CPB-07"))
def context(probed: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """``context-ehr-patient`` and its siblings, for each launch mode and context that the contract names."""
    modes = [mode for mode in contract.launch.modes if mode != "backend"]
    wanted = [f"context-{mode}-{kind}" for mode in modes for kind in contract.launch.context if kind != "user"]
    where = probed.at("smart", "/capabilities")
    if not wanted:
        return not_applicable("the contract needs no launch context")
    if smart.capabilities is None:
        return not_observed("the capabilities are not listed", where)
    missing = [name for name in wanted if name not in smart.capabilities]
    if missing:
        return failed(f"Needed by the contract and not listed: {words.listed(missing)}", where)
    return passed(f"Listed: {words.listed(wanted)}", where)


@_smart_need(54, "The contract's kind of client is accepted", Severity.HIGH, ("CPB-03",))
def client(probed: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """public, or confidential with a secret or a key."""
    wanted = contract.launch.client
    where = probed.at("smart", "/capabilities")
    if wanted is None:
        return not_applicable("the contract does not say which kind of client the product is")
    if smart.capabilities is None:
        return not_observed("the capabilities are not listed", where)
    if wanted in smart.client_types:
        return passed(f"client-{wanted} is listed", where)
    offered = quoted_list(smart.client_types) or "none"
    return failed(f"The product is a client-{wanted}; listed: {offered}", where)


@_smart_need(55, "The contract's scopes are listed", Severity.MEDIUM, ("FLD-13", "SCO-07", "SCO-08"))
def scopes(probed: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """The list need not be complete: what it leaves out has to be asked, and is not refused."""
    needed = [match.name for match in given(probed.fit).matches if match.kind == "scope"]
    where = probed.at("smart", "/scopes_supported")
    if not needed:
        return not_applicable("the contract needs no scope")
    if smart.scopes_supported is None:
        return not_observed("scopes_supported is not listed", where)
    silent = [scope for scope in needed if not covers(smart.scopes_supported, scope)]
    if silent:
        return warned(
            f"Not listed, and to be asked for (the list need not be complete): {quoted_list(silent)}; "
            f"{len(needed) - len(silent)} of {len(needed)} are listed",
            where,
        )
    return passed(f"All {len(needed)} scopes are listed", where)


@_smart_need(56, "A browser client can be public and use PKCE", Severity.HIGH, ("CPB-03", "AUT-03"))
def browser(probed: CheckInput, contract: WorkflowContract, smart: SmartFacts) -> Result:
    """A client that lives in a browser cannot keep a secret."""
    where = probed.at("smart", "/capabilities")
    if not contract.launch.browser:
        return not_applicable("the contract has no client in a browser")
    if smart.capabilities is None:
        return not_observed("the capabilities are not listed", where)
    if "client-public" not in smart.capabilities:
        return failed("The product's client lives in a browser, and client-public is not listed", where)
    if smart.pkce_s256 is False:
        return failed("client-public is listed, but PKCE with S256 is not", where)
    return passed("client-public is listed", where)
