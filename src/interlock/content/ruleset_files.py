"""One ruleset's own files: ``ruleset.yaml``, ``<family>/<RULE-ID>.yaml`` one rule each, and ``tasks/*.yaml``.

What a set takes from others (extends, replaces, changes, turns off) is read in :mod:`interlock.content.rulesets`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, field_validator

from interlock.content.compile import broken_conditions
from interlock.documents.resources import is_shipped
from interlock.documents.yaml import Path_, YamlDocument, load_yaml, model_from_yaml
from interlock.model.base import Evidence, GapClass, Gate, Model, Severity
from interlock.model.errors import DocumentError, Location
from interlock.model.hazard import Hazard
from interlock.model.pattern import Pattern
from interlock.model.rule import RoutineTask, Rule

#: Files of one ruleset.
MAX_FILES = 2_000
TASKS = "tasks"
#: The folder of patterns below ``rulesets``.
PATTERNS = "patterns"
HEADER = "ruleset.yaml"

#: A set's name: its folder below ``rulesets``; a vendor's pack has two parts (``vendor/epic``).
SET_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}(/[a-z0-9][a-z0-9_-]{0,63})?$", re.ASCII)
SetName = Annotated[str, Field(pattern=SET_NAME.pattern)]
_R = TypeVar("_R", Rule, Pattern, Hazard)


class Header(Model):
    """``ruleset.yaml``.

    :ivar extends: names of the sets that this one builds on, earlier ones first.
    :ivar vendor: its rules are evaluated only for organisations of this vendor.
    :ivar rules: rule id → ``off``, or the fields that are different here.
    :ivar weights: severity → the score's weight.
    :ivar accepts: gate → the least evidence that it accepts for its requirements.
    :ivar chances: class → how likely a rule that is not decided is a gap, in [0, 1].
    """

    id: SetName
    version: str
    title: str
    extends: tuple[SetName, ...] = ()
    vendor: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] | None = None
    rules: dict[str, Any] = {}
    weights: dict[Severity, Annotated[float, Field(gt=0, le=1000)]] = {}
    accepts: dict[Gate, Evidence] = {}
    chances: dict[GapClass, Annotated[float, Field(ge=0, le=1)]] = {}

    @field_validator("extends", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


@dataclass(frozen=True)
class Change:
    """Fields of a rule that a set changes; they stand at ``at`` of its ``ruleset.yaml``."""

    header: YamlDocument
    at: Path_
    fields: frozenset[str]


@dataclass(frozen=True)
class RuleSource:
    """Where a rule comes from: its file, and what changes some of its fields, latest last."""

    document: YamlDocument
    changes: tuple[Change, ...] = ()

    def location(self, path: Path_ = ()) -> Location:
        """Where one of the rule's keys stands."""
        for change in reversed(self.changes):
            if path and path[0] in change.fields:
                return change.header.location((*change.at, *path))
        return self.document.location(path)


@dataclass
class SetFiles:
    """What the files of one set say. Only what is valid is in it; ``problems`` has the rest."""

    directory: Path
    header: Header
    header_document: YamlDocument | None = None
    rules: dict[str, Rule] = field(default_factory=dict)
    patterns: dict[str, Pattern] = field(default_factory=dict)
    hazards: dict[str, Hazard] = field(default_factory=dict)
    sources: dict[str, RuleSource] = field(default_factory=dict)
    tasks: dict[str, RoutineTask] = field(default_factory=dict)
    task_locations: dict[str, Callable[[], Location]] = field(default_factory=dict)
    problems: list[DocumentError] = field(default_factory=list)

    def header_location(self, *path: str | int) -> Location:
        """Where a key of ``ruleset.yaml`` stands."""
        if self.header_document is None:
            return Location(file=str(self.directory / HEADER))
        return self.header_document.location(path)


def read_set(directory: Path) -> SetFiles:
    """Read one set's own files, a shipped one once; what is wrong is collected, never raised."""
    return _read_shipped(directory) if is_shipped(directory, "rulesets") else _read(directory)


def _read(directory: Path) -> SetFiles:
    read = SetFiles(directory, Header.model_construct(id=directory.name or "ruleset", version="0", title=""))
    if not directory.is_dir():
        read.problems.append(DocumentError("no such directory", location=Location(file=str(directory))))
        return read
    try:
        read.header_document = load_yaml(directory / HEADER)
        read.header = model_from_yaml(Header, read.header_document)
    except DocumentError as error:
        read.problems.append(error)
    for path in _files(read):
        if path.parent.name == TASKS:
            _read_tasks(path, read)
        else:
            _read_rule(path, Rule, read.rules, read)
    return read


_read_shipped = cache(_read)


def _files(read: SetFiles) -> list[Path]:
    directory = read.directory
    paths = sorted(path for path in directory.glob("*/*.yaml") if path.is_file())
    stray = [path for path in directory.glob("*.yaml") if path.name != HEADER]
    stray += list(directory.glob("*/*/**/*.yaml"))
    for path in sorted(stray):
        read.problems.append(
            DocumentError(
                "a ruleset has no file here",
                location=Location(file=str(path)),
                remedy="put a rule into <family>/<RULE-ID>.yaml and tasks into tasks/<name>.yaml",
            )
        )
    if len(paths) > MAX_FILES:
        read.problems.append(DocumentError(f"more than {MAX_FILES:,} files", location=Location(file=str(directory))))
    return paths[:MAX_FILES]


def read_patterns(directory: Path) -> SetFiles:
    """Read a folder's patterns, ``<PATTERN-ID>.yaml`` one each; what is wrong is collected. No folder: no patterns."""
    paths = sorted(directory.rglob("*.yaml"))[:MAX_FILES]
    return read_documents(directory, PATTERNS, paths, Pattern, lambda read: read.patterns)


def read_documents(
    directory: Path, name: str, paths: Iterable[Path], kind: type[_R], into: Callable[[SetFiles], dict[str, _R]]
) -> SetFiles:
    """Read the files of a folder called ``name``, one rule, pattern or hazard each; what is wrong is collected."""
    read = SetFiles(directory, Header.model_construct(id=name, version="0", title=""))
    for path in paths:
        _read_rule(path, kind, into(read), read)
    return read


def _read_rule(path: Path, kind: type[_R], into: dict[str, _R], read: SetFiles) -> None:
    try:
        document = load_yaml(path)
        rule = model_from_yaml(kind, document)
    except DocumentError as error:
        read.problems.append(error)
        return
    name = kind.__name__.lower()
    if rule.id in into:
        earlier = read.sources[rule.id].location(("id",))
        read.problems.append(used_twice(name, rule.id, document.location(("id",)), earlier))
        return
    if path.stem != rule.id:
        read.problems.append(
            DocumentError(
                f"the file is called {path.name!r} and the {name} {rule.id!r}",
                location=document.location(("id",)),
                remedy=f"rename the file to {rule.id}.yaml, or correct the id",
            )
        )
    into[rule.id] = rule
    read.sources[rule.id] = source = RuleSource(document)
    read.problems += condition_problems(rule, source)


def used_twice(kind: str, name: str, location: Location, earlier: Location) -> DocumentError:
    """What is wrong when the rule, pattern or task (``kind``) at ``location`` has the id of an earlier one."""
    return DocumentError(f"the {kind} id {name!r} is already used at {earlier}", location=location)


def condition_problems(rule: Rule | Pattern | Hazard, source: RuleSource) -> list[DocumentError]:
    """Which of a rule's conditions is not CEL, with a caret."""
    return [
        DocumentError(f"{rule.id}: {message}", location=source.location(tuple(key.split("."))))
        for key, message in broken_conditions(rule)
    ]


class _TaskFile(Model):
    tasks: tuple[RoutineTask, ...]


def _refuse_done_when(document: YamlDocument) -> None:
    """Tasks used to count as done when a rule was met."""
    tasks = document.data.get("tasks") if isinstance(document.data, dict) else None
    for index, task in enumerate(tasks if isinstance(tasks, list) else ()):
        if isinstance(task, dict) and "done_when" in task:
            raise DocumentError(
                "done_when is gone: that a rule is met no longer says that a task is done",
                location=document.location(("tasks", index, "done_when")),
                remedy="remove it; where the task is done, say so: interlock task done ID",
            )


def _read_tasks(path: Path, read: SetFiles) -> None:
    try:
        document = load_yaml(path)
        _refuse_done_when(document)
        listed = model_from_yaml(_TaskFile, document).tasks
    except DocumentError as error:
        read.problems.append(error)
        return
    for index, task in enumerate(listed):
        location = partial(document.location, ("tasks", index, "id"))  # reads the file anew, which only an error needs
        if task.id in read.tasks:
            read.problems.append(used_twice("task", task.id, location(), read.task_locations[task.id]()))
            continue
        read.tasks[task.id] = task
        read.task_locations[task.id] = location
