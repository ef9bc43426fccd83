"""Proofs about the catalogue of rehearsal checks: every question, option and rule that it names is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from interlock.content.rehearsals import CatalogueFiles
from interlock.documents.names import did_you_mean
from interlock.judge.lint.problems import LintProblem, from_error, in_order, problem
from interlock.model.questionnaire import Questionnaire, every_item
from interlock.model.rehearsal import RehearsalCheck


def lint_rehearsals(
    read: CatalogueFiles,
    questionnaires: Sequence[Questionnaire],
    *,
    rules: Collection[str],
    built: Collection[str],
) -> tuple[LintProblem, ...]:
    """Lint the catalogue.

    :param rules: ids of the rules that there are.
    :param built: ids of the checks that a rehearsal can look at; each is told as a sequence.
    """
    options = {item.id: {option.value for option in item.options} for item in every_item(questionnaires)}
    problems = [from_error(error) for error in read.problems]
    for check in read.checks.values():
        problems += _names(read, check, options, rules)
        if check.id in built and not check.steps:
            problems.append(problem(read.location(check.id), check.id, "reference", "it is built, and has no steps"))
    for missing in sorted(set(built) - read.checks.keys()):
        problems.append(LintProblem(None, None, None, missing, "reference", "it is built, and not in the catalogue"))
    return in_order(problems)


def _names(
    read: CatalogueFiles, check: RehearsalCheck, options: dict[str, set[str]], rules: Collection[str]
) -> Iterator[LintProblem]:
    for number, reference in enumerate(check.turns):
        question, _, option = reference.partition("=")
        where = read.location(check.id, "turns", number)
        if question not in options:
            message = f"turns names the question {question!r}, which does not exist{did_you_mean(question, options)}"
            yield problem(where, check.id, "reference", message)
        elif option and option not in options[question]:
            message = (
                f"turns names {option!r}, which {question} does not offer{did_you_mean(option, options[question])}"
            )
            yield problem(where, check.id, "option", message)
    turned = {reference.partition("=")[0] for reference in check.turns}
    for number, reference in enumerate(check.breaks):
        question, _, option = reference.partition("@")[0].partition("=")
        where = read.location(check.id, "breaks", number)
        if question not in turned:
            yield problem(where, check.id, "reference", f"breaks names {question!r}, which turns does not")
        elif option not in options.get(question, {option}):
            message = f"breaks names {option!r}, which {question} does not offer"
            yield problem(where, check.id, "option", message + did_you_mean(option, options[question]))
    for number, rule in enumerate(check.rules):
        if rule not in rules:
            message = f"rules names {rule!r}, which does not exist{did_you_mean(rule, rules)}"
            yield problem(read.location(check.id, "rules", number), check.id, "reference", message)
