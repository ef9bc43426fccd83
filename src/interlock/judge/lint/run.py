"""Every proof over content that is already loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from interlock.content.compile import OBSERVED_ROOTS, CompiledRule, broken_conditions, compile_rule, condition_texts
from interlock.content.expression import compile_expression
from interlock.judge.lint.conditions import constant
from interlock.judge.lint.problems import LintProblem, Locations, in_order, problem
from interlock.judge.lint.proofs import Content, best_leaves_no_gap, ignorance_decides_nothing, worst_opens_a_gap
from interlock.judge.lint.questions import question_problems
from interlock.judge.lint.references import every_item, rule_references, ruleset_references
from interlock.judge.lint.rule_tests import own_tests
from interlock.model.errors import Location
from interlock.model.pattern import Pattern
from interlock.model.questionnaire import Item, ItemType, Questionnaire
from interlock.model.rule import Rule, Ruleset

_R = TypeVar("_R", Rule, Pattern)


def lint(
    ruleset: Ruleset,
    questionnaires: Sequence[Questionnaire],
    statements: Sequence[str],
    *,
    locations: Locations | None = None,
    check_ids: Collection[str] | None = None,
) -> tuple[LintProblem, ...]:
    """Everything that can be proved wrong about a ruleset and its questionnaires, in order of file and line.

    :param statements: the article's statements that must be covered, such as ``S01``.
    :param places: where rules and items stand; without it problems have no file.
    :param check_ids: the probe's check ids; without them ``checks["…"]`` is not looked up.
    """
    where = locations or Locations()
    items = list(every_item(questionnaires))
    found = [*ruleset_references(ruleset, where), *question_problems(items, where, check_ids)]
    problems, sound = each_rule(ruleset.rules, {item.id: item for item in items}, where, check_ids)
    compiled = [compile_rule(rule) for rule in sound]
    found += problems
    found += _same_conditions(compiled, where)
    found += _proofs(compiled, questionnaires, where)
    found += _statements(compiled, items, statements, where)
    return in_order(found)


def each_rule(
    rules: Iterable[_R], items: Mapping[str, Item], where: Locations, check_ids: Collection[str] | None
) -> tuple[list[LintProblem], list[_R]]:
    """Everything that can be proved wrong about rules or patterns one by one, and those whose conditions are CEL."""
    problems: list[LintProblem] = []
    sound = []
    for rule in rules:
        broken = dict(broken_conditions(rule))
        for key, message in broken.items():
            problems.append(problem(where.rule(rule.id, *key.split(".")), rule.id, "expression", message))
        conditions = {key: compile_expression(text) for key, text in condition_texts(rule).items() if key not in broken}
        problems += rule_references(rule, conditions, items, where, check_ids)
        for key, condition in conditions.items():
            always = constant(key, condition)
            if always:
                problems.append(problem(where.rule(rule.id, *key.split(".")), rule.id, "constant", always))
        if not broken:
            problems += own_tests(rule, items, where)
            sound.append(rule)
    return problems, sound


def _same_conditions(rules: Sequence[CompiledRule], locations: Locations) -> Iterator[LintProblem]:
    first: dict[tuple[str, str, tuple[str, ...]], str] = {}
    for rule in sorted(rules, key=lambda one: bool(one.rule.vendors)):  # those for every vendor first
        key = (rule.rule.scope.value, rule.gap_when.normal_form, ())
        own = (rule.rule.scope.value, rule.gap_when.normal_form, rule.rule.vendors)
        other = first.get(key) or first.setdefault(own, rule.rule.id)
        if other != rule.rule.id:
            message = f"has the same gap_when and scope as {other}"
            yield problem(locations.rule(rule.rule.id, "gap_when"), rule.rule.id, "duplicate-condition", message)


def _proofs(
    rules: Sequence[CompiledRule], questionnaires: Sequence[Questionnaire], locations: Locations
) -> Iterator[LintProblem]:
    groups: dict[str, tuple[Item, ...]] = {}

    def walk(items: tuple[Item, ...], around: tuple[Item, ...]) -> Iterator[Item]:
        for item in items:
            groups[item.id] = around
            if item.type is ItemType.GROUP:
                yield from walk(item.items, (*around, item))
            else:
                yield item

    items = {item.id: item for questionnaire in questionnaires for item in walk(questionnaire.items, ())}
    content = Content(tuple(rule for rule in rules if rule.rule.lifecycle != "deprecated"), items, groups)
    yield from best_leaves_no_gap(content, locations)
    yield from worst_opens_a_gap(content, locations)
    yield from ignorance_decides_nothing(content, locations)


def _statements(
    rules: Sequence[CompiledRule], items: Sequence[Item], statements: Sequence[str], locations: Locations
) -> Iterator[LintProblem]:
    asked = {statement for item in items for statement in item.source}
    probed = {
        statement
        for rule in rules
        if any(name.partition(".")[0] in OBSERVED_ROOTS for name in rule.reads)
        for statement in rule.rule.source
    }
    judged = {statement for rule in rules if rule.rule.lifecycle != "deprecated" for statement in rule.rule.source}
    location = Location(file=locations.ruleset)
    for statement in statements:
        if statement not in asked | probed:
            yield problem(location, statement, "statement", "no question has this source, and no rule probes it")
        if statement not in judged:
            yield problem(location, statement, "statement", "no rule has this source")
