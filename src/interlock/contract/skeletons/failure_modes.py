"""``failure-modes.md``: what the contract says of each failure, what the client then does, and what holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.contract.scopes import keyed_needs
from interlock.contract.skeletons.names import need_names
from interlock.contract.skeletons.pages import by_hand, cell, held, page, table
from interlock.contract.skeletons.suite import id_of_test, suite_functions
from interlock.model.contract import Need, WorkflowContract
from interlock.model.resolved import ResolvedContract

FAILURE_MODES = "failure-modes.md"
_ABOUT = (
    "The client raises an error of its own for each failure that it can meet, and it says the contract's words. Those",
    "that only the product itself can meet are looked at by hand. *OPEN*: the contract says nothing yet.",
)
#: Error of the client by failure; a test of the suite provokes each.
CLIENT_ERRORS: Mapping[str, str] = {
    "access_denied": "AccessDenied",
    "ehr_unavailable": "Unavailable",
    "truncated": "Truncated",
    "unknown_modifier": "UnknownModifier",
    "merged_patient": "MergedPatient",
    "too_slow": "TooSlow",
    "write_refused": "WriteRefused",
    "write_unknown": "WriteUnknown",
}


def exported_tests() -> frozenset[str]:
    """The ids of the tests that every exported contract has: without what they are repeated for, but for a failure."""
    of_failures = (id_of_test("failures", "client_does_what_the_contract_says", name) for name in CLIENT_ERRORS)
    return frozenset((*suite_functions(), *of_failures))


def failures_page(resolved: ResolvedContract) -> Mapping[str, str]:
    """The page."""
    parts = (
        table("Failures", ("Failure", "The contract says", "The client", "Held by"), _failures(resolved)),
        table("A field that is missing", ("Need", "Field", "Then", "Says", "Held by"), _fields(resolved)),
        table("When the output is wrong", ("Step", "The contract says", "Held by"), _wrong(resolved)),
        table("Safeguards", ("Safeguard", "The contract says", "Held by"), _safeguards(resolved)),
    )
    return {FAILURE_MODES: page("When it goes wrong", resolved, _ABOUT, parts)}


def _failures(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    contract, names = resolved.contract, need_names(resolved.contract)
    once = [
        names[key]
        for key, need in keyed_needs(contract)
        if key.startswith("outputs") and need.writing.if_none_exist and "create" in need.interactions
    ]
    for name, said in contract.failures:
        if name in CLIENT_ERRORS and not _can_be_met(contract, name):
            does, holding = "nothing: no need of the contract can meet it", by_hand(contract, "failure")
        elif name in CLIENT_ERRORS:
            does, holding = CLIENT_ERRORS[name], held("failures", "client_does_what_the_contract_says", name)
        elif name == "missing_field":
            does, holding = "MissingField", "each field below"
        elif name == "duplicate" and once:
            does, holding = "If-None-Exist", " ".join(held("outputs", "is_created", condition) for condition in once)
        else:
            does, holding = "nothing: the product's own", by_hand(contract, "failure", "review", "safeguard")
        yield name.replace("_", " "), cell(said), does, holding


def _can_be_met(contract: WorkflowContract, failure: str) -> bool:
    """Whether the contract has a need that its test provokes the failure with."""
    if failure == "merged_patient":
        return any(need.resource == "Patient" for need in contract.inputs)
    if failure.startswith("write"):
        return any("create" in need.interactions for need in contract.outputs)
    return any("search" in need.interactions for need in contract.inputs)


def _fields(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    names = need_names(resolved.contract)
    for key, need in keyed_needs(resolved.contract):
        reads = key.startswith("inputs")
        function = "without_a_field" if reads else "nothing_is_written_without"
        for path, then, says in _decided(need, resolved.contract.failures.missing_field):
            holding = held("failures", function, names[key], path)
            if not reads and "create" not in need.interactions:
                holding = by_hand(resolved.contract, "failure", "output")
            yield names[key], cell(path), then, cell(says), holding


def _decided(need: Need, usual: str | None) -> Iterator[tuple[str, str, str | None]]:
    """Each field, what then happens and the words; without words of its own those of the need, or of all."""
    decided = {missing.field: missing for missing in need.missing}
    for path in dict.fromkeys((*need.required_fields, *decided)):
        missing = decided.get(path)
        yield (
            path,
            missing.then if missing else "stop",
            (missing.says if missing else None) or need.when_missing or usual,
        )


def _wrong(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    contract, names = resolved.contract, need_names(resolved.contract)
    withdrawn = [
        held("outputs", "moves_through_its_states", names[key])
        for key, need in keyed_needs(contract)
        if key.startswith("outputs")
        and {"create", "update"} <= {*need.interactions}
        and any(step.state == "entered-in-error" for step in need.status_flow)
    ]
    for name, said in contract.output_is_wrong:
        hand = by_hand(contract, "safeguard", "output")
        yield name, cell(said), " ".join([*withdrawn, hand]) if name == "withdraw" else hand


def _safeguards(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    for name, said in resolved.contract.safeguards:
        yield name.replace("_", " "), cell(said), by_hand(resolved.contract, "safeguard")
