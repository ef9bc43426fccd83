"""Questionnaires from YAML files, checked as a whole: a set that loads can be asked, exported and graded.

A set of files is read in one go, so that everything that is wrong can be told at once (:func:`read_questionnaires`) or
the first of it raised (:func:`load_questionnaires`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from interlock.content.references import Located, reference_problems
from interlock.documents.resources import is_shipped
from interlock.documents.yaml import Path_, YamlDocument, load_yaml, model_from_yaml
from interlock.model.errors import DocumentError, Location
from interlock.model.questionnaire import Item, ItemType, Questionnaire, every_item, walk

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
    problems.extend(reference_problems(located))
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
