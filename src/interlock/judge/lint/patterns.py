"""Proofs about the pattern library: every name can be there, every literal can occur, and every own test holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from interlock.content.expression import Expression
from interlock.content.messages import fields
from interlock.content.syntax import Node
from interlock.judge.context import SubjectContext
from interlock.judge.fleet_conditions import ENTRY, ORGS, Place, reads_beside, reads_of_one
from interlock.judge.lint.conditions import constant, wrong_in
from interlock.judge.lint.files import scalar_problems
from interlock.judge.lint.problems import LintProblem, from_error, in_order, problem
from interlock.judge.lint.references import every_item, name_problems
from interlock.judge.lint.rule_tests import EXAMPLE_FLEET, GivenError, failing_tests, test_context
from interlock.judge.pattern_matching import decide_at, decide_over, place_of, with_variables
from interlock.judge.patterns import (
    CompiledPattern,
    CompiledPatterns,
    PatternFiles,
    compile_patterns,
    read_patterns,
    scope_of,
)
from interlock.model.base import Scope
from interlock.model.pattern import Hosts, PatternOutcome, Peers, Site, VendorGroup
from interlock.model.questionnaire import Item, Questionnaire
from interlock.model.rule import Rule

#: What a test's organisation is unless it says otherwise: observed, sharing nothing.
_EXAMPLE_SITE: Mapping[str, Any] = {"observed": "observed"}
_SITE_MODELS: Mapping[str, type[Hosts | Peers | VendorGroup]] = {
    "hosts": Hosts,
    "same": Peers,
    "across": Peers,
    "vendor_group": VendorGroup,
}
_EXPECTED: tuple[PatternOutcome, ...] = ("matched", "not_matched", "undecided")


def _rule(scope: Scope) -> Rule:
    """A rule that has nothing but its scope, on which alone a test's context depends."""
    fields_: Any = {"scope": scope}
    return Rule.model_construct(**fields_)


def lint_patterns(
    directory: Path, questionnaires: Sequence[Questionnaire], check_ids: Collection[str] | None = None
) -> tuple[LintProblem, ...]:
    """Everything that can be proved wrong about a library of patterns, in order of file and line.

    :param check_ids: the probe's check ids; without them ``checks["…"]`` is not looked up.
    """
    read = read_patterns(directory)
    items = {item.id: item for item in every_item(questionnaires)}
    problems = [from_error(error) for error in read.problems]
    for path in sorted(directory.glob("**/*.yaml")):
        problems += scalar_problems(path)
    for pattern in compile_patterns(read.patterns).patterns:
        problems += _names(pattern, items, read, check_ids)
        problems += _constants(pattern, read)
        problems += _own_tests(pattern, items, read)
    return in_order(problems)


def _names(
    one: CompiledPattern, items: Mapping[str, Item], read: PatternFiles, check_ids: Collection[str] | None
) -> Iterator[LintProblem]:
    pattern = one.pattern
    own = scope_of(pattern)
    for key, condition in _conditions(one):
        location = read.location(pattern.id, key)
        for name, scope in _read_by(one, key):
            for code, message in _name_problems(name, scope, items, check_ids):
                yield problem(location, pattern.id, code, f"{key} reads {name}: {message}")
        for code, message in wrong_in(key, _of_one(condition.tree, ENTRY), items):
            yield problem(location, pattern.id, code, message)
    for name in fields(pattern.message):
        if name == "who" and pattern.concerns is not None:
            continue
        for _, message in _name_problems(name, own, items, check_ids):
            yield problem(
                read.location(pattern.id, "message"), pattern.id, "message", f"message shows {{{name}}}: {message}"
            )


def _conditions(one: CompiledPattern) -> Iterator[tuple[str, Expression]]:
    yield "when", one.when
    if one.concerns is not None:
        yield "concerns", one.concerns


def _read_by(one: CompiledPattern, key: str) -> Iterator[tuple[str, Scope]]:
    """Every name that a condition reads, and the scope that it is read in."""
    if key == "when" and one.over_all is None:
        yield from ((name, Scope.ORG) for name in one.when.reads)
        return
    bodies = one.over_all.bodies if key == "when" and one.over_all else (one.concerns,) if one.concerns else ()
    if key == "when":
        yield from ((name, Scope.PRODUCT) for name in one.when.reads if name != ORGS)
    for body in bodies:
        yield from ((name, Scope.PRODUCT) for name in reads_beside(body))
        yield from ((name, Scope.ORG) for name in reads_of_one(body))


def _of_one(node: Node, variable: str) -> Node:
    """The same as if it were asked of one organisation: ``o.responses.x`` becomes ``responses.x``."""
    if node.kind == "select" and node.children[0].kind == "ident" and node.children[0].text == variable:
        return Node("ident", node.text, (), node.start, node.end)
    return Node(node.kind, node.text, tuple(_of_one(child, variable) for child in node.children), node.start, node.end)


def _name_problems(
    name: str, scope: Scope, items: Mapping[str, Item], check_ids: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    root, *path = name.split(".")
    if root != "site" or scope is not Scope.ORG:
        yield from name_problems(name, scope, items, check_ids)
        return
    if not path:
        return
    inner = _SITE_MODELS.get(path[0])
    if path[0] not in Site.model_fields:
        yield "reference", f"site has no {path[0]!r}; it has {', '.join(Site.model_fields)}"
    elif len(path) > 1 and (inner is None or path[1] not in inner.model_fields or len(path) > 2):
        yield "reference", f"site.{path[0]} has no {path[1]!r}"


def _constants(one: CompiledPattern, read: PatternFiles) -> Iterator[LintProblem]:
    for key, condition in _conditions(one):
        message = constant(key, condition)
        if message:
            yield problem(read.location(one.pattern.id, key), one.pattern.id, "constant", message)


def _own_tests(one: CompiledPattern, items: Mapping[str, Item], read: PatternFiles) -> Iterator[LintProblem]:
    pattern = one.pattern
    where = partial(read.location, pattern.id)
    yield from failing_tests(pattern.id, pattern.tests, lambda given: (_outcome(one, given, items), None), where)
    expected = {test.expect for test in pattern.tests}
    for wanted in _EXPECTED:
        if wanted not in expected and (wanted != "undecided" or _can_be_undecided(one)):
            yield problem(where("tests"), pattern.id, "tests-missing", f"no test expects {wanted}")


def _can_be_undecided(one: CompiledPattern) -> bool:
    """Whether a pattern reads anything that may not be known; who the organisations are always is."""
    always = {"org", "fleet", "site"}
    optional = {"metadata", "hosts", "implementation", "writes_without_interaction"}
    names = [name.split(".") for name in (*one.reads, *one.reads_of_each)]
    return any(name[0] not in always or (name[0] == "site" and name[1:2] and name[1] in optional) for name in names)


def _outcome(one: CompiledPattern, given: Mapping[str, Any], items: Mapping[str, Item]) -> PatternOutcome:
    if one.pattern.scope == "org":
        outcome, _ = decide_at(one.when, _org_context(given, items, ()))
        return outcome
    entries = given.get("orgs", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise GivenError(("orgs",), "expected a list of organisations")
    product = test_context(
        _rule(Scope.PRODUCT), {name: value for name, value in given.items() if name != "orgs"}, items
    )
    counted = {**EXAMPLE_FLEET, "organizations": len(entries)} | (given.get("fleet") or {})
    fleet = with_variables(product, {"fleet": counted})
    places: list[Place] = []
    for index, entry in enumerate(entries):
        context = _org_context(entry, items, ("orgs", index))
        site = context.variables["site"]
        places.append(place_of(context, site, fleet, CompiledPatterns((one,)), f"Example {index}"))
    return decide_over(one, fleet, places)[0]


def _org_context(given: Mapping[str, Any], items: Mapping[str, Item], at: tuple[str | int, ...]) -> SubjectContext:
    site = given.get("site") or {}
    rest = {name: value for name, value in given.items() if name != "site"}
    try:
        context = test_context(_rule(Scope.ORG), rest, items)
        found = Site.model_validate({**_EXAMPLE_SITE, **site} if isinstance(site, dict) else site)
    except GivenError as error:
        raise GivenError((*at, *error.path), error.message) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise GivenError((*at, "site", *first["loc"]), first["msg"]) from None
    return with_variables(context, {"site": found.model_dump(exclude_none=True)})
