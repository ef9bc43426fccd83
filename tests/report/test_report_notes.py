"""Notes in the HTML report: what is Markdown becomes markup, and nothing that a stranger wrote becomes more."""

from __future__ import annotations

import html as entities
import time
from html.parser import HTMLParser

import assessment_factory as factory
import pytest

from interlock.model.assessment import Assessment, GivenAnswer
from interlock.model.response import Response
from interlock.report import html, markdown, notes, safe, view

ALLOWED = {"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a"}


class Kinds(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.written = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.written += data


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("Asked **twice**; see `launch`.", "<p>Asked <strong>twice</strong>; see <code>launch</code>.</p>"),
        ("one\ntwo", "<p>one<br />\ntwo</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        (
            "[ticket](https://tracker.example/7)",
            '<p><a href="https://tracker.example/7" rel="noopener noreferrer">ticket</a></p>',
        ),
        (
            "see https://tracker.example/7.",
            '<p>see <a href="https://tracker.example/7" rel="noopener noreferrer">https://tracker.example/7</a>.</p>',
        ),
        ("<mailto:a@b.example>", '<p><a href="mailto:a@b.example" rel="noopener noreferrer">a@b.example</a></p>'),
        ("evidence.pdf", "<p>evidence.pdf</p>"),
        ("# Title", "<p># Title</p>"),
        ("", ""),
    ],
)
def test_a_note_is_markdown(note: str, shown: str) -> None:
    assert notes.render(note).replace("mailto:a@b.example</a>", "a@b.example</a>") == shown


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](//evil.example/a)",
        "[x](#main)",
        "![x](https://evil.example/a.png)",
        "<javascript:alert(1)>",
        '[x](https://ok.example/"onmouseover="alert(1))',
        "[a]: javascript:alert(1)\n\n[a]",
        "</div></table></td><h1>x</h1>",
        "```html\n<script>\n```",
        "<mailto:a@b.example?bcc=everyone@evil.example>",
        "&lt;script&gt;",
    ],
)
def test_a_hostile_note_stays_text(attack: str) -> None:
    found = Kinds(notes.render(safe.note(attack)))
    assert found.tags <= ALLOWED
    assert {name for name, _ in found.attributes} <= {"href", "rel", "class"}
    assert all(value.startswith(("https://", "mailto:")) for name, value in found.attributes if name == "href")
    assert "?bcc" not in "".join(value for _, value in found.attributes)


@pytest.mark.parametrize(
    "note",
    [
        "> " * 2000 + "deep",
        "- " * 2000 + "deep",
        "[" * 4000,
        "*a **a " * 600,
        "`" * 1999 + "a" + "`" * 1998,
        "| " * 200 + "\n" + "|-" * 200 + "|\n" + ("| x " * 200 + "|\n") * 50,  # a table of 10,000 cells
        "<" * 4000,
        "![](" * 1000,
        "http://" * 570,
    ],
    ids=["quotes", "lists", "brackets", "emphasis", "backticks", "table", "angles", "pictures", "addresses"],
)
def test_an_endless_note_is_bounded(note: str) -> None:
    bounded = safe.note(note)
    before = time.process_time()
    shown = notes.render(bounded)
    assert len(bounded) <= safe.NOTE_LIMIT
    assert len(shown) < 20 * safe.NOTE_LIMIT
    assert time.process_time() - before < 20  # an end, not a speed: what doubles with each character has none
    assert Kinds(shown).tags <= ALLOWED


def test_what_is_nested_too_deep_is_shown_as_written() -> None:
    assert "deep" in entities.unescape(notes.render("> " * 300 + "deep"))


def answered(note: str) -> Assessment:
    sample = factory.sample()
    response = Response.model_validate({"status": "answered", "value": True, "note": note, "by": "Ada"})
    answer = GivenAnswer(item="auth.launch", scope="product", text="Is it so?", said="Yes", response=response)
    return sample.but(answers=(answer,))


def test_the_report_shows_it_so_and_the_markdown_report_escapes_it() -> None:
    built = view.build(
        answered("Asked **twice**\n\n<script>alert(1)</script>"),
        generated=None,
        interlock_version="0.1.0",
        observations={},
        sections=["answers"],
    )
    page = html.render(built)
    assert "Asked <strong>twice</strong>" in page and "&lt;script&gt;alert(1)" in page
    written = markdown.render(built)
    assert r"Asked \*\*twice\*\*" in written and "<script>" not in written
