"""``test-plan.md`` and ``endpoints.md``: what is tested of each need and each address, and by which test or person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.contract.fhir_names import searched_by
from interlock.contract.match import conditions_of
from interlock.contract.scopes import keyed_needs
from interlock.contract.skeletons.names import need_names
from interlock.contract.skeletons.pages import OPEN, by_hand, cell, held, page, table
from interlock.model.contract import Need
from interlock.model.facts import FhirRelease
from interlock.model.resolved import ResolvedContract, ResolvedOrganization

TEST_PLAN, ENDPOINTS = "test-plan.md", "endpoints.md"
_SIMULATED = "simulated: below the address that `interlock sandbox` prints"
_PLAN_ABOUT = (
    "Each test is run by its id, as `README.md` shows. What a test of this folder does not reach, the contract's test",
    "path names, and a person looks.",
)
_ENDPOINTS_ABOUT = (
    "The tests of this folder ask the organisations' servers and never the product's own addresses: a person looks at",
    "those, or the product's own tests do. Known: seen on the day that is named. *OPEN*: not observed, or not said.",
)


def plan_page(resolved: ResolvedContract) -> Mapping[str, str]:
    """The page of what is tested."""
    parts = (
        table("Of the server", ("What", "Held by"), _server(resolved)),
        table("Of each need", ("Need", "What", "Held by"), _needs(resolved)),
        table(
            "The contract's test path",
            ("Behaviour", "Where", "Why", "Runs a week", "Held by"),
            (
                (
                    cell(entry.behaviour),
                    entry.where,
                    cell(entry.why),
                    f"{entry.runs_per_week:g}" if entry.runs_per_week is not None else OPEN,
                    by_hand(resolved.contract, "test", "inputs"),
                )
                for entry in resolved.contract.test_path
            ),
        ),
    )
    return {TEST_PLAN: page("What is tested", resolved, _PLAN_ABOUT, parts)}


def endpoints_page(resolved: ResolvedContract) -> Mapping[str, str]:
    """The page of addresses."""
    parts = (
        table(
            "The product's own",
            ("Path", "Audience", "Patient data", "Authentication", "Held by"),
            (
                (
                    cell(endpoint.path),
                    cell(endpoint.audience),
                    "yes" if endpoint.carries_phi else "no",
                    cell(endpoint.authentication),
                    by_hand(resolved.contract, "endpoint"),
                )
                for endpoint in resolved.contract.endpoints
            ),
        ),
        table(
            "The organisations'",
            ("Organisation", "What", "Address", "Seen", "Held by"),
            (row for org in resolved.organizations for row in _addresses(org)),
        ),
    )
    return {ENDPOINTS: page("Endpoints", resolved, _ENDPOINTS_ABOUT, parts)}


def _addresses(org: ResolvedOrganization) -> Iterator[tuple[str, ...]]:
    server = org.server
    dated = server.date if server is not None else OPEN
    release = held("statement", "is_of_the_contracts_release")
    simulated = f", simulated: `interlock sandbox --orgs {org.simulated}`" if org.simulated else ""
    yield cell(org.name), "FHIR base", cell(org.fhir_base_url) + simulated, dated, release
    modes = dict.fromkeys(client.client.mode for client in org.clients)
    signs = [held("token", "sign_in_is_offered", mode) for mode in modes if mode != "backend"]
    backend = [held("token", "backend_token_is_given")] if "backend" in modes else []
    if signs:
        address = server.authorize if server is not None else None
        yield cell(org.name), "authorization", _SIMULATED if org.simulated else cell(address), dated, " ".join(signs)
    if signs or backend:
        address = server.token if server is not None else None
        yield (
            cell(org.name),
            "token",
            _SIMULATED if org.simulated else cell(address),
            dated,
            " ".join([*backend, *signs]),
        )


def _server(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    yield f"It is of FHIR {resolved.contract.fhir_release}", held("statement", "is_of_the_contracts_release")
    yield "It refuses a type outside the contract", held("access", "type_outside_the_contract_is_refused")


def _needs(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    names = need_names(resolved.contract)
    for key, need in keyed_needs(resolved.contract):
        name = names[key]
        for kind, detail, shown in _details(resolved.contract.fhir_release, need):
            yield name, f"{kind} {cell(detail)} is declared", held("statement", "is_declared", name, kind, shown)
        if key.startswith("inputs"):
            yield name, "is refused without a token", held("access", "without_a_token_is_refused", name)
            yield name, "is read", held("records", "is_read", name)
            for path in dict.fromkeys((*need.required_fields, *(missing.field for missing in need.missing))):
                yield name, f"{cell(path)} is recorded at least once", held("records", "field_is_recorded", name, path)
            for bound in need.binding:
                if bound.codes:
                    yield (
                        name,
                        f"codes of {cell(bound.path)}",
                        held("records", "codes_are_understood", name, bound.path),
                    )
        else:
            yield from _written(name, need)


def _written(name: str, need: Need) -> Iterator[tuple[str, ...]]:
    """What is tested of an output: as much as the contract says of it."""
    if "create" not in need.interactions:
        return
    yield name, "is created" + (", once" if need.writing.if_none_exist else ""), held("outputs", "is_created", name)
    if "update" not in need.interactions:
        return
    if need.status_flow:
        yield name, "moves through its states", held("outputs", "moves_through_its_states", name)
    if need.writing.if_match:
        yield name, "replaces no newer version", held("outputs", "newer_version_is_not_overwritten", name)


def _details(release: FhirRelease, need: Need) -> Iterator[tuple[str, str, str]]:
    """Kind, name and the name as an id has it, of everything that a need takes for granted of a statement."""
    yield "resource", need.resource, need.resource
    yield from (("interaction", interaction, interaction) for interaction in dict.fromkeys(need.interactions))
    yield from (("parameter", parameter, parameter) for parameter in searched_by(release, need))
    yield from (("operation", operation, operation.lstrip("$")) for operation in dict.fromkeys(need.operations))
    if need.profile:
        yield "profile", need.profile, need.profile.rpartition("/")[2]
    yield from (("condition", condition, condition) for condition in conditions_of(need))
