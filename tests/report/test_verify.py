"""``interlock verify``: a report held against the workspace that it was made of, a changed one, and a stranger's."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from interlock.cli.app import app
from interlock.model.base import Status
from interlock.model.errors import DocumentError
from interlock.model.manifest import Verification
from interlock.report import seal
from interlock.usecases import verify as module
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.recipient import for_recipient
from interlock.usecases.report import Format, write_report
from interlock.usecases.verify import verify

from test_recipient import observed  # isort: skip

DAY = date(2026, 11, 30)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return load_inputs(initialize(tmp_path_factory.mktemp("verify") / "ws", "sepsis"))


@pytest.fixture(scope="module")
def whole(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    write_report(assess(inputs, today=DAY, runs=100), inputs, folder, ("md",), sections=("summary", "answers"))
    return folder / "report.md"


@pytest.fixture(scope="module")
def own(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, narrowed = tmp_path_factory.mktemp("own"), for_recipient(inputs, "lakeshore")
    write_report(assess(narrowed, today=DAY, runs=100), narrowed, folder, ("html",), sections=("glance",))
    return folder / "report.html"


def forged(content: str, old: str, new: str) -> str:
    """An edit by somebody who computes the hash anew, as docs/verify.md says how."""
    text = (
        re.sub(r'("sha256_of_report": ")[0-9a-f]{64}', rf"\g<1>{'0' * 64}", content.replace(old, new)).rstrip() + "\n"
    )
    return text.replace("0" * 64, hashlib.sha256(f"{text.rstrip()}\n".encode()).hexdigest())


def test_both_match_where_they_were_made(inputs: Inputs, whole: Path, own: Path) -> None:
    assert (verify(whole, inputs).found, verify(own, inputs).found) == ("matches", "matches")
    assert verify(own, inputs).recipient == "lakeshore"
    assert verify(own, None).found == "unedited"


def test_a_changed_workspace_is_told_part_by_part(inputs: Inputs, whole: Path, own: Path) -> None:
    answers = dict(inputs.by_org["lakeshore"])
    first, second, third = [name for name, answer in answers.items() if answer.status is Status.ANSWERED][:3]
    answers[first] = answers[first].but(note="Another note")
    del answers[second]
    elsewhere = dict(inputs.by_org["pinecrest"]) | {third: answers[third].but(note="Here too")}
    changed = replace(
        inputs,
        by_org=dict(inputs.by_org) | {"lakeshore": answers, "pinecrest": elsewhere},
        settings=inputs.settings.but(seed=7),
    )
    found = verify(whole, changed)
    assert found.found == "changed" and not found.edited and found.content == ()
    told = {difference.what.partition(":")[0]: difference for difference in found.differences}
    lakeshore = told["answers of Lakeshore Health System"]
    assert (lakeshore.changed, lakeshore.gone, lakeshore.added) == ((first,), (second,), ())
    assert inputs.content.items[first].text[:60] in lakeshore.what and ": 1 changed, 1 gone (" in lakeshore.what
    assert told["settings of the workspace"].changed == ("seed",)
    assert "answers of Pinecrest Community Hospital" in told
    here = {difference.what.partition(":")[0] for difference in verify(own, changed).differences}
    assert here == {"answers of Lakeshore Health System", "settings of the workspace"}, "it knows nothing of others"


def test_a_hospitals_report_holds_whatever_happens_to_others(inputs: Inputs, own: Path, whole: Path) -> None:
    fewer = replace(inputs, organizations=tuple(org for org in inputs.organizations if org.id != "harborview"))
    assert verify(own, fewer).found == "matches"
    assert "1 organisation is no longer here: harborview" in verify(whole, fewer).sentence
    gone = replace(inputs, organizations=tuple(org for org in inputs.organizations if org.id != "lakeshore"))
    assert verify(own, gone).found == "other_workspace"


def test_an_edit_is_told_and_so_is_one_with_a_new_hash(inputs: Inputs, whole: Path, tmp_path: Path) -> None:
    text, file = whole.read_text(), tmp_path / "edited.md"
    file.write_text(text.replace("Lakeshore", "Lakeshire", 1))
    assert (found := verify(file, inputs)).found == "edited" and found.edited
    assert verify(file, None).found == "edited"
    file.write_text(forged(text, "Sentinel", "Sentinal"))
    assert (found := verify(file, inputs)).found == "retold" and not found.edited
    assert "somebody changed them and the hash too" in found.sentence
    assert verify(file, None).found == "unedited", "a hash alone proves no author"


def test_other_content_or_another_version_is_named(
    inputs: Inputs, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruleset = inputs.content.ruleset
    rules = (ruleset.rules[0].but(title="Another"), *ruleset.rules[1:])
    content = replace(inputs.content, ruleset=ruleset.but(rules=rules, version="9.9"))
    monkeypatch.setattr(module, "__version__", "9.0.0")
    found = verify(whole, replace(inputs, content=content))
    assert found.found == "other_content" and len(found.content) == 3
    family = ruleset.rules[0].id.partition("-")[0]
    for said in ("9.0.0 here", "core 9.9 here", f"other questions or rules in rules {family}"):
        assert said in found.sentence


def test_a_report_of_another_workspace(inputs: Inputs, whole: Path) -> None:
    settings = inputs.settings.but(name="Other", product="Other")
    other = replace(inputs, settings=settings, organizations=(), by_org={}, product={}, tasks={}, contract=None)
    found = verify(whole, other)
    assert found.found == "other_workspace" and "Sentinel Sepsis" in found.sentence
    renamed = replace(inputs, settings=settings)
    assert verify(whole, renamed).found == "changed", "renamed, and otherwise the same"


def test_templates_of_ones_own_are_not_used_again(inputs: Inputs, whole: Path, tmp_path: Path) -> None:
    manifest = seal.read(whole.read_bytes()).manifest
    file = tmp_path / "own.md"
    file.write_bytes(seal.sealed(b"# Mine\n", "md", manifest.but(own_templates=True)))
    assert verify(file, inputs).found == "agrees"


def test_the_command_and_its_exit_codes(inputs: Inputs, whole: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["verify", *map(str, arguments)])
        return (result.exit_code, result.output) if not isinstance(result.exception, DocumentError) else (2, "")

    code, text = run(whole, "-w", inputs.root, "--format", "json")
    assert code == 0 and Verification.model_validate(json.loads(text)).found == "matches"
    edited = tmp_path / "edited.md"
    edited.write_text(whole.read_text().replace("Lakeshore", "Lakeshire"))
    assert run(edited, "-w", inputs.root)[0] == 1
    assert run(tmp_path, "-w", inputs.root)[0] == 2
    edited.write_text("# Some page\n")
    assert run(edited, "-w", inputs.root)[0] == 2


@pytest.mark.long
@pytest.mark.parametrize("form", sorted(set(get_args(Format)) - {"csv"}))
def test_every_format_with_a_place_for_a_manifest_matches(form: Format, inputs: Inputs, tmp_path: Path) -> None:
    narrowed = for_recipient(inputs, "lakeshore")
    seen = {"lakeshore": observed("lakeshore", "lakeside")}
    narrowed, whole = replace(narrowed, observations=seen), replace(inputs, observations=seen)
    write_report(assess(narrowed, today=DAY, runs=100), narrowed, tmp_path, (form,))
    assert set(get_args(Format)) - {"csv"} == seal.FORMS
    assert verify(tmp_path / f"report.{form}", whole).found == "matches"
