"""What patterns know of an organisation beyond its own facts: hosts, and what it shares with other organisations.

Everything is counted once over all organisations, so that no pattern has to compare each with each.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from interlock.judge.variables import RuleInputs
from interlock.model.facts import CapabilityFacts, SmartFacts
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.pattern import Peers

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


def sites(inputs: RuleInputs) -> dict[str, dict[str, Any]]:
    """The variable ``site`` of every organisation by its id, in their order; what is not known is left out."""
    members: dict[str, list[str]] = defaultdict(list)
    sharing: dict[tuple[bool, str, str], list[str]] = defaultdict(list)
    hosts = {org.id: _hosts(org, inputs.observations.get(org.id)) for org in inputs.organizations}
    shared = {
        org.id: _shared_values(org, hosts[org.id], inputs.observations.get(org.id)) for org in inputs.organizations
    }
    for org in inputs.organizations:
        members[_software(org)].append(org.id)
        for kind, value in shared[org.id].items():
            sharing[org.environment == "production", kind, value].append(org.id)
    groups = {software: _vendor_group(ids, inputs) for software, ids in members.items()}

    def peers(org: str, production: bool) -> dict[str, tuple[str, ...]]:
        alike = {kind: sharing.get((production, kind, value), ()) for kind, value in shared[org].items()}
        others = {kind: [peer for peer in ids[: MAX_PEERS + 1] if peer != org] for kind, ids in alike.items()}
        return {kind: tuple(others.get(kind, ())[:MAX_PEERS]) for kind in Peers.model_fields}

    return {
        org.id: {
            **_observed(inputs.observations.get(org.id)),
            "hosts": hosts[org.id],
            "overrides": tuple(sorted(org.overrides)),
            "same": peers(org.id, org.environment == "production"),
            "across": peers(org.id, org.environment != "production"),
            "vendor_group": groups[_software(org)],
        }
        for org in inputs.organizations
    }


def _software(org: Organization) -> str:
    """What organisations with the same software have in common: the vendor, unless that says nothing."""
    return f"org {org.id}" if org.vendor == _NO_GROUP else org.vendor


def _shared_values(org: Organization, hosts: Mapping[str, str], observation: Observation | None) -> dict[str, str]:
    smart = observation.facts.smart if observation else None
    return _known(
        base_url=org.fhir_base_url.lower() if org.fhir_base_url else None,
        host=hosts.get("base"),
        client_id=org.auth.client_id_env,
        private_key=org.auth.private_key_env,
        issuer=smart.issuer if smart else None,
    )


def _vendor_group(ids: Sequence[str], inputs: RuleInputs) -> dict[str, Any]:
    observations = [inputs.observations[org] for org in ids if org in inputs.observations]
    statements = [observation.facts.capability for observation in observations if observation.facts.capability]
    versions = {statement.software.get("version") for statement in statements}
    return {
        "members": len(ids),
        "observed": sum(observation.outcome != "not_observed" for observation in observations),
        "versions": tuple(sorted(version for version in versions if version)),
    }


def _hosts(org: Organization, observation: Observation | None) -> dict[str, str]:
    smart = observation.facts.smart if observation else None
    statement = observation.facts.capability if observation else None
    return _known(
        base=_host(observation.target.base_url if observation else org.fhir_base_url),
        implementation=_host(statement.implementation_url) if statement else None,
        issuer=_host(smart.issuer) if smart else None,
        authorization=_host(smart.authorization_endpoint) if smart else None,
        token=_host(smart.token_endpoint) if smart else None,
    )


def _known(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _observed(observation: Observation | None) -> dict[str, Any]:
    if observation is None:
        return {"observed": "never_probed"}
    facts = observation.facts
    values = {
        "observed": observation.outcome,
        "metadata": _metadata(observation),
        "implementation": _implementation(observation),
        "writes_without_interaction": _writes_without_interaction(facts.capability, facts.smart),
    }
    return {name: value for name, value in values.items() if value is not None}


def _metadata(observation: Observation) -> str | None:
    readings = [
        request.reading for request in observation.requests if request.purpose == "metadata" and request.reading
    ]
    return "document" if "document" in readings else readings[-1] if readings else None


def _implementation(observation: Observation) -> str | None:
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
    claimed = {match.group(1) for scope in smart.scopes_supported or () if (match := _WRITE_SCOPE.match(scope))}
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
