"""Proofs about a ruleset and its questionnaires: that the content means what it says before anybody relies on it."""

from interlock.rules.lint.files import lint_ruleset, scalar_problems
from interlock.rules.lint.problems import LintProblem, from_error, in_order
from interlock.rules.lint.run import lint

__all__ = ["LintProblem", "from_error", "in_order", "lint", "lint_ruleset", "scalar_problems"]
