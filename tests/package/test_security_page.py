"""Every claim of docs/security.md names a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
CITED = sorted(set(re.findall(r"`([a-z_/]+\.py)::([a-z0-9_]+)`", PAGE)))


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("file", "name"), CITED)
def test_each_named_test_exists(file: str, name: str) -> None:
    assert name in functions_of(ROOT / "tests" / file)


def test_each_claim_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 2]
    claims = [row for row in rows if not row.startswith("| could gain")]
    assert len(claims) >= 20
    assert [row for row in claims if "::test_" not in row] == []
