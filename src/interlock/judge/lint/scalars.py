"""Plain YAML scalars that are text here and something else for other tools.

YAML 1.1 reads ``yes``, ``on``, ``12:30`` and ``2026-01-31`` as a boolean, a number and a date; the loader, which
follows YAML 1.2, reads text. Quoting them makes every tool agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from interlock.documents.yaml import YamlDocument, read_text
from interlock.judge.lint.problems import LintProblem, problem
from interlock.model.errors import Location

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING = "tag:yaml.org,2002:str"
_KINDS = {"bool": "a boolean", "float": "a number", "int": "a number", "timestamp": "a date", "null": "nothing"}
_LETTERS = frozenset({"y", "Y", "n", "N"})


def unquoted(
    path: Path, document: YamlDocument, *, plain_below: tuple[str, str] | None = None
) -> Iterator[LintProblem]:
    """Every plain scalar of a file, keys included, that should be quoted. The file is known to be valid.

    :param plain_below: a top-level key, and a value that is a word of ours directly below it.
    """
    root = yaml.compose(read_text(path, path.parent), Loader=_LOADER)
    resolver = yaml.resolver.Resolver()
    ours = set(_scalars_below(root, *plain_below)) if plain_below else set()
    for scalar in _walk(root, document.data, document.file, resolver):
        if (scalar.line, scalar.column) not in ours:
            yield scalar


def _scalars_below(root: Any, key: str, value: str) -> Iterator[tuple[int, int]]:
    below = [node for name, node in root.value if name.value == key] if isinstance(root, yaml.MappingNode) else []
    for mapping in below:
        for _, node in mapping.value if isinstance(mapping, yaml.MappingNode) else ():
            if node.value == value:
                yield node.start_mark.line + 1, node.start_mark.column + 1


def _walk(node: Any, value: Any, file: str, resolver: Any) -> Iterator[LintProblem]:
    if isinstance(node, yaml.SequenceNode):
        for child, entry in zip(node.value, value, strict=True):
            yield from _walk(child, entry, file, resolver)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            yield from _scalar(key, file, resolver)
            yield from _walk(child, value[key.value], file, resolver)
    elif isinstance(value, str):
        yield from _scalar(node, file, resolver)


def _scalar(node: Any, file: str, resolver: Any) -> Iterator[LintProblem]:
    if node.style:
        return
    tag = resolver.resolve(yaml.ScalarNode, node.value, (True, False))
    kind = "bool" if node.value in _LETTERS else tag.rsplit(":", 1)[-1]
    if tag != _STRING or node.value in _LETTERS:
        location = Location(file=file, line=node.start_mark.line + 1, column=node.start_mark.column + 1)
        meaning = _KINDS.get(kind, kind)
        yield problem(location, "", "quote", f'{node.value} looks like {meaning}: write "{node.value}"')
