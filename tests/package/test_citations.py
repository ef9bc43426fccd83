"""Whatever a page, a docstring, a check or a rule cites is in the repository, or at a public address."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from interlock.model.statements import STATEMENTS
from interlock.usecases.checks import check_list

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = {".py", ".md", ".yaml", ".toml", ".j2", ".css"}
FOLDERS = ("src", "rulesets", "questionnaires", "reports", "samples", "skeletons", "docs", "tests", "bench", "scripts")
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
LINK = re.compile(r"\]\((?!\w+:)([^()\s]+)\)")
#: A page of ours that is named in text: ``docs/scoring.md``, ``docs/scoring.md#caps``, ``docs/adr/0007``.
NAMED_PAGE = re.compile(r"\bdocs/(?:adr/\d{4}|[\w-]+\.md(?:#[\w-]+)?)(?=[^\w/])")
#: Not the number of a rehearsal check: ``RH-S09``, ``@check("S09")``.
STATEMENT = re.compile(r"(?<!RH-)(?<!check\(\")\bS\d\d\b")
#: Papers that a stranger's clone does not have.
ELSEWHERE = re.compile(
    r"(?<![\w.])(?:DESIGN|SEMANTICS|DOMAIN)(?:\.md\b|, |: )|\bshared/(?:corpus|references)|\breferences/\w+\.(?:md|tsv)"
)


def texts() -> Iterator[tuple[str, str]]:
    """Every file that may cite something, by its path."""
    paths = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    for path in (*paths, *ROOT.glob("*.md")):
        if path != Path(__file__).resolve():
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


@cache
def anchors(page: Path) -> frozenset[str]:
    """The names that a link may lead to: GitHub's of the headings, and those that are written out."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return frozenset(slugs | set(re.findall(r'<a id="([^"]+)">', text)))


def leads_somewhere(folder: Path, link: str) -> bool:
    """Whether a relative link finds its file, and its heading where it names one."""
    name, _, anchor = link.partition("#")
    file = folder / name
    found = name == "" or file.exists()
    return found and (not anchor or file.suffix != ".md" or anchor in anchors(file))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    path = ROOT / page
    text = re.sub(r"`[^`\n]*`", "", path.read_text("utf-8"))
    links = {link if link[0] != "#" else path.name + link for link in LINK.findall(text)}
    assert sorted(link for link in links if not leads_somewhere(path.parent, link)) == []


def test_every_page_that_is_named_exists() -> None:
    for file, text in texts():
        for name in NAMED_PAGE.findall(text):
            page, _, anchor = name.partition("#")
            pages = list(ROOT.glob(f"{page}*")) if "/adr/" in page else [ROOT / page]
            assert any(path.exists() for path in pages), f"{file} names {name}"
            assert not anchor or anchor in anchors(ROOT / page), f"{file} names {name}"


def test_nothing_cites_what_a_clone_does_not_have() -> None:
    cited = {f"{file}: {match[0]}" for file, text in texts() for match in ELSEWHERE.finditer(text)}
    assert cited == set(), "cite a row of docs/requirements.md, a page of docs/, or a public address"


def test_every_statement_that_is_cited_exists() -> None:
    known = {statement.id for statement in STATEMENTS}
    cited = {
        (name, file) for file, text in texts() if not file.startswith("tests/") for name in STATEMENT.findall(text)
    }
    assert sorted(pair for pair in cited if pair[0] not in known) == []
    assert known <= anchors_of_statements()


def anchors_of_statements() -> set[str]:
    return {anchor.partition("-")[0].upper() for anchor in anchors(ROOT / "docs/traceability.md")}


def test_every_row_that_is_cited_exists_and_every_row_is_cited() -> None:
    page = ROOT / "docs/requirements.md"
    rows = set(re.findall(r'<a id="([^"]+)">', page.read_text("utf-8")))
    cited = {row.lower() for check in check_list().checks for row in check.rows}
    assert sorted(cited - rows) == []
    from_rows = {link.removeprefix("#") for link in LINK.findall(page.read_text("utf-8")) if link[0] == "#"}
    assert sorted(rows - cited - from_rows) == []


@pytest.mark.parametrize("folder", ["rulesets", "questionnaires"])
def test_every_reference_of_the_content_has_a_public_address(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.yaml")):
        for address in re.findall(r"^ +url: (.+)$", path.read_text("utf-8"), re.MULTILINE):
            assert re.match(r'"?https?://[\w-]+\.[\w.-]+(/|$|"|#)', address), f"{path.relative_to(ROOT)}: {address}"


def test_the_index_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    for path in sorted(folder.glob("[0-9]*.md")):
        title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ").partition(". ")[2]
        assert f"[{int(path.name[:4])}. {title}]({path.name})" in index, path.name


def test_every_hop_of_the_walks_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    hops = re.findall(r"`([\w/]+\.py)::(\w+)`", page)
    assert len(hops) > 30
    missing = [f"{file}::{name}" for file, name in hops if name not in names_of(ROOT / "src" / "interlock" / file)]
    assert missing == [], "docs/architecture.md names what is not there"


def names_of(path: Path) -> set[str]:
    """Functions and classes of a module, and what it assigns."""
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return assigned | {node.name for node in nodes if isinstance(node, named)}


def test_every_room_has_its_row() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE))
    assert rows == {path.parent.name for path in (ROOT / "src" / "interlock").glob("*/__init__.py")}
