"""What patterns know of an organisation beyond its own facts: hosts, and what it shares with other organisations.

Everything is counted once over all organisations, so that no pattern has to compare each with each.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from interlock.judge.inputs import RuleInputs
from interlock.model.observation import CapabilityFacts, Observation, SmartFacts
from interlock.model.organization import Organization
from interlock.model.pattern import Hosts, Peers, Site, VendorGroup

#: How many other organisations are named as sharing one value.
MAX_PEERS = 50
#: How many resource types a disagreement between scopes and statement names.
MAX_TYPES = 50
_WRITES = frozenset({"create", "update", "patch", "delete"})
#: SMART scopes of one type that allow a change: v1 ``.write`` and ``.*``, v2 any of c, u and d.
_WRITE_SCOPE = re.compile(
    r"^(?:patient|user|system)/([A-Z][A-Za-z]{1,63})\.(?:write|\*|(?=[rs]*[cud])c?r?u?d?s?)(?:\?.*)?$"
)
#: A vendor's name that says nothing about who else has the same software.
_NO_GROUP = "other"

Implementation = Literal["same", "without_tenant", "other_path", "other_host"]
#: What is shared → its value → ids of the organisations that have it.
_Index = Mapping[str, Mapping[str, list[str]]]


def sites(inputs: RuleInputs) -> dict[str, Site]:
    """The site of every organisation by its id, in their order."""
    hosts = {org.id: _hosts(org, inputs.observations.get(org.id)) for org in inputs.organizations}
    shared = {
        org.id: _shared_values(org, hosts[org.id], inputs.observations.get(org.id)) for org in inputs.organizations
    }
    production = {org.id: org.environment == "production" for org in inputs.organizations}
    index: dict[bool, dict[str, dict[str, list[str]]]] = {kind: _empty_index() for kind in (False, True)}
    for org_id, values in shared.items():
        for what, value in values.items():
            index[production[org_id]][what][value].append(org_id)
    groups = _vendor_groups(inputs)
    return {
        org.id: _site(
            org,
            inputs.observations.get(org.id),
            hosts[org.id],
            _peers(org.id, shared[org.id], index[production[org.id]]),
            _peers(org.id, shared[org.id], index[not production[org.id]]),
            groups.get(org.vendor) or _group_of_one(org, inputs),
        )
        for org in inputs.organizations
    }


def _site(
    org: Organization, observation: Observation | None, hosts: Hosts, same: Peers, across: Peers, group: VendorGroup
) -> Site:
    facts = observation.facts if observation else None
    return Site(
        observed=observation.outcome if observation else "never_probed",
        metadata=_metadata(observation) if observation else None,
        hosts=hosts,
        implementation=_implementation(observation) if observation else None,
        writes_without_interaction=_writes_without_interaction(facts.capability, facts.smart) if facts else None,
        overrides=tuple(sorted(org.overrides)),
        same=same,
        across=across,
        vendor_group=group,
    )


def _empty_index() -> dict[str, dict[str, list[str]]]:
    return {what: defaultdict(list) for what in Peers.model_fields}


def _shared_values(org: Organization, hosts: Hosts, observation: Observation | None) -> dict[str, str]:
    smart = observation.facts.smart if observation else None
    values = {
        "base_url": org.fhir_base_url.lower() if org.fhir_base_url else None,
        "host": hosts.base,
        "client_id": org.auth.client_id_env,
        "private_key": org.auth.private_key_env,
        "issuer": smart.issuer if smart else None,
    }
    return {what: value for what, value in values.items() if value}


def _peers(org_id: str, values: Mapping[str, str], index: _Index) -> Peers:
    found = {}
    for what, value in values.items():
        members = index[what].get(value, [])
        found[what] = tuple(other for other in members[: MAX_PEERS + 1] if other != org_id)[:MAX_PEERS]
    return Peers(**found)


def _vendor_groups(inputs: RuleInputs) -> dict[str, VendorGroup]:
    members: dict[str, list[str]] = defaultdict(list)
    for org in inputs.organizations:
        if org.vendor != _NO_GROUP:
            members[org.vendor].append(org.id)
    return {vendor: _group(ids, inputs) for vendor, ids in members.items()}


def _group_of_one(org: Organization, inputs: RuleInputs) -> VendorGroup:
    return _group([org.id], inputs)


def _group(ids: list[str], inputs: RuleInputs) -> VendorGroup:
    seen = [inputs.observations[one] for one in ids if one in inputs.observations]
    statements = [one.facts.capability for one in seen if one.facts.capability]
    return VendorGroup(
        members=len(ids),
        observed=sum(one.outcome != "not_observed" for one in seen),
        versions=tuple(sorted({version for one in statements if (version := one.software.get("version"))})),
    )


def _hosts(org: Organization, observation: Observation | None) -> Hosts:
    smart = observation.facts.smart if observation else None
    statement = observation.facts.capability if observation else None
    return Hosts(
        base=_host(observation.target.base_url if observation else org.fhir_base_url),
        implementation=_host(statement.implementation_url) if statement else None,
        issuer=_host(smart.issuer) if smart else None,
        authorization=_host(smart.authorization_endpoint) if smart else None,
        token=_host(smart.token_endpoint) if smart else None,
    )


def _metadata(observation: Observation) -> str | None:
    readings = [
        request.reading for request in observation.requests if request.purpose == "metadata" and request.reading
    ]
    return "document" if "document" in readings else readings[-1] if readings else None


def _implementation(observation: Observation) -> Implementation | None:
    statement = observation.facts.capability
    if statement is None or statement.implementation_url is None:
        return None
    named, probed = _split(statement.implementation_url), _split(observation.target.base_url)
    if named is None or probed is None or not named.hostname:
        return None
    if named.hostname != probed.hostname:
        return "other_host"
    here, there = probed.path.rstrip("/"), named.path.rstrip("/")
    if here == there:
        return "same"
    return "without_tenant" if f"{here}/".startswith(f"{there}/") else "other_path"


def _writes_without_interaction(statement: CapabilityFacts | None, smart: SmartFacts | None) -> tuple[str, ...] | None:
    """Types whose write is claimed by a scope and not by the statement. Neither document is the truth."""
    if statement is None or smart is None or smart.source != "well-known":
        return None
    claimed = {found.group(1) for scope in smart.scopes_supported or () if (found := _WRITE_SCOPE.match(scope))}
    written = {kind for kind, facts in statement.resources.items() if _WRITES.intersection(facts.interactions)}
    return tuple(sorted(claimed - written)[:MAX_TYPES])


def _host(url: str | None) -> str | None:
    parts = _split(url) if url else None
    return parts.hostname if parts and parts.scheme.lower() in {"http", "https"} else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.hostname
    except ValueError:
        return None
    return parts
