"""``interlock report``: the workbook and the findings for code scanning, which are written when they are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from interlock.usecases.report import FORMATS, parse_formats


def loaded_by(*arguments: str) -> set[str]:
    """Top-level modules that are loaded once the command has run in a process of its own."""
    code = (
        "import sys\n"
        "from interlock.cli.main import run\n"
        f"code = run({list(arguments)!r})\n"
        "sys.stderr.write('\\n' + str(code) + ' ' + ' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120, env=dict(os.environ)
    )
    ended, *loaded = done.stderr.splitlines()[-1].split()
    assert ended == "0"
    return set(loaded)


def test_both_are_written_and_named(command, demo: Path, tmp_path: Path) -> None:
    result = command("report", "--format", "sarif,xlsx", "--output", tmp_path / "out", "--workspace", demo)
    assert result.code == 0
    assert [Path(line).name for line in result.out.split()] == ["report.xlsx", "report.sarif"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.sarif", "report.xlsx"]
    with zipfile.ZipFile(tmp_path / "out" / "report.xlsx") as archive:
        assert archive.testzip() is None
        assert sum(name.startswith("xl/worksheets/sheet") for name in archive.namelist()) == 12


def test_sarif_is_what_observe_gives(command, demo: Path) -> None:
    assert command("report", "--format", "sarif", "--workspace", demo).code == 0
    observed = command("observe", "--all", "--format", "sarif", "--out", demo / "observed.sarif", "--workspace", demo)
    assert observed.code == 0
    log = json.loads((demo / "reports/report.sarif").read_bytes())
    assert log["runs"][0].pop("properties").keys() == {"interlockManifest"}
    assert log == json.loads((demo / "observed.sarif").read_bytes())


def test_the_same_workspace_gives_the_same_workbook(command, demo: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert command("report", "--format", "xlsx", "--output", tmp_path / name, "--workspace", demo).code == 0
    assert (tmp_path / "one/report.xlsx").read_bytes() == (tmp_path / "two/report.xlsx").read_bytes()


def test_all_stays_what_it_was_and_the_help_names_every_format(command) -> None:
    assert parse_formats("all") == FORMATS == ("md", "html", "pdf", "json")
    assert parse_formats("SARIF, md,xlsx") == ("md", "xlsx", "sarif")
    unknown = command("report", "--format", "odt")
    assert unknown.code == 2
    assert "md, html, pdf, json, xlsx, docx, csv, sarif, all" in unknown.err
    shown = command("report", "--help").out
    assert "xlsx" in shown and "sarif" in shown


def test_sections_choose_sheets_and_one_without_a_sheet_writes_nothing(command, demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    chosen = command("report", "-f", "xlsx", "--sections", "gaps,plan", "--output", out, "--workspace", demo)
    assert chosen.code == 0
    with zipfile.ZipFile(out / "report.xlsx") as archive:
        assert sum(name.startswith("xl/worksheets/sheet") for name in archive.namelist()) == 2
    none = command("report", "-f", "md,xlsx", "--sections", "graph", "--output", tmp_path / "none", "--workspace", demo)
    assert none.code == 2
    assert "no sheet for the section graph" in none.err
    assert not (tmp_path / "none").exists()
    assert command("report", "-f", "xlsx", "--sections", "gap", "--workspace", demo).code == 2


def test_who_was_never_probed_is_not_passed_over_in_silence(command, demo: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    assert command("init", fresh).code == 0
    assert command("org", "add", "Somewhere", "--workspace", fresh).code == 0
    refused = command("report", "--format", "sarif", "--workspace", fresh)
    assert refused.code == 2
    assert "none of the organisations was ever probed" in refused.err
    assert not (fresh / "reports/report.sarif").exists()
    assert command("report", "--format", "xlsx", "--workspace", fresh).code == 0
    assert command("org", "add", "Somewhere", "--workspace", demo).code == 0
    partly = command("report", "--format", "sarif", "--workspace", demo)
    assert partly.code == 0
    assert "Not in report.sarif, because never probed: somewhere." in partly.err
    assert "never probed" not in partly.out


@pytest.mark.parametrize(("formats", "expected"), [("md", False), ("xlsx", True)])
def test_the_workbooks_library_is_loaded_for_a_workbook_only(demo: Path, formats: str, *, expected: bool) -> None:
    loaded = loaded_by("report", "--runs", "100", "--format", formats, "--workspace", str(demo))
    assert ("xlsxwriter" in loaded) is expected
    assert "weasyprint" not in loaded
