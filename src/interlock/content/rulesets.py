"""Rulesets from YAML, checked as a whole: a set, what it extends, and the vendors' packs that go with it.

Sets are composed in order: what a set extends comes first, a vendor's pack after the sets that it extends, the set
itself last. In that order

- a rule or task with the id of an earlier one replaces it;
- ``rules: {RULE-ID: off}`` takes a rule away: what depended on it depends on what it depended on;
- ``rules: {RULE-ID: {severity: low}}`` changes fields of a rule; maps are merged, everything else is replaced;
- ``weights: {critical: 12}`` changes the score's weight of a severity.
- ``accepts: {pilot: asserted}`` changes the least evidence that a gate accepts.
- ``chances: {gap: 0.2}`` changes how likely an undecided rule is a gap, by class; a rule may have its own.

A vendor's pack only adds: it cannot change what holds for other vendors. Everything that is wrong can be told at once
(:func:`read_ruleset`) or the first of it raised (:func:`load_ruleset`). See docs/extending.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from interlock.content.order import order_problems
from interlock.content.ruleset_files import (
    SET_NAME,
    Change,
    Header,
    RuleSource,
    SetFiles,
    condition_problems,
    read_patterns,
    read_set,
)
from interlock.documents.names import did_you_mean
from interlock.documents.yaml import Path_, YamlDocument, model_from_yaml
from interlock.model.base import Evidence, GapClass, Gate, Scope, Severity
from interlock.model.errors import DocumentError, Location
from interlock.model.pattern import Pattern
from interlock.model.rule import RoutineTask, Rule, Ruleset

#: The folder of vendors' packs below ``rulesets``.
PACKS = "vendor"
#: A vendor's pack that does not say what it extends goes with this set.
CORE = "core"
OFF = "off"


@dataclass(frozen=True)
class SetFolders:
    """Folders that hold rulesets, each set in a folder of its own name; a later folder's set hides an earlier one's."""

    roots: tuple[Path, ...]

    def find(self, name: str) -> Path | None:
        """The folder of a set, or none; a name that is no plain name of a set finds nothing."""
        if not SET_NAME.fullmatch(name):
            return None
        return next((root / name for root in reversed(self.roots) if (root / name).is_dir()), None)

    def names(self) -> tuple[str, ...]:
        """Every set's name, packs included, sorted."""
        plain_sets = {
            path.parent.relative_to(root).as_posix() for root in self.roots for path in root.glob("*/ruleset.yaml")
        }
        return tuple(sorted({*plain_sets, *self.packs()}))

    def tops(self) -> tuple[str, ...]:
        """Names of the sets, packs left out, that no other of these folders extends, sorted."""
        names = [name for name in self.names() if name not in self.packs()]
        located = {name: self.find(name) for name in names}
        extended = {base for folder in located.values() if folder for base in read_set(folder).header.extends}
        return tuple(name for name in names if name not in extended) or tuple(names)

    def packs(self) -> tuple[str, ...]:
        """Names of the vendors' packs, sorted."""
        paths = (path.parent.relative_to(root) for root in self.roots for path in root.glob(f"{PACKS}/*/ruleset.yaml"))
        return tuple(sorted({path.as_posix() for path in paths}))


def load_ruleset(directory: Path, folders: SetFolders | None = None) -> Ruleset:
    """Read a ruleset, with what it extends and the vendors' packs of ``folders``.

    :raises DocumentError: a missing directory or ``ruleset.yaml``, a file that is not a rule, a file name that differs
        from the rule's id, an id used twice, a set to extend that does not exist, a circle of sets, a change to a rule
        that does not exist, a dependency on a rule that does not exist, a circle of dependencies (the path is shown),
        or a condition that is not CEL (with a caret).
    """
    read = read_ruleset(directory, folders)
    if read.problems:
        raise read.problems[0]
    return read.ruleset


def load_patterns(directories: Sequence[Path]) -> tuple[Pattern, ...]:
    """The library of patterns in some folders, in id order; of two with one id, that of the later folder counts.

    :raises DocumentError: a file that is no pattern, a file name that differs from the id, an id used twice, or a
        condition that is not CEL (with a caret).
    """
    patterns: dict[str, Pattern] = {}
    for directory in directories:
        read = read_patterns(directory)
        if read.problems:
            raise read.problems[0]
        patterns |= read.patterns
    return tuple(patterns[pattern_id] for pattern_id in sorted(patterns))


def read_ruleset(directory: Path, folders: SetFolders | None = None) -> RulesetFiles:
    """Like :func:`load_ruleset`, but collects what is wrong instead of raising it."""
    problems: list[DocumentError] = []
    sets = _in_order(directory, folders or SetFolders(()), problems)
    read = RulesetFiles(next(files.header for files in sets if files.directory == directory), tuple(sets), problems)
    for files in sets:
        read.add(files)
    read.without_what_is_off()
    read.problems += order_problems(read.rules, read.tasks, read.location, read.task_locations)
    return read


# -- which sets, in which order -------------------------------------------------------------------------------------


def _in_order(directory: Path, folders: SetFolders, problems: list[DocumentError]) -> list[SetFiles]:
    """The sets to compose, bases first; a pack comes right after the last of the sets that it extends."""
    files_of: dict[Path, SetFiles] = {}
    _with_bases(directory, directory.name, folders, (), files_of, problems)
    order = list(files_of)
    packs = [read_set(folder) for name in folders.packs() if (folder := folders.find(name)) and folder not in files_of]
    for pack in sorted(packs, key=lambda files: any(base.startswith(PACKS) for base in files.header.extends)):
        wanted = [folders.find(base) for base in pack.header.extends or (CORE,)]
        locations = [order.index(base) for base in wanted if base in order]
        if len(locations) == len(wanted):
            problems += pack.problems
            files_of[pack.directory] = pack
            at = max(locations) + 1
            while at < len(order) and files_of[order[at]] in packs:
                at += 1
            order.insert(at, pack.directory)
    return [files_of[folder] for folder in order]


def _with_bases(
    directory: Path,
    name: str,
    folders: SetFolders,
    path: tuple[str, ...],
    files_of: dict[Path, SetFiles],
    problems: list[DocumentError],
) -> None:
    read = read_set(directory)
    problems += read.problems
    here = (*path, name)
    for index, base in enumerate(read.header.extends):
        folder = folders.find(base)
        location = read.header_location("extends", index)
        if folder is None:
            problems.append(
                DocumentError(
                    f"extends names {base!r}, which does not exist{did_you_mean(base, folders.names())}",
                    location=location,
                )
            )
        elif base in here:
            circle = " → ".join([*here[here.index(base) :], base])
            problems.append(
                DocumentError(
                    f"extends forms a circle: {circle}",
                    location=location,
                    remedy="a set that extends another needs a name of its own",
                )
            )
        elif folder not in files_of:
            _with_bases(folder, base, folders, here, files_of, problems)
    files_of[directory] = read


# -- composing --------------------------------------------------------------------------------------------------------


@dataclass
class RulesetFiles:
    """What was read: the rules and tasks of everything that is valid, where they stand, and everything that is wrong.

    :ivar header: of the set that was asked for.
    :ivar sets: every set that it is composed of, in order.
    :ivar off: the rules that are turned off.
    """

    header: Header
    sets: tuple[SetFiles, ...]
    problems: list[DocumentError]
    rules: dict[str, Rule] = field(default_factory=dict)
    documents: dict[str, RuleSource] = field(default_factory=dict)
    tasks: dict[str, RoutineTask] = field(default_factory=dict)
    task_locations: dict[str, Callable[[], Location]] = field(default_factory=dict)
    weights: dict[Severity, float] = field(default_factory=dict)
    accepts: dict[Gate, Evidence] = field(default_factory=dict)
    chances: dict[GapClass, float] = field(default_factory=dict)
    off: dict[str, Rule] = field(default_factory=dict)

    @cached_property
    def ruleset(self) -> Ruleset:
        """The ruleset that the sets compose, once all of them were added."""
        return Ruleset(
            id=self.header.id,
            version=self.header.version,
            title=self.header.title,
            rules=tuple(self._weighted(self.rules[rule_id]) for rule_id in sorted(self.rules)),
            tasks=tuple(self.tasks[task_id] for task_id in sorted(self.tasks)),
            sets={files.header.id: files.header.version for files in self.sets},
            weights=self.weights,
            accepts=self.accepts,
            chances=self.chances,
        )

    def location(self, rule_id: str, *path: str | int) -> Location:
        """Where a rule, or one of its keys, stands."""
        source = self.documents.get(rule_id)
        return source.location(path) if source else Location()

    def add(self, files: SetFiles) -> None:
        """Put one more set over what is there."""
        if files.header.vendor is not None:
            self._add_pack(files, files.header.vendor)
            return
        self._change(files)
        self.weights |= files.header.weights
        self.accepts |= files.header.accepts
        self.chances |= files.header.chances
        self.off = {rule_id: rule for rule_id, rule in self.off.items() if rule_id not in files.rules}
        self.rules |= files.rules
        self.documents |= files.sources
        self.tasks |= files.tasks
        self.task_locations |= files.task_locations

    def _weighted(self, rule: Rule) -> Rule:
        """The rule with the weight that its severity has here."""
        weight = self.weights.get(rule.severity)
        if rule.weight is not None or weight is None or weight == rule.severity.weight:
            return rule
        return rule.model_copy(update={"weight": weight})

    def without_what_is_off(self) -> None:
        """Whoever depended on a rule that is off depends on what that rule depended on."""
        if not self.off:
            return
        for rule_id, rule in self.rules.items():
            if not self.off.keys().isdisjoint(rule.depends_on):
                self.rules[rule_id] = rule.model_copy(update={"depends_on": without(self.off, rule.depends_on)})
        for task_id, task in self.tasks.items():
            self.tasks[task_id] = without_rules(self.off, task)

    def _add_pack(self, files: SetFiles, vendor: str) -> None:
        for key in ("rules", "weights", "accepts", "chances"):
            if getattr(files.header, key):
                message = f"a vendor's pack cannot have {key}: it would change what holds for other vendors"
                self._wrong(message, files.header_location(key), "put it into a set of your own that extends core")
        for rule in files.rules.values():
            if rule.id in self.rules:
                earlier = self.documents[rule.id].location(("id",))
                message = f"a vendor's pack cannot replace {rule.id!r} of {earlier}: it holds for other vendors too"
                self._wrong(message, files.sources[rule.id].location(("id",)), "give the pack's rule an id of its own")
            elif rule.scope is Scope.PRODUCT:
                message = f"{rule.id}: a rule of a vendor's pack is about a vendor or an organisation"
                self._wrong(message, files.sources[rule.id].location(("scope",)), "write scope: vendor or scope: org")
            else:
                self.rules[rule.id] = rule if rule.vendors else rule.model_copy(update={"vendors": (vendor,)})
                self.documents[rule.id] = files.sources[rule.id]
        for task in files.tasks.values():
            if task.id in self.tasks:
                message = f"the task id {task.id!r} is already used at {self.task_locations[task.id]()}"
                self._wrong(message, files.task_locations[task.id](), "give the pack's task an id of its own")
                continue
            self.tasks[task.id] = task if task.vendors else task.model_copy(update={"vendors": (vendor,)})
            self.task_locations[task.id] = files.task_locations[task.id]

    def _change(self, files: SetFiles) -> None:
        for rule_id, change in files.header.rules.items():
            location = files.header_location("rules", rule_id)
            if rule_id not in self.rules:
                hint = "it is in this set itself: change its file" if rule_id in files.rules else None
                message = f"rules names {rule_id!r}, which no extended set has{did_you_mean(rule_id, self.rules)}"
                self._wrong(message, location, hint)
            elif rule_id in files.rules:
                where = files.sources[rule_id].location(("id",))
                self._wrong(f"{rule_id} is changed here and replaced at {where}", location, "keep one of them")
            elif change == OFF:
                self.off[rule_id] = self.rules.pop(rule_id)
            elif isinstance(change, dict) and change and "id" not in change:
                assert files.header_document is not None
                self._override(rule_id, change, files.header_document)
            else:
                self._wrong(
                    f"{rule_id}: expected off or the fields to change", location, "write off, or {severity: low}"
                )

    def _override(self, rule_id: str, change: dict[str, Any], header: YamlDocument) -> None:
        at: Path_ = ("rules", rule_id)
        before = self.rules[rule_id].model_dump(mode="json", by_alias=True, exclude_unset=True)
        try:
            changed = model_from_yaml(Rule, header, _merged(before, change), at)
        except DocumentError as error:
            self.problems.append(error)
            return
        source = self.documents[rule_id]
        self.documents[rule_id] = RuleSource(source.document, (*source.changes, Change(header, at, frozenset(change))))
        self.problems += condition_problems(changed, self.documents[rule_id])
        self.rules[rule_id] = changed

    def _wrong(self, message: str, location: Location, remedy: str | None) -> None:
        self.problems.append(DocumentError(message, location=location, remedy=remedy))


def without(off: Mapping[str, Rule], names: Sequence[str]) -> tuple[str, ...]:
    """The names that something depends on, with what a rule that is off depended on in its place."""
    kept: dict[str, None] = {}
    resolved: set[str] = set()
    waiting = list(reversed(names))
    while waiting:
        name = waiting.pop()
        if name not in off:
            kept[name] = None
        elif name not in resolved:
            resolved.add(name)
            waiting.extend(reversed(off[name].depends_on))
    return tuple(kept)


def without_rules(off: Mapping[str, Rule], task: RoutineTask) -> RoutineTask:
    """A task that waits for what a rule that is off depended on, and that goes before none that is off."""
    before, closes = (tuple(name for name in names if name not in off) for names in (task.before, task.closes))
    return task.model_copy(update={"after": without(off, task.after), "before": before, "closes": closes})


def _merged(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(before)
    for key, value in change.items():
        earlier = result.get(key)
        result[key] = _merged(earlier, value) if isinstance(earlier, dict) and isinstance(value, dict) else value
    return result
