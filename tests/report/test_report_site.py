"""The report as a folder: pages that lead to each other, a hospital's own alone, and nothing overwritten."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.errors import DocumentError
from interlock.report import json
from interlock.report.site import PAGES
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.recipient import for_recipient
from interlock.usecases.site import write_site
from interlock.usecases.verify import verify

from test_verify import forged  # isort: skip

TODAY = date(2026, 11, 30)
NAMES = [file for file, _, _ in PAGES]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return load_inputs(initialize(tmp_path_factory.mktemp("site") / "ws", "sepsis"))


@pytest.fixture(scope="module")
def whole(inputs: Inputs) -> Assessment:
    return assess(inputs, today=TODAY, runs=200)


@pytest.fixture(scope="module")
def folder(inputs: Inputs, whole: Assessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages") / "site"
    assert {file.state for file in write_site(whole, inputs, made)} == {"new"}
    return made


def ids(page: str) -> set[str]:
    return set(re.findall(r' id="([^"]+)"', page))


def test_each_link_leads_to_a_page_and_a_place_in_it(folder: Path) -> None:
    pages = {path.name: path.read_text("utf-8") for path in folder.glob("*.html")}
    assert sorted(pages) == sorted(NAMES)
    places = {name: ids(page) for name, page in pages.items()}
    crossing = 0
    for name, page in pages.items():
        for href in re.findall(r'href="([^"]+)"', page):
            if not href.startswith(("https:", "http:", "mailto:")):
                file, _, anchor = href.partition("#")
                assert file in {"", *NAMES}, href
                assert not anchor or anchor in places[file or name], href
                crossing += bool(file and anchor)
        assert not re.findall(r'(?:src|href)="(?!https?:|mailto:|data:|#|[a-z]+\.html)', page)
        assert page.count('aria-current="page"') == 1
    assert crossing > 100
    assert "First" in pages["executive.html"] and "What this rests on" in pages["report.html"]
    assert 'class="answers"' in pages["evidence.html"] and 'class="answers"' not in pages["report.html"]


def test_again_is_the_same_and_what_is_not_ours_is_told_and_stays(
    inputs: Inputs, whole: Assessment, folder: Path
) -> None:
    stranger = folder / "notes.txt"
    stranger.write_text("mine")
    try:
        done = write_site(whole, inputs, folder)
        assert {file.path.name: file.state for file in done} == {**dict.fromkeys(NAMES, "same"), "notes.txt": "orphan"}
        assert stranger.read_text() == "mine"
    finally:
        stranger.unlink()


def test_each_page_is_held_against_the_workspace_and_an_edited_one_is_found_out(
    inputs: Inputs, folder: Path, tmp_path: Path
) -> None:
    assert {verify(folder / name, None).found for name in NAMES} == {"unedited"}
    assert verify(folder / "executive.html", inputs).found == "matches"
    edited = tmp_path / "executive.html"
    text = (folder / "executive.html").read_text("utf-8")
    edited.write_text(text.replace("Lakeshore", "Lakeshire"), "utf-8")
    assert edited.read_text("utf-8") != text and verify(edited, inputs).found == "edited"
    moved = text.replace('"page": "executive.html"', '"page": "report.html"', 1)
    edited.write_text(forged(moved, "Lakeshore", "Lakeshire"), "utf-8")
    assert verify(edited, inputs).found == "retold", "the hash alone is of no use where the page is made again"


def test_a_folder_with_something_else_is_refused(inputs: Inputs, whole: Assessment, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("somebody's own")
    with pytest.raises(DocumentError, match="something else than a site"):
        write_site(whole, inputs, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "somebody's own"
    with pytest.raises(DocumentError, match="a file stands where a folder is needed"):
        write_site(whole, inputs, tmp_path / "index.html")


def test_a_hospital_s_own_site_has_nothing_of_another(inputs: Inputs, whole: Assessment, tmp_path: Path) -> None:
    """Names, ids, addresses, dates that others alone have, how many there are, and the whole's hash."""
    own = for_recipient(inputs, "lakeshore")
    narrowed = assess(own, today=TODAY, runs=200)
    write_site(narrowed, own, tmp_path / "site")
    others = [org for org in inputs.organizations if org.id != "lakeshore"]
    canaries = {
        name
        for org in others
        for name in (org.id, org.name, org.name.split(" ")[0], str(org.fhir_base_url).split("/")[2])
    }
    canaries |= {"4 organisations", "all four", "four organisations", words.iso_day(whole.plan.finish.p90_date)}
    canaries |= {hashlib.sha256(json.render(whole)).hexdigest()}
    for path in (tmp_path / "site").iterdir():
        text = path.read_text("utf-8").casefold()
        assert [canary for canary in canaries if canary and canary.casefold() in text] == [], path.name
        assert "lakeshore" in text or path.name == "manifest.json"


def test_the_command_writes_it(inputs: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "site"
    arguments = ["--workspace", str(inputs.root), "--site", str(target), "--org", "riverside", "--runs", "100"]
    assert run(["report", *arguments]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.splitlines()] == NAMES
    assert run(["report", "--workspace", str(inputs.root), "--site", str(target), "--format", "pdf"]) == 2
    assert "every section" in capsys.readouterr().err
