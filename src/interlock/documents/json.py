"""Reading JSON from files: bounded before it is built, and every error in words, with line and column."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from interlock.documents.bounds import JsonBoundsError, check_json
from interlock.documents.files import check_merged
from interlock.model.errors import DocumentError, Location
from interlock.model.text import plain

#: Deepest nesting, and most values and keys together, unless a reader says otherwise. The largest record of ours is a
#: milestone of hundreds of organisations, a third of that.
MAX_DEPTH = 64
MAX_NODES = 3_000_000


def json_text(raw: bytes, file: str, *, max_nodes: int = MAX_NODES, max_depth: int | None = MAX_DEPTH) -> str:
    """JSON as text, which a parser may build; whether it is JSON is for the parser to say.

    :param max_depth: none leaves it to the parser.
    :raises DocumentError: not UTF-8, nested too deeply, or too many values.
    """
    try:
        text = raw.decode("utf-8-sig")
        check_json(raw, max_nodes=max_nodes, max_depth=max_depth)
    except UnicodeDecodeError as error:
        raise DocumentError("not UTF-8 text", location=Location(file=file), remedy="save the file as UTF-8") from error
    except JsonBoundsError as error:
        raise DocumentError(f"this {error}", location=Location(file=file)) from error
    return text


def parse_json(raw: bytes, file: str, *, max_nodes: int = MAX_NODES, max_depth: int = MAX_DEPTH) -> Any:
    """The value that some JSON holds.

    :raises DocumentError: as with :func:`json_text`, not JSON, or a merge that git left unfinished.
    """
    text = json_text(raw, file, max_nodes=max_nodes, max_depth=max_depth)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        check_merged(text, file)
        location = Location(file=file, line=error.lineno, column=error.colno)
        raise DocumentError(f"not valid JSON: {plain(error.msg)}", location=location) from error
    except ValueError as error:
        raise DocumentError(f"not valid JSON: {plain(error)}", location=Location(file=file)) from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
