"""The report as a Word document: the Markdown report's words, in Word's own headings, tables, links and properties."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import assessment_factory as factory
import pytest
from markdown_it import MarkdownIt

from interlock.report import docx as word
from interlock.report import markdown, view
from interlock.report.elements import Brand

docx = pytest.importorskip("docx", reason="python-docx is not installed")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
).decode()


def built(assessment: Any = None, brand: Brand | None = None) -> view.ReportView:
    return view.build(
        assessment or factory.sample(),
        generated="2026-11-30",
        interlock_version="0.1.0",
        observations=factory.observations(),
        brand=brand,
    )


def render(shown: view.ReportView) -> bytes:
    return word.render(shown, day="2026-11-30", version="0.1.0")


@pytest.fixture(scope="module")
def shown() -> view.ReportView:
    brand = Brand(logo=f"data:image/png;base64,{PIXEL}", confidentiality="For Riverside alone", paper="letter")
    return built(brand=brand)


@pytest.fixture(scope="module")
def content(shown: view.ReportView) -> bytes:
    return render(shown)


@pytest.fixture(scope="module")
def document(content: bytes) -> Any:
    return docx.Document(io.BytesIO(content))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_it_says_what_markdown_says(shown: view.ReportView, document: Any) -> None:
    written = squeezed("".join(document.element.body.itertext()))
    told = [
        part.content
        for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown.render(shown))
        for part in token.children or ()
        if part.type in {"text", "code_inline"}
    ]
    assert len(told) > 500
    at = 0
    for text in map(squeezed, told):  # in the same order
        at = written.find(text, at)
        assert at >= 0, text


def test_headings_are_styles(shown: view.ReportView, document: Any) -> None:
    by_style = [(each.style.name, each.text) for each in document.paragraphs]
    titles = [text.partition(". ")[2] for style, text in by_style if style == "Heading 1"]
    assert titles == [section["title"] for section in shown.sections]
    assert [text for style, text in by_style if style == "Title"] == [shown.title]
    assert {"Heading 2", "Heading 3"} <= {style for style, _ in by_style}


def test_the_head_of_each_table_stands_on_each_page_and_no_row_is_torn(document: Any) -> None:
    heads = 0
    for table in document.tables:
        first, *rest = table._tbl.iter(f"{W}tr")
        heads += first.find(f"{W}trPr/{W}tblHeader") is not None
        assert all(row.find(f"{W}trPr/{W}tblHeader") is None for row in rest)
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in (first, *rest))
    assert heads >= len(document.tables) - 1 > 10  # the facts of the cover have no head


def test_each_link_leads_to_its_bookmark(document: Any) -> None:
    marks = [mark.get(f"{W}name") for mark in document.element.iter(f"{W}bookmarkStart")]
    links = {link.get(f"{W}anchor") for link in document.element.iter(f"{W}hyperlink")} - {None}
    assert len(marks) == len(set(marks))
    assert len(links) > 20 and links <= set(marks)


def test_what_is_left_out_is_led_to_by_nothing(shown: view.ReportView) -> None:
    kept = {section["id"] for section in shown.sections} - {"tasks", "statements", "method"}
    less = docx.Document(io.BytesIO(render(shown.only(kept))))
    marks = {mark.get(f"{W}name") for mark in less.element.iter(f"{W}bookmarkStart")}
    links = {link.get(f"{W}anchor") for link in less.element.iter(f"{W}hyperlink")} - {None}
    assert len(links) > 20 and links <= marks
    said = "\n".join(cell.text for table in less.tables for row in table.rows for cell in row.cells)
    text = "\n".join(each.text for each in less.paragraphs) + said
    assert "(#" not in text and "[method]" not in text and not re.search(r"\[S\d\d\]", text)


def test_properties_paper_logo_head_and_foot(document: Any) -> None:
    core = document.core_properties
    assert (core.title, core.author) == ("Sentinel Sepsis: integration readiness report", "Interlock 0.1.0")
    assert str(core.created)[:10] == str(core.modified)[:10] == "2026-11-30"
    assert [str(shape._inline.docPr.get("descr"))[:5] for shape in document.inline_shapes] == ["Logo:"]
    section = document.sections[0]
    assert (section.page_width.inches, section.page_height.inches) == (8.5, 11)
    assert section.header.paragraphs[0].text == "For Riverside alone"
    assert "PAGE" in section.footer._element.xml
    assert 'w:val="en-GB"' in document.styles.element.xml


def test_the_graph_is_told_in_words(shown: view.ReportView, document: Any) -> None:
    tables = [table for table in document.tables if table.rows[0].cells[0].text == "First"]
    graph = next(section["content"] for section in shown.sections if section["id"] == "graph")
    assert len(tables) == 1 and len(tables[0].rows) == 1 + len(graph["arrows"]) > 1
    assert "flowchart" not in document.element.body.xml


def test_the_same_report_gives_the_same_bytes(
    shown: view.ReportView, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.localtime", lambda *_: (2031, 5, 6, 7, 8, 9, 0, 0, 0))
    assert render(shown) == content
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("payload", ["<w:p/>]]></w:t>&amp; [x](javascript:alert(1)) <script>\x00\u202e\ufffe"])
def test_a_hostile_text_stays_text(payload: str, document: Any, tmp_path: Path) -> None:
    attacked = docx.Document(io.BytesIO(render(built(factory.hostile(payload)))))
    assert len(attacked.tables) == len(document.tables)
    assert {each.style.name for each in attacked.paragraphs} <= {each.style.name for each in document.paragraphs}
    outside = [rel.target_ref for rel in attacked.part.rels.values() if rel.is_external]
    assert all(re.match(r"https?://", address) for address in outside)
