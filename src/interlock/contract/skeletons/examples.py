"""``tests/examples/NAME.json``: the smallest resource of each output, with what FHIR and the contract require.

Codes are the contract's, or FHIR's first where it has none; everything else says that it is an example. ``{patient}``,
``{encounter}`` and ``{now}`` are filled in by the suite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.contract.scopes import keyed_needs
from interlock.contract.skeletons.names import need_names
from interlock.documents.visible import to_json
from interlock.fhir.tables import Element, Release, Unknown
from interlock.fhir.tables import release as tables_of
from interlock.model.contract import Need, WorkflowContract

_UCUM = "http://unitsofmeasure.org"
_MAX_DEPTH = 6
#: A value of each datatype (FHIR R4, datatypes.html); other types are filled by their own required elements.
_VALUES: Mapping[str, Any] = {
    "boolean": True,
    "integer": 1,
    "positiveInt": 1,
    "unsignedInt": 1,
    "decimal": 1.0,
    "date": "2026-01-01",
    "dateTime": "{now}",
    "instant": "{now}",
    "time": "12:00:00",
    "uri": "urn:example",
    "url": "https://example.org",
    "canonical": "https://example.org/example",
    "base64Binary": "ZXhhbXBsZQ==",
    "id": "example",
    "code": "unknown",
    "Quantity": {"value": 1.0, "unit": "1", "system": _UCUM, "code": "1"},
    "Period": {"start": "{now}"},
    "Identifier": {"system": "https://example.org/ids", "value": "example"},
    "Attachment": {"contentType": "text/plain", "data": "ZXhhbXBsZQ=="},
    "HumanName": {"text": "Example"},
    "Annotation": {"text": "Example"},
    "ContactPoint": {"system": "url", "value": "https://example.org"},
    "Coding": {"system": "https://example.org/codes", "code": "example"},
    "CodeableConcept": {"text": "Example"},
}
#: Elements that say whose a resource is, and of which visit.
_WHOSE, _VISIT = frozenset({"subject", "patient", "for", "beneficiary"}), frozenset({"encounter", "context"})
#: States that a new resource may have, before any other.
_USUAL = ("preliminary", "draft", "current", "active", "proposal", "final")
#: Paths below an element, as a tree of their steps.
_Tree = dict[str, "_Tree"]


def examples(contract: WorkflowContract) -> Mapping[str, str]:
    """A file for each output that is created, by its path."""
    names, tables = need_names(contract), tables_of(contract.fhir_release)
    return {
        f"tests/examples/{names[key]}.json": to_json(example(tables, need))
        for key, need in keyed_needs(contract)
        if key.startswith("outputs") and "create" in need.interactions
    }


def example(tables: Release, need: Need) -> dict[str, Any]:
    """The smallest resource of a need; a type or path that FHIR does not have is left out."""
    tree: _Tree = {}
    recognised = [
        name for name in _condition(need) if not isinstance(tables.element(f"{need.resource}.{name}"), Unknown)
    ]
    for path in (*need.required_fields, *recognised):
        branch = tree
        for step in path.split("."):
            branch = branch.setdefault(step.partition("(")[0].partition("[")[0].partition(":")[0], {})
    return {"resourceType": need.resource, **_elements(tables, need.resource, tree, need, ())}


def _condition(need: Need) -> Mapping[str, str]:
    """What a create is recognised by, by parameter; elements of the same name hold it, as far as there are such."""
    pairs = (part.partition("=") for part in (need.writing.if_none_exist or "").split("&"))
    return {name: value for name, _, value in pairs if name.isidentifier()}


def _elements(tables: Release, path: str, tree: _Tree, need: Need, above: Sequence[str]) -> dict[str, Any]:
    """What has to stand below a path: by FHIR's cardinality, then by the contract."""
    children = tables.children(path)
    if isinstance(children, Unknown) or len(above) > _MAX_DEPTH:
        return {}
    wanted: dict[str, _Tree] = {}
    for child in children:
        picked = [name for name in child.json_names if name in tree]
        if child.min and not picked:
            picked = [child.json_names[0]]
        wanted |= {name: tree.get(name, {}) for name in picked}
        if (stem := child.name.removesuffix("[x]")) in tree and not picked:  # a choice by its name alone
            wanted[child.json_names[0]] = tree[stem]
    elements = {name: tables.element(f"{path}.{name}") for name in wanted}
    return {
        name: [value] if element.repeats else value
        for name, element in elements.items()
        if not isinstance(element, Unknown)
        for value in [_value(tables, f"{path}.{name}", element, wanted[name], need, (*above, name))]
    }


def _value(tables: Release, path: str, element: Element, tree: _Tree, need: Need, steps: Sequence[str]) -> Any:
    kind = element.types[0] if element.types else ""
    bound = next((binding.codes for binding in need.binding if binding.path == ".".join(steps) and binding.codes), ())
    said = _condition(need).get(steps[0], "") if len(steps) == 1 else ""
    if not bound and kind in {"CodeableConcept", "Coding"} and said:
        bound = (said if "|" in said else f"https://example.org/codes|{said}",)
    if kind == "Identifier" and said:
        system, _, number = said.rpartition("|")
        return {"system": system, "value": number} if system else {"value": number}
    tokens = [*bound, *(need.code if tuple(steps) == ("code",) else ())]
    if kind == "code":
        codes = element.binding.codes if element.binding is not None else ()
        state = [step.state for step in need.status_flow if step.state in codes][:1]
        state += [code for code in _USUAL if code in codes]
        return [*(token.rpartition("|")[2] for token in tokens), *state, *codes, _VALUES["code"]][0]
    if kind in {"CodeableConcept", "Coding"} and tokens:
        system, _, code = tokens[0].rpartition("|")
        coding = {"system": system, "code": code}
        return coding if kind == "Coding" else {"coding": [coding]}
    if kind == "Reference":
        if "Encounter" in element.targets and steps[-1] in _VISIT:
            return {"reference": "Encounter/{encounter}"}
        whose = steps[-1] in _WHOSE and {"Patient", "Resource"} & set(element.targets)
        return {"reference": "Patient/{patient}"} if whose else {"display": "Example"}
    value = _VALUES.get(kind)
    if value is None or isinstance(value, dict):
        below = _elements(tables, path, tree, need, steps)
        return {
            **(value or {}),
            **{name: child for name, child in below.items() if name not in (value or {})},
        } or "Example"
    return value
