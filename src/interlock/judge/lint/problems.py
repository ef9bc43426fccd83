"""What a lint proof found, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from interlock.content.questionnaires import Located
from interlock.content.ruleset_files import RuleSource
from interlock.model.errors import DocumentError, Location


@dataclass(frozen=True)
class LintProblem:
    """One problem. ``line`` and ``column`` are 1-based; ``id`` is the rule's, question's, task's or statement's.

    ``code`` is a stable word for the kind of problem; see :data:`CODES`.
    """

    file: str | None
    line: int | None
    column: int | None
    id: str
    code: str
    message: str

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{where + ': ' if where else ''}{self.id + ': ' if self.id else ''}{self.message} [{self.code}]"


#: Every code and what it means.
CODES = {
    "document": "a file cannot be read as what it should be",
    "quote": "a plain YAML scalar that other tools read as a boolean, number or date",
    "reference": "a name refers to nothing",
    "scope": "a name is not available in this scope",
    "option": "an answer is compared with a value that its question never has",
    "grade": "option weights that do not grade",
    "auto-answer": "an automatic answer that cannot be given",
    "variable": "a name that no condition knows",
    "function": "a function that CEL does not have",
    "constant": "a condition that does not depend on anything",
    "duplicate-condition": "two rules with the same condition and scope",
    "message": "a message field that is never filled in",
    "measures": "a measured question that the rule does not read",
    "expression": "a condition that is not CEL",
    "tests-missing": "no test for one of gap, met and unknown",
    "test-context": "a test gives what can never be given",
    "test-fails": "a test expects another outcome",
    "best-opens-gap": "a gap although every answer is the best",
    "worst-opens-nothing": "the worst answer to a graded question opens no gap",
    "unknown-is-no": "a gap although nothing was answered or observed",
    "unknown-is-yes": "met although nothing was answered or observed",
    "contract": "a name in the contract that FHIR does not know, or a contradiction in it",
    "setting": "a value of an organisation that the contract's settings do not take",
    "version": "a recorded version that is not the one in use",
    "kind": "the contract or an answer says that the product is of another kind",
    "unused": "content that nothing uses",
    "statement": "a statement of the article without a question, check or rule",
}


@dataclass(frozen=True)
class Locations:
    """Where rules and items stand: their document and the path in it. Empty for content that is not from files."""

    rules: Mapping[str, RuleSource] = field(default_factory=dict)
    items: Mapping[str, Located] = field(default_factory=dict)
    ruleset: str | None = None

    def rule(self, rule_id: str, *path: str | int) -> Location:
        """A key of a rule."""
        source = self.rules.get(rule_id)
        return source.location(path) if source else Location()

    def item(self, item_id: str, *path: str | int) -> Location:
        """A key of an item."""
        declared = self.items.get(item_id)
        return declared.at(*path) if declared else Location()


def problem(location: Location, owner: str, code: str, message: str) -> LintProblem:
    """A problem at a location."""
    return LintProblem(location.file, location.line, location.column, owner, code, message)


def from_error(error: DocumentError) -> LintProblem:
    """A loader's error as a problem."""
    remedy = f" ({error.remedy})" if error.remedy else ""
    return problem(error.location or Location(), "", "document", f"{error.message}{remedy}")


def in_order(problems: Iterable[LintProblem]) -> tuple[LintProblem, ...]:
    """Each problem once, by file, line and column."""
    return tuple(sorted(dict.fromkeys(problems), key=_by_location))


def _by_location(entry: LintProblem) -> tuple[str, int, int, str, str, str]:
    return (entry.file or "", entry.line or 0, entry.column or 0, entry.id, entry.code, entry.message)
