"""Every proof over content on disk, with positions, and with everything that cannot even be read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from interlock.documents.yaml import Path_, YamlDocument, load_yaml, model_from_yaml
from interlock.model.errors import DocumentError, Place
from interlock.model.questionnaire import Item, Questionnaire
from interlock.rules.lint.problems import LintProblem, Places, from_error
from interlock.rules.lint.run import lint
from interlock.rules.lint.scalars import unquoted
from interlock.rules.load import read_ruleset


def lint_directories(
    questionnaires_dir: Path,
    ruleset_dir: Path,
    statements: Sequence[str],
    *,
    check_ids: Collection[str] | None = None,
) -> tuple[LintProblem, ...]:
    """Lint every questionnaire of one directory with one ruleset. Files that cannot be read are problems, not errors.

    A problem that reading reports is not reported again by a proof.
    """
    found: list[LintProblem] = []
    questionnaires, items = _questionnaires(questionnaires_dir, found)
    read = read_ruleset(ruleset_dir)
    found += [from_error(error) for error in read.problems]
    for path in sorted(ruleset_dir.glob("*/*.yaml")) + sorted(ruleset_dir.glob("*.yaml")):
        found += _scalars(path)
    places = Places(rules=read.documents, items=items, ruleset=str(ruleset_dir / "ruleset.yaml"))
    told = {(one.file, one.line) for one in found if one.code == "document"}
    proved = lint(read.ruleset, questionnaires, statements, places=places, check_ids=check_ids)
    found += [one for one in proved if one.code not in _ALSO_READ or (one.file, one.line) not in told]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.id)))


#: Codes of problems that reading reports as well.
_ALSO_READ = frozenset({"expression", "reference", "cycle", "duplicate-id"})


def _questionnaires(
    directory: Path, found: list[LintProblem]
) -> tuple[list[Questionnaire], dict[str, tuple[YamlDocument, Path_]]]:
    read: list[Questionnaire] = []
    places: dict[str, tuple[YamlDocument, Path_]] = {}
    if not directory.is_dir():
        found.append(from_error(DocumentError("no such directory", place=Place(file=str(directory)))))
    for path in sorted(directory.glob("*.yaml")):
        try:
            document = load_yaml(path)
            questionnaire = model_from_yaml(Questionnaire, document)
        except DocumentError as error:
            found.append(from_error(error))
            continue
        found += _scalars(path)
        read.append(questionnaire)
        for item, at in _with_paths(questionnaire.items, ("items",)):
            places[item.id] = (document, at)
    return read, places


def _scalars(path: Path) -> list[LintProblem]:
    try:
        return list(unquoted(path, load_yaml(path)))
    except DocumentError:
        return []  # reading the file reports it


def _with_paths(items: tuple[Item, ...], at: Path_) -> Iterator[tuple[Item, Path_]]:
    for index, item in enumerate(items):
        yield item, (*at, index)
        yield from _with_paths(item.items, (*at, index, "items"))
