"""The main job through the front door: the demo's workspace, and every command on it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import unicodedata
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

import pytest

from interlock.documents.resources import data_dir
from interlock.model.assessment import Assessment
from interlock.model.observation import Observation
from interlock.report import brief
from tiers import LONG

ORGS = ("harborview", "lakeshore", "pinecrest", "riverside")


def stages(result) -> dict[str, str | None]:
    return {org["org"]: org["stage"] for org in result["organizations"]}


def test_the_demo_writes_everything(finished_demo: Path) -> None:
    reports = {path.name for path in (finished_demo / "reports").iterdir()}
    assert {"report.md", "report.html", "report.json", "report.pdf", "contract"} <= reports
    skeletons = {
        path.relative_to(finished_demo / "reports/contract").as_posix()
        for path in (finished_demo / "reports/contract").rglob("*.*")
    }
    assert {
        "README.md",
        "capability-statement.json",
        "client/fhir_client.py",
        "contract.lock.json",
        "manifest.json",
        "profiles/read-observation-1.json",
        "scopes.json",
        "settings.schema.json",
        "test-plan.md",
        "tests/conftest.py",
        "workflow-contract.md",
        "workflow.mmd",
        *(f"settings/{org}.yaml" for org in ORGS),
    } <= skeletons
    lock = json.loads((finished_demo / "reports/contract/contract.lock.json").read_text())
    seen = {org["id"]: org.get("server", {}).get("scope_syntax") for org in lock["organizations"]}
    assert seen["riverside"] == ["v1", "v2"] and seen["harborview"] is None, "one was observed, one refuses connections"
    assert (finished_demo / "reports/report.pdf").read_bytes().startswith(b"%PDF-")


def test_the_pdf_is_read_from_front_to_back_and_no_word_in_it_is_broken(finished_demo: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    reports = finished_demo / "reports"
    told = subprocess.run(["pdftotext", "-layout", reports / "report.pdf", "-"], capture_output=True, check=True)
    pages = unicodedata.normalize("NFKC", told.stdout.decode()).split("\f")[:-1]
    assert len(pages) <= 25
    plan = [page for page in pages if page.lstrip("\n").partition("\n")[0].endswith("  Plan")]
    assert len(plan) <= 5
    text = " ".join("\n".join(pages).split())
    for said in ("What decides the date", "What begins in the next weeks", "What settles most", "report.html"):
        assert said in text
    # A column that is narrower than a word breaks it, and no piece of a word is a word of the whole report, or ours.
    whole = html.unescape(re.sub("<[^>]+>", " ", (reports / "report.html").read_text()))
    whole += (reports / "report.json").read_text()
    ours = " ".join(path.read_text() for path in (data_dir("reports") / "sections/brief").glob("*.j2"))
    ours += " ".join(path.read_text() for path in Path(brief.__file__).parents[1].rglob("*.py"))
    known, shown = (set(re.findall(r"[^\W\d_]+", words.casefold())) for words in (whole + ours, text))
    assert sorted(shown - known) == []


def test_no_page_of_the_pdf_ends_with_a_heading(finished_demo: Path) -> None:
    """At least two lines of what a heading is over stand on its page; a link to the whole report is none."""
    if shutil.which("pdftohtml") is None:
        pytest.skip("pdftohtml is not installed")
    command = ["pdftohtml", "-xml", "-i", "-stdout", finished_demo / "reports/report.pdf"]
    told = subprocess.run(command, capture_output=True, check=True).stdout
    pages = list(ElementTree.fromstring(told).iter("page"))
    serif = {font.get("id") for page in pages for font in page.iter("fontspec") if "Serif" in font.get("family", "")}
    short = []
    for page in pages[1:]:
        foot, lines = 0.945 * int(page.get("height", "0")), dict[int, bool]()
        for text in page.iter("text"):
            if (top := int(text.get("top", "0"))) < foot and "report.html" not in "".join(text.itertext()):
                lines[top] = lines.get(top, False) or text.get("font") in serif
        if any(lines[top] for top in sorted(lines)[-2:]):
            short.append(page.get("number"))
    assert len(pages) > 10 and short == []


def test_each_organisation_has_the_stage_of_its_story(command, demo: Path) -> None:
    result = command("score", "--format", "json", "--workspace", demo).json()
    assert stages(result)["riverside"] == "pilot"
    by_id = {org["org"]: org for org in result["organizations"]}
    assert by_id["lakeshore"]["observed"] == "observed"
    assert by_id["lakeshore"]["verdict"] == "map_auth"
    sandbox_gate = next(gate for gate in by_id["lakeshore"]["gates"] if gate["gate"] == "sandbox")
    assert any(key.startswith("AUTH-") for key in sandbox_gate["open"])
    assert by_id["pinecrest"]["stage"] in {None, "design"}
    assert by_id["harborview"]["observed"] == "not_observed"
    assert "refuses connections" in by_id["harborview"]["not_observed_because"]
    assert result["totals"]["organizations"] == 4
    assert result["totals"]["observed"] == 3


def test_what_was_not_observed_is_not_failing(command, demo: Path) -> None:
    """No gap at the unreachable organisation rests on anything that only its server could have shown."""
    assert command("report", "--format", "json", "--workspace", demo).code == 0
    assessment = Assessment.model_validate_json((demo / "reports/report.json").read_text())
    gaps = [f for f in assessment.findings if f.subject.id == "harborview" and f.outcome.value == "gap"]
    assert all(not read.startswith(("probe", "checks", "fit")) for gap in gaps for read in gap.reads)
    (fit,) = [fit for fit in assessment.fit if fit.org == "harborview"]
    assert not fit.observed
    assert {match.outcome for match in fit.matches} == {"not_observed"}


def test_the_score_is_the_same_bytes_twice(command, demo: Path) -> None:
    first = command("score", "--format", "json", "--workspace", demo)
    second = command("score", "--format", "json", "--workspace", demo)
    assert first.out == second.out


def test_the_plan_is_the_same_bytes_under_a_seed(command, demo: Path) -> None:
    first, again, other = (
        command("plan", "--format", "json", "--seed", seed, "--runs", "500", "--workspace", demo) for seed in "778"
    )
    assert first.out == again.out != other.out
    plan = first.json()
    assert plan["seed"] == 7
    assert plan["finish"]["p50_days"] <= plan["finish"]["p80_days"] <= plan["finish"]["p90_days"]


def test_the_same_bytes_come_out_of_the_same_inputs_with_the_report(command, demo: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert command("report", "--format", "json,md", "--output", tmp_path / name, "--workspace", demo).code == 0
    for file in ("report.json", "report.md"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_second_demo_keeps_what_was_entered_and_a_fresh_one_does_not(
    command, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock.usecases.demo.FORMATS", ("md",))
    monkeypatch.setattr("interlock.usecases.pdf.start_pdf_process", lambda formats: nullcontext())
    marked = (
        "answer",
        "boundary.output_stable",
        "--status",
        "unknown",
        "--note",
        "asked on Monday",
        "--workspace",
        demo,
    )
    assert command(*marked).code == 0
    assert command("demo", "--output", demo).code == 0
    assert "asked on Monday" in (demo / "responses/product.yaml").read_text()
    assert command("demo", "--output", demo, "--fresh").code == 0
    assert "asked on Monday" not in (demo / "responses/product.yaml").read_text()


def test_the_demo_leaves_a_strange_folder_alone(command, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    result = command("demo", "--output", tmp_path)
    assert result.code == 2
    assert "left alone" in result.err
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_smaller_sample_is_a_product_blocker(command, tmp_path: Path) -> None:
    folder = tmp_path / "early"
    assert command("init", folder, "--template", "early").code == 0
    result = command("score", "--format", "json", "--workspace", folder).json()
    assert result["verdict"]["value"] == "product_first"
    assert result["product_score"]["interval"]["high"] <= 39
    assert all(org["score"]["interval"]["high"] <= 39 for org in result["organizations"])


def test_a_report_without_any_probe_says_what_was_not_observed(command, tmp_path: Path) -> None:
    folder = tmp_path / "sepsis"
    assert command("init", folder, "--template", "sepsis").code == 0
    result = command("report", "--format", "md,html,json", "--workspace", folder)
    assert result.code == 0
    text = (folder / "reports/report.md").read_text().lower()
    assert "never probed" in text or "not observed" in text
    assert {path.name for path in (folder / "reports").iterdir()} >= {"report.md", "report.html", "report.json"}


def test_a_report_on_an_empty_workspace(command, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert command("init", folder, "--name", 'A "new" \\ idea: yes').code == 0
    assert command("config", "show", "--workspace", folder).json()["product"] == 'A "new" \\ idea: yes'
    without_pdf = () if LONG else ("--format", "md,html,json")
    assert command("report", *without_pdf, "--workspace", folder).code == 0
    assert command("score", "--workspace", folder).code == 0
    assert command("gaps", "--workspace", folder).code == 0
    assert command("plan", "--workspace", folder).code == 0


@pytest.mark.parametrize("name", ["mermaid", "dot", "svg", "json"])
def test_the_gap_graph_in_each_format(command, demo: Path, name: str) -> None:
    result = command("gaps", "--format", name, "--workspace", demo)
    assert result.code == 0
    if name == "svg":
        assert ElementTree.fromstring(result.out).tag.endswith("svg")
    elif name == "json":
        assert json.loads(result.out)["nodes"]
    else:
        assert result.out.startswith({"mermaid": ("flowchart", "graph"), "dot": ("digraph", "strict")}[name])


def test_the_story_of_a_gap(command, demo: Path) -> None:
    nodes = command("gaps", "--format", "json", "--workspace", demo).json()["nodes"]
    key = nodes[0].get("key") or nodes[0]["id"]
    told = command("gaps", "--explain", key.lower(), "--workspace", demo)
    assert told.code == 0
    assert "Why it matters" in told.out
    wrong = command("gaps", "--explain", "NOPE-001", "--workspace", demo)
    assert wrong.code == 2


def test_answering_moves_the_score_and_survives(command, demo: Path) -> None:
    before = command("score", "--format", "json", "--workspace", demo).json()["product_score"]["interval"]["low"]
    result = command("answer", "boundary.output_stable", "--status", "unknown", "--workspace", demo)
    assert result.code == 0
    assert "Saved" in result.err
    after = command("score", "--format", "json", "--workspace", demo).json()["product_score"]["interval"]["low"]
    assert after < before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("boundary.output_stabel", "x"), "boundary.output_stable"),
        (("boundary.output_stable", "sometimes"), "offered"),
        (("boundary.output_stable",), "no value"),
        (("boundary.output_stable", "x", "--org", "riverside"), "once for the product"),
        (("boundary.output_stable", "x", "--status", "unknown"), "exclude"),
        (("org.client_registered", "x", "--org", "nowhere"), "no organisation 'nowhere'"),
        (("org.client_registered", "x"), "--org"),
    ],
)
def test_an_answer_that_cannot_be(command, demo: Path, arguments: tuple[str, ...], words: str) -> None:
    before = {path: path.read_bytes() for path in (demo / "responses").iterdir()}
    result = command("answer", *arguments, "--workspace", demo)
    assert result.code == 2
    assert words in result.err
    assert {path: path.read_bytes() for path in (demo / "responses").iterdir()} == before


def test_a_broken_line_is_named_by_every_command(command, demo: Path) -> None:
    path = demo / "responses" / "product.yaml"
    path.write_text(path.read_text() + "\nbroken: [\n")
    for arguments in (("score",), ("gaps",), ("report",), ("questions",)):
        result = command(*arguments, "--workspace", demo)
        assert result.code == 2
        assert "responses/product.yaml:" in result.err
        assert "Traceback" not in result.err


def test_organisations_by_command(command, demo: Path) -> None:
    assert command("org", "add", "St Mary", "--url", "https://ehr.example.org/fhir/", "--workspace", demo).code == 0
    listed = command("org", "list", "--format", "json", "--workspace", demo).json()
    assert {"st-mary", *ORGS} == {org["id"] for org in listed}
    assert command("org", "edit", "st-mary", "--vendor", "epic", "--workspace", demo).code == 0
    shown = command("org", "show", "st-mary", "--format", "json", "--workspace", demo).json()
    assert (shown["vendor"], shown["fhir_base_url"]) == ("epic", "https://ehr.example.org/fhir")
    wrong = command("org", "add", "Bad", "--url", "ehr.example.org/fhir", "--workspace", demo)
    assert wrong.code == 2
    assert "https://ehr.example.org/fhir" in wrong.err
    assert command("org", "remove", "st-mary", "--workspace", demo).code == 0
    assert command("org", "show", "st-mary", "--workspace", demo).code == 2


def test_observing_and_probing(command, demo: Path) -> None:
    observed = command("observe", "riverside", "--format", "json", "--workspace", demo)
    assert Observation.model_validate_json(observed.out).outcome == "observed"
    card = command("observe", "lakeshore", "--workspace", demo)
    assert "Standalone launch: declared" in " ".join(card.out.split())
    strict = {check.id: check for check in Observation.model_validate_json(observed.out).checks}["CAP-047"]
    assert strict.outcome == "pass" and "fhir.resources" in strict.message
    dead = command("probe", "--org", "harborview", "--workspace", demo)
    assert dead.code == 3
    assert "could be observed" in dead.err
    again = command("probe", "--all", "--format", "ndjson", "--workspace", demo)
    assert again.code == 0
    assert {json.loads(line)["target"]["org"] for line in again.out.splitlines()} == set(ORGS)
    assert len(list((demo / "observations" / "riverside").glob("*.json"))) == 2


def test_a_probe_needs_no_workspace(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    card = command("probe", "sandbox://riverside")
    assert card.code == 0
    assert "R4 (4.0.1)" in card.out
    result = command("probe", "sandbox://pinecrest", "--format", "json")
    assert result.json()["facts"]["capability"]["fhir_release"] == "STU3"
    assert list(tmp_path.iterdir()) == []


def test_the_contract_by_command(command, demo: Path, tmp_path: Path) -> None:
    check = command("contract", "check", "--format", "json", "--workspace", demo)
    assert check.code == 1
    by_org = {fit["org"]: fit for fit in check.json()}
    assert all(match["outcome"] != "missing" for match in by_org["riverside"]["matches"])
    assert any(match["outcome"] == "missing" for match in by_org["pinecrest"]["matches"])
    assert command("contract", "check", "--org", "riverside", "--workspace", demo).code == 0
    unseen = command("contract", "check", "--org", "harborview", "--workspace", demo)
    assert (unseen.code, "interlock probe --org harborview" in unseen.err) == (3, True)
    service = command("contract", "check", "--client", "watch-test", "--all", "--org", "riverside", "--workspace", demo)
    assert service.code == 0 and "system/Observation.rs" in " ".join(service.out.split())
    assert "patient/" not in service.out and "DocumentReference" not in service.out
    counted = command("contract", "check", "--org", "riverside", "--workspace", demo).err
    assert "riverside: 57 supported; optional: 5 supported" in counted
    nowhere = command("contract", "check", "--client", "watch", "--workspace", demo)
    assert (nowhere.code, nowhere.out) == (3, "")
    assert "no organisation is of the environment production, which watch is registered for" in nowhere.err
    misspelt = command("contract", "check", "--client", "wacth", "--workspace", demo)
    assert misspelt.code == 2 and "no client 'wacth'; did you mean 'watch'?" in misspelt.err
    assert command("contract", "lint", demo).code == 0
    assert command("contract", "export", "--output", tmp_path / "out", "--workspace", demo).code == 0
    assert json.loads((tmp_path / "out/capability-statement.json").read_text())["kind"] == "requirements"
    (demo / "contract.yaml").unlink()
    assert "no contract.yaml" in command("contract", "check", "--workspace", demo).err


def test_milestones_and_differences(command, demo: Path) -> None:
    assert command("milestone", "save", "kick-off", "--workspace", demo).code == 0
    assert "1" in command("milestone", "list", "--workspace", demo).out
    same = command("diff", "kick-off", "--format", "json", "--workspace", demo).json()
    assert (same["opened"], same["closed"], same["stages"]) == ([], [], [])
    command("answer", "boundary.output_stable", "--status", "unknown", "--workspace", demo)
    moved = command("diff", "1", "--format", "json", "--workspace", demo).json()
    assert moved["no_longer_decided"]
    assert command("diff", "last", "--workspace", demo).code == 0
    assert command("diff", "nothing", "--workspace", demo).code == 2


def test_thresholds(command, demo: Path) -> None:
    assert command("score", "--gate", "design", "--org", "riverside", "--workspace", demo).code == 0
    short = command("score", "--gate", "pilot", "--fail-under", "99", "--workspace", demo)
    assert short.code == 1
    assert "lakeshore has not passed pilot" in short.err
    assert "is under 99" in short.err


def test_the_json_fits_its_published_schema(command, demo: Path) -> None:
    from interlock.usecases.schemas import SCHEMAS

    for name, arguments in {
        "score": ("score", "--format", "json"),
        "plan": ("plan", "--format", "json"),
        "observation": ("observe", "riverside", "--format", "json"),
        "diff": ("diff", "now", "--format", "json"),
    }.items():
        shown = command(*arguments, "--workspace", demo)
        SCHEMAS[name][0].model_validate_json(shown.out)
        assert command("config", "schema", name).json()["title"] == SCHEMAS[name][0].__name__
    assert command("config", "schema", "nothing").code == 2


def test_read_only_and_vanished_folders(command, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from interlock.model.errors import Location, WorkspaceError
    from interlock.workspace import store

    def refuse(path: Path, content: bytes, *, within: Path | None = None) -> None:
        raise WorkspaceError("not saved: the folder cannot be written", location=Location(file=str(path)))

    with monkeypatch.context() as patched:
        patched.setattr("interlock.workspace.edit.write_atomically", refuse)
        patched.setattr(store, "write_atomically", refuse)
        failed = command("answer", "boundary.output_stable", "--status", "unknown", "--workspace", demo)
    assert failed.code == 2
    assert "is kept" in failed.err
    saved = command("answer", "boundary.workflow_settled", "--status", "unknown", "--workspace", demo)
    assert saved.code == 0
    assert "boundary.output_stable" in saved.err
    shutil.rmtree(demo)
    assert command("score", "--workspace", demo).code == 2


def test_an_unknown_about_the_product_is_no_pass(command, demo: Path) -> None:
    command("answer", "boundary.output_stable", "--status", "unknown", "--workspace", demo)
    verdict = command("score", "--format", "json", "--workspace", demo).json()["verdict"]
    assert (verdict["value"], verdict["latest"]) == ("product_first", "integrate")
    assert verdict["headline"].startswith("Not decided: product first … integrate; ")
    assert verdict["next_rules"] == ["BND-001"] and "BND-001" not in verdict["next_step"], "words and ids apart"
    said = command("score", "--workspace", demo).err
    assert "Not decided: product first" in said
    ids = [line for line in said.splitlines() if "BND-001" in line]
    assert ids and all(line.startswith("  [") for line in ids), "ids stand on a line of their own"


def test_the_card_of_an_unseen_server_says_why_once(command) -> None:
    dead = command("probe", "sandbox://harborview")
    assert dead.code == 3
    assert dead.out.count("refuses connections") == 2, "as what could not be seen, and in the question to paste"
    assert "FAIL" not in dead.out
    page = command("probe", "sandbox://riverside+html-200")
    assert page.code == 3
    assert "HTML page" in page.out


def test_an_observation_can_be_checked_anew_offline(command, demo: Path) -> None:
    for org in ("riverside", "pinecrest", "harborview"):
        observation = command("observe", org, "--format", "json", "--workspace", demo).json()
        again = command("observe", org, "--recheck", "--format", "json", "--workspace", demo).json()
        assert again["facts"] == observation["facts"]
        assert [(c["id"], c["outcome"]) for c in again["checks"]] == [
            (c["id"], c["outcome"]) for c in observation["checks"]
        ]
    stored = sorted((demo / "observations" / "bodies").iterdir())
    for path in stored:
        path.write_bytes(path.read_bytes()[:-9])
    damaged = command("observe", "riverside", "--recheck", "--workspace", demo)
    assert damaged.code == 2
    assert "damaged" in damaged.err
