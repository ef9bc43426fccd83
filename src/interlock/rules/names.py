"""What a group of rules reads, name by name, and the state of each name for one subject.

Two subjects for which every name that a rule reads has the same state get the same conclusion. A state therefore covers
all that can make a difference: the value, how well an answer is supported, why an answer is not needed, and how much of
a dotted path is there, because ``has(a.b.c)`` cannot be decided without ``a.b`` and is false with it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from interlock.model.questionnaire import Item
from interlock.rules.answers import AnswerState
from interlock.rules.compile import ANSWER_ROOTS, COMPARED_ROOTS, FACT_ROOTS, OBSERVED_ROOTS, CompiledRule
from interlock.rules.context import Wanted, wanted_names
from interlock.rules.expression import dotted
from interlock.rules.messages import fields
from interlock.rules.syntax import Node

#: Names that are the same for every subject.
SHARED_ROOTS = frozenset({"contract", "fleet"})
#: Stands for ``org.id`` where only the contract's lists of organisations are searched for it.
NAMED = "org.named"
State = Hashable
Vector = list[State]


@dataclass(frozen=True, eq=False, slots=True)
class AnswerName:
    """A name below ``responses`` or ``value``: an item, or everything below a prefix.

    :ivar above: for each part of the name before its last, the items below it: with an answer to one of them that part
        is there.
    :ivar below: the items that the name has below it, when it is no item.
    """

    index: int
    graded: bool
    item: str | None
    above: tuple[tuple[str, ...], ...]
    below: tuple[str, ...]

    def state(self, states: Mapping[str, AnswerState]) -> State:
        """The state of the name when its item has no answer, or it is no item."""
        state = states.get(self.item) if self.item is not None else None
        if not self.above and not self.below:
            return state
        depth = 0
        for items in self.above:
            for item in items:
                one = states.get(item)
                if one is not None and (one.graded if self.graded else one.evidence) is not None:
                    depth += 1
                    break
        return state, depth, tuple([states.get(item) for item in self.below])


@dataclass(frozen=True, eq=False, slots=True)
class Need:
    """What deciding one rule takes: the items whose answers make a difference, the names, and whether any are facts."""

    items: tuple[str, ...]
    wanted: Wanted
    facts: bool
    compared: bool


@dataclass(frozen=True, eq=False)
class NameTable:
    """The names that a group of rules reads.

    :ivar answers: names of answers; ``paths`` are all other names, by the kind of variable that they start at.
    :ivar decides: for each rule, its states out of a vector, as one key. A vector has a state for every name and, last,
        why nothing was observed of the subject.
    :ivar readers: for each name, the places of the rules that read it.
    :ivar shows: for each rule, the indices of the names that its message shows.
    :ivar needs: for each rule, what deciding it takes.
    :ivar by_item: item id → places in ``answers`` of the names whose state may change with it.
    """

    rules: tuple[CompiledRule, ...]
    size: int
    answers: tuple[AnswerName, ...]
    shared: tuple[tuple[int, tuple[str, ...]], ...]
    facts: tuple[tuple[int, tuple[str, ...]], ...]
    compared: tuple[tuple[int, tuple[str, ...]], ...]
    about: tuple[tuple[int, tuple[str, ...]], ...]
    decides: tuple[Callable[[Vector], Hashable], ...]
    readers: tuple[tuple[int, ...], ...]
    shows: tuple[tuple[int, ...], ...]
    by_item: Mapping[str, tuple[int, ...]]
    needs: tuple[Need, ...]

    def answer_states(
        self, states: Mapping[str, AnswerState], vector: Vector, names: Iterable[AnswerName] | None = None
    ) -> None:
        """Put the states of all names of answers, or of some, into a vector."""
        for name in self.answers if names is None else names:
            state = states.get(name.item) if name.item is not None else None
            if state is not None and (state.graded if name.graded else state.evidence) is not None:
                vector[name.index] = state
            else:
                vector[name.index] = name.state(states)


def name_table(rules: Sequence[CompiledRule], items: Mapping[str, Item]) -> NameTable:
    """The names of these rules' conditions, messages and measured questions."""
    places: dict[str, int] = {}
    decides: list[tuple[int, ...]] = []
    shows: list[tuple[int, ...]] = []
    for rule in rules:
        read = [*_named(rule), *([f"value.{rule.rule.measures}"] if rule.rule.measures else [])]
        decides.append(tuple(places.setdefault(name, len(places)) for name in dict.fromkeys(read)))
        shows.append(tuple(places.setdefault(name, len(places)) for name in fields(rule.rule.message)))
    readers: list[list[int]] = [[] for _ in places]
    for place, (own, shown) in enumerate(zip(decides, shows, strict=True)):
        for index in {*own, *shown}:
            readers[index].append(place)
    answers, paths = _answers_and_paths(places, items)
    by_item: dict[str, list[int]] = {}
    for number, name in enumerate(answers):
        for item in _touching(name):
            by_item.setdefault(item, []).append(number)
    return NameTable(
        rules=tuple(rules),
        size=len(places),
        answers=tuple(answers),
        shared=tuple(one for one in paths if one[1][0] in SHARED_ROOTS),
        facts=tuple(one for one in paths if one[1][0] in FACT_ROOTS),
        compared=tuple(one for one in paths if one[1][0] in COMPARED_ROOTS),
        about=tuple(one for one in paths if one[1][0] not in SHARED_ROOTS | OBSERVED_ROOTS),
        decides=tuple(_key(rule, own, len(places)) for rule, own in zip(rules, decides, strict=True)),
        readers=tuple(tuple(one) for one in readers),
        shows=tuple(shows),
        by_item={item: tuple(numbers) for item, numbers in by_item.items()},
        needs=tuple(_need(rule, set(own), answers) for rule, own in zip(rules, decides, strict=True)),
    )


def path_state(variables: Mapping[str, Any], path: Sequence[str]) -> State:
    """How far a path leads into nested maps, and what is at its end."""
    value: Any = variables
    for depth, part in enumerate(path):
        if type(value) is not dict:
            return depth, frozen(value)
        value = value.get(part)
        if value is None:
            return depth
    return frozen(value)


def frozen(value: Any) -> Hashable:
    """A hashable equivalent; unlike in Python, ``1``, ``1.0`` and ``True`` differ."""
    kind = type(value)
    if kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if kind is dict:
        return "map", tuple((key, frozen(inner)) for key, inner in value.items())
    if kind is list or kind is tuple:
        return "list", tuple([frozen(inner) for inner in value])
    if kind in (bool, int, float):
        return kind.__name__, value
    return kind.__name__, repr(value)


def _key(rule: CompiledRule, own: tuple[int, ...], last: int) -> Callable[[Vector], Hashable]:
    """The states that decide a rule; of one that reads facts also why there are none, which its detail tells."""
    facts = any(name.partition(".")[0] in OBSERVED_ROOTS for name in rule.reads)
    places = (*own, last) if facts else own
    return itemgetter(*places) if places else _nothing


def _named(rule: CompiledRule) -> tuple[str, ...]:
    """What a rule reads; an id that is only looked for in the contract's lists is the same for all that are not named.

    ``org.id in i.organizations`` would otherwise make every organisation a case of its own.
    """
    trees = [condition.tree for condition in (rule.applies, rule.gap_when) if condition is not None]
    if "org.id" not in rule.reads or not all(_only_looked_up(tree) for tree in trees):
        return rule.reads
    return tuple(NAMED if name == "org.id" else name for name in rule.reads)


def _only_looked_up(node: Node) -> bool:
    """Whether ``org.id`` stands only on the left of an ``in`` whose right side is a field called ``organizations``."""
    if dotted(node) in {"org", "org.id"}:
        return False
    children = node.children
    if node.kind == "binary" and node.text == "in" and dotted(children[0]) == "org.id":
        if children[1].kind != "select" or children[1].text != "organizations":
            return False
        children = children[1:]
    return dotted(node) is not None or all(_only_looked_up(child) for child in children)


def _need(rule: CompiledRule, own: set[int], answers: Sequence[AnswerName]) -> Need:
    roots = {name.partition(".")[0] for name in rule.reads}
    return Need(
        items=tuple(sorted({item for name in answers if name.index in own for item in _touching(name)})),
        wanted=wanted_names(rule.reads),
        facts=not roots.isdisjoint(FACT_ROOTS),
        compared=not roots.isdisjoint(COMPARED_ROOTS),
    )


def _nothing(_: Vector) -> Hashable:
    return ()


def _answers_and_paths(
    places: Mapping[str, int], items: Mapping[str, Item]
) -> tuple[list[AnswerName], list[tuple[int, tuple[str, ...]]]]:
    answers: list[AnswerName] = []
    paths: list[tuple[int, tuple[str, ...]]] = []
    for name, index in places.items():
        root, _, rest = name.partition(".")
        if root not in ANSWER_ROOTS:
            paths.append((index, tuple(name.split("."))))
            continue
        words = rest.split(".") if rest else []
        prefixes = [".".join(words[:end]) for end in range(1, len(words) + 1)]
        item = next((prefix for prefix in prefixes if prefix in items), None)
        below = () if item else tuple(sorted(one for one in items if not rest or one.startswith(f"{rest}.")))
        above = tuple(
            tuple(sorted(one for one in items if one.startswith(f"{prefix}.")))
            for prefix in prefixes[:-1]
            if prefix != item
        )
        answers.append(AnswerName(index, root == "value", item, above, below))
    return answers, paths


def _touching(name: AnswerName) -> set[str]:
    """Items whose answer may change the state of a name: itself, those below it, and those that share a part."""
    return {*name.below, *(item for items in name.above for item in items), *([name.item] if name.item else [])}
