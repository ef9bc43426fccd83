"""What a workspace's questions, rules, tasks and patterns change of the shipped ones: every difference, once, in words.

A pure comparison of two contents as they are judged by, so it does not matter how a difference came about: by ``off``,
by an override, by a file with the same id, by a set that hides one of ours, or by a set that extends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from interlock.content.compile import ANSWER_ROOTS, compile_rule
from interlock.content.rulesets import without, without_rules
from interlock.model import words
from interlock.model.base import Evidence, GapClass, Gate, Model, Severity
from interlock.model.content import ChangeKind, ContentChange
from interlock.model.hazard import Hazard
from interlock.model.pattern import Pattern
from interlock.model.questionnaire import Item, Option, Questionnaire, every_item
from interlock.model.rule import RoutineTask, Rule, Ruleset

_BLOCKERS = frozenset({GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER})
_ORDER: tuple[ChangeKind, ...] = ("off", "changed", "weight", "added")
#: Longest value that is shown as it was and as it is; of a longer one only that it is different.
_SHORT = 40
#: What says nothing about how a workspace is judged: a rule's own tests, an id, an item's children (compared alone).
_NOT_COMPARED = frozenset({"tests", "id", "items", "options"})
_M = TypeVar("_M", Rule, RoutineTask, Pattern, Hazard, Item)


@dataclass(frozen=True)
class ContentParts:
    """A content as it is judged by.

    :ivar hides: names of the shipped sets in whose place a folder of the workspace stands.
    """

    ruleset: Ruleset
    questionnaires: Sequence[Questionnaire]
    patterns: Sequence[Pattern]
    hazards: Sequence[Hazard] = ()
    hides: Sequence[str] = ()


def content_changes(shipped: ContentParts, own: ContentParts) -> tuple[ContentChange, ...]:
    """Every difference of ``own`` from ``shipped``: blockers first, what is turned off before what is changed."""
    changes = [
        *_weights(shipped.ruleset, own.ruleset),
        *_accepted(shipped.ruleset, own.ruleset),
        *_chances(shipped.ruleset, own.ruleset),
        *_sets(shipped, own),
        *_rules(shipped.ruleset, own.ruleset),
        *_tasks(shipped.ruleset, own.ruleset),
        *_questions(shipped, own),
        *_compared("pattern", shipped.patterns, own.patterns, lambda pattern: pattern.title),
        *_compared("hazard", shipped.hazards, own.hazards, lambda hazard: hazard.title),
    ]
    return tuple(
        sorted(changes, key=lambda change: (not change.blocker, _ORDER.index(change.kind), change.of, change.id))
    )


def _weights(shipped: Ruleset, own: Ruleset) -> Iterator[ContentChange]:
    for severity in Severity:
        before, after = (ruleset.weights.get(severity, severity.weight) for ruleset in (shipped, own))
        if before != after:
            yield ContentChange(
                kind="weight",
                of="weights",
                id=severity.value,
                title=f"Weight of {severity.value} rules in the score",
                change=f"{after:g} instead of {before:g}",
            )


def _accepted(shipped: Ruleset, own: Ruleset) -> Iterator[ContentChange]:
    for name in Gate:
        before, after = (ruleset.accepts.get(name, Evidence.ASSERTED) for ruleset in (shipped, own))
        if before is not after:
            yield ContentChange(
                kind="changed",
                of="gate",
                id=name.value,
                title=f"Least evidence that the {words.gate(name)} accepts",
                change=f"{after.value} instead of {before.value}",
                blocker=after.rank < before.rank,
            )


def _chances(shipped: Ruleset, own: Ruleset) -> Iterator[ContentChange]:
    for gap_class in GapClass:
        chance, ours = (ruleset.chances.get(gap_class) for ruleset in (shipped, own))
        if chance != ours:
            yield ContentChange(
                kind="changed",
                of="chance",
                id=gap_class.value,
                title=f"Chance that an undecided {words.GAP_CLASS[gap_class].phrase} is one, in the plan",
                change=f"{_shown(ours)} instead of {_shown(chance)}",
            )


def _sets(shipped: ContentParts, own: ContentParts) -> Iterator[ContentChange]:
    for name in own.hides:
        if name in own.ruleset.sets and name in shipped.ruleset.sets:
            yield ContentChange(
                kind="changed",
                of="set",
                id=name,
                title=f"Ruleset {name} {shipped.ruleset.sets[name]}",
                change=f"rulesets/{name} of the workspace stands in its place",
            )


def _rules(shipped: Ruleset, own: Ruleset) -> Iterator[ContentChange]:
    before, after, gone = _in_force(shipped), _in_force(own), _gone(shipped, own)

    def expected(rule: Rule) -> Rule:
        """The shipped rule with what follows from other changes, which are told themselves."""
        weight = own.weights.get(rule.severity)
        changed = after[rule.id]
        follows = rule.weight is None and changed.severity is rule.severity and changed.weight == weight
        return rule.model_copy(
            update={
                "depends_on": without(gone, rule.depends_on),
                "weight": weight if follows else rule.weight,
            }
        )

    kept = [expected(rule) if rule.id in after else rule for rule in before.values()]
    yield from _compared(
        "rule", kept, after.values(), lambda rule: rule.title, lambda rule: rule.gap_class in _BLOCKERS
    )


def _in_force(ruleset: Ruleset) -> dict[str, Rule]:
    return {rule.id: rule for rule in ruleset.rules if rule.lifecycle != "deprecated"}


def _gone(shipped: Ruleset, own: Ruleset) -> dict[str, Rule]:
    """What is not even there, as after ``off``; a deprecated rule is, and others may name it."""
    there = {rule.id for rule in own.rules}
    return {rule.id: rule for rule in shipped.rules if rule.id not in there}


def _tasks(shipped: Ruleset, own: Ruleset) -> Iterator[ContentChange]:
    gone = _gone(shipped, own)
    expected = (without_rules(gone, task) for task in shipped.tasks)
    yield from _compared("task", expected, own.tasks, lambda task: task.title)


def _questions(shipped: ContentParts, own: ContentParts) -> Iterator[ContentChange]:
    before, after = (list(every_item(parts.questionnaires)) for parts in (shipped, own))
    changes = list(_compared("question", before, after, lambda item: item.text))
    deciding = _deciding_blockers(shipped.ruleset) if changes else frozenset()
    for change in changes:
        blocker = change.kind != "added" and change.id in deciding
        yield change.model_copy(update={"blocker": blocker}) if blocker else change


def _deciding_blockers(ruleset: Ruleset) -> frozenset[str]:
    """Ids of the questions whose answers decide a blocker."""
    names: set[str] = set()
    for rule in ruleset.rules:
        if rule.gap_class in _BLOCKERS:
            read = (name.partition(".") for name in compile_rule(rule).reads)
            names.update(item for root, _, item in read if root in ANSWER_ROOTS)
            names.update({rule.measures} if rule.measures else ())
    return frozenset(names)


def _compared(
    of: Any,
    shipped: Iterable[_M],
    own: Iterable[_M],
    title: Callable[[_M], str],
    is_blocker: Callable[[_M], bool] = lambda _one: False,
) -> Iterator[ContentChange]:
    before, after = {entry.id: entry for entry in shipped}, {entry.id: entry for entry in own}
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            change, kind = "turned off", "off"
        else:
            change, kind = _difference(old, new)
        if change:
            yield ContentChange(
                kind=kind, of=of, id=name, title=title(old), change=change, blocker=is_blocker(old)
            )  # fmt: skip
    for name, new in after.items():
        if name not in before:
            yield ContentChange(kind="added", of=of, id=name, title=title(new), change="added")


def _difference(old: Model, new: Model) -> tuple[str, ChangeKind]:
    """What is different, in words, and of what kind it is; no words when nothing is."""
    if old == new:
        return "", "changed"
    before, after = (side.model_dump(mode="json", by_alias=True) for side in (old, new))
    parts = [
        _value_words(name, before[name], after[name])
        for name in before
        if name not in _NOT_COMPARED and before[name] != after[name]
    ]
    if isinstance(old, Item) and isinstance(new, Item):
        parts += _options(old.options, new.options)
    only_weight = [part.partition(" ")[0] for part in parts] == ["weight"]
    return "; ".join(parts), "weight" if only_weight else "changed"


def _options(old: Sequence[Option], new: Sequence[Option]) -> Iterator[str]:
    before: Mapping[str, Option] = {option.value: option for option in old}
    after: Mapping[str, Option] = {option.value: option for option in new}
    for value, option in before.items():
        changed = after.get(value)
        if changed is None:
            yield f"without the answer {value}"
        elif changed.weight != option.weight:
            yield f"the answer {value} counts {_shown(changed.weight)} instead of {_shown(option.weight)}"
        elif changed != option:
            yield f"the answer {value} is worded differently"
    for value, option in after.items():
        if value not in before:
            yield f"with the answer {value}, which counts {_shown(option.weight)}"


def _value_words(name: str, before: Any, after: Any) -> str:
    old, new = _shown(before), _shown(after)
    if len(old) <= _SHORT and len(new) <= _SHORT:
        return f"{name} {new} instead of {old}"
    return f"{name} is different"


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "nothing"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return ", ".join(value)
    return str(value)
