"""The contract resolved: what holds at each organisation, with what its server was last seen to say."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import get_args
from urllib.parse import urlsplit

from interlock.contract.match import need_matches
from interlock.contract.mistakes import mistakes
from interlock.contract.scopes import NeededScope, category_of, in_v1, keyed_needs, scopes_with_needs
from interlock.contract.settings import match_settings
from interlock.fhir.auth_path import auth_paths
from interlock.fhir.scopes import coverage, parse
from interlock.model.contract import WorkflowContract
from interlock.model.contract_parts import Client
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.resolved import (
    SIMULATED,
    ResolvedClient,
    ResolvedContract,
    ResolvedNeed,
    ResolvedOrganization,
    ResolvedScope,
    ResolvedSetting,
    ScopeSyntax,
    ServerAddress,
    ServerSeen,
)


def resolve(
    contract: WorkflowContract,
    organizations: Iterable[Organization],
    observations: Mapping[str, Observation],
    *,
    product: str,
    description: str | None,
    made: str,
) -> ResolvedContract:
    """What the contract means at each organisation, by its last observation; ``made`` is an ISO 8601 date."""
    organizations = tuple(organizations)
    wrong = mistakes(contract, [org.id for org in organizations])
    return ResolvedContract(
        made=made,
        product=product,
        description=description,
        contract_hash=contract.hash,
        mistakes=tuple(mistake.message for mistake in wrong),
        contract=contract,
        organizations=tuple(_organization(contract, org, observations.get(org.id)) for org in organizations),
    )


def _organization(
    contract: WorkflowContract, org: Organization, observation: Observation | None
) -> ResolvedOrganization:
    needs = tuple(_needs(contract, org, observation))
    here = contract.but(
        inputs=tuple(resolved.need for resolved in needs if resolved.direction == "input"),
        outputs=tuple(resolved.need for resolved in needs if resolved.direction == "output"),
    )
    keys = {key: resolved.key for (key, _), resolved in zip(keyed_needs(here), needs, strict=True)}
    return ResolvedOrganization(
        id=org.id,
        name=org.name,
        vendor=org.vendor,
        environment=org.environment,
        fhir_base_url=org.fhir_base_url,
        auth=org.auth,
        server=_server(org, observation),
        needs=needs,
        clients=tuple(_clients(here, org, observation, keys)),
        channels=tuple(way for way in contract.channels if not way.organizations or org.id in way.organizations),
        settings=tuple(_settings(contract, org)),
        stray=tuple(
            name for name in org.overrides if name not in {setting.name for setting in contract.organization_surface}
        ),
    )


def _needs(contract: WorkflowContract, org: Organization, observation: Observation | None) -> Iterator[ResolvedNeed]:
    """Those that it has there, without what is said of other organisations."""
    capability = observation.facts.capability if observation is not None else None
    for key, named in keyed_needs(contract):
        need = named.at(org.id)
        if need is not None:
            direction = "input" if key.startswith("inputs") else "output"
            matches = need_matches(contract.fhir_release, direction, need, capability)
            yield ResolvedNeed(
                key=key,
                direction=direction,
                need=need.but(here=(), not_at=(), organizations=()),
                open=tuple(match for match in matches if match.outcome != "supported"),
            )


def _server(org: Organization, observation: Observation | None) -> ServerSeen | None:
    if observation is None or observation.outcome == "not_observed":
        return None
    own = org.fhir_base_url or ""  # of a simulated one the address that was asked is gone
    capability, smart = observation.facts.capability, observation.facts.smart
    text = json.dumps(observation.model_dump(mode="json", exclude={"card"}), sort_keys=True)
    server = ServerSeen(
        date=observation.started.astimezone(UTC).date().isoformat(),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        base_url=own if own.startswith(SIMULATED) else observation.target.base_url,
        fhir_release=capability.fhir_release if capability else None,
        fhir_version=capability.fhir_version if capability else None,
        smart_absent=observation.smart_absent,
    )
    if smart is None:
        return _marked(server)
    claimed = smart.capabilities or ()
    told: dict[ScopeSyntax, bool] = {
        "v1": bool(smart.scopes_v1) or "permission-v1" in claimed,
        "v2": bool(smart.scopes_v2) or "permission-v2" in claimed,
    }
    server = server.but(
        issuer=smart.issuer,
        authorize=smart.authorization_endpoint,
        token=smart.token_endpoint,
        jwks=smart.jwks_uri,
        registration=smart.registration_endpoint,
        introspection=smart.introspection_endpoint,
        revocation=smart.revocation_endpoint,
        capabilities=smart.capabilities,
        scopes_supported=smart.scopes_supported,
        scope_syntax=tuple(syntax for syntax, taken in told.items() if taken),
    )
    return _marked(server)


def _marked(server: ServerSeen) -> ServerSeen:
    """With the names of its addresses that are of a simulated hospital: all of one's, and any on this computer."""
    told = {name: getattr(server, name) for name in get_args(ServerAddress)}
    simulated = server.base_url.startswith(SIMULATED)
    return server.but(simulated=tuple(name for name, url in told.items() if url and (simulated or _is_here(url))))


def _is_here(url: str) -> bool:
    """Whether an address is on the computer that asks."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _clients(
    here: WorkflowContract, org: Organization, observation: Observation | None, keys: Mapping[str, str]
) -> Iterator[ResolvedClient]:
    """Those of the organisation's environment, and one for each launch mode that none of them has."""
    smart = observation.facts.smart if observation is not None else None
    absent = observation is not None and observation.smart_absent
    paths = {path.mode: path for path in auth_paths(smart, absent=absent)}
    listed = smart.scopes_supported if smart is not None else None
    named = [client for client in here.clients if client.environment == org.environment]
    modes = {client.mode for client in named}
    implied = [
        Client(name=mode, mode=mode, environment=org.environment) for mode in here.launch.modes if mode not in modes
    ]
    for client in (*named, *implied):
        yield ResolvedClient(
            client=client,
            declared=client in named,
            authentication="confidential-asymmetric" if client.mode == "backend" else here.launch.client,
            path=paths[client.mode],
            scopes=tuple(_scope(scope, here, keys, listed) for scope in scopes_with_needs(here, client.mode)),
        )


def _scope(
    needed: NeededScope, here: WorkflowContract, keys: Mapping[str, str], listed: tuple[str, ...] | None
) -> ResolvedScope:
    scope = ResolvedScope(
        kind=needed.kind, v2=needed.scope, v1=in_v1(needed.scope), needs=tuple(keys[key] for key in needed.needs)
    )
    wanted = parse(needed.scope)
    if wanted is None or listed is None or not coverage(listed, needed.scope).restricted:
        return scope
    categories = {key: category_of(need) for key, need in keyed_needs(here) if key in needed.needs}
    covered: dict[str, None] = {}
    for text in listed:
        offered = parse(text)
        if offered is not None and (offered.level, offered.type) == (wanted.level, wanted.type):
            letters = "".join(letter for letter in wanted.letters if letter in offered.letters)
            values = {part.rpartition("|")[2].rpartition("=")[2] for part in offered.constraint}
            if letters and values & set(categories.values()):
                covered[f"{wanted.level}/{wanted.type}.{letters}?{text.partition('?')[2]}"] = None
    reached = {text.rpartition("|")[2].rpartition("=")[2] for text in covered}
    uncovered = tuple(keys[key] for key, category in categories.items() if category not in reached)
    return scope.but(narrower=tuple(covered), uncovered=uncovered)


def _settings(contract: WorkflowContract, org: Organization) -> Iterator[ResolvedSetting]:
    matches = {match.name: match for match in match_settings(contract, org)}
    for setting in contract.organization_surface:
        match = matches[setting.name]
        own = match.outcome == "own"
        value = org.overrides[setting.name] if own else setting.default
        if match.outcome == "mistyped":
            value, origin, note = None, "open", match.note
        elif match.outcome == "universal":
            origin, note = "default", f"{match.note}; the file sets another, which is not taken"
        elif value is None:
            origin, note = "open", "neither the organisation nor the contract gives a value"
        else:
            origin = "own" if own else "default"
            note = "the contract's default; nobody confirmed it here" if match.outcome == "defaulted" else None
        yield ResolvedSetting(
            name=setting.name,
            surface=setting.surface,
            type=setting.type,
            value=value,
            origin=origin,
            note=note,
        )
