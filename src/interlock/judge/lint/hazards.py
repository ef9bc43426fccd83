"""Proofs about the catalogue of hazards: that everything it names is there, so that no control is a word alone."""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from interlock.content.compile import broken_conditions, compile_expression, condition_texts
from interlock.content.hazards import SOURCES_FILE, HazardFiles, unknown_sources
from interlock.documents.names import did_you_mean
from interlock.judge.lint.problems import LintProblem, Locations, from_error, in_order, problem
from interlock.judge.lint.references import name_problems, wrong_in
from interlock.judge.lint.run import scalar_problems
from interlock.model.base import Scope
from interlock.model.contract import WorkflowContract
from interlock.model.errors import Location
from interlock.model.hazard import Hazard
from interlock.model.questionnaire import Item, Questionnaire, every_item


def lint_hazards(
    read: HazardFiles,
    questionnaires: Sequence[Questionnaire],
    *,
    rules: Collection[str],
    patterns: Collection[str],
    tests: Collection[str],
    checks: Collection[str],
    sources: Collection[str],
) -> tuple[LintProblem, ...]:
    """Lint a folder of hazards.

    :param rules, patterns, checks: ids that there are; a rule that a workspace turns off is still one of ours.
    :param tests: ids of the tests that an exported contract brings, without what they are repeated for.
    :param sources: what hazards may name, with that of the folders before.
    """
    where = Locations(rules=read.read.sources)
    items = {item.id: item for item in every_item(questionnaires)}
    known = {"rules": rules, "patterns": patterns, "tests": tests, "checks": checks}
    problems = [from_error(error) for error in read.read.problems]
    for path in sorted(read.read.directory.glob("*.yaml")):
        problems += scalar_problems(path)
    for hazard in read.hazards.values():
        problems += _names(hazard, known, where)
        problems += _condition(hazard, items, where)
    for name, location in unknown_sources(read, sources):
        message = f"sources names {name!r}, which {SOURCES_FILE} does not have{did_you_mean(name, sources)}"
        problems.append(problem(location, "", "reference", message))
    problems += _unused(read)
    return in_order(problems)


_CALLED = {
    "rules": "rule",
    "patterns": "pattern",
    "tests": "test in what a contract is exported with",
    "checks": "check of a probe",
}


def _names(hazard: Hazard, known: Mapping[str, Collection[str]], where: Locations) -> Iterator[LintProblem]:
    for key, there in known.items():
        for number, name in enumerate(getattr(hazard, key)):
            if name not in there:
                message = f"{key} names {name!r}: there is no such {_CALLED[key]}{did_you_mean(name, there)}"
                yield problem(where.rule(hazard.id, key, number), hazard.id, "reference", message)
    for number, path in enumerate(hazard.contract):
        wrong = no_field(WorkflowContract, path)
        if wrong is not None:
            location = where.rule(hazard.id, "contract", number)
            yield problem(location, hazard.id, "reference", f"contract names {path!r}: {wrong}")


def no_field(model: type[BaseModel], path: str, at: str = "contract.yaml") -> str | None:
    """Why a path leads to no field of the contract, or none: ``failures.truncated``, ``inputs[].when_missing``."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    fields = {field.alias or key: field.annotation for key, field in model.model_fields.items()}
    if name not in fields:
        return f"{at} has no {name!r}{did_you_mean(name, fields) or '; it has ' + ', '.join(sorted(fields))}"
    inner, is_list = _inner(fields[name])
    here = f"{at}: {name}" if at == "contract.yaml" else f"{at}.{name}"
    is_model = isinstance(inner, type) and issubclass(inner, BaseModel)
    if head.endswith("[]") and not is_list:
        return f"{here} is no list: write it without []"
    if is_model and is_list and rest and not head.endswith("[]"):
        return f"{here} is a list: write {name}[] for each of its elements"
    if not rest:
        return None
    return no_field(inner, rest, here) if is_model else f"{here} has no fields"


def _inner(annotation: Any) -> tuple[Any, bool]:
    """What a field holds, and whether it is a list of it."""
    arguments = [kind for kind in typing.get_args(annotation) if kind not in (type(None), Ellipsis)]
    if typing.get_origin(annotation) is tuple:
        return arguments[0], True
    if typing.get_origin(annotation) is not None and len(arguments) == 1:
        return _inner(arguments[0])
    return annotation, False


def _condition(hazard: Hazard, items: Mapping[str, Item], where: Locations) -> Iterator[LintProblem]:
    if any(broken_conditions(hazard)):
        return  # reading tells it
    for key, text in condition_texts(hazard).items():
        location, condition = where.rule(hazard.id, key), compile_expression(text)
        for name in condition.reads:
            for code, message in name_problems(name, Scope.PRODUCT, items):
                yield problem(location, hazard.id, code, f"{key} reads {name}: {message}")
        for code, message in wrong_in(key, condition.tree, items):
            yield problem(location, hazard.id, code, message)


def _unused(read: HazardFiles) -> Iterator[LintProblem]:
    named = {name for hazard in read.hazards.values() for name in hazard.sources}
    document = read.sources_document
    for name in read.sources if document is not None else ():
        if name not in named:
            location = document.location(("sources", name)) if document else Location()
            yield problem(location, "", "unused", f"no hazard names the source {name}")
