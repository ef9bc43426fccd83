"""Proving that questionnaires and rules are sound: ours, or a user's own."""

from __future__ import annotations

from pathlib import Path

from interlock.documents.resources import data_dir
from interlock.model.errors import InterlockError
from interlock.probe.checks.registry import list_checks
from interlock.questionnaire.load import read_questionnaires
from interlock.rules.lint import LintProblem, lint_directories

#: The article's statements (DOMAIN, section 1).
STATEMENTS: tuple[str, ...] = tuple(
    f"S{number:02d}" for number in (*range(1, 9), *range(10, 20), *range(20, 30), *range(30, 40), *range(40, 48), 50)
)


def lint_content(path: Path | None, ruleset: str = "core") -> tuple[LintProblem, ...]:
    """Lint the shipped content, or a folder with ``questionnaires/`` and ``rulesets/<name>/`` (either is enough).

    :raises InterlockError: the folder has neither.
    """
    own_questions, own_rules = (path / "questionnaires", path / "rulesets" / ruleset) if path else (None, None)
    if path and not any(folder and folder.is_dir() for folder in (own_questions, own_rules)):
        raise InterlockError(
            f"{path} has neither questionnaires/ nor rulesets/{ruleset}/", remedy="give the folder that holds them"
        )
    questions = own_questions if own_questions and own_questions.is_dir() else data_dir("questionnaires")
    rules = own_rules if own_rules and own_rules.is_dir() else data_dir("rulesets") / ruleset
    found = lint_directories(questions, rules, STATEMENTS, check_ids=[check.id for check in list_checks()])
    known = {(problem.file, problem.line, problem.column) for problem in found}
    unreadable = [
        LintProblem(place.file, place.line, place.column, "", "document", error.message)
        for error in read_questionnaires([questions]).problems
        if (place := error.place) and (place.file, place.line, place.column) not in known
    ]
    return (*unreadable, *found)
