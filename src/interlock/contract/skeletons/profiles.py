"""``profiles/*.json``: each need as a StructureDefinition on the profile that it declares, in its release's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from interlock.contract import fhir_names
from interlock.contract.skeletons.base import of_contract
from interlock.contract.skeletons.profiles_earlier import as_earlier
from interlock.documents.visible import to_json, visible
from interlock.fhir.tables import Element, Release, Unknown, us_core
from interlock.fhir.tables import release as tables_of
from interlock.fhir.tables.us_core import EDITIONS
from interlock.fhir.validation import require_valid
from interlock.model.contract import Need
from interlock.model.resolved import ResolvedContract

_BASE = "http://hl7.org/fhir/StructureDefinition/"
_EXTENSION = re.compile(r"extension\('([^']+)'\)")
#: The element that a need's codes are of, where it is not ``code``; the first that the type has.
_CODED = ("code", "type", "medicationCodeableConcept", "vaccineCode")
_SIDES = {"inputs": "read", "outputs": "write"}


def profiles(resolved: ResolvedContract) -> Mapping[str, str]:
    """One a need, and one more below an organisation's id where that has the need otherwise.

    What the product has to find is ``min`` 1 and ``mustSupport``; what it degrades or asks for without has
    ``mustSupport`` alone.

    :raises InvalidDocumentError: it would not be valid FHIR.
    """
    contract = resolved.contract
    files: dict[str, str] = {}
    plain: dict[str, Need] = {}
    names: dict[str, str] = {}
    for side, needs in (("inputs", contract.inputs), ("outputs", contract.outputs)):
        counted: dict[str, int] = {}
        for index, need in enumerate(needs):
            if fhir_names.type_problem(contract.fhir_release, need.resource) is not None:
                continue
            counted[need.resource] = counted.get(need.resource, 0) + 1
            key, name = f"{side}/{index}", f"{_SIDES[side]}-{need.resource.lower()}-{counted[need.resource]}"
            plain[key], names[key] = need.but(here=(), not_at=(), organizations=()), name
            files[f"profiles/{name}.json"] = _profile(resolved, plain[key], name, "")
    for org in resolved.organizations:
        for here in org.needs:
            if here.key in plain and here.need != plain[here.key]:
                name = names[here.key]
                files[f"profiles/{org.id}/{name}.json"] = _profile(resolved, here.need, f"{org.id}-{name}", org.name)
    return files


def _profile(resolved: ResolvedContract, need: Need, name: str, organization: str) -> str:
    contract, tables = resolved.contract, tables_of(resolved.contract.fhir_release)
    elements = _Elements(tables, need)
    where = f" at {organization}" if organization else ""
    purpose = f": {need.purpose}" if need.purpose else ""
    words = "".join(part.capitalize() for part in name.split("-"))
    document: dict[str, Any] = {
        "resourceType": "StructureDefinition",
        "url": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{resolved.product} / {contract.title} / {name}')}",
        "version": visible(contract.version),
        "name": words,
        "title": visible(f"{need.resource}{purpose}{where}"),
        "status": "draft",
        "date": resolved.made,
        "description": visible(
            f"What {resolved.product} {'expects of' if name.startswith('read') or '-read-' in name else 'writes into'} "
            f"it. Known: {of_contract(resolved)}. Assumed: a field that it degrades or asks for without may be absent."
            + (f" Open: {'; '.join(elements.open)}." if elements.open else "")
        ),
        "fhirVersion": tables.about.version,
        "kind": "resource",
        "abstract": False,
        "type": need.resource,
        "baseDefinition": _base(contract.fhir_release, need),
        "derivation": "constraint",
        "differential": {"element": elements.in_order()},
    }
    if elements.value_sets:
        document["contained"] = elements.value_sets
    document = as_earlier(document, contract.fhir_release)
    require_valid(document, contract.fhir_release, f"profiles/{name}.json")
    return to_json(document)


def _base(release: Any, need: Need) -> str:
    """The declared profile, if it can be one; else the type's own definition."""
    if need.profile and fhir_names.profile_problem(release, need.resource, need.profile) is None:
        return need.profile
    return f"{_BASE}{need.resource}"


class _Elements:
    """The differential of one need, element by element.

    :ivar open: what no element can say here, in words.
    :ivar value_sets: contained, for codes that are listed.
    """

    def __init__(self, tables: Release, need: Need) -> None:
        self._tables, self._need = tables, need
        self._found: dict[str, dict[str, Any]] = {need.resource: {"id": need.resource, "path": need.resource}}
        self.open: list[str] = []
        self.value_sets: list[dict[str, Any]] = []
        if need.terminology:
            self._found[need.resource]["comment"] = visible(f"Codes are understood of {', '.join(need.terminology)}.")
        absent = {missing.field: missing for missing in need.missing}
        for field in need.required_fields:
            missing = absent.get(field)
            self._field(field, required=missing is None or missing.then == "stop")
            if missing is not None and missing.says and (element := self._of(field)) is not None:
                element["comment"] = visible(f"Without it the product is to {missing.then}: {missing.says}")
        for bound in need.binding:
            self._bind(bound.path, bound.strength, bound.value_set, bound.codes)
        self._codes()
        for fixed in need.query:
            self._query(*fixed.partition("=")[::2])

    def in_order(self) -> list[dict[str, Any]]:
        """Parents before children, those of one parent as the specification has them, slices after what they slice."""
        return sorted(self._found.values(), key=lambda element: self._rank(element["id"]))

    def _rank(self, identifier: str) -> tuple[tuple[int, str], ...]:
        rank: list[tuple[int, str]] = []
        path = ""
        for step in identifier.split("."):
            name, _, part = step.partition(":")
            siblings = self._tables.children(path) if path else ()
            order = [] if isinstance(siblings, Unknown) else [sibling.path.rpartition(".")[2] for sibling in siblings]
            rank.append((order.index(name) if name in order else len(order), part))
            path = f"{path}.{name}" if path else name
        return tuple(rank)

    def _trail(self, field: str) -> tuple[Element, ...] | None:
        trail = self._tables.elements(f"{self._need.resource}.{field}")
        return None if isinstance(trail, Unknown) else trail

    def _path(self, field: str) -> str:
        trail = self._trail(field) or ()
        return ".".join([self._need.resource, *(step.path.rpartition(".")[2] for step in trail[1:])])

    def _of(self, field: str) -> dict[str, Any] | None:
        return self._found.get(self._path(field))

    def _element(self, path: str) -> dict[str, Any]:
        return self._found.setdefault(path, {"id": path, "path": path})

    def _field(self, field: str, *, required: bool) -> None:
        """Every element on the way to a field; a choice that the name picks of is of that type alone."""
        if (match := _EXTENSION.fullmatch(field)) is not None:
            self._extension(match[1], required=required)
            return
        trail = self._trail(field)
        if trail is None:
            self.open.append(f"{field} is no element of {self._need.resource}")
            return
        path = self._need.resource
        for step in trail[1:]:
            path = f"{path}.{step.path.rpartition('.')[2]}"
            element = self._element(path)
            if required:
                element["min"] = max(1, step.min)
            element["mustSupport"] = True
            if step.path.endswith("[x]") and len(step.types) == 1:
                kinds = element.setdefault("type", [])
                if {"code": step.types[0]} not in kinds:
                    kinds.append({"code": step.types[0]})

    def _extension(self, url: str, *, required: bool) -> None:
        """An extension by its address, as a slice: a list of them is sliced by address anyway (FHIR R4, profiling)."""
        path = f"{self._need.resource}.extension"
        name = re.sub(r"[^A-Za-z0-9-]", "-", url.rpartition("/")[2]) or "extension"
        slice_ = self._found.setdefault(f"{path}:{name}", {"id": f"{path}:{name}", "path": path, "sliceName": name})
        slice_ |= {"min": 1 if required else 0, "type": [{"code": "Extension", "profile": [url]}], "mustSupport": True}

    def _bind(self, field: str, strength: str, value_set: str | None, codes: tuple[str, ...]) -> None:
        if self._trail(field) is None:
            return
        element = self._element(self._path(field))
        if value_set is None:
            number = len(self.value_sets) + 1
            by_system: dict[str, list[dict[str, str]]] = {}
            for token in codes:
                system, _, code = token.partition("|")
                by_system.setdefault(system, []).append({"code": code})
            if not by_system:
                return
            include = [{"system": system, "concept": concepts} for system, concepts in by_system.items()]
            self.value_sets.append(
                {
                    "resourceType": "ValueSet",
                    "id": f"codes-{number}",
                    "status": "draft",
                    "compose": {"include": include},
                }
            )
            value_set = f"#codes-{number}"
        element["binding"] = {"strength": strength, "valueSet": value_set}

    def _codes(self) -> None:
        """The need's own codes: a pattern for one, a required binding for several."""
        codes = self._need.code
        if not codes:
            return
        field = next((name for name in _CODED if self._trail(name) is not None), None)
        if field is None:
            self.open.append(f"which element has one of {', '.join(codes)}")
        elif len(codes) == 1:
            self._pattern(field, codes[0])
        else:
            self._bind(field, "required", None, codes)

    def _query(self, name: str, value: str) -> None:
        """A fixed query as a pattern of the element that the parameter is named after (judgement: its camel case)."""
        head, *rest = name.partition(":")[0].split("-")
        field = head + "".join(part.capitalize() for part in rest)
        if ":" in name or "," in value or self._trail(field) is None:
            self.open.append(f"every search has {name}={value}, which is no pattern of an element")
        else:
            self._pattern(field, value)

    def _pattern(self, field: str, token: str) -> None:
        """A code that an element has; one of several in a list is a slice, unless the profile slices it already."""
        trail = self._trail(field) or ()
        element, path = trail[-1], self._path(field)
        system, _, code = token.rpartition("|")
        kinds = element.types
        if not system and element.binding is not None and len(element.binding.systems) == 1:
            system = element.binding.systems[0]
        coding = {"system": system, "code": code} if system else {"code": code}
        if kinds == ("CodeableConcept",):
            pattern: dict[str, Any] = {"patternCodeableConcept": {"coding": [coding]}}
        elif kinds == ("Coding",):
            pattern = {"patternCoding": coding}
        elif kinds == ("code",):
            pattern = {"patternCode": code}
        else:
            self.open.append(f"{field} is {token}, and no code is its type")
            return
        if not element.repeats:
            self._element(path).update(pattern)
        elif self._sliced(path):
            self.open.append(f"{field} is {token}, which the declared profile slices already or may slice")
        else:
            self._element(path)["slicing"] = {"discriminator": [{"type": "pattern", "path": "$this"}], "rules": "open"}
            name = re.sub(r"[^A-Za-z0-9-]", "-", code)
            self._found[f"{path}:{name}"] = {
                "id": f"{path}:{name}",
                "path": path,
                "sliceName": name,
                "min": 1,
                **pattern,
                "mustSupport": True,
            }

    def _sliced(self, path: str) -> bool:
        """Whether the profile below slices an element; of a profile that is not ours to read it may."""
        url, _, version = (self._need.profile or "").partition("|")
        if not url or url == f"{_BASE}{self._need.resource}":
            return False
        for edition in reversed(EDITIONS):
            profile = us_core(edition).profile(url) if version in {"", edition} else None
            if profile is not None and not isinstance(profile, Unknown):
                return any(element.id.startswith(f"{path}:") for element in profile.elements)
        return True
