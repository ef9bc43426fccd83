"""Changing a YAML file and keeping what its owner wrote: comments, order, quotes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlock.documents.visible import visible, visible_in_quotes
from interlock.documents.yaml import parse_yaml, read_text
from interlock.model.errors import DocumentError, Location
from interlock.model.text import plain
from interlock.workspace.atomic import write_atomically

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap


def _yaml() -> YAML:
    """A round-trip parser. ruamel.yaml takes 0.15 s to import, so only a write pays for it."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def edit_yaml(path: Path, root: Path, change: Callable[[CommentedMap], None], check: Callable[[str], Any]) -> None:
    """Change a file that is really in the folder ``root``, or start it: comments, order and quotes stay.

    ``check`` receives the new text and raises when it is not valid; then nothing is written. The caller holds the lock.

    :raises DocumentError: the existing file is outside of ``root``, or not YAML with keys and values.
    :raises WorkspaceError: the file cannot be written.
    """
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    yaml = _yaml()
    text = read_text(path, root) if os.path.lexists(path) else ""
    parse_yaml(text, str(path))  # YAML within bounds, or ruamel.yaml would recurse
    try:
        document = yaml.load(text) if text.strip() else None
    except YAMLError as error:
        raise DocumentError(f"cannot be changed: {plain(error)}", location=Location(file=str(path))) from error
    if document is None:
        document = CommentedMap()
    if not isinstance(document, CommentedMap):
        raise DocumentError("expected keys and values", location=Location(file=str(path), line=1, column=1))
    change(document)
    buffer = io.StringIO()
    if text.strip() and not any(True for _ in document):
        buffer.write(text)
    else:
        yaml.dump(document, buffer)
    new_text = buffer.getvalue()
    check(new_text)
    write_atomically(path, new_text.encode(), within=root)


def dump_yaml(data: dict[str, Any], header: str = "") -> str:
    """A new YAML file's text, with an optional comment on top; what cannot be seen is an escape in quotes."""
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    def quoted(value: Any) -> Any:
        if isinstance(value, str):
            return value if visible(value) == value else DoubleQuotedScalarString(value)
        if isinstance(value, dict):
            return {quoted(key): quoted(inner) for key, inner in value.items()}
        return [quoted(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    buffer = io.StringIO()
    _yaml().dump(CommentedMap(quoted(data)), buffer)
    comment = "".join(f"# {line}\n" if line else "#\n" for line in visible(header).splitlines())
    return comment + visible_in_quotes(buffer.getvalue())
