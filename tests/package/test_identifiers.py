"""Names that once stood for many things stand for nothing now."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import interlock

#: Words that no name has as a part: each meant several things (a workspace, a position, an organisation; a task).
_NOWHERE = {"place", "places", "standing"}


def names(tree: ast.AST) -> Iterator[str]:
    """Every name that a module gives: to what it assigns, defines or takes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def test_no_name_says_place_or_standing() -> None:
    package = Path(interlock.__file__).parent
    wrong = [
        f"{path.relative_to(package)}: {name}"
        for path in package.rglob("*.py")
        for name in names(ast.parse(path.read_text("utf-8")))
        if _NOWHERE & set(name.lower().split("_"))
    ]
    assert wrong == []
