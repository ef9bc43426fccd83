"""Changing a YAML file and keeping what its owner wrote: comments, order, quotes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlock.documents.visible import visible, visible_in_quotes
from interlock.documents.yaml import YamlDocument, parse_yaml, read_text
from interlock.model.errors import DocumentError, Location
from interlock.model.text import plain
from interlock.workspace.atomic import write_atomically

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap


#: Columns of a line.
_WIDTH = 120


def _yaml(width: int = _WIDTH) -> YAML:
    """A round-trip parser. ruamel.yaml takes 0.15 s to import, so only a write pays for it."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = width
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


def edit_entries(
    path: Path, root: Path, under: str, changes: Mapping[str, Mapping[str, Any] | None], check: Callable[[str], Any]
) -> None:
    """Put, replace or remove (``None``) entries below one key of a file, as :func:`edit_yaml` does.

    Most files let their other entries stay as they are, byte for byte, and an entry of a file of 900 lines is changed
    in a tenth of the time that the round trip of all of them takes.
    """
    text = read_text(path, root) if os.path.lexists(path) else ""
    document = parse_yaml(text, str(path))
    entries = document.data.get(under) if isinstance(document.data, dict) else None
    if isinstance(entries, dict) and entries:
        expected = {**entries, **{key: value for key, value in changes.items() if value is not None}}
        for key in (key for key, value in changes.items() if value is None):
            expected.pop(key, None)
        edited = _spliced(document, under, entries, changes)
        if edited is not None and _data(edited) == document.data | {under: expected}:
            check(edited)
            write_atomically(path, edited.encode(), within=root)
            return

    def change(whole: CommentedMap) -> None:
        from ruamel.yaml.comments import CommentedMap

        if not isinstance(whole.get(under), CommentedMap):
            whole[under] = CommentedMap()
        _change_entries(whole[under], changes)

    edit_yaml(path, root, change, check)


def _change_entries(entries: CommentedMap, changes: Mapping[str, Mapping[str, Any] | None]) -> None:
    from ruamel.yaml.comments import CommentedMap

    for key, data in changes.items():
        entry = entries.get(key)
        if data is None:
            entries.pop(key, None)
        elif isinstance(entry, CommentedMap):  # keep the comments that belong to the entry
            for name in [name for name in entry if name not in data]:
                del entry[name]
            entry.update(data)
        else:
            entries[key] = CommentedMap(data)


def _data(text: str) -> Any:
    try:
        return parse_yaml(text, "").data
    except DocumentError:
        return None


def _spliced(
    document: YamlDocument, under: str, entries: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any] | None]
) -> str | None:
    """The text with the lines of these entries changed and no others; none where lines and entries are not one to one.

    Whoever calls it compares what the text says: an anchor, say, may be missing from an entry's own lines.
    """
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    lines, positions = document.text.split("\n"), document.positions
    starts = {key: positions[under, key] for key in entries}
    columns = {column for _, column in starts.values()}
    if len(columns) != 1 or "\r" in document.text:
        return None
    (indent,) = (column - 1 for column in columns)
    below = positions[(under,)][0]
    after = [line for path, (line, _) in positions.items() if len(path) == 1 and line > below]
    ends = [*(line for line, _ in list(starts.values())[1:]), min(after, default=len(lines) + 1)]
    parts = {key: (line - 1, end - 1) for (key, (line, _)), end in zip(starts.items(), ends, strict=True)}
    if not indent or any(lines[start][:indent].strip() for start, _ in parts.values()):
        return None
    last = _content_end(lines, *parts[list(parts)[-1]], indent)
    order = {key: (*parts.get(key, (last, last)), number) for number, key in enumerate(changes)}
    for key in sorted(changes, key=order.__getitem__, reverse=True):  # from the end, so that lines keep their numbers
        start, end = parts.get(key, (last, last))
        end = _content_end(lines, start, end, indent)
        buffer, yaml = io.StringIO(), _yaml(_WIDTH - indent)
        try:
            entry = yaml.load("\n".join(line[indent:] for line in lines[start:end])) if start < end else CommentedMap()
        except YAMLError:
            return None
        _change_entries(entry, {key: changes[key]})
        if entry:
            yaml.dump(entry, buffer)
        new = [" " * indent + line if line else line for line in buffer.getvalue().split("\n")[:-1]]
        lines[start:end] = new
    return "\n".join(lines)


def _content_end(lines: Sequence[str], start: int, end: int, indent: int) -> int:
    """Where the lines of an entry end: what follows of blank lines, and of comments out to its key, is not its own."""
    while end > start + 1:
        line = lines[end - 1]
        if line.strip() and (not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) > indent):
            break
        end -= 1
    return end


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
