"""Ranks the changes between two observations by whether the workflow contract uses them."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.contract.match import concerns, interaction_code
from interlock.contract.scopes import needed_scopes
from interlock.fhir.scopes import covers, parse
from interlock.model import words
from interlock.model.contract import WorkflowContract
from interlock.model.drift import RANKS, ChangeRank, DriftChange
from interlock.model.observation import Observation
from interlock.model.organization import Organization

_INTERACTIVE = frozenset({"ehr", "standalone"})
#: What the launch modes cannot do without, by kind and name of the change (SMART App Launch 2.2).
_NEEDED_BY_MODES = {
    ("endpoint", "token_endpoint"): _INTERACTIVE | {"backend"},
    ("endpoint", "authorization_endpoint"): _INTERACTIVE,
    ("endpoint", "jwks_uri"): _INTERACTIVE,
    ("document", "SMART configuration"): _INTERACTIVE | {"backend"},
    ("pkce", "S256"): _INTERACTIVE,
    ("keys", "usable keys"): _INTERACTIVE,
    ("grant_type", "client_credentials"): frozenset({"backend"}),
    ("grant_type", "authorization_code"): _INTERACTIVE,
}
_SIGNING = {("auth_method", "private_key_jwt"), ("signing_algorithm", "RS384"), ("signing_algorithm", "ES384")}
#: Checks that every request rests on.
_EVERY_REQUEST = {"NET-001", "NET-002", "NET-003", "NEG-002"}


def ranked(
    changes: Iterable[DriftChange], after: Observation, contract: WorkflowContract | None, org: Organization | None
) -> tuple[DriftChange, ...]:
    """The changes with their rank and their use in the contract, the most important first; order is kept within a rank.

    Without a contract nothing is known to be used. ``after`` tells whether a scope that left the list is still covered.
    """
    uses = _Uses(contract, org, after) if contract is not None else None
    pairs = [(change, uses.of(change) if uses is not None else None) for change in changes]
    with_rank = (
        change.model_copy(update={"uses": use, "rank": _rank(change, used=bool(use))}) for change, use in pairs
    )
    return tuple(sorted(with_rank, key=lambda change: RANKS.index(change.rank)))


def _rank(change: DriftChange, *, used: bool) -> ChangeRank:
    if change.direction in {"removed", "worse"}:
        return "contract_broken" if used else "removed"
    if change.direction == "changed":
        return "contract_changed" if used else "changed"
    return "added"


class _Uses:
    """The uses that one contract makes of an organisation's server."""

    def __init__(self, contract: WorkflowContract, org: Organization | None, after: Observation) -> None:
        self._contract = contract
        self._after = after
        self._needs = [n for n in (*contract.inputs, *contract.outputs) if org is None or concerns(n, org)]

    def of(self, change: DriftChange) -> str | None:
        """The part of the contract that uses the thing that changed, in a few words, or none."""
        kind, name = change.kind, change.name
        if kind in {"base_url", "fhir_release", "anonymous_read"} or (kind == "tls" and name == "certificate accepted"):
            return "every request"
        if kind in {"resource", "interaction", "search_parameter", "profile", "operation"} and change.subject:
            return self._need(change)
        if kind == "data" and any(need.resource == change.subject for need in self._needs):
            return f"inputs: {change.subject}"
        if kind == "scope":
            return self._scope(name)
        if kind == "cors":
            return "launch: browser" if self._contract.launch.browser else None
        if kind == "check":
            if change.subject == "contract":
                return "the comparison with the contract"
            # Checks of the sample are about the contract's inputs.
            return "inputs" if name.startswith("DATA-") else "every request" if name in _EVERY_REQUEST else None
        return self._sign_in(kind, name)

    def _need(self, change: DriftChange) -> str | None:
        for need in self._needs:
            if need.resource != change.subject:
                continue
            direction = "outputs" if need in self._contract.outputs else "inputs"
            if change.kind == "resource":
                return f"{direction}: {need.resource}"
            codes = {
                "interaction": [interaction_code(interaction) for interaction in need.interactions],
                "search_parameter": list(need.search_parameters),
                "profile": [need.profile.partition("|")[0]] if need.profile else [],
                "operation": [operation.lstrip("$") for operation in need.operations],
            }[change.kind]
            name = change.name.partition("|")[0] if change.kind == "profile" else change.name
            if name in codes:
                return f"{direction}: {need.resource}"
        return None

    def _scope(self, name: str) -> str | None:
        """A needed scope that the removed scope grants a part of, and that the list does not cover any more."""
        smart = self._after.facts.smart
        listed = smart.scopes_supported if smart is not None else None
        removed = parse(name)
        for needed in needed_scopes(self._contract):
            wanted = parse(needed)
            touches = name == needed or (
                removed is not None
                and wanted is not None
                and removed.level == wanted.level
                and removed.type in {"*", wanted.type}
                and bool(set(removed.letters) & set(wanted.letters))
            )
            if touches and not covers(listed or (), needed):
                return f"scope {needed}"
        return None

    def _sign_in(self, kind: str, name: str) -> str | None:
        launch = self._contract.launch
        needed_by = _INTERACTIVE if kind == "issuer" else _NEEDED_BY_MODES.get((kind, name), frozenset())
        if shared := [mode for mode in launch.modes if mode in needed_by]:
            return f"launch: {words.listed(shared)}"
        if kind == "launch_mode" and name in launch.modes:
            return f"launch: {name}"
        if kind == "client_type" and name == launch.client:
            return f"launch: client {name}"
        if (kind, name) in _SIGNING and (launch.client == "confidential-asymmetric" or "backend" in launch.modes):
            return "launch: client with a key"
        return self._capability(name) if kind == "capability" else None

    def _capability(self, name: str) -> str | None:
        launch = self._contract.launch
        wanted = {f"launch-{mode}" for mode in launch.modes if mode != "backend"}
        for mode in _INTERACTIVE & set(launch.modes):
            wanted |= {f"context-{mode}-{context}" for context in launch.context if context != "user"}
            wanted.add("permission-patient" if "patient" in launch.context else "permission-user")
        if launch.client is not None:
            wanted.add("client-public" if launch.client == "public" else f"client-{launch.client}")
        return "launch" if name in wanted else None
