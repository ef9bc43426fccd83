"""Ranks the changes between two observations by whether the workflow contract uses them."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.contract.match import concerns, interaction_code
from interlock.contract.scopes import needed_scopes
from interlock.fhir.scopes import covers, parse
from interlock.model import words
from interlock.model.contract import Need, WorkflowContract
from interlock.model.drift import RANKS, ChangeRank, DriftChange
from interlock.model.observation import Observation
from interlock.model.organization import Organization

_INTERACTIVE = frozenset({"ehr", "standalone"})
#: Endpoints and fields that a launch mode cannot do without (SMART App Launch 2.2).
_NEEDED_ADDRESSES = {
    "token_endpoint": frozenset({"ehr", "standalone", "backend"}),
    "authorization_endpoint": _INTERACTIVE,
    "jwks_uri": _INTERACTIVE,
}


def ranked(
    changes: Iterable[DriftChange], after: Observation, contract: WorkflowContract | None, org: Organization | None
) -> tuple[DriftChange, ...]:
    """The changes with their rank and their use in the contract, the most important first; order is kept within a rank.

    Without a contract nothing is known to be used. ``after`` tells whether a scope that left the list is still covered.
    """
    uses = _Uses(contract, org, after) if contract is not None else None
    with_rank = []
    for change in changes:
        use = uses.of(change) if uses is not None else None
        with_rank.append(change.model_copy(update={"uses": use, "rank": _rank(change, used=use is not None)}))
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
        self._modes = frozenset(contract.launch.modes)
        self._needs: dict[str, list[Need]] = {}
        for need in (*contract.inputs, *contract.outputs):
            if org is None or concerns(need, org):
                self._needs.setdefault(need.resource, []).append(need)

    def of(self, change: DriftChange) -> str | None:
        """The part of the contract that uses the thing that changed, in a few words, or none."""
        kind, name = change.kind, change.name
        if kind in {"base_url", "fhir_release", "anonymous_read"} or (kind == "tls" and name == "certificate accepted"):
            return "every request"
        if kind in {"resource", "interaction", "search_parameter", "profile", "operation"} and change.subject:
            return self._need(change)
        if kind == "data" and change.subject in self._needs:
            return f"inputs: {change.subject}"
        if kind == "scope":
            return self._scope(name)
        if kind == "endpoint":
            return self._modes_among(_NEEDED_ADDRESSES.get(name, frozenset()))
        if kind == "cors":
            return "launch: browser" if self._contract.launch.browser else None
        if kind == "check":
            return "the comparison with the contract" if change.subject == "contract" else self._check(name)
        return self._sign_in(change)

    def _need(self, change: DriftChange) -> str | None:
        for need in self._needs.get(change.subject or "", ()):
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

    def _modes_among(self, modes: frozenset[str]) -> str | None:
        shared = [mode for mode in self._contract.launch.modes if mode in modes]
        return f"launch: {words.listed(shared)}" if shared else None

    def _check(self, name: str) -> str | None:
        """Checks of the sample are about the contract's inputs; a few others every request rests on."""
        if name.startswith("DATA-"):
            return "inputs"
        return "every request" if name in {"NET-001", "NET-002", "NET-003", "NEG-002"} else None

    def _sign_in(self, change: DriftChange) -> str | None:
        launch, name = self._contract.launch, change.name
        if change.kind == "document" and name == "SMART configuration":
            return self._modes_among(frozenset({"ehr", "standalone", "backend"}))
        if change.kind == "launch_mode":
            return f"launch: {name}" if name in launch.modes else None
        if change.kind == "client_type":
            return f"launch: client {name}" if name == launch.client else None
        if change.kind in {"pkce", "issuer"}:
            return self._modes_among(_INTERACTIVE) if change.kind == "issuer" or name == "S256" else None
        if change.kind == "keys" and name == "usable keys":
            return self._modes_among(_INTERACTIVE)
        if change.kind == "grant_type":
            wanted = {"client_credentials": frozenset({"backend"}), "authorization_code": _INTERACTIVE}
            return self._modes_among(wanted.get(name, frozenset()))
        signs = launch.client == "confidential-asymmetric" or "backend" in launch.modes
        if change.kind == "auth_method" and name == "private_key_jwt" and signs:
            return "launch: client with a key"
        if change.kind == "signing_algorithm" and name in {"RS384", "ES384"} and signs:
            return "launch: client with a key"
        if change.kind == "capability":
            return self._capability(name)
        return None

    def _capability(self, name: str) -> str | None:
        launch = self._contract.launch
        wanted = {f"launch-{mode}" for mode in launch.modes if mode != "backend"}
        for mode in self._modes & _INTERACTIVE:
            wanted |= {f"context-{mode}-{context}" for context in launch.context if context != "user"}
            wanted.add("permission-patient" if "patient" in launch.context else "permission-user")
        if launch.client is not None:
            wanted.add("client-public" if launch.client == "public" else f"client-{launch.client}")
        return "launch" if name in wanted else None
