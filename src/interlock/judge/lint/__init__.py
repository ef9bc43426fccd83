"""Proofs about a ruleset and its questionnaires: that the content means what it says before anybody relies on it."""

from interlock.judge.lint.hazards import lint_hazards
from interlock.judge.lint.problems import LintProblem, from_error, in_order
from interlock.judge.lint.rehearsals import lint_rehearsals
from interlock.judge.lint.run import lint, lint_patterns, lint_ruleset, scalar_problems

__all__ = [
    "LintProblem",
    "from_error",
    "in_order",
    "lint",
    "lint_hazards",
    "lint_patterns",
    "lint_rehearsals",
    "lint_ruleset",
    "scalar_problems",
]
