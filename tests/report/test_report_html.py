"""The HTML report: one file, accessible, and nothing in it but our own markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import assessment_factory as factory
import pytest

from interlock.model.assessment import Assessment
from interlock.report import html, view
from interlock.usecases.report import PDF_SECTIONS

PAYLOADS = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</style></title></svg><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% for x in y %}",
    "\x1b[31m\x00\u202e\ufeffred",
    "&lt;b&gt;<!--",
]  # fmt: skip
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements in order with their attributes, and the text of each by nearest tag."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.stack: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.stack[-1] if self.stack else "", data))

    def text(self) -> str:
        return " ".join(" ".join(data.split()) for tag, data in self.texts if tag not in {"style", "script"})

    def all(self, *tags: str) -> list[tuple[str, dict[str, str]]]:
        return [(tag, attributes) for tag, attributes in self.elements if tag in tags]


def render(assessment: object = None, observations: object = None, **options: object) -> str:
    built = view.build(
        assessment or factory.sample(),  # type: ignore[arg-type]
        generated=factory.GENERATED,
        interlock_version="0.1.0",
        observations=factory.observations() if observations is None else observations,  # type: ignore[arg-type]
    )
    return html.render(built, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def source() -> str:
    return render()


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_every_element_is_closed(page: Page) -> None:
    assert page.problems == []
    assert page.stack == []


def test_headings_go_down_one_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_link_inside_the_page_leads_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for _, attributes in page.all("a") if attributes.get("href", "").startswith("#")}
    assert targets and targets <= set(ids)


@pytest.mark.parametrize("assessment", [factory.sample(), factory.large()])
@pytest.mark.parametrize("kept", [None, PDF_SECTIONS, ("summary", "gaps", "organizations"), ("unknowns", "first")])
def test_every_link_of_the_brief_page_leads_somewhere(assessment: Assessment, kept: tuple[str, ...] | None) -> None:
    built = view.build(
        assessment, generated=None, interlock_version="0.1.0", observations={}, sections=kept, brief=True
    )
    page = Page(html.render(built))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for _, attributes in page.all("a") if attributes.get("href", "").startswith("#")}
    assert targets and targets <= set(ids)
    assert page.problems == [] and page.stack == []


def test_only_references_lead_outside(source: str, page: Page) -> None:
    outside = [attributes for _, attributes in page.all("a") if not attributes.get("href", "#").startswith("#")]
    assert outside and all(attributes["href"].startswith("https://") for attributes in outside)
    assert all("noopener" in attributes["rel"] for attributes in outside)
    assert not page.all("iframe", "object", "embed", "form", "link", "base", "img")
    assert "url(http" not in source and "@import" not in source


def test_tables_have_captions_and_header_cells(page: Page) -> None:
    tables = len(page.all("table"))
    assert tables > 10
    assert len(page.all("caption")) == tables
    assert all(attributes.get("scope") in {"col", "row", "rowgroup"} for _, attributes in page.all("th"))


def test_pictures_have_a_text_alternative(page: Page) -> None:
    pictures = page.all("svg")
    assert len(pictures) >= 10
    assert all(attributes["role"] in {"img", "group"} and attributes["aria-label"] for _, attributes in pictures)


def test_language_title_and_landmarks(page: Page) -> None:
    assert page.all("html")[0][1]["lang"] == "en-GB"
    assert ("title", "Sentinel Sepsis: integration readiness report") in page.texts
    assert len(page.all("main")) == len(page.all("nav")) == 1
    assert page.all("a")[0][1] == {"class": "skip", "href": "#main"}


def test_the_policy_allows_the_one_stylesheet_by_its_hash(source: str, page: Page) -> None:
    policy = next(a["content"] for _, a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert "unsafe" not in policy and policy.startswith("default-src 'none'")
    style = source.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert source.count("<style") == 1
    script = source.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'; " in policy and len(script.encode()) < 12 * 1024
    assert [attributes for _, attributes in page.all("script")] == [
        {"type": "application/json", "id": "graph-data"},
        {},
    ]
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_the_graph_s_data_has_every_node_and_cannot_leave_its_element() -> None:
    attacked = render(factory.hostile("</script><!--<script>&"))
    data = attacked.partition('id="graph-data">')[2].partition("</script>")[0]
    assert not set(data) & set("<>&'")
    read = json.loads(data)
    graph = factory.sample().graph
    assert len(read["nodes"]) == len(graph.nodes)
    assert len(read["edges"]) == len(graph.reduced)
    assert "</script><!--<script>&" in read["labels"][0][0]


def test_a_page_that_is_printed_has_no_script() -> None:
    built = view.build(
        factory.sample(), generated=None, interlock_version="0.1.0", observations={}, sections=PDF_SECTIONS, brief=True
    )
    page = html.render(built, scripted=False)
    assert "<script" not in page and "script-src" not in page


def test_fonts_are_inside(source: str) -> None:
    assert source.count("data:font/woff2;base64,") == 7
    assert "fonts/source" not in source


def test_prose_of_the_summary(page: Page) -> None:
    text = page.text()
    assert "Not decided: product first … map the auth surface; 1 answer settles it." in text
    assert "Start at Riverside Regional; map first at Lakeshore Health System" in text
    assert "connection timed out after 10 s" in text
    assert text.count("64% is how long routine tasks of organisations take") == 1
    assert "Stand alone: can start now, and nothing waits for them" in text


def test_a_mark_is_never_colour_alone(source: str) -> None:
    signs = re.findall(r'<span class="mark tone-\w+"[^>]*>(.*?)</span>\s*(.*?)</span>', source, re.S)
    assert signs
    for symbol, label in signs:
        assert re.sub(r"<[^>]+>", "", symbol).strip()
        assert re.sub(r"<[^>]+>", "", label).strip() or 'aria-hidden="true">?' in symbol


def test_the_section_of_an_unobserved_organisation_never_says_missing(source: str) -> None:
    section = source.split('id="org-harborview"')[1].split("<section")[0].split("</section>")[0]
    text = Page(section).text().lower()
    assert "not observed" in text
    assert "missing" not in text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_texts_stay_text(payload: str, page: Page) -> None:
    attacked = Page(render(factory.hostile(payload), factory.hostile_observations(payload)))
    assert attacked.problems == []
    assert {tag for tag, _ in attacked.elements} == {tag for tag, _ in page.elements}
    assert not [name for _, attributes in attacked.elements for name in attributes if name.startswith("on")]
    addresses = [attributes["href"] for _, attributes in attacked.all("a")]
    assert not [address for address in addresses if not address.startswith(("#", "https://"))]
    everything = attacked.text()
    assert "\x1b" not in everything and "\u202e" not in everything and "\x00" not in everything
    assert "49" not in re.findall(r"\b49\b", everything.replace("7 * 7", ""))


def test_an_attack_is_shown_as_written() -> None:
    attacked = Page(render(factory.hostile("<script>alert(1)</script>")))
    assert "<script>alert(1)</script> Riverside Regional Medical Center" in attacked.text()


def test_long_texts_are_cut() -> None:
    assert len(render(factory.hostile("x" * 10_000))) < 2.5 * len(render())


def test_nothing_open_and_nobody_added() -> None:
    page = Page(render(factory.minimal(), {}))
    assert page.problems == []
    text = page.text()
    assert "No gap is open." in text and "No organisation has been added yet" in text
    assert "Every finding is decided." in text and "Nothing is planned." in text


def test_sixty_organisations() -> None:
    assert Page(render(factory.large(), {})).problems == []


def test_same_assessment_same_bytes(source: str) -> None:
    assert render() == source


def test_a_table_of_the_plan_scrolls_rather_than_breaking_its_words(source: str) -> None:
    section = source[source.index('<h2 id="plan">') :].partition("</section>")[0]
    tables = re.findall(r"(.*)\n<table", section)
    assert len(tables) >= 2 and all('class="scroll' in before for before in tables)
