"""Proofs about a ruleset and its questionnaires: that the content means what it says before anybody relies on it."""

from interlock.rules.lint.directories import lint_directories
from interlock.rules.lint.problems import LintProblem
from interlock.rules.lint.run import lint

__all__ = ["LintProblem", "lint", "lint_directories"]
