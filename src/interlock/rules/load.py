"""Rulesets from YAML: one file a rule, checked as a whole.

Layout of a set: ``ruleset.yaml`` (id, version, title), ``<family>/<RULE-ID>.yaml`` one rule each, and
``tasks/*.yaml``, each with a list ``tasks``. As with questionnaires, everything that is wrong can be told at once
(:func:`read_ruleset`) or the first of it raised (:func:`load_ruleset`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from interlock.documents.yaml import Path_, YamlDocument, load_yaml, model_from_yaml
from interlock.model.base import Model
from interlock.model.errors import DocumentError, Place
from interlock.model.rule import Rule, Ruleset, StandingTask
from interlock.rules.compile import compile_rule

#: Files of one ruleset.
MAX_FILES = 2_000
TASKS = "tasks"


class _Header(Model):
    id: str
    version: str
    title: str


class _TaskFile(Model):
    tasks: tuple[StandingTask, ...]


@dataclass
class RulesetFiles:
    """What was read: the ruleset of everything that is valid, where it stands, and everything that is wrong."""

    ruleset: Ruleset
    documents: dict[str, YamlDocument] = field(default_factory=dict)
    problems: list[DocumentError] = field(default_factory=list)
    task_places: dict[str, Place] = field(default_factory=dict)

    def place(self, rule_id: str, *path: str | int) -> Place:
        """Where a rule, or one of its keys, stands."""
        document = self.documents.get(rule_id)
        return document.place(path) if document else Place()


def load_ruleset(directory: Path) -> Ruleset:
    """Read a ruleset.

    :raises DocumentError: a missing directory or ``ruleset.yaml``, a file that is not a rule, a file name that differs
        from the rule's id, an id used twice, a dependency on a rule that does not exist, a circle of dependencies (the
        path is shown), or a condition that is not CEL (with a caret).
    """
    read = read_ruleset(directory)
    if read.problems:
        raise read.problems[0]
    return read.ruleset


def read_ruleset(directory: Path) -> RulesetFiles:
    """Like :func:`load_ruleset`, but collects what is wrong instead of raising it."""
    read = RulesetFiles(Ruleset(id=directory.name or "ruleset", version="0", title="", rules=()))
    if not directory.is_dir():
        read.problems.append(DocumentError("no such directory", place=Place(file=str(directory))))
        return read
    header = _read_header(directory, read)
    rules: dict[str, Rule] = {}
    tasks: dict[str, StandingTask] = {}
    for path in _files(directory, read):
        if path.parent.name == TASKS:
            _read_tasks(path, tasks, read)
        else:
            _read_rule(path, rules, read)
    read.ruleset = Ruleset(
        id=header.id,
        version=header.version,
        title=header.title,
        rules=tuple(rules[rule_id] for rule_id in sorted(rules)),
        tasks=tuple(tasks[task_id] for task_id in sorted(tasks)),
    )
    _check_dependencies(rules, read)
    _check_tasks(tasks, rules, read)
    return read


def find_circle(following: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A circle in a graph as a path that ends where it starts, or none. Names without an entry have no followers."""
    done: set[str] = set()
    for start in following:
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = []
        if start in done:
            continue
        path.append(start)
        stack.append((start, iter(following[start])))
        while stack:
            node, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                stack.pop()
                path.pop()
                done.add(node)
            elif target in path:
                return [*path[path.index(target) :], target]
            elif target not in done:
                path.append(target)
                stack.append((target, iter(following.get(target, ()))))
    return None


def _read_header(directory: Path, read: RulesetFiles) -> _Header:
    try:
        return model_from_yaml(_Header, load_yaml(directory / "ruleset.yaml"))
    except DocumentError as error:
        read.problems.append(error)
        return _Header(id=read.ruleset.id, version=read.ruleset.version, title=read.ruleset.title)


def _files(directory: Path, read: RulesetFiles) -> list[Path]:
    found = sorted(path for path in directory.glob("*/*.yaml") if path.is_file())
    stray = [path for path in directory.glob("*.yaml") if path.name != "ruleset.yaml"]
    stray += list(directory.glob("*/*/**/*.yaml"))
    for path in sorted(stray):
        read.problems.append(
            DocumentError(
                "a ruleset has no file here",
                place=Place(file=str(path)),
                remedy="put a rule into <family>/<RULE-ID>.yaml and tasks into tasks/<name>.yaml",
            )
        )
    if len(found) > MAX_FILES:
        read.problems.append(DocumentError(f"more than {MAX_FILES:,} files", place=Place(file=str(directory))))
    return found[:MAX_FILES]


def _read_rule(path: Path, rules: dict[str, Rule], read: RulesetFiles) -> None:
    try:
        document = load_yaml(path)
        rule = model_from_yaml(Rule, document)
    except DocumentError as error:
        read.problems.append(error)
        return
    place = document.place(("id",))
    if rule.id in rules:
        earlier = read.place(rule.id, "id")
        read.problems.append(DocumentError(f"the rule id {rule.id!r} is already used at {earlier}", place=place))
        return
    if path.stem != rule.id:
        read.problems.append(
            DocumentError(
                f"the file is called {path.name!r} and the rule {rule.id!r}",
                place=place,
                remedy=f"rename the file to {rule.id}.yaml, or correct the id",
            )
        )
    rules[rule.id] = rule
    read.documents[rule.id] = document
    for key in ("applies", "gap_when"):
        _check_condition(rule, key, document, read)


def _check_condition(rule: Rule, key: str, document: YamlDocument, read: RulesetFiles) -> None:
    update: dict[str, str | None] = {"gap_when": "true"} if key == "applies" else {"applies": None}
    try:
        compile_rule(rule.model_copy(update=update))
    except DocumentError as error:
        read.problems.append(DocumentError(error.message, place=document.place((key,))))


def _read_tasks(path: Path, tasks: dict[str, StandingTask], read: RulesetFiles) -> None:
    try:
        document = load_yaml(path)
        listed = model_from_yaml(_TaskFile, document).tasks
    except DocumentError as error:
        read.problems.append(error)
        return
    for index, task in enumerate(listed):
        place = document.place(("tasks", index, "id"))
        if task.id in tasks:
            earlier = read.task_places[task.id]
            read.problems.append(DocumentError(f"the task id {task.id!r} is already used at {earlier}", place=place))
            continue
        tasks[task.id] = task
        read.task_places[task.id] = place


def _check_dependencies(rules: Mapping[str, Rule], read: RulesetFiles) -> None:
    for rule in rules.values():
        for index, needed in enumerate(rule.depends_on):
            if needed not in rules:
                path: Path_ = ("depends_on", index)
                read.problems.append(
                    DocumentError(
                        f"{rule.id}: depends_on names {needed!r}, which is no rule{_close(needed, rules)}",
                        place=read.place(rule.id, *path),
                    )
                )
    circle = find_circle({rule.id: rule.depends_on for rule in rules.values()})
    if circle:
        read.problems.append(
            DocumentError(
                f"the dependencies form a circle: {' → '.join(circle)}", place=read.place(circle[0], "depends_on")
            )
        )


def _check_tasks(tasks: Mapping[str, StandingTask], rules: Mapping[str, Rule], read: RulesetFiles) -> None:
    for task in tasks.values():
        known = {*tasks, *rules}
        for key, names in (("after", task.after), ("replaces", task.replaces)):
            for name in names:
                if name not in (known if key == "after" else tasks):
                    read.problems.append(
                        DocumentError(
                            f"{task.id}: {key} names {name!r}, which does not exist{_close(name, known)}",
                            place=read.task_places[task.id],
                        )
                    )
    circle = find_circle({task.id: task.after for task in tasks.values()})
    if circle:
        read.problems.append(
            DocumentError(f"the tasks form a circle: {' → '.join(circle)}", place=read.task_places[circle[0]])
        )


def _close(name: str, known: Mapping[str, object] | set[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
