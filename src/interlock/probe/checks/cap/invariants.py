"""CAP, invariants: the rules of CapabilityStatement in FHIR R4 4.0.1, each numbered 20 plus its own number.

There is no cpb-4, 5, 6, 8, 10, 11 or 13 in R4. The FHIRPath of 4.0.1 counts, not the XPath of cpb-15 and cpb-16, which
tests the wrong kind. Other releases number and word their rules differently and are left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, Level, Run, check
from interlock.probe.checks.results import (
    Result,
    failed,
    not_applicable,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

_NAME = re.compile(r"[A-Z]([A-Za-z0-9_]){0,254}")
_MAX_ENTRIES = 2000

_Statement = dict[str, Any]
_Rule = Callable[[CheckInput, _Statement], Result]


def _invariant(check_id: str, title: str, severity: Severity, at: str) -> Callable[[_Rule], Run]:
    """Register ``cpb-number``; the function gets what stands beside ``rest`` and runs on R4 statements only."""
    number = int(check_id[-2:]) - 20
    source = cite("R4-CS", "", f"Constraints: cpb-{number} (4.0.1)")
    level: Level = "SHOULD" if number == 0 else "SHALL"

    def register(rule: _Rule) -> Run:
        @wraps(rule)
        def on_r4(probed: CheckInput) -> Result:
            if probed.capability.fhir_release != "R4":
                return not_applicable(f"cpb-{number} is checked for R4 only", probed.at("metadata"))
            return rule(probed, probed.statement.members)

        rows = (f"cpb-{number}",)
        registered = check(
            check_id, f"{title} (cpb-{number})", severity, source, rows=rows, needs="metadata", at=at, level=level
        )
        return registered(on_r4)

    return register


@_invariant("CAP-020", "The name is usable as an identifier", Severity.LOW, at="metadata#/name")
def cpb_0(probed: CheckInput, statement: _Statement) -> Result:
    """A warning in the specification; without a name it holds."""
    name = statement.get("name")
    return (
        passed("The name, if any, is one that programs can use")
        if name is None or (isinstance(name, str) and _NAME.fullmatch(name))
        else warned(
            f"The name {quoted(name)} should begin with a capital and go on with letters, digits and underscores, for "
            "programs to use it"
        )
    )


@_invariant("CAP-021", "REST, messaging or documents are described", Severity.HIGH, at="metadata")
def cpb_1(probed: CheckInput, statement: _Statement) -> Result:
    """``rest.exists() or messaging.exists() or document.exists()``."""
    described = ["rest"] if probed.statement.modes else []
    described += [name for name in ("messaging", "document") if _exists(statement, name)]
    return (
        passed(f"Described: {words.listed(described)}", probed.at("metadata", f"/{described[0]}"))
        if described
        else failed("None of rest, messaging and document is described")
    )


@_invariant("CAP-022", "A description, software or implementation is given", Severity.LOW, at="metadata")
def cpb_2(probed: CheckInput, statement: _Statement) -> Result:
    """``(description.count() + software.count() + implementation.count()) > 0``."""
    given = [name for name in ("description", "software", "implementation") if _exists(statement, name)]
    return (
        passed(f"Given: {words.listed(given)}", probed.at("metadata", f"/{given[0]}"))
        if given
        else failed("None of description, software and implementation is given")
    )


@_invariant("CAP-023", "Messaging end points are given by an instance only", Severity.LOW, at="metadata#/messaging")
def cpb_3(probed: CheckInput, statement: _Statement) -> Result:
    """``messaging.endpoint.empty() or kind = 'instance'``."""
    with_endpoint = any(_exists(entry, "endpoint") for entry in _entries(statement, "messaging"))
    return (
        passed("No messaging end point is misplaced", probed.at("metadata", "/kind"))
        if not with_endpoint or statement.get("kind") == "instance"
        else failed("A messaging end point is given though kind is not instance")
    )


@_invariant("CAP-027", "Document entries are distinct by profile and mode", Severity.LOW, at="metadata#/document")
def cpb_7(probed: CheckInput, statement: _Statement) -> Result:
    """``document.select(profile&mode).isDistinct()``."""
    keys = [(str(entry.get("profile")), str(entry.get("mode"))) for entry in _entries(statement, "document")]
    twice = [profile for (profile, _), count in Counter(keys).items() if count > 1]
    return (
        passed("No document entry repeats another")
        if not twice
        else failed(f"Document entries repeat: {quoted_list(twice)}")
    )


@_invariant("CAP-029", "Each resource type is listed once", Severity.MEDIUM, at="metadata#/rest")
def cpb_9(probed: CheckInput, statement: _Statement) -> Result:
    """``resource.select(type).isDistinct()`` within each ``rest``; the probe merges what is repeated."""
    if types := probed.statement.twice:
        pointers = [pointer for pointer in probed.capability.repeated if not pointer.endswith("/searchParam")]
        return failed(
            f"Listed more than once: {quoted_list(types)}; clients may read either entry, here they were merged",
            *probed.at_each("metadata", pointers[:5]),
        )
    return passed("No resource type is repeated")


@_invariant("CAP-032", "Search parameters are listed once per resource", Severity.LOW, at="metadata#/rest")
def cpb_12(probed: CheckInput, statement: _Statement) -> Result:
    """``searchParam.select(name).isDistinct()`` within each resource."""
    pointers = [pointer for pointer in probed.capability.repeated if pointer.endswith("/searchParam")]
    if pointers:
        return failed(
            f"Search parameters are listed more than once for {words.count(len(pointers), 'resource type')}",
            *probed.at_each("metadata", pointers[:5]),
        )
    return passed("No search parameter is repeated")


@_invariant("CAP-034", "A statement about an instance has an implementation", Severity.LOW, at="metadata#/kind")
def cpb_14(probed: CheckInput, statement: _Statement) -> Result:
    """``(kind != 'instance') or implementation.exists()``."""
    return (
        passed("kind and implementation fit")
        if statement.get("kind") != "instance" or _exists(statement, "implementation")
        else failed("kind is instance, but implementation is not given")
    )


@_invariant(
    "CAP-035", "A statement about a capability has software and no implementation", Severity.LOW, at="metadata#/kind"
)
def cpb_15(probed: CheckInput, statement: _Statement) -> Result:
    """``(kind != 'capability') or (implementation.exists().not() and software.exists())``: the combination counts."""
    if statement.get("kind") != "capability":
        return passed("kind is not capability")
    if _exists(statement, "implementation"):
        return failed("kind is capability, but implementation is given", probed.at("metadata", "/implementation"))
    return (
        failed("kind is capability, but software is not given")
        if not _exists(statement, "software")
        else passed("kind is capability, with software and without implementation")
    )


@_invariant(
    "CAP-036", "A statement of requirements has neither software nor implementation", Severity.LOW, at="metadata#/kind"
)
def cpb_16(probed: CheckInput, statement: _Statement) -> Result:
    """``(kind != 'requirements') or (implementation.exists().not() and software.exists().not())``."""
    if statement.get("kind") != "requirements":
        return passed("kind is not requirements")
    given = [name for name in ("implementation", "software") if _exists(statement, name)]
    return (
        failed(f"kind is requirements, but given: {words.listed(given)}", probed.at("metadata", f"/{given[0]}"))
        if given
        else passed("kind is requirements, without software and implementation")
    )


def _exists(parent: _Statement, name: str) -> bool:
    """FHIRPath ``exists()`` of a member: an empty list, object or string is nothing."""
    return parent.get(name) not in (None, "", [], {})


def _entries(parent: _Statement, name: str) -> Iterator[_Statement]:
    entries = parent.get(name)
    entries = entries if isinstance(entries, list) else [entries]
    return (entry for entry in entries[:_MAX_ENTRIES] if isinstance(entry, dict))
