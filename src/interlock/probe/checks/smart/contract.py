"""SMART, the contract: what the workflow contract needs of sign-in and scopes, and what the server publishes.

What was not published is not refused: only what a list positively leaves out is a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from interlock.fhir.auth_path import auth_paths
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.facts import SmartFacts
from interlock.probe.checks.base import CheckInput, check, given
from interlock.probe.checks.results import (
    NeedError,
    Result,
    clauses,
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
    from interlock.model.contract import WorkflowContract

_CAPABILITIES = cite("SM-CONF", "capabilities", "Capabilities")
#: Kind of client → the methods by which such a client shows who it is (SMART 2.2; RFC 7591 section 2).
_METHODS = {
    "public": frozenset({"none"}),
    "confidential-symmetric": frozenset({"client_secret_basic", "client_secret_post"}),
    "confidential-asymmetric": frozenset({"private_key_jwt"}),
}


def _launch(check_id: str, mode: Literal["ehr", "standalone", "backend"], title: str) -> None:
    """Register the auth path of one launch mode."""
    source = cite("SM-BACK", "request-1", "Request") if mode == "backend" else _CAPABILITIES
    rows = ("SET-T", "BCK-01") if mode == "backend" else ("CPB-01", "FLD-03", "FLD-04")
    at = "smart#/grant_types_supported" if mode == "backend" else "smart#/capabilities"

    @check(
        check_id,
        title,
        Severity.CRITICAL,
        source,
        rows=rows,
        needs="contract",
        rests_on=("smart",),
        at=at,
        level="contract",
    )
    def path(probed: CheckInput) -> Result:
        """Worked out from capabilities, endpoints, grant types and authentication methods together."""
        if mode not in given(probed.contract).launch.modes:
            raise NeedError(not_applicable("the contract does not use this launch mode"))
        paths = auth_paths(probed.facts.smart, absent=probed.is_absent("smart"), why=probed.why_unseen("smart"))
        auth_path = next(path for path in paths if path.mode == mode)
        if auth_path.state == "possible":
            no_scope = f"{auth_path.reason}, but no system/ scope"
            return not_observed(no_scope) if auth_path.unclear else passed(auth_path.summary())
        return (
            failed(f"Needed by the contract and not listed: {auth_path.need()}")
            if auth_path.state == "not_offered"
            else not_observed(auth_path.reason)
        )


_launch("SMART-050", "ehr", "The contract's EHR launch has an auth path")
_launch("SMART-051", "standalone", "The contract's standalone launch has an auth path")
_launch("SMART-052", "backend", "The contract's backend service has an auth path")


def _compared(probed: CheckInput) -> tuple[WorkflowContract, SmartFacts]:
    """The contract, and what the server publishes.

    :raises NeedError: that was not seen.
    """
    return given(probed.contract), probed.smart


@check(
    "SMART-053",
    "The contract's launch context is offered",
    Severity.HIGH,
    _CAPABILITIES,
    rows=("CPB-06", "CPB-07"),
    needs="contract",
    rests_on=("smart",),
    at="smart#/capabilities",
    level="contract",
)
def context(probed: CheckInput) -> Result:
    """``context-ehr-patient`` and its siblings, for each launch mode and context that the contract names."""
    contract, _ = _compared(probed)
    modes = [mode for mode in contract.launch.modes if mode != "backend"]
    wanted = [f"context-{mode}-{kind}" for mode in modes for kind in contract.launch.context if kind != "user"]
    if not wanted:
        raise NeedError(not_applicable("the contract needs no launch context"))
    missing = [name for name in wanted if name not in probed.listed("capabilities")]
    return (
        failed(f"Needed by the contract and not listed: {words.listed(missing)}")
        if missing
        else passed(f"Listed: {words.listed(wanted)}")
    )


@check(
    "SMART-054",
    "The contract's kind of client is accepted",
    Severity.HIGH,
    _CAPABILITIES,
    rows=("CPB-03",),
    needs="contract",
    rests_on=("smart",),
    at="smart#/capabilities",
    level="contract",
)
def client(probed: CheckInput) -> Result:
    """public, or confidential with a secret or a key."""
    contract, smart = _compared(probed)
    wanted = contract.launch.client
    if wanted is None:
        raise NeedError(not_applicable("the contract does not say which kind of client the product is"))
    probed.listed("capabilities")
    if wanted in smart.client_types:
        return passed(f"client-{wanted} is listed")
    said = f"The product is a client-{wanted}, which is not among the capabilities"
    if methods := _METHODS[wanted].intersection(smart.token_endpoint_auth_methods_supported or ()):
        where = probed.at_fields("smart", ("capabilities", "token_endpoint_auth_methods_supported"))
        return warned(f"{said}, though {quoted_list(sorted(methods))} is listed as an authentication method", *where)
    listed = [f"client-{kind}" for kind in smart.client_types]
    return failed(f"{said}; listed: {quoted_list(listed) or 'no kind of client'}")


@check(
    "SMART-055",
    "The contract's scopes are listed",
    Severity.MEDIUM,
    _CAPABILITIES,
    rows=("FLD-13", "SCO-07", "SCO-08"),
    needs="contract",
    rests_on=("smart",),
    at="smart#/scopes_supported",
    level="contract",
)
def scopes(probed: CheckInput) -> Result:
    """The list need not be complete: what it leaves out has to be asked, and is not refused."""
    _compared(probed)
    needed = [match for match in given(probed.fit).matches if match.kind == "scope"]
    if not needed:
        raise NeedError(not_applicable("the contract needs no scope"))
    probed.listed("scopes_supported")
    partly = [match for match in needed if "listed with" in (match.note or "")]
    silent = [match.name for match in needed if match.outcome == "undeclared" and match not in partly]
    parts = [f"Listed with a restriction: {quoted(match.name)}: {match.note}" for match in partly]
    if silent:
        named = words.listed([quoted(name, 300) for name in silent], 30)  # whole, for they go into a mail
        parts.append(f"Not listed, and to be asked for (the list need not be complete): {named}")
    if parts:
        listed = sum(match.outcome == "supported" for match in needed)
        return warned(f"{clauses(parts)}; {listed} of {len(needed)} are listed as needed")
    return passed(f"All {len(needed)} scopes are listed")


@check(
    "SMART-056",
    "A browser client can be public and use PKCE",
    Severity.HIGH,
    _CAPABILITIES,
    rows=("CPB-03", "AUT-03"),
    needs="contract",
    rests_on=("smart",),
    at="smart#/capabilities",
    level="contract",
)
def browser(probed: CheckInput) -> Result:
    """A client that lives in a browser cannot keep a secret."""
    contract, smart = _compared(probed)
    if not contract.launch.browser:
        raise NeedError(not_applicable("the contract has no client in a browser"))
    if "client-public" not in probed.listed("capabilities"):
        return failed("The product's client lives in a browser, and client-public is not listed")
    if smart.pkce_s256 is None:
        return not_observed("client-public is listed; whether PKCE with S256 is supported is not declared")
    listed = "client-public and PKCE with S256 are listed; whether a browser may call the server is another question"
    return passed(listed) if smart.pkce_s256 else failed("client-public is listed, but PKCE with S256 is not")
