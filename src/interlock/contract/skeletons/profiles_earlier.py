"""A profile in the form of DSTU2 or STU3, made of its form in R4.

Sources: StructureDefinition and ElementDefinition of FHIR 1.0.2 and 3.0.2. Before R4 a value set is a Reference, and
DSTU2 has other names, discriminators that are paths alone, and ids without a colon, so that an element has none.
"""

from __future__ import annotations

from typing import Any

#: R4's name → DSTU2's, of a definition and of an element.
_DEFINITION = {"title": "display", "type": "constrainedType", "baseDefinition": "base"}
_ELEMENT = {"sliceName": "name", "comment": "comments"}
#: The pattern of a slice → the path below the sliced element by which DSTU2 tells one slice from another.
_DISCRIMINATORS = {"patternCodeableConcept": "coding.code", "patternCoding": "code"}
_Document = dict[str, Any]


def as_earlier(document: _Document, release: str) -> _Document:
    """The StructureDefinition of R4 in the form of DSTU2 or STU3; of a later release as it is."""
    if release not in {"DSTU2", "STU3"}:
        return document
    elements = [_with_references(element) for element in document["differential"]["element"]]
    if release == "STU3":
        elements = [_with_one_profile(element) for element in elements]
        return document | {"differential": {"element": elements}}
    slices = {element["path"]: element for element in elements if "sliceName" in element}
    earlier = {_DEFINITION.get(name, name): value for name, value in document.items() if name != "derivation"}
    return earlier | {"differential": {"element": [_as_dstu2(element, slices) for element in elements]}}


def _with_references(element: _Document) -> _Document:
    """With the value set of a binding as a Reference."""
    if "binding" not in element:
        return element
    bound = element["binding"]
    return element | {"binding": {"strength": bound["strength"], "valueSetReference": {"reference": bound["valueSet"]}}}


def _with_one_profile(element: _Document) -> _Document:
    """With one profile a type, as STU3 has it."""
    if "type" not in element:
        return element
    types = [
        {"code": type_of_element["code"], **({"profile": profile} if profile else {})}
        for type_of_element in element["type"]
        for profile in type_of_element.get("profile") or [None]
    ]
    return element | {"type": types}


def _as_dstu2(element: _Document, slices: dict[str, _Document]) -> _Document:
    earlier = {_ELEMENT.get(name, name): value for name, value in element.items() if name != "id"}
    if "slicing" in element:
        pattern = next((name for name in slices.get(element["path"], {}) if name in _DISCRIMINATORS), None)
        told = {"discriminator": [_DISCRIMINATORS[pattern]]} if pattern else {}
        earlier["slicing"] = {**told, "rules": element["slicing"]["rules"]}
    return earlier
