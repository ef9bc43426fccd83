"""The pattern library (S44): read, compiled once, and matched against everything that is known.

One file a pattern, ``<PATTERN-ID>.yaml``. Three-valued like rules: what cannot be decided is ``undecided``. An ``org``
pattern sees what a rule of that scope sees, and ``site`` (:class:`interlock.model.pattern.Site`). A ``fleet`` pattern
sees what a rule of product scope sees, and asks of the organisations with ``orgs.exists(o, …)`` and ``orgs.all(o, …)``,
where ``o`` has ``org``, ``site``, ``probe``, ``checks``, ``fit``, ``responses`` and ``value``
(:mod:`interlock.judge.fleet_conditions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from interlock.content.compile import ANSWER_ROOTS, expression_error
from interlock.content.expression import Expression, compile_expression
from interlock.content.ruleset_files import misnamed, used_twice
from interlock.content.syntax import CelSyntaxError
from interlock.documents.files import inside
from interlock.documents.yaml import YamlDocument, load_yaml, model_from_yaml
from interlock.judge.fleet_conditions import ORGS, FleetCondition, of_one, reads_beside, reads_of_one, structure
from interlock.judge.names import Wanted, wanted_names
from interlock.model.base import Scope
from interlock.model.errors import DocumentError, Location
from interlock.model.pattern import Pattern

#: Files of one library.
MAX_PATTERNS = 500


@dataclass
class PatternFiles:
    """What was read: every valid pattern in id order, its document, and everything that is wrong."""

    patterns: tuple[Pattern, ...] = ()
    documents: dict[str, YamlDocument] = field(default_factory=dict)
    problems: list[DocumentError] = field(default_factory=list)

    def location(self, pattern_id: str, *path: str | int) -> Location:
        """Where a pattern, or one of its keys, stands."""
        document = self.documents.get(pattern_id)
        return document.location(path) if document else Location()


@dataclass(frozen=True, eq=False)
class CompiledPattern:
    """One pattern and its compiled conditions; ``over_all`` is ``when`` taken apart, in fleet scope."""

    pattern: Pattern
    when: Expression
    over_all: FleetCondition | None
    concerns: Expression | None

    @cached_property
    def of_each(self) -> tuple[Expression, ...]:
        """Everything that is asked of each organisation, in fleet scope."""
        bodies = self.over_all.bodies if self.over_all else ()
        return bodies if self.concerns is None else (*bodies, self.concerns)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Dotted names read of the subject itself: the organisation in org scope, the product in fleet scope."""
        names = [*self.when.reads, *(name for body in self.of_each for name in reads_beside(body))]
        return tuple(name for name in dict.fromkeys(names) if name != ORGS)

    @cached_property
    def reads_of_each(self) -> tuple[str, ...]:
        """Dotted names read of each organisation, in fleet scope."""
        return tuple(dict.fromkeys(name for body in self.of_each for name in reads_of_one(body)))


@dataclass(frozen=True, eq=False)
class CompiledPatterns:
    """A library whose conditions are compiled: what :func:`interlock.judge.pattern_matching.match` runs."""

    patterns: tuple[CompiledPattern, ...]

    @cached_property
    def reads_at_org(self) -> frozenset[str]:
        """Every dotted name that some pattern of org scope reads."""
        return frozenset(name for one in self.patterns if one.pattern.scope == "org" for name in one.reads)

    @cached_property
    def wanted_at_org(self) -> Wanted:
        """The same as a tree."""
        return wanted_names(self.reads_at_org)

    @cached_property
    def items(self) -> frozenset[str]:
        """Ids of the questions that some pattern reads."""
        names = (name.partition(".") for one in self.patterns for name in (*one.reads, *one.reads_of_each))
        return frozenset(item for root, _, item in names if root in ANSWER_ROOTS)

    @cached_property
    def reads_of_each(self) -> Wanted:
        """As a tree, every dotted name that some pattern of fleet scope reads of each organisation."""
        return wanted_names(name for one in self.patterns for name in one.reads_of_each)

    @cached_property
    def reads_beside_each(self) -> Wanted:
        """As a tree, every dotted name of the product that some pattern reads when it looks at one organisation."""
        return wanted_names(name for one in self.patterns for body in one.of_each for name in reads_beside(body))

    @cached_property
    def reads_over_all(self) -> Wanted:
        """As a tree, every dotted name that some pattern of fleet scope reads of the product."""
        return wanted_names(name for one in self.patterns if one.pattern.scope == "fleet" for name in one.reads)


def load_patterns(directories: Sequence[Path]) -> CompiledPatterns:
    """Read a library of patterns; of two with one id, that of the later directory counts.

    :raises DocumentError: a file that is no pattern, a file name that differs from the id, an id used twice, or a
        condition that is not CEL (with a caret).
    """
    found: dict[str, Pattern] = {}
    for directory in directories:
        read = read_patterns(directory)
        if read.problems:
            raise read.problems[0]
        found |= {pattern.id: pattern for pattern in read.patterns}
    return compile_patterns(found.values())


def read_patterns(directory: Path) -> PatternFiles:
    """One directory's patterns; what is wrong is collected, not raised. No directory: no patterns."""
    read = PatternFiles()
    found: dict[str, Pattern] = {}
    if not directory.is_dir():
        return read
    try:
        inside(directory.parent, directory)
    except DocumentError as error:
        read.problems.append(error)
        return read
    paths = sorted(directory.glob("**/*.yaml"))
    if len(paths) > MAX_PATTERNS:
        read.problems.append(
            DocumentError(f"more than {MAX_PATTERNS} patterns", location=Location(file=str(directory)))
        )
    for path in paths[:MAX_PATTERNS]:
        _read(directory, path, found, read)
    read.patterns = tuple(found[pattern_id] for pattern_id in sorted(found))
    return read


def compile_patterns(patterns: Iterable[Pattern]) -> CompiledPatterns:
    """Compile patterns, in id order.

    :raises DocumentError: a condition is not CEL, or reads all organisations in a way that cannot be decided one by
        one; shows it with a caret.
    """
    return CompiledPatterns(tuple(map(_compiled, sorted(patterns, key=lambda one: one.id))))


def scope_of(pattern: Pattern) -> Scope:
    """The rules' scope whose names a pattern's condition has."""
    return Scope.ORG if pattern.scope == "org" else Scope.PRODUCT


def _read(directory: Path, path: Path, found: dict[str, Pattern], read: PatternFiles) -> None:
    try:
        document = load_yaml(path, within=directory)
        pattern = model_from_yaml(Pattern, document)
    except DocumentError as error:
        read.problems.append(error)
        return
    location = document.location(("id",))
    if pattern.id in found:
        read.problems.append(used_twice("pattern", pattern.id, location, read.location(pattern.id, "id")))
        return
    if path.stem != pattern.id:
        read.problems.append(misnamed("pattern", pattern.id, location, path))
    read.documents[pattern.id] = document
    problems = list(_broken_conditions(pattern, document))
    read.problems += problems
    if not problems:
        found[pattern.id] = pattern


def _broken_conditions(pattern: Pattern, document: YamlDocument) -> Iterator[DocumentError]:
    for key in ("when", "concerns"):
        one = pattern.model_copy(update={"concerns": None} if key == "when" else {"when": "true"})
        try:
            _compiled(one)
        except DocumentError as error:
            yield DocumentError(error.message, location=document.location((key,)), remedy=error.remedy)


def _compiled(pattern: Pattern) -> CompiledPattern:
    key, text = "when", pattern.when
    try:
        when = compile_expression(text)
        over_all = structure(when) if pattern.scope == "fleet" else None
        if pattern.concerns is None:
            return CompiledPattern(pattern, when, over_all, None)
        key, text = "concerns", pattern.concerns
        concerns = compile_expression(text)
        of_one(concerns)
    except CelSyntaxError as error:
        raise DocumentError(expression_error(pattern.id, key, text, error)) from error
    return CompiledPattern(pattern, when, over_all, concerns)


def as_compiled(patterns: CompiledPatterns | Sequence[Pattern]) -> CompiledPatterns:
    """The same, compiled; expressions are cached by their text, so this is cheap to repeat."""
    return patterns if isinstance(patterns, CompiledPatterns) else compile_patterns(patterns)
