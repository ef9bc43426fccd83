"""Every sink that outside text can reach × every hostile text: it is there as text, and nothing became anything else.

Each output is read back by a parser that is not ours. The shape of what it finds (elements, links, columns, properties)
is compared with that of a world of the same size whose texts try nothing.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hostile_text import HOSTILE
from hostile_world import CALM, TEXTS, TODAY, World, strings, world_of
from icalendar import Calendar
from markdown_it import MarkdownIt

from interlock.model.text import plain, slug
from interlock.plan import exports
from interlock.report import html, markdown, view
from interlock.report.junit import to_junit
from interlock.report.sarif import to_sarif
from interlock.report.view import ReportView
from interlock.usecases import work
from interlock.usecases.contract import export_contract
from interlock.usecases.fhir_forms import export_forms
from interlock.usecases.sheet import export_sheet

NOW = datetime(2026, 3, 2, tzinfo=UTC)
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture(scope="module")
def hostile() -> World:
    return world_of(TEXTS)


@pytest.fixture(scope="module")
def calm() -> World:
    return world_of(CALM)


def built(world: World, **options: Any) -> ReportView:
    return view.build(
        world.assessment,
        generated="2026-03-02",
        interlock_version="1",
        observations=world.inputs.observations,
        **options,
    )


@pytest.fixture(scope="module")
def hostile_view(hostile: World) -> ReportView:
    return built(hostile)


@pytest.fixture(scope="module")
def calm_view(calm: World) -> ReportView:
    return built(calm)


@pytest.fixture(scope="module")
def hostile_page(hostile_view: ReportView) -> str:
    return html.render(hostile_view)


@pytest.fixture(scope="module")
def calm_page(calm_view: ReportView) -> str:
    return html.render(calm_view)


def unseen(text: str, allowed: str = "\n") -> set[str]:
    """Characters that cannot be seen, as escapes."""
    return {
        ascii(character)
        for character in set(text)
        if character not in allowed and unicodedata.category(character) in UNSEEN
    }


def squeezed(text: str) -> str:
    return "".join(text.split())


def beginning(text: str) -> str:
    """The first characters of a hostile text as every medium shows them."""
    return squeezed(plain(text, 60))[:20]


def not_shown(texts: Iterable[str], shown: str) -> list[str]:
    """The names of the hostile texts that cannot be read in what is shown."""
    whole = squeezed(shown)
    return [name for name, text in HOSTILE.items() if text in set(texts) and beginning(text) not in whole]


# -- Markdown and HTML ------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def tokens_of(text: str) -> tuple[Any, ...]:
    """The tokens of a text, those within others too; of the last two texts, which are looked at twice."""
    tokens = []
    waiting = list(reversed(MarkdownIt("gfm-like", {"html": True, "linkify": True}).parse(text)))
    while waiting:
        token = waiting.pop()
        tokens.append(token)
        waiting.extend(reversed(token.children or ()))
    return tuple(tokens)


def markdown_shape(text: str) -> tuple[Counter[str], set[str], set[str]]:
    """Tokens that are structure by kind; addresses that links lead to; raw HTML."""
    kinds: Counter[str] = Counter()
    addresses, raw = set(), set()
    for token in tokens_of(text):
        if token.type not in {"text", "text_special", "softbreak", "inline"}:
            kinds[token.type] += 1
        addresses |= {str(token.attrs[name]) for name in ("href", "src") if token.attrs and name in token.attrs}
        if token.type.startswith("html"):
            raw.add(re.sub(r'id="[a-z0-9-]+"', "id", token.content))
    return kinds, {address for address in addresses if not address.startswith("#")}, raw


def markdown_text(text: str) -> str:
    return " ".join(token.content for token in tokens_of(text) if token.type in {"text", "text_special"})


def test_markdown(hostile_view: ReportView, calm_view: ReportView) -> None:
    text = markdown.render(hostile_view)
    assert unseen(text) == set()
    kinds, addresses, raw = markdown_shape(text)
    calm_kinds, calm_addresses, calm_raw = markdown_shape(markdown.render(calm_view))
    assert set(kinds) <= set(calm_kinds)
    for kind in ("heading_open", "table_open", "fence", "hr", "blockquote_open", "html_block"):
        assert kinds[kind] == calm_kinds[kind], kind
    assert addresses <= calm_addresses
    assert raw <= calm_raw
    assert not_shown(TEXTS, markdown_text(text)) == []


class Page(HTMLParser):
    """Elements and attributes by count, addresses, text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: set[str] = set()
        self.text: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes.add((tag, name))
            if name in {"href", "src", "action", "xlink:href"} and not (value or "").startswith("#"):
                self.addresses.add(value or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


#: What a note may be made of besides: it is Markdown (tests/report/test_report_notes.py).
NOTES = {"pre", "code", "em", "strong", "blockquote", "br"}


def test_html(hostile_page: str, calm_page: str) -> None:
    assert unseen(hostile_page) == set()
    page, calm = Page(hostile_page), Page(calm_page)
    assert set(page.tags) <= set(calm.tags) | NOTES
    assert page.attributes <= calm.attributes
    assert all(re.match(r"(https?://|mailto:)\w", address) for address in page.addresses - calm.addresses)
    for tag in ("h1", "h2", "style", "table", "svg", "meta", "section"):
        assert page.tags[tag] == calm.tags[tag], tag
    assert not_shown(TEXTS, " ".join(page.text)) == []


def test_html_by_the_rules_of_browsers(hostile: World, calm: World) -> None:
    """html.parser forgives what browsers do not: the same by the HTML standard's own tree construction."""
    tinyhtml5 = pytest.importorskip("tinyhtml5", reason="tinyhtml5 is not installed (it comes with WeasyPrint)")
    names = [
        {
            str(element.tag).rpartition("}")[2]
            for element in tinyhtml5.parse(html.render(built(world, sections=["glance", "patterns", "tasks"]))).iter()
        }
        for world in (hostile, calm)
    ]
    assert names[0] <= names[1]


def cover_of(world: World, **texts: str) -> ReportView:
    """The first section alone."""
    told = world.assessment.model_copy(update=texts)
    return view.build(told, generated="2026-03-02", interlock_version="1", observations={}, sections=("summary",))


@pytest.fixture(scope="module")
def calm_cover(calm: World) -> tuple[Page, tuple[Counter[str], set[str], set[str]]]:
    """What is on the cover where nothing tries anything: as a page, and as Markdown."""
    cover = cover_of(calm)
    return Page(html.render(cover)), markdown_shape(markdown.render(cover))


@pytest.mark.parametrize("name", HOSTILE)
def test_the_cover(name: str, calm: World, calm_cover: tuple[Page, tuple[Counter[str], set[str], set[str]]]) -> None:
    """Name, product and description are one text each, so they take turns."""
    text = HOSTILE[name]
    cover = cover_of(calm, product=text, name=text, description=text)
    page, (calm_page, calm_markdown) = Page(html.render(cover)), calm_cover
    assert page.attributes <= calm_page.attributes
    assert page.tags["h1"] == 1 and set(page.tags) <= set(calm_page.tags)
    kinds, addresses, raw = markdown_shape(markdown.render(cover))
    calm_kinds, calm_addresses, calm_raw = calm_markdown
    assert kinds["heading_open"] == calm_kinds["heading_open"] and set(kinds) <= set(calm_kinds)
    assert addresses <= calm_addresses and raw <= calm_raw
    assert beginning(text) in squeezed(" ".join(page.text))


def test_pdf(hostile: World, tmp_path: Path) -> None:
    pdf = pytest.importorskip("interlock.report.pdf")
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf.render(html.render(built(hostile, sections=["glance"], brief=True))))

    def poppler(*command: str) -> str:
        return subprocess.run([*command, file, "-"][: len(command) + (2 if command[0] == "pdftotext" else 1)],
                              capture_output=True, check=True, text=True).stdout  # fmt: skip

    text = poppler("pdftotext", "-raw")
    assert unseen(text, "\n\f") == set()
    assert poppler("pdfinfo", "-js").strip() == ""
    urls = [line.split()[-1] for line in poppler("pdfinfo", "-url").splitlines()[1:]]
    assert [url for url in urls if "victim" in url or not url.startswith(("https://", "#", "report.html#"))] == []
    # Scripts without a font, and what wraps inside a word, are drawn; words of plain letters can be read back.
    plain_words = {word for text in TEXTS for word in re.findall(r"[a-z]{6,12}", plain(text, 60))}
    assert {word for word in plain_words if word in squeezed(text)} >= {
        "victim",
        "script",
        "substitution",
    } & plain_words


# -- charts and graphs ------------------------------------------------------------------------------


def test_svg(hostile_page: str, calm_page: str) -> None:
    def shape(page: str) -> tuple[set[str], set[str], str]:
        tags, attributes, text = set(), set(), []
        for source in re.findall(r"<svg .*?</svg>", page, re.S):
            for element in ElementTree.fromstring(source).iter():
                tags.add(element.tag)
                attributes |= {(element.tag, name) for name in element.attrib}
                text.append(element.text or "")
        return tags, attributes, " ".join(text)

    tags, attributes, text = shape(hostile_page)
    calm_tags, calm_attributes, _ = shape(calm_page)
    assert tags <= calm_tags and attributes <= calm_attributes
    assert "victim" in text


#: The whole grammar of what is written (Mermaid's own parser is JavaScript): nodes, edges, classes.
MERMAID_LABEL = r'"[^"<>\[\]{}|`\\;%&#]*(#\d+;[^"<>\[\]{}|`\\;%&#]*)*"'
MERMAID_LINE = re.compile(
    r"flowchart LR"
    rf"|    n\d+(\[{MERMAID_LABEL}\]|\(\[{MERMAID_LABEL}\]\)):::\w+"
    r"|    n\d+ --> n\d+"
    r"|    classDef \w+ stroke-\w+:[\w ]+"
)


def test_mermaid(hostile: World) -> None:
    text = exports.to_mermaid(hostile.assessment.graph)
    assert unseen(text) == set()
    assert [line for line in text.splitlines() if not MERMAID_LINE.fullmatch(line)] == []
    said = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)
    assert "javascript:alert(1)" in said or "victim" in said


def test_dot(hostile: World, calm: World) -> None:
    text = exports.to_dot(hostile.assessment.graph)
    assert unseen(text) == set()
    # Outside of quoted strings (the DOT language's own rule: \" escapes) nothing but our own words is left.
    left = re.sub(r'"(?:[^"\\]|\\.)*"', "S", text, flags=re.S)
    calm_left = re.sub(r'"(?:[^"\\]|\\.)*"', "S", exports.to_dot(calm.assessment.graph), flags=re.S)
    assert left == calm_left
    if shutil.which("dot"):
        drawn = json.loads(
            subprocess.run(["dot", "-Tdot_json"], input=text, capture_output=True, check=True, text=True).stdout
        )
        assert not {"URL", "href", "target"} & {key for node in drawn["objects"] for key in node}


def test_graphml(hostile: World, calm: World) -> None:
    root, calm_root = (
        ElementTree.fromstring(exports.to_graphml(world.assessment.graph)) for world in (hostile, calm)
    )  # fmt: skip
    assert Counter(element.tag for element in root.iter()) == Counter(element.tag for element in calm_root.iter())
    assert unseen("".join(element.text or "" for element in root.iter())) == set()


def test_graph_as_json(hostile: World) -> None:
    text = exports.to_json(hostile.assessment.graph)
    assert unseen(text) == set() and not set("<>&") & set(text)
    titles = {node["title"] for node in json.loads(text)["nodes"]}
    assert titles == {node.title for node in hostile.assessment.graph.nodes}


# -- tables and trackers ------------------------------------------------------------------------------


def test_workbook(hostile: World, calm: World) -> None:
    from interlock.report import xlsx

    def opened(world: World) -> zipfile.ZipFile:
        content = xlsx.render(world.assessment, world.inputs.observations, interlock_version="1")
        return zipfile.ZipFile(io.BytesIO(content))

    book, calm_book = opened(hostile), opened(calm)
    assert sorted(book.namelist()) == sorted(calm_book.namelist())
    parts = {
        name: ElementTree.fromstring(book.read(name)) for name in book.namelist() if name.endswith((".xml", ".rels"))
    }
    tags = {
        str(element.tag).rpartition("}")[2]
        for name, root in parts.items()
        if "sheet" in name
        for element in root.iter()
    }
    assert not tags & {"f", "oleObject", "control", "script"}
    outside = {
        element.get("Target", "")
        for name, root in parts.items()
        for element in root.iter()
        if name.endswith(".rels") and element.get("TargetMode") == "External"
    }
    calm_outside = re.findall(r'Target="([^"]*)" TargetMode="External"', "".join(
        calm_book.read(name).decode() for name in calm_book.namelist() if name.endswith(".rels")
    ))  # fmt: skip
    assert outside <= {value.replace("&amp;", "&") for value in calm_outside}
    shown = " ".join(element.text or "" for element in parts["xl/sharedStrings.xml"].iter())
    assert unseen(shown) == set()
    assert not_shown(TEXTS, shown) == []


@pytest.mark.parametrize("tracker", ["github", "jira", "azure"])
def test_tracker_csv(tracker: Any, hostile: World, calm: World) -> None:
    rows, calm_rows = (
        [
            row
            for part in work.issues(world.assessment, tracker, "csv", routine=True)
            for row in csv.reader(io.StringIO(part, newline=""), strict=True)
        ]
        for world in (hostile, calm)
    )
    assert [len(row) for row in rows] == [len(row) for row in calm_rows]
    formulas = [cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r")]
    assert formulas == []
    assert unseen("".join(cell for row in rows for cell in row), "\n" + work.JOINER) == set()
    assert "victim" in str(rows)


@pytest.mark.parametrize("tracker", ["github", "jira", "azure"])
def test_tracker_json(tracker: Any, hostile: World, calm: World) -> None:
    texts, calm_texts = (
        "".join(work.issues(world.assessment, tracker, "json", routine=True)) for world in (hostile, calm)
    )  # fmt: skip
    assert unseen(texts) == set()
    assert shape_of(json.loads(texts)) == shape_of(json.loads(calm_texts))


def shape_of(value: Any) -> Any:
    """JSON without its texts."""
    if isinstance(value, dict):
        return {key: shape_of(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape_of(inner) for inner in value]
    return type(value).__name__


def test_bodies_of_issues_are_markdown_without_links_of_others(hostile: World, calm: World) -> None:
    def bodies(world: World) -> str:
        issues = json.loads("".join(work.issues(world.assessment, "github", "json", routine=True)))
        return "\n\n".join(issue["issue"]["body"] for issue in issues[:400])

    hostile_bodies = bodies(hostile)
    kinds, addresses, raw = markdown_shape(hostile_bodies)
    calm_kinds, calm_addresses, calm_raw = markdown_shape(bodies(calm))
    assert set(kinds) <= set(calm_kinds) | {"hr"} and raw <= calm_raw
    assert addresses <= calm_addresses
    assert not re.search(r"(?<![\\\w])@victim", hostile_bodies)


def test_bodies_for_azure_are_html_without_links_of_others(hostile: World, calm: World) -> None:
    def page(world: World) -> Page:
        items = json.loads("".join(work.issues(world.assessment, "azure", "json")))["work_items"]
        changes = (change for item in items for change in item["patch"])
        return Page("".join(str(change["value"]) for change in changes if change["path"].endswith("Description")))

    assert set(page(hostile).tags) <= set(page(calm).tags)
    assert page(hostile).attributes <= page(calm).attributes | {("a", "href")}
    assert page(hostile).addresses <= {"https://victim.test"}, "an address of a rule that the web has"


# -- data for other programs ------------------------------------------------------------------------------


def observations(world: World) -> list[Any]:
    return list(world.inputs.observations.values())


def test_sarif(hostile: World, calm: World) -> None:
    text = to_sarif(observations(hostile))
    assert unseen(text) == set()
    run, calm_run = (json.loads(to_sarif(observations(world)))["runs"][0] for world in (hostile, calm))
    assert len(run["results"]) == len(calm_run["results"])
    messages = [result["message"]["text"] for result in run["results"]]
    # SARIF 2.1.0, 3.11.6: an unescaped [ begins a link, an unescaped { a placeholder.
    assert [m for m in messages if re.search(r"(?<!\\)(\\\\)*\[", m) or re.search(r"(?<!\{)\{(\{\{)*(?!\{)", m)] == []
    assert (
        not_shown(TEXTS, re.sub(r"\\([\\\[\]])", r"\1", " ".join(messages)).replace("{{", "{").replace("}}", "}")) == []
    )


def test_junit(hostile: World, calm: World) -> None:
    text = to_junit(observations(hostile))
    assert unseen(text, "\n\t") == set()
    root, calm_root = (ElementTree.fromstring(to_junit(observations(world))) for world in (hostile, calm))
    assert Counter(element.tag for element in root.iter()) == Counter(element.tag for element in calm_root.iter())
    shown = " ".join(" ".join([element.text or "", *element.attrib.values()]) for element in root.iter())
    assert not_shown(TEXTS, shown) == []


def test_calendar(hostile: World, calm: World) -> None:
    text = work.calendar(hostile.assessment, now=NOW)
    assert unseen(text, "\r\n") == set() and "\r" not in text.replace("\r\n", "")
    calendar, calm_calendar = (
        Calendar.from_ical(work.calendar(world.assessment, now=NOW)) for world in (hostile, calm)
    )
    names, calm_names = ({name for part in each.walk() for name in part} for each in (calendar, calm_calendar))
    assert names <= calm_names and "ATTACH" not in names
    assert len(calendar.walk()) == len(calm_calendar.walk())
    shown = " ".join(str(value) for part in calendar.walk() for value in part.values())
    assert not_shown(TEXTS, shown) == []


def test_oscal(hostile: World, calm: World) -> None:
    text = work.poam(hostile.assessment, now=NOW)
    assert unseen(text) == set()
    texts, calm_texts = (list(prose(json.loads(work.poam(world.assessment, now=NOW)))) for world in (hostile, calm))
    assert len(texts) == len(calm_texts)
    kinds, addresses, raw = markdown_shape("\n\n".join(list(dict.fromkeys(texts))[:400]))
    assert addresses == set() and raw == set()
    assert set(kinds) <= {"paragraph_open", "paragraph_close"}
    hrefs = {link["href"] for risk in poam_of(text)["risks"] for link in risk.get("links", ())}
    assert {href for href in hrefs if not href.startswith("https://")} == set()


def poam_of(text: str) -> dict[str, Any]:
    return json.loads(text)["plan-of-action-and-milestones"]  # type: ignore[no-any-return]


def prose(value: Any) -> Iterator[str]:
    """What OSCAL calls markup: titles, descriptions, statements, texts of links."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"title", "description", "statement", "remarks", "text"}:
                yield inner
            else:
                yield from prose(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from prose(inner)


def test_report_as_json(hostile: World) -> None:
    from interlock.report.json import render

    text = render(hostile.assessment).decode()
    assert unseen(text) == set()
    names = {org["name"] for org in json.loads(text)["organizations"]}
    assert names == set(TEXTS), "JSON says every text exactly"


def test_fhir_forms(hostile: World) -> None:
    export = export_forms(hostile.inputs)
    texts = set()
    for name, content in export.files.items():
        assert re.fullmatch(r"[A-Za-z0-9.-]+\.json", name)
        text = content.decode()
        assert unseen(text) == set()
        texts |= set(strings(json.loads(text)))
    assert "victim" in str(texts)


def test_sheets_of_organizations(hostile: World) -> None:
    """What is mailed to an organisation holds names, and answers, that somebody else may have written."""
    shown = ""
    for organization in hostile.inputs.organizations:
        files = export_sheet(hostile.inputs, organization.id, "both", day=TODAY).files
        for name, content in files.items():
            assert re.fullmatch(r"[A-Za-z0-9.-]+", name)
            if name.endswith(".json"):
                assert unseen(content.decode()) == set()
                continue
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                assert not [part for part in book.namelist() if "external" in part or part.endswith(".bin")]
                for part in book.namelist():
                    root = ElementTree.fromstring(book.read(part))
                    assert not {str(element.tag).rpartition("}")[2] for element in root.iter()} & {"f", "oleObject"}
                    assert all(element.get("TargetMode") != "External" for element in root.iter())
                texts = [text.text or "" for text in ElementTree.fromstring(book.read("xl/sharedStrings.xml")).iter()]
                assert unseen("".join(texts)) == set()
                assert not [text for text in texts if text.startswith(("=", "+", "@", "\t"))]
                shown += "".join(texts)
    assert "victim" in shown


# -- files ------------------------------------------------------------------------------


def _without_judgements(text: str) -> Any:
    """A document without what depends on whether a text could be a name: which of them are mistakes differs."""

    def kept(members: dict[str, Any]) -> dict[str, Any]:
        judged = {"mistakes", "note", "open", "supportedProfile", "_supportedProfile"}
        return {key: value for key, value in members.items() if key not in judged}

    return json.loads(text, object_hook=kept)


def test_contract_skeletons(hostile: World, calm: World, tmp_path: Path) -> None:
    for world, folder in ((hostile, tmp_path / "hostile"), (calm, tmp_path / "calm")):
        export_contract(world.inputs, folder, today=TODAY)
    names = [
        path.relative_to(tmp_path / "hostile") for path in sorted((tmp_path / "hostile").rglob("*")) if path.is_file()
    ]
    assert names == [
        path.relative_to(tmp_path / "calm") for path in sorted((tmp_path / "calm").rglob("*")) if path.is_file()
    ]
    for name in names:
        text, calm_text = ((tmp_path / kind / name).read_text(encoding="utf-8") for kind in ("hostile", "calm"))
        assert unseen(text, "\n\t") == set(), name
        if name.suffix == ".json":
            assert shape_of(_without_judgements(text)) == shape_of(_without_judgements(calm_text)), name
        elif name.suffix == ".md":
            kinds, addresses, raw = markdown_shape(text)
            calm_kinds, calm_addresses, calm_raw = markdown_shape(calm_text)
            assert set(kinds) <= set(calm_kinds) and addresses <= calm_addresses and raw <= calm_raw
            assert kinds["heading_open"] == calm_kinds["heading_open"]
        elif name.suffix == ".yaml":
            assert shape_of(yaml.safe_load(text)) == shape_of(yaml.safe_load(calm_text)), name


@pytest.mark.parametrize("name", HOSTILE)
def test_file_names(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(HOSTILE[name]))
    assert len(slug(HOSTILE[name])) <= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_yaml_that_is_written_back_says_the_text(name: str) -> None:
    from interlock.workspace.edit import dump_yaml

    text = HOSTILE[name].encode("utf-8", "replace").decode()
    written = dump_yaml({"note": text, "list": [text]}, f"About {text}")
    assert unseen(written, "\n\t") == set()
    assert yaml.safe_load(written) == {"note": text, "list": [text]}


# -- the terminal ------------------------------------------------------------------------------

SHOWN: dict[str, Callable[[World], object]] = {}


def shown(function: Callable[[World], object]) -> Callable[[World], object]:
    SHOWN[function.__name__.strip("_")] = function
    return function


@shown
def _summary(world: World) -> None:
    from interlock.cli.summary import show_summary

    show_summary(world.assessment)


@shown
def _score(world: World) -> None:
    from interlock.cli.summary import show_score
    from interlock.usecases.score import score_of

    show_score(score_of(world.inputs))


@shown
def _gaps(world: World) -> None:
    from interlock.cli.summary import show_explanation, show_gaps
    from interlock.usecases.gaps import explanation_of

    show_gaps(world.assessment)
    for node in world.assessment.graph.nodes[:20]:
        show_explanation(explanation_of(world.assessment, node.key, world.inputs))


@shown
def _plan(world: World) -> None:
    from interlock.cli.plan_lines import show_plan

    show_plan(world.assessment.plan, tasks=True)


@shown
def _patterns(world: World) -> None:
    from interlock.cli.commands.patterns import show_patterns

    names = {org.id: org.name for org in world.inputs.organizations}
    show_patterns(world.assessment.patterns, names, everything=True)


@shown
def _card(world: World) -> None:
    from interlock.cli.cards import show_card

    for org in world.inputs.organizations:
        show_card(world.inputs.observations[org.id], org.name)


@shown
def _questions(world: World) -> None:
    from interlock.cli.output import emit, show_table

    for item in world.inputs.content.items.values():
        emit(item.text)
    show_table(["id", "text"], [(item.id, item.text) for item in world.inputs.content.items.values()])


@shown
def _error(world: World) -> None:
    from interlock.cli.output import say, say_paragraph, show_error
    from interlock.model.errors import InterlockError, Location

    for text in world.texts:
        show_error(InterlockError(text, location=Location(file=text), remedy=text))
        say(text)
        say_paragraph(text)


@shown
def _raw(world: World) -> None:
    """Text that a command hands over without any care of its own."""
    from rich.text import Text

    from interlock.cli.output import console, emit, emit_json

    for text in world.texts:
        emit(text)
        emit_json({text: [text]})
        for stream in (True, False):
            console(stderr=stream).print(Text(text))
            console(stderr=stream).print(text)


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("terminal", [False, True])
def test_terminal(
    name: str, hostile: World, terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
    capsys.readouterr()
    SHOWN[name](hostile)
    captured = capsys.readouterr()
    for text in captured:
        ours = re.sub(r"\x1b\[[0-9;]*m", "", text) if terminal else text  # colours are Rich's own
        assert unseen(ours, "\n\t\r" if "\r\n" in ours else "\n\t") == set()
        assert "\x1b]" not in text and "\r" not in ours.replace("\r\n", "")
    assert "victim" in captured.out + captured.err or name == "patterns"


def test_log(tmp_path: Path) -> None:
    import logging

    from interlock.cli.logs import logging_to

    # pytest keeps what is logged, and cannot hand half a character on.
    texts = [text for text in TEXTS if not re.search("[\ud800-\udfff]", text)]
    file = tmp_path / "log.jsonl"
    with logging_to(file, verbose=False, run_id="run"):
        for text in texts:
            logging.getLogger("interlock.test").info(text.replace("%", "%%"), extra={"fields": {"name": text}})
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    assert len(lines) == len(texts), "a text makes no line of its own"
    assert unseen("".join(lines)) == set()
    assert all(set(json.loads(line)) == {"time", "run", "level", "logger", "message", "fields"} for line in lines)
