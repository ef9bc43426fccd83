"""Every proof over a ruleset from files, with positions, and with everything that cannot even be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from interlock.content.references import Located
from interlock.content.ruleset_files import HEADER, SetFiles
from interlock.content.rulesets import OFF, RulesetFiles
from interlock.documents.yaml import load_yaml
from interlock.judge.lint.problems import LintProblem, Locations, from_error, in_order
from interlock.judge.lint.references import every_item
from interlock.judge.lint.run import each_rule, lint
from interlock.judge.lint.scalars import unquoted
from interlock.model.errors import DocumentError
from interlock.model.questionnaire import Questionnaire


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
