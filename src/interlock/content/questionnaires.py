"""Questionnaires from YAML files, checked as a whole: a set that loads can be asked, exported and graded.

A set of files is read in one go, so that everything that is wrong can be told at once (:func:`read_questionnaires`) or
the first of it raised (:func:`load_questionnaires`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from interlock.documents.names import did_you_mean, find_circle
from interlock.documents.resources import is_shipped
from interlock.documents.yaml import Path_, YamlDocument, load_yaml, model_from_yaml
from interlock.model.base import Scope
from interlock.model.errors import DocumentError, Location
from interlock.model.questionnaire import EnableWhen, Item, ItemType, Operator, Questionnaire, every_item, walk

#: Longest value of each key that holds prose, in characters; a longer one is a paste accident, and no screen shows it.
TEXT_LIMITS = {
    "title": 300,
    "description": 4_000,
    "text": 1_000,
    "help": 4_000,
    "why": 4_000,
    "label": 400,
    "rationale": 2_000,
}
#: Longest key and identifier, in characters.
MAX_KEY = 96
#: Files in one directory, and items in all of them.
MAX_FILES = 500
MAX_ITEMS = 5_000
#: Types whose answers have an order (FHIR R4 questionnaire-enable-operator: ``>``, ``<``, ``>=`` and ``<=``).
ORDERED = frozenset({ItemType.INTEGER, ItemType.DATE})


@dataclass(frozen=True)
class Located:
    """An item, its document, and the path to it there."""

    item: Item
    document: YamlDocument
    path: Path_

    def at(self, *keys: str | int) -> Location:
        """Where something of the item stands, by default its id."""
        return self.document.location((*self.path, *(keys or ("id",))))


@dataclass(frozen=True)
class QuestionnaireSet:
    """All valid questionnaires, the location of each item, and the problems of the files.

    :ivar items: every item by its id.
    """

    questionnaires: tuple[Questionnaire, ...]
    items: dict[str, Located]
    problems: tuple[DocumentError, ...]

    def location(self, item_id: str) -> Location:
        """Where an item's id stands."""
        return self.items[item_id].at() if item_id in self.items else Location()


def load_questionnaires(directories: Sequence[Path]) -> tuple[Questionnaire, ...]:
    """Every ``*.yaml`` of each directory, in the order of directories and then of file names.

    An item of a later directory replaces the one with the same id of an earlier directory, in its place. A
    questionnaire that only replaces others' items is left out.

    :raises DocumentError: a missing directory, a file that is not a questionnaire, an item id used twice (both places
        are named), an ``enable_when`` whose question does not exist or cannot have that answer, or a circle of them.
    """
    read = read_questionnaires(directories)
    if read.problems:
        raise read.problems[0]
    return read.questionnaires


def read_questionnaires(directories: Sequence[Path]) -> QuestionnaireSet:
    """All questionnaires in some folders, with their problems collected instead of raised."""
    problems: list[DocumentError] = []
    located: list[Located] = []
    read: list[Questionnaire] = []
    items: dict[str, Located] = {}
    first_of: dict[str, YamlDocument] = {}
    for directory in directories:
        own: list[Questionnaire] = []
        own_located: list[Located] = []
        own_items: dict[str, Located] = {}
        for document, questionnaire in _documents(directory, first_of, problems):
            own.append(questionnaire)
            for entry in _located(questionnaire.items, document, ("items",)):
                own_located.append(entry)
                own_items.setdefault(entry.item.id, entry)
        items |= own_items
        own, replaced = _replace(read, own)
        located = [entry for entry in located if entry.item.id not in replaced] + own_located
        read += own
    if len(located) > MAX_ITEMS:
        problems.append(DocumentError(f"more than {MAX_ITEMS:,} items", location=located[MAX_ITEMS].at()))
        located = located[:MAX_ITEMS]
    problems.extend(_reference_problems(located))
    kept = {entry.item.id for entry in located}
    return QuestionnaireSet(
        tuple(read), {name: entry for name, entry in items.items() if name in kept}, tuple(problems)
    )


def _documents(
    directory: Path, first_of: dict[str, YamlDocument], problems: list[DocumentError]
) -> Iterator[tuple[YamlDocument, Questionnaire]]:
    """Every questionnaire of one directory whose id is not taken, with its document."""
    for path in _files(directory, problems):
        try:
            document, questionnaire = (_read_shipped if is_shipped(path, "questionnaires") else _read)(path)
        except DocumentError as error:
            problems.append(error)
            continue
        earlier = first_of.setdefault(questionnaire.id, document)
        if earlier is not document:
            message = f"the questionnaire id {questionnaire.id!r} is already used at {earlier.location(('id',))}"
            problems.append(DocumentError(message, location=document.location(("id",))))
            continue
        yield document, questionnaire


def _read(path: Path) -> tuple[YamlDocument, Questionnaire]:
    document = load_yaml(path)
    _check_lengths(document)
    return document, model_from_yaml(Questionnaire, document)


_read_shipped = cache(_read)


def _replace(earlier: list[Questionnaire], own: list[Questionnaire]) -> tuple[list[Questionnaire], frozenset[str]]:
    """Put items of ``own`` in the place of earlier ones with their ids.

    ``earlier`` is changed. Returns what is left of ``own``, and the ids of the items taken out of ``earlier``.
    """
    by_id = {item.id: item for item in every_item(own)}
    gone: set[str] = set()
    taken: set[str] = set()

    def swap(item: Item) -> Item:
        new = by_id.get(item.id)
        if new is not None:
            taken.add(item.id)
            gone.update(old.id for old, _ in walk((item,)))
            return new
        inner = tuple(swap(child) for child in item.items)
        return item if inner == item.items else item.model_copy(update={"items": inner})

    def without(items: tuple[Item, ...]) -> tuple[Item, ...]:
        left = (
            item.model_copy(update={"items": without(item.items)}) if item.items else item
            for item in items
            if item.id not in taken
        )
        return tuple(item for item in left if item.items or item.type is not ItemType.GROUP)

    for index, questionnaire in enumerate(earlier):
        items = tuple(swap(item) for item in questionnaire.items)
        if items != questionnaire.items:
            earlier[index] = questionnaire.model_copy(update={"items": items})
    if not taken:
        return own, frozenset()
    rest = [questionnaire.model_copy(update={"items": without(questionnaire.items)}) for questionnaire in own]
    return [questionnaire for questionnaire in rest if questionnaire.items], frozenset(gone)


def _files(directory: Path, problems: list[DocumentError]) -> list[Path]:
    if not directory.is_dir():
        problems.append(DocumentError("no such directory", location=Location(file=str(directory))))
        return []
    files = sorted(path for path in directory.glob("*.yaml") if path.is_file())
    if len(files) > MAX_FILES:
        problems.append(DocumentError(f"more than {MAX_FILES:,} files", location=Location(file=str(directory))))
    return files[:MAX_FILES]


def _check_lengths(document: YamlDocument) -> None:
    stack: list[tuple[Any, Path_]] = [(document.data, ())]
    while stack:
        value, path = stack.pop()
        if isinstance(value, list):
            stack.extend((child, (*path, index)) for index, child in enumerate(value))
        elif isinstance(value, dict):
            for key, child in value.items():
                if len(key) > MAX_KEY:
                    raise DocumentError(
                        f"the key {key[:40] + '…'!r} is longer than {MAX_KEY} characters",
                        location=document.location((*path, key)),
                    )
                limit = TEXT_LIMITS.get(key)
                if limit and isinstance(child, str) and len(child) > limit:
                    raise DocumentError(
                        f"{key} is {len(child):,} characters long, more than {limit:,}",
                        location=document.location((*path, key)),
                        remedy="shorten it",
                    )
                stack.append((child, (*path, key)))


def _located(items: tuple[Item, ...], document: YamlDocument, at: Path_) -> Iterator[Located]:
    for index, item in enumerate(items):
        path = (*at, index)
        yield Located(item, document, path)
        yield from _located(item.items, document, (*path, "items"))


def _reference_problems(located: Sequence[Located]) -> Iterator[DocumentError]:
    """Everything that is wrong between items, in file order; nothing when they fit together."""
    by_id: dict[str, Located] = {}
    for entry in located:
        earlier = by_id.setdefault(entry.item.id, entry)
        if earlier is not entry:
            yield DocumentError(
                f"the item id {entry.item.id!r} is already used at {earlier.at()}",
                location=entry.at(),
                remedy="give one of them another id",
            )
    yield from _nested_ids(by_id)
    broken = False
    for entry in by_id.values():
        for number, condition in enumerate(entry.item.enable_when):
            message = _condition_problem(entry.item, condition, by_id)
            if message:
                broken = True
                location = entry.at("enable_when", number, "question")
                yield DocumentError(f"{entry.item.id}: {message}", location=location)
    if not broken:
        yield from _circles(by_id)


def _nested_ids(by_id: Mapping[str, Located]) -> Iterator[DocumentError]:
    """A rule reads ``responses.a.b``; if that is an answer it cannot also hold ``responses.a.b.c``."""
    for entry in by_id.values():
        parts = entry.item.id.split(".")
        for end in range(2, len(parts)):
            parent = by_id.get(".".join(parts[:end]))
            if parent and parent.item.type is not ItemType.GROUP and entry.item.type is not ItemType.GROUP:
                yield DocumentError(
                    f"the item id {entry.item.id!r} continues {parent.item.id!r}, a question at {parent.at()}",
                    location=entry.at(),
                    remedy="only a group's id may be continued by another id",
                )


def _condition_problem(item: Item, condition: EnableWhen, by_id: Mapping[str, Located]) -> str | None:
    entry = by_id.get(condition.question)
    if entry is None:
        hint = did_you_mean(condition.question, by_id)
        return f"enable_when names {condition.question!r}, which no questionnaire has{hint}"
    control = entry.item
    if control.type is ItemType.GROUP:
        return f"enable_when names {control.id!r}, a group, which is never answered"
    if control.id == item.id:
        return "enable_when names the item itself"
    if item.scope is Scope.PRODUCT and control.scope is not Scope.PRODUCT:
        return f"a product question cannot depend on {control.id!r}, which is answered once per {control.scope.value}"
    return _answer_problem(condition, control)


def _answer_problem(condition: EnableWhen, control: Item) -> str | None:
    answer, operator = condition.answer, condition.operator
    if operator is Operator.EXISTS:
        return None if isinstance(answer, bool) else "enable_when with operator exists takes answer: true or false"
    if operator not in {Operator.EQ, Operator.NE} and control.type not in ORDERED:
        order = f"the operator {operator.value!r} needs a question with an order"
        return f"{order}, and {control.id!r} is of type {control.type}"
    if control.takes(control.as_answer(answer)):
        return None
    if control.options:
        offered = ", ".join(option.value for option in control.options)
        return f"{control.id!r} does not offer the answer {answer!r}; it offers {offered}"
    return f"{control.id!r} is of type {control.type}, and {answer!r} is not"


def _circles(by_id: Mapping[str, Located]) -> Iterator[DocumentError]:
    circle = find_circle(
        {name: [condition.question for condition in entry.item.enable_when] for name, entry in by_id.items()}
    )
    if circle:
        yield DocumentError(
            f"the enable_when conditions form a circle: {' → '.join(circle)}", location=by_id[circle[0]].at()
        )
