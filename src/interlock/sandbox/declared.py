"""What a statement declares, as the server itself needs it: this works, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from interlock.fhir.tolerant import objects_of
from interlock.sandbox.organizations import Document


@dataclass(frozen=True, slots=True)
class DeclaredType:
    """What is declared of one resource type (FHIR R4, CapabilityStatement.rest.resource).

    :ivar parameters: search parameter, a modifier or chain included where the statement lists it so → its type.
    :ivar versioning: ``no-version``, ``versioned``, ``versioned-update``, or empty where nothing is said.
    :ivar operations: names without ``$``.
    """

    interactions: frozenset[str]
    parameters: Mapping[str, str]
    includes: frozenset[str]
    reverse_includes: frozenset[str]
    versioning: str
    update_create: bool
    conditional_create: bool
    conditional_update: bool
    conditional_delete: bool
    operations: frozenset[str]

    @property
    def versioned(self) -> bool:
        """Whether clients see versions: an ETag, and a number in ``meta``."""
        return self.versioning.startswith("versioned") or "vread" in self.interactions


@dataclass(frozen=True, slots=True)
class Declared:
    """What a whole statement declares: types, ``transaction`` and the like for the system, topics of Subscriptions."""

    types: Mapping[str, DeclaredType]
    system: frozenset[str]
    operations: frozenset[str]
    topics: tuple[str, ...]


_TOPIC = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"
)


def read(statement: Document | None) -> Declared:
    """The declaration of an organisation's own statement, which is trusted to be one."""
    types: dict[str, DeclaredType] = {}
    system: set[str] = set()
    operations: set[str] = set()
    topics: list[str] = []
    for rest in objects_of(statement or {}, "rest"):
        if rest.get("mode", "server") != "server":
            continue
        everywhere = _parameters(rest)
        system |= _codes(rest, "interaction")
        operations |= _operations(rest)
        for entry in objects_of(rest, "resource"):
            types[str(entry.get("type"))] = _type(entry, everywhere)
            topics += [
                str(item.get("valueCanonical")) for item in objects_of(entry, "extension") if item.get("url") == _TOPIC
            ]
    return Declared(types, frozenset(system), frozenset(operations), tuple(topics))


def _type(entry: Document, everywhere: Mapping[str, str]) -> DeclaredType:
    return DeclaredType(
        interactions=frozenset(_codes(entry, "interaction")),
        parameters={**everywhere, **_parameters(entry)},
        includes=frozenset(_texts(entry.get("searchInclude"))),
        reverse_includes=frozenset(_texts(entry.get("searchRevInclude"))),
        versioning=str(entry.get("versioning", "")),
        update_create=entry.get("updateCreate") is True,
        conditional_create=entry.get("conditionalCreate") is True,
        conditional_update=entry.get("conditionalUpdate") is True,
        conditional_delete=entry.get("conditionalDelete") in ("single", "multiple"),
        operations=frozenset(_operations(entry)),
    )


def _parameters(entry: Document) -> dict[str, str]:
    """Parameter → type; DSTU2 lists the modifiers and chains that work beside each (searchParam.modifier, .chain)."""
    types: dict[str, str] = {}
    for item in objects_of(entry, "searchParam"):
        name, kind = str(item.get("name")), str(item.get("type", "string"))
        types[name] = kind
        types |= {f"{name}:{modifier}": kind for modifier in _texts(item.get("modifier"))}
        types |= {f"{name}.{chain}": kind for chain in _texts(item.get("chain"))}
    return types


def _codes(entry: Document, name: str) -> set[str]:
    return {str(item.get("code")) for item in objects_of(entry, name)}


def _operations(entry: Document) -> set[str]:
    return {str(item.get("name", "")).lstrip("$") for item in objects_of(entry, "operation")}


def _texts(value: Any) -> Iterable[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
