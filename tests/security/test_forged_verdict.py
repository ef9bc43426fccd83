"""A workspace may change the questions and rules, and never without a word: every difference is counted and named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.content.rulesets import SetFolders, load_ruleset
from interlock.documents.resources import data_dir
from interlock.model.observation import Observation, Target
from interlock.usecases.load import load_content
from interlock.workspace.history import save_observation
from interlock.workspace.store import Workspace

SHIPPED = load_ruleset(data_dir("rulesets") / "core", SetFolders((data_dir("rulesets"),)))
OFF, CHANGED, WEIGHED, REPLACED = "BND-001", "AUTH-001", "DEL-005", "DEL-004"
PRODUCT_BLOCKER = "product_blocker"


def make(tmp_path: Path, files: dict[str, str], template: str = "sepsis") -> Path:
    folder = tmp_path / "workspace"
    assert run(["init", str(folder), "--template", template]) == 0
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if any(name.startswith("rulesets/ours") for name in files):
        settings = folder / "interlock.yaml"
        kept = [line for line in settings.read_text().splitlines() if not line.startswith("ruleset")]
        settings.write_text("\n".join([*kept, "ruleset: ours", ""]))
    return folder


HEADER = 'id: ours\nversion: "1.0"\ntitle: Ours\nextends: core\n'


def changes(folder: Path) -> dict[str, tuple[str, str, bool]]:
    workspace = Workspace(folder)
    content = load_content(workspace, workspace.settings().ruleset)
    return {change.id: (change.kind, change.change, change.blocker) for change in content.changes}


def test_the_shipped_content_has_no_changes(tmp_path: Path) -> None:
    assert changes(make(tmp_path, {})) == {}


def test_a_set_that_only_extends_ours_has_none(tmp_path: Path) -> None:
    assert changes(make(tmp_path, {"rulesets/ours/ruleset.yaml": HEADER})) == {}


def test_every_kind_of_change_is_told(tmp_path: Path) -> None:
    rule = (data_dir("rulesets") / f"core/delivery/{REPLACED}.yaml").read_text()
    own_rule = rule.replace("known_patterns < 0.5", "known_patterns < 0.0")
    shipped = (data_dir("questionnaires") / "1-boundary.yaml").read_text()
    name, question = "boundary.output_stable", shipped.split("\nitems:\n")[1].split("\n\n")[0]
    question = question.replace("weight: 0\n", "weight: 1.0\n")
    own_questions = f"""
id: ours
version: "1.0"
title: Ours
items:
{question}
  - {{id: ours.asked, type: boolean, text: Is it ours?, help: Yes is a good answer., why: To know., source: [S01]}}
"""
    pattern = (data_dir("rulesets") / "patterns/PAT-010.yaml").read_text()
    folder = make(
        tmp_path,
        {
            "rulesets/ours/ruleset.yaml": HEADER
            + f"rules:\n  {OFF}: off\n  {CHANGED}: {{severity: low, class: advice}}\n  {WEIGHED}: {{weight: 0.1}}\n"
            + "  AUTH-002: {lifecycle: deprecated}\nweights: {critical: 12}\n",
            f"rulesets/ours/delivery/{REPLACED}.yaml": own_rule,
            "rulesets/ours/delivery/OURS-001.yaml": own_rule.replace(REPLACED, "OURS-001"),
            "rulesets/ours/tasks/ours.yaml": "tasks: [{id: ours.t, title: Ours, scope: org, owner: us, gate: pilot}]",
            "questionnaires/ours.yaml": own_questions,
            "rulesets/patterns/PAT-010.yaml": pattern.replace("another tenant's", "somebody's"),
        },
    )
    told = changes(folder)
    assert told[OFF] == ("off", "turned off", True)
    assert told["AUTH-002"][0] == "off"
    assert told[CHANGED] == (
        "changed",
        "class advice instead of integration_blocker; severity low instead of critical",
        True,
    )
    assert told[WEIGHED][:2] == ("weight", "weight 0.1 instead of nothing")
    assert told["critical"] == ("weight", "12 instead of 10", False)
    assert told[REPLACED][0] == "changed" and "< 0.0 instead of" in told[REPLACED][1]
    assert told["OURS-001"] == ("added", "added", False)
    assert told["ours.t"] == ("added", "added", False)
    assert told[name] == ("changed", "the answer changing counts 1 instead of 0", True)
    assert told["ours.asked"] == ("added", "added", False)
    assert told["PAT-010"] == ("changed", "title is different", False)
    assert len(told) == 11, "what follows from a change is not told once more"
    workspace = Workspace(folder)
    order = [(difference.blocker, difference.kind) for difference in load_content(workspace, "ours").changes]
    assert order[0] == (True, "off")
    assert [blocker for blocker, _ in order] == sorted((blocker for blocker, _ in order), reverse=True)


def test_a_folder_with_the_name_of_ours_cannot_hide_it(tmp_path: Path) -> None:
    folder = make(tmp_path, {})
    shutil.copytree(data_dir("rulesets") / "core", folder / "rulesets/core")
    blockers = [rule.id for rule in SHIPPED.rules if rule.gap_class == PRODUCT_BLOCKER]
    for rule_id in blockers:
        next((folder / "rulesets/core").rglob(f"{rule_id}.yaml"), folder / "none").unlink(missing_ok=True)
    for path in (folder / "rulesets/core").rglob("*.yaml"):
        text = path.read_text()
        for rule_id in blockers:
            text = re.sub(rf"(, )?\b{rule_id}\b(, )?", lambda m: ", " if m[1] and m[2] else "", text)
        path.write_text(re.sub(r"^depends_on: \[\]\n", "", text, flags=re.M))
    told = changes(folder)
    assert told["core"] == ("changed", "rulesets/core of the workspace stands in its place", False)
    assert {rule_id for rule_id, (kind, _, blocker) in told.items() if kind == "off" and blocker} >= set(blockers)


def test_a_set_that_extends_nothing_turns_everything_off(tmp_path: Path) -> None:
    folder = make(tmp_path, {"rulesets/ours/ruleset.yaml": HEADER.replace("extends: core\n", "")})
    told = changes(folder)
    assert sum(kind == "off" for kind, _, _ in told.values()) >= len(SHIPPED.rules)


FORGED = {"rulesets/ours/ruleset.yaml": HEADER + f"rules:\n  {OFF}: off\n  {CHANGED}: {{severity: low}}\n"}
TITLE = next(rule.title for rule in SHIPPED.rules if rule.id == OFF)


@pytest.fixture
def forged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = make(tmp_path, FORGED)
    capsys.readouterr()
    return folder


def test_the_score_says_so(forged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["score", "-w", str(forged)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "2 changes of this workspace to what Interlock ships: 1 blocker turned off, 1 blocker changed." in told
    assert f"{TITLE} (rule {OFF}, a blocker): turned off" in told
    assert run(["score", "-w", str(forged), "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["ruleset"] == "ours 1.0" and data["shipped_ruleset"].startswith("core ")
    assert [change["id"] for change in data["content_changes"]] == [OFF, CHANGED]
    assert data["content_changes"][0] == {
        "kind": "off", "of": "rule", "id": OFF, "title": TITLE, "change": "turned off", "blocker": True,
    }  # fmt: skip


def test_the_first_page_of_every_report_says_so(forged: Path) -> None:
    out = forged / "reports"
    assert run(["report", "-f", "md,html,json", "--runs", "100", "-w", str(forged)]) == 0
    version = SHIPPED.version
    for name, end in (("report.md", "## 1. Summary"), ("report.html", "<main")):
        first_page = out.joinpath(name).read_text().split(end)[0].replace("\\", "")
        assert f"core {version} with 2 changes of this workspace" in first_page
        assert "1 blocker turned off, 1 blocker changed" in first_page
        assert f"{TITLE} (rule {OFF}, a blocker): turned off." in first_page
        assert f"Ruleset</dt><dd>core {version}</dd>" not in first_page
    assert [difference["id"] for difference in json.loads((out / "report.json").read_text())["content_changes"]] == [
        OFF,
        CHANGED,
    ]


def test_the_first_page_of_the_pdf_says_so(forged: Path) -> None:
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    rules = forged / "rulesets/ours/ruleset.yaml"
    more = ("BND-002", "BND-003", "BND-004", "BND-005", "AUTH-002", "AUTH-003")
    rules.write_text(rules.read_text() + "".join(f"  {rule}: off\n" for rule in more))
    settings = forged / "interlock.yaml"
    settings.write_text(f"{settings.read_text()}branding: {{paper: letter, confidentiality: For Riverside only.}}\n")
    assert run(["report", "-f", "pdf", "--sections", "summary", "--runs", "100", "-w", str(forged)]) == 0
    command = ["pdftotext", "-l", "1", forged / "reports/report.pdf", "-"]
    page = " ".join(subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())
    assert "8 changes of this workspace to what Interlock ships" in page
    for rule in (OFF, CHANGED, *more):
        assert f"(rule {rule}" in page
    assert "Verdict" in page


def test_sarif_says_so(forged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = Workspace(forged)
    org = workspace.read().organizations[0].id
    target = Target(org=org, base_url="https://fhir.example/r4")
    save_observation(
        workspace,
        Observation(target=target, started=datetime(2026, 1, 1, tzinfo=UTC), elapsed_ms=1, outcome="not_observed"),
    )
    capsys.readouterr()
    assert run(["observe", org, "--format", "sarif", "-w", str(forged)]) == 0
    log = json.loads(capsys.readouterr().out)["runs"][0]
    assert [difference["id"] for difference in log["properties"]["contentChanges"]] == [OFF, CHANGED]
    assert "with 2 changes of this workspace" in log["properties"]["ruleset"]
    (notification,) = log["invocations"][0]["toolConfigurationNotifications"]
    assert notification["level"] == "warning" and TITLE in notification["message"]["text"]


def test_many_changes_are_counted_never_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    off = "".join(f"  {rule.id}: off\n" for rule in SHIPPED.rules[:42])
    folder = make(tmp_path, {"rulesets/ours/ruleset.yaml": HEADER + "rules:\n" + off})
    assert run(["report", "-f", "md,json", "--runs", "100", "-w", str(folder)]) == 0
    first_page = (folder / "reports/report.md").read_text().split("## 1. Summary")[0].replace("\\", "")
    assert "42 changes of this workspace" in first_page
    assert "and 34 more, all in report.json" in first_page
    assert len(json.loads((folder / "reports/report.json").read_text())["content_changes"]) == 42
    capsys.readouterr()
    assert run(["score", "-w", str(folder)]) == 0
    assert "and 32 more, all in interlock score --format json" in capsys.readouterr().err


# -- names and links that leave the folder ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../../etc", "/etc", "..", "a/b/c", "core/../core", "Core", "a\x00b"])
def test_a_ruleset_is_a_plain_name(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path, {})
    settings = folder / "interlock.yaml"
    kept = [line for line in settings.read_text().splitlines() if not line.startswith("ruleset")]
    settings.write_text("\n".join([*kept, f"ruleset: {json.dumps(name)}", ""]))
    assert run(["score", "-w", str(folder)]) == 2
    assert "ruleset" in capsys.readouterr().err


@pytest.mark.parametrize(
    "link",
    ["rulesets", "questionnaires", "rulesets/ours", "rulesets/ours/x", "rulesets/patterns", "questionnaires/a.yaml"],
)
@pytest.mark.parametrize("command", ["score", "lint"])
def test_content_that_is_a_link_out_of_the_workspace_is_refused(
    link: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path, {})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "ruleset.yaml").write_text(HEADER)
    (folder / link).parent.mkdir(parents=True, exist_ok=True)
    (folder / link).symlink_to(outside / "ruleset.yaml" if link.endswith(".yaml") else outside)
    arguments = [command, str(folder)] if command == "lint" else [command, "-w", str(folder)]
    assert run(arguments) == 2
    assert "a link that leads out of this folder" in capsys.readouterr().err


def test_a_link_inside_the_workspace_is_fine(tmp_path: Path) -> None:
    folder = make(tmp_path, {"shared/ruleset.yaml": HEADER})
    (folder / "rulesets").mkdir()
    (folder / "rulesets/ours").symlink_to(folder / "shared")
    assert run(["score", "-w", str(folder)]) == 0
