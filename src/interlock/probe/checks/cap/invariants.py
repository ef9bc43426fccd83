"""CAP, invariants: the rules of CapabilityStatement in FHIR R4 4.0.1, each numbered 20 plus its own number.

There is no cpb-4, 5, 6, 8, 10, 11 or 13 in R4. The FHIRPath of 4.0.1 counts, not the XPath of cpb-15 and cpb-16, which
tests the wrong kind. Other releases number and word their rules differently and are left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    failed,
    not_applicable,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

FAMILY = Family("CAP")

_NAME = re.compile(r"[A-Z]([A-Za-z0-9_]){0,254}")
_MAX_ENTRIES = 2000
_MAX_POINTERS = 5

_Statement = dict[str, Any]


_Rule = Callable[[CheckInput, _Statement], Result]


def _invariant(number: int, title: str, severity: Severity) -> Callable[[_Rule], _Rule]:
    """Register ``cpb-number``; the function gets what stands beside ``rest`` and runs on R4 statements only."""

    def register(rule: _Rule) -> _Rule:
        @FAMILY.check(
            20 + number,
            f"{title} (cpb-{number})",
            severity,
            cite("R4-CS", "", f"Constraints: cpb-{number} (4.0.1)"),
            rows=(f"cpb-{number}",),
            needs="metadata",
            level="SHOULD" if number == 0 else "SHALL",
        )
        def on_r4(probed: CheckInput) -> Result:
            if probed.capability.fhir_release != "R4":
                return not_applicable(f"cpb-{number} is checked for R4 only", probed.at("metadata"))
            return rule(probed, probed.statement.members)

        on_r4.__doc__ = rule.__doc__
        return rule

    return register


@_invariant(0, "The name is usable as an identifier", Severity.LOW)
def cpb_0(probed: CheckInput, statement: _Statement) -> Result:
    """A warning in the specification; without a name it holds."""
    name = statement.get("name")
    if name is None or (isinstance(name, str) and _NAME.fullmatch(name)):
        return passed("The name, if any, is an identifier", probed.at("metadata", "/name"))
    return warned(f"The name {quoted(name)} is no identifier, which it should be", probed.at("metadata", "/name"))


@_invariant(1, "REST, messaging or documents are described", Severity.HIGH)
def cpb_1(probed: CheckInput, statement: _Statement) -> Result:
    """``rest.exists() or messaging.exists() or document.exists()``."""
    described = ["rest"] if probed.statement.modes else []
    described += [name for name in ("messaging", "document") if _exists(statement, name)]
    if described:
        return passed(f"Described: {words.listed(described)}", probed.at("metadata", f"/{described[0]}"))
    return failed("None of rest, messaging and document is described", probed.at("metadata"))


@_invariant(2, "A description, software or implementation is given", Severity.LOW)
def cpb_2(probed: CheckInput, statement: _Statement) -> Result:
    """``(description.count() + software.count() + implementation.count()) > 0``."""
    given = [name for name in ("description", "software", "implementation") if _exists(statement, name)]
    if given:
        return passed(f"Given: {words.listed(given)}", probed.at("metadata", f"/{given[0]}"))
    return failed("None of description, software and implementation is given", probed.at("metadata"))


@_invariant(3, "Messaging end points are given by an instance only", Severity.LOW)
def cpb_3(probed: CheckInput, statement: _Statement) -> Result:
    """``messaging.endpoint.empty() or kind = 'instance'``."""
    with_endpoint = any(_exists(entry, "endpoint") for entry in _entries(statement, "messaging"))
    if not with_endpoint or statement.get("kind") == "instance":
        return passed("No messaging end point is misplaced", probed.at("metadata", "/kind"))
    return failed("A messaging end point is given though kind is not instance", probed.at("metadata", "/messaging"))


@_invariant(7, "Document entries are distinct by profile and mode", Severity.LOW)
def cpb_7(probed: CheckInput, statement: _Statement) -> Result:
    """``document.select(profile&mode).isDistinct()``."""
    keys = [(str(entry.get("profile")), str(entry.get("mode"))) for entry in _entries(statement, "document")]
    twice = _repeated(keys)
    if not twice:
        return passed("No document entry repeats another", probed.at("metadata", "/document"))
    return failed(
        f"Document entries repeat: {quoted_list(profile for profile, _ in twice)}", probed.at("metadata", "/document")
    )


@_invariant(9, "Each resource type is listed once", Severity.MEDIUM)
def cpb_9(probed: CheckInput, statement: _Statement) -> Result:
    """``resource.select(type).isDistinct()`` within each ``rest``; the probe merges what is repeated."""
    pointers = [pointer for pointer in probed.capability.repeated if pointer.endswith("/resource")]
    if pointers:
        entries = words.count(len(pointers), "rest entry", "rest entries")
        return failed(
            f"Types are listed more than once in {entries}; the entries were merged",
            *(probed.at("metadata", pointer) for pointer in pointers[:_MAX_POINTERS]),
        )
    return passed("No resource type is repeated", probed.at("metadata", "/rest"))


@_invariant(12, "Search parameters are listed once per resource", Severity.LOW)
def cpb_12(probed: CheckInput, statement: _Statement) -> Result:
    """``searchParam.select(name).isDistinct()`` within each resource."""
    pointers = [pointer for pointer in probed.capability.repeated if pointer.endswith("/searchParam")]
    if pointers:
        return failed(
            f"Search parameters are listed more than once for {words.count(len(pointers), 'resource type')}",
            *(probed.at("metadata", pointer) for pointer in pointers[:_MAX_POINTERS]),
        )
    return passed("No search parameter is repeated", probed.at("metadata", "/rest"))


@_invariant(14, "A statement about an instance has an implementation", Severity.LOW)
def cpb_14(probed: CheckInput, statement: _Statement) -> Result:
    """``(kind != 'instance') or implementation.exists()``."""
    if statement.get("kind") != "instance" or _exists(statement, "implementation"):
        return passed("kind and implementation fit", probed.at("metadata", "/kind"))
    return failed("kind is instance, but implementation is not given", probed.at("metadata", "/kind"))


@_invariant(15, "A statement about a capability has software and no implementation", Severity.LOW)
def cpb_15(probed: CheckInput, statement: _Statement) -> Result:
    """``(kind != 'capability') or (implementation.exists().not() and software.exists())``: the combination counts."""
    if statement.get("kind") != "capability":
        return passed("kind is not capability", probed.at("metadata", "/kind"))
    if _exists(statement, "implementation"):
        return failed("kind is capability, but implementation is given", probed.at("metadata", "/implementation"))
    if not _exists(statement, "software"):
        return failed("kind is capability, but software is not given", probed.at("metadata", "/kind"))
    return passed("kind is capability, with software and without implementation", probed.at("metadata", "/kind"))


@_invariant(16, "A statement of requirements has neither software nor implementation", Severity.LOW)
def cpb_16(probed: CheckInput, statement: _Statement) -> Result:
    """``(kind != 'requirements') or (implementation.exists().not() and software.exists().not())``."""
    if statement.get("kind") != "requirements":
        return passed("kind is not requirements", probed.at("metadata", "/kind"))
    given = [name for name in ("implementation", "software") if _exists(statement, name)]
    if given:
        return failed(f"kind is requirements, but given: {words.listed(given)}", probed.at("metadata", f"/{given[0]}"))
    return passed("kind is requirements, without software and implementation", probed.at("metadata", "/kind"))


def _exists(parent: _Statement, name: str) -> bool:
    """FHIRPath ``exists()`` of a member: an empty list, object or string is nothing."""
    return parent.get(name) not in (None, "", [], {})


def _entries(parent: _Statement, name: str) -> Iterator[_Statement]:
    value = parent.get(name)
    entries = value if isinstance(value, list) else [value]
    return (entry for entry in entries[:_MAX_ENTRIES] if isinstance(entry, dict))


def _repeated(keys: list[Any]) -> list[Any]:
    if len(set(keys)) == len(keys):
        return []
    return [key for key, count in Counter(keys).items() if count > 1]
