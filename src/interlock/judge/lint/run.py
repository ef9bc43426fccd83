"""Every proof over content that is loaded: with positions, and with everything that cannot even be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from interlock.content.compile import (
    OBSERVED_ROOTS,
    CompiledRule,
    Expression,
    broken_conditions,
    compile_expression,
    compile_rule,
    condition_texts,
)
from interlock.content.questionnaires import Located
from interlock.content.ruleset_files import HEADER, SetFiles
from interlock.content.rulesets import OFF, RulesetFiles
from interlock.documents.yaml import load_yaml
from interlock.judge.context import SubjectContext
from interlock.judge.lint.problems import LintProblem, Locations, from_error, in_order, problem
from interlock.judge.lint.proofs import Content, best_leaves_no_gap, ignorance_decides_nothing, worst_opens_a_gap
from interlock.judge.lint.questions import question_problems
from interlock.judge.lint.references import rule_references
from interlock.judge.lint.rule_tests import own_tests
from interlock.judge.lint.scalars import unquoted
from interlock.model.errors import DocumentError, Location
from interlock.model.finding import PRODUCT
from interlock.model.pattern import Pattern
from interlock.model.questionnaire import Item, ItemType, Questionnaire, every_item, walk
from interlock.model.rule import Rule, Ruleset


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
    :param locations: where rules and items stand; without it problems have no file.
    :param check_ids: the probe's check ids; without them ``checks["…"]`` is not looked up.
    """
    where = locations or Locations()
    items = list(every_item(questionnaires))
    by_id = {item.id: item for item in items}
    problems = [*question_problems(items, where, check_ids), *each_rule(ruleset.rules, by_id, where, check_ids)]
    compiled = [compile_rule(rule) for rule in ruleset.rules if not any(broken_conditions(rule))]
    problems += _same_conditions(compiled, where)
    problems += _proofs(compiled, questionnaires, where)
    problems += _statements(compiled, items, statements, where)
    return in_order(problems)


def each_rule(
    rules: Iterable[Rule | Pattern], items: Mapping[str, Item], where: Locations, check_ids: Collection[str] | None
) -> Iterator[LintProblem]:
    """What can be proved wrong about rules or patterns one by one; reading proves that a condition is CEL."""
    for rule in rules:
        broken = dict(broken_conditions(rule))
        conditions = {key: compile_expression(text) for key, text in condition_texts(rule).items() if key not in broken}
        yield from rule_references(rule, conditions, items, where, check_ids)
        for key, condition in conditions.items():
            always = _constant(key, condition)
            if always:
                yield problem(where.rule(rule.id, *key.split(".")), rule.id, "constant", always)
        if not broken:
            yield from own_tests(rule, items, where)


def _constant(key: str, condition: Expression) -> str | None:
    """Why a condition comes to the same whatever is known, or none."""
    value, error = condition.evaluate(SubjectContext(PRODUCT, {}, {}).context)
    if value is not None:
        return f"{key} is always {str(value).lower()}, whatever is known"
    return f"{key} always fails ({error}), whatever is known" if error and not condition.reads else None


def _same_conditions(rules: Sequence[CompiledRule], locations: Locations) -> Iterator[LintProblem]:
    first: dict[tuple[str, str, tuple[str, ...]], str] = {}
    for rule in sorted(rules, key=lambda compiled: bool(compiled.rule.vendors)):  # those for every vendor first
        key = (rule.rule.scope.value, rule.gap_when.normal_form, ())
        own = (rule.rule.scope.value, rule.gap_when.normal_form, rule.rule.vendors)
        other = first.get(key) or first.setdefault(own, rule.rule.id)
        if other != rule.rule.id:
            message = f"has the same gap_when and scope as {other}"
            yield problem(locations.rule(rule.rule.id, "gap_when"), rule.rule.id, "duplicate-condition", message)


def _proofs(
    rules: Sequence[CompiledRule], questionnaires: Sequence[Questionnaire], locations: Locations
) -> Iterator[LintProblem]:
    walked = [entry for questionnaire in questionnaires for entry in walk(questionnaire.items)]
    groups = {item.id: around for item, around in walked}
    items = {item.id: item for item, _ in walked if item.type is not ItemType.GROUP}
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


def lint_ruleset(
    read: RulesetFiles,
    questionnaires: Sequence[Questionnaire],
    items: Mapping[str, Located],
    statements: Sequence[str],
    *,
    check_ids: Collection[str] | None = None,
) -> tuple[LintProblem, ...]:
    """Lint a ruleset, composed of all its sets, with questionnaires. What could not be read is a problem, not an error.

    A proof that fails for a rule that another set changes is reported where it is changed: the rule was sound before.

    :param items: where each item stands.
    """
    problems = [from_error(error) for error in read.problems]
    directories = [files.directory for files in read.sets]
    for directory in directories:
        for path in (*sorted(directory.glob("*/*.yaml")), *sorted(directory.glob("*.yaml"))):
            problems += scalar_problems(path)
    top = next((files for files in read.sets if files.header.id == read.ruleset.id), None)
    locations = Locations(rules=read.documents, items=items, ruleset=str(top.directory / HEADER) if top else None)
    proved = lint(read.ruleset, questionnaires, statements, locations=locations, check_ids=check_ids)
    problems += [_where_changed(entry, read) for entry in proved]
    return in_order(problems)


def lint_patterns(
    read: SetFiles, questionnaires: Sequence[Questionnaire], check_ids: Collection[str] | None = None
) -> tuple[LintProblem, ...]:
    """Lint a folder of patterns: each as a rule, without the proofs over all rules, because none scores."""
    items = {item.id: item for item in every_item(questionnaires)}
    proved = each_rule(read.patterns.values(), items, Locations(rules=read.sources), check_ids)
    quotes = [entry for path in read.directory.rglob("*.yaml") for entry in scalar_problems(path)]
    told = [from_error(error) for error in read.problems]
    return in_order([*told, *quotes, *proved])


def scalar_problems(path: Path) -> list[LintProblem]:
    """Plain scalars of a file that should be quoted; ``off`` needs no quotes where a ruleset turns a rule off."""
    try:
        document = load_yaml(path, within=path.parent)
        return list(unquoted(path, document, plain_below=("rules", OFF) if path.name == HEADER else None))
    except DocumentError:
        return []  # reading the file reports it


def _where_changed(entry: LintProblem, read: RulesetFiles) -> LintProblem:
    source = read.documents.get(entry.id)
    if source is None or not source.changes or entry.file != source.document.file:
        return entry
    change = source.changes[-1]
    location = change.header.location(change.at)
    message = f"{entry.message}; with what is changed here the rule at {entry.file}:{entry.line} no longer passes"
    return replace(entry, file=location.file, line=location.line, column=location.column, message=message)
