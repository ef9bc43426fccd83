"""The list of checks: complete, sourced, and the same on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from checks_page import page
from typer.testing import CliRunner

from interlock.cli.app import app
from interlock.usecases.checks import CheckList, check_list

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_made_from_the_checks() -> None:
    assert (ROOT / "docs" / "checks.md").read_text("utf-8") == page(check_list()), "docs/checks.md is stale: make renew"


def test_every_check_is_on_the_page_with_its_source_or_as_a_judgement() -> None:
    text = page(check_list())
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert len(sections) == len(check_list().checks)
    for entry, section in zip(check_list().checks, sections, strict=True):
        assert section.startswith(f"{entry.id} {entry.title}\n")
        assert entry.severity.value in section and entry.level in section
        assert "Source: [" in section or entry.level == "judgement", entry.id
        assert entry.about, entry.id
        assert all(row in section for row in entry.rows)


def test_every_check_of_a_specification_names_a_row() -> None:
    mine = [entry for entry in check_list().checks if entry.family not in {"NEG", "DATA", "DRIFT"}]
    without = {entry.id for entry in mine if not entry.rows and entry.level != "judgement"}
    # Plain HTTP is specified by RFC 9110 and RFC 6585, which docs/requirements.md leaves to their sources.
    assert without == {"CAP-013", "NET-021"}


def test_the_command_lists_them() -> None:
    result = CliRunner().invoke(app, ["checks", "--format", "json"])
    assert result.exit_code == 0
    assert CheckList.model_validate(json.loads(result.stdout)) == check_list()
    table = CliRunner().invoke(app, ["checks"])
    assert table.exit_code == 0
    assert all(entry.id in table.stdout for entry in check_list().checks)


def test_a_check_is_explained_by_its_id() -> None:
    shown = CliRunner().invoke(app, ["checks", "neg-001"])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("NEG-001 The token endpoint refuses an unknown grant the way OAuth says\n")
    assert "https://www.rfc-editor.org/rfc/rfc6749" in shown.stdout
    assert "Needs    the SMART configuration\n" in CliRunner().invoke(app, ["checks", "SMART-010"]).stdout
    entry = json.loads(CliRunner().invoke(app, ["checks", "NEG-001", "--format", "json"]).stdout)
    assert (entry["id"], entry["family"]) == ("NEG-001", "NEG")
    for entry in check_list().checks:
        assert CliRunner().invoke(app, ["checks", entry.id]).exit_code == 0
