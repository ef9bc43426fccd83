"""Proving that questionnaires and rules are sound: ours, or a user's own."""

from __future__ import annotations

from pathlib import Path

from interlock.documents.resources import data_dir
from interlock.model.errors import InterlockError
from interlock.rules.lint import LintProblem, lint_directories

#: The article's statements (DOMAIN, section 1).
STATEMENTS: tuple[str, ...] = tuple(
    f"S{number:02d}" for number in (*range(1, 9), *range(10, 20), *range(20, 30), *range(30, 40), *range(40, 48), 50)
)


def lint_content(path: Path | None, ruleset: str = "core") -> tuple[LintProblem, ...]:
    """Lint the shipped content, or a folder with ``questionnaires/`` and ``rulesets/<name>/``.

    :raises InterlockError: the folder has neither.
    :raises DocumentError: a file cannot be read at all.
    """
    if path is None:
        return lint_directories(data_dir("questionnaires"), data_dir("rulesets") / ruleset, STATEMENTS)
    questionnaires, rules = path / "questionnaires", path / "rulesets" / ruleset
    if not questionnaires.is_dir() and not rules.is_dir():
        raise InterlockError(
            f"{path} has neither questionnaires/ nor rulesets/{ruleset}/", remedy="give the folder that holds them"
        )
    own = rules.is_dir()
    return lint_directories(
        questionnaires if questionnaires.is_dir() else data_dir("questionnaires"),
        rules if own else data_dir("rulesets") / ruleset,
        STATEMENTS,
    )
