"""``interlock doctor``."""

from __future__ import annotations

from pathlib import Path

from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import emit_json, show_table
from interlock.model.errors import ThresholdNotMetError
from interlock.usecases.doctor import examine


def doctor(output: TableOrJson = "table", folder: WorkspaceOption = None) -> None:
    """Check this machine, the libraries and the workspace; say what is missing and what to do."""
    findings = tuple(examine(folder or Path()))
    if output == "json":
        emit_json(findings)
    else:
        marks = {True: "ok", False: "bad", None: "absent"}
        show_table(["Check", "", "Detail", "What to do"], [(f.name, marks[f.ok], f.detail, f.remedy) for f in findings])
    if any(finding.ok is False for finding in findings):
        raise ThresholdNotMetError("something needs attention")
