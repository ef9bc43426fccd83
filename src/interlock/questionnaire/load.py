"""Questionnaires from YAML files, checked as a whole: a set that loads can be asked, exported and graded.

A set of files is read in one go, so that everything that is wrong can be told at once (:func:`read_questionnaires`) or
the first of it raised (:func:`load_questionnaires`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlock.documents.yaml import Path_, YamlDocument, load_yaml, model_from_yaml
from interlock.model.errors import DocumentError, Place
from interlock.model.questionnaire import Item, Questionnaire
from interlock.questionnaire.references import Located, reference_problems

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
    """What was read: every questionnaire that is one, where each item stands, and everything that is wrong."""

    questionnaires: tuple[Questionnaire, ...]
    places: dict[str, Place]
    problems: tuple[DocumentError, ...]


def load_questionnaires(directories: Sequence[Path]) -> tuple[Questionnaire, ...]:
    """Every ``*.yaml`` of each directory, in the order of directories and then of file names.

    :raises DocumentError: a missing directory, a file that is not a questionnaire, an item id used twice (both places
        are named), an ``enable_when`` whose question does not exist or cannot have that answer, or a circle of them.
    """
    read = read_questionnaires(directories)
    if read.problems:
        raise read.problems[0]
    return read.questionnaires


def read_questionnaires(directories: Sequence[Path]) -> QuestionnaireSet:
    """Like :func:`load_questionnaires`, but collects what is wrong instead of raising it."""
    problems: list[DocumentError] = []
    located: list[Located] = []
    read: list[Questionnaire] = []
    first_of: dict[str, Place] = {}
    for path in _files(directories, problems):
        try:
            document = load_yaml(path)
            _check_lengths(document)
            questionnaire = model_from_yaml(Questionnaire, document)
        except DocumentError as error:
            problems.append(error)
            continue
        if questionnaire.id in first_of:
            problems.append(
                DocumentError(
                    f"the questionnaire id {questionnaire.id!r} is already used at {first_of[questionnaire.id]}",
                    place=document.place(("id",)),
                )
            )
            continue
        first_of[questionnaire.id] = document.place(("id",))
        read.append(questionnaire)
        located.extend(_located(questionnaire.items, document, ("items",)))
    if len(located) > MAX_ITEMS:
        problems.append(DocumentError(f"more than {MAX_ITEMS:,} items", place=located[MAX_ITEMS].place))
        located = located[:MAX_ITEMS]
    problems.extend(reference_problems(located))
    places: dict[str, Place] = {}
    for entry in located:
        places.setdefault(entry.item.id, entry.place)
    return QuestionnaireSet(tuple(read), places, tuple(problems))


def _files(directories: Sequence[Path], problems: list[DocumentError]) -> Iterator[Path]:
    for directory in directories:
        if not directory.is_dir():
            problems.append(DocumentError("no such directory", place=Place(file=str(directory))))
            continue
        found = sorted(path for path in directory.glob("*.yaml") if path.is_file())
        if len(found) > MAX_FILES:
            problems.append(DocumentError(f"more than {MAX_FILES:,} files", place=Place(file=str(directory))))
        yield from found[:MAX_FILES]


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
                        place=document.place((*path, key)),
                    )
                limit = TEXT_LIMITS.get(key)
                if limit and isinstance(child, str) and len(child) > limit:
                    raise DocumentError(
                        f"{key} is {len(child):,} characters long, more than {limit:,}",
                        place=document.place((*path, key)),
                        remedy="shorten it",
                    )
                stack.append((child, (*path, key)))


def _located(items: tuple[Item, ...], document: YamlDocument, at: Path_) -> Iterator[Located]:
    for index, item in enumerate(items):
        path = (*at, index)
        conditions = tuple(
            document.place((*path, "enable_when", number, "question")) for number in range(len(item.enable_when))
        )
        yield Located(item, document.place((*path, "id")), conditions)
        yield from _located(item.items, document, (*path, "items"))
