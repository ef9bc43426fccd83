"""The Markdown report, read back by a GitHub-flavoured parser."""

from __future__ import annotations

import re

import assessment_factory as factory
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from interlock.documents import markdown as markdown_text
from interlock.report import markdown, view
from tiers import LONG

ATTACKS = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "<https://evil.example>",
    "https://evil.example/a",
    "www.evil.example",
    "`code` **bold** _it_ ~~no~~",
    "| a | b |\n|---|---|",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "```\nfence",
    "&amp; &lt;img&gt;",
    "\\",
    "a \\> b",
    "$x$ [^1] <!-- c",
    "\x1b[31m\u202e",
    "===\n---",
]


def parser() -> MarkdownIt:
    return MarkdownIt("gfm-like", {"html": True, "linkify": True})


def flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in [token, *(flat(token.children) if token.children else [])]]


def plain_text(text: str) -> str:
    tokens = flat(parser().parse(text))
    return " ".join(token.content for token in tokens if token.type in {"text", "text_special", "softbreak"})


def outside(tokens: list[Token]) -> set[str]:
    links = {str(token.attrs["href"]) for token in tokens if token.type == "link_open"}
    return {link for link in links if not link.startswith("#")}


def render(assessment: object = None, observations: object = None) -> str:
    built = view.build(
        assessment or factory.sample(),  # type: ignore[arg-type]
        generated=factory.GENERATED,
        interlock_version="0.1.0",
        observations=factory.observations() if observations is None else observations,  # type: ignore[arg-type]
    )
    return markdown.render(built)


@pytest.fixture(scope="module")
def sample() -> str:
    return render()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("around", ["{}", "word {} word", "| x | {} |"])
def test_escaped_text_renders_as_that_text(attack: str, around: str) -> None:
    table = around.startswith("|")
    head = "| a | b |\n| --- | --- |\n" if table else ""
    tokens = flat(parser().parse(head + around.format(markdown_text.escape(attack))))
    allowed = {"inline", "text", "paragraph_open", "paragraph_close"}
    if table:
        names = ("table", "thead", "tbody", "tr", "th", "td")
        allowed = {"inline", "text"} | {f"{name}_{end}" for name in names for end in ("open", "close")}
        assert sum(token.type == "td_open" for token in tokens) == 2
    assert {token.type for token in tokens} <= allowed
    written = "".join(token.content for token in tokens if token.type == "text")
    assert " ".join(attack.split()) in written


def test_headings_sections_and_tables(sample: str) -> None:
    assert sample.startswith("# Sentinel Sepsis: integration readiness report\n")
    assert sample.endswith("\n") and not sample.endswith("\n\n")
    headings = re.findall(r"^## (\w+)\. (.+)$", sample, re.MULTILINE)
    numbers = [number for number, _ in headings if number.isdigit()]
    assert [number for number, _ in headings] == [
        *map(str, range(1, len(numbers) + 1)),
        *"ABCDEFG"[: len(headings) - len(numbers)],
    ]
    assert {"On one page", "Plan", "Open gaps", "Method", "References"} <= {title for _, title in headings}
    tokens = parser().parse(sample)
    assert sum(token.type == "table_open" for token in tokens) > 15
    assert "\n\n\n" not in sample


def test_links_inside_lead_to_anchors(sample: str) -> None:
    anchors = set(re.findall(r'<a id="([a-z0-9-]+)"></a>', sample))
    targets = {
        str(token.attrs["href"])[1:]
        for token in flat(parser().parse(sample))
        if token.type == "link_open" and str(token.attrs["href"]).startswith("#")
    }
    assert targets and targets <= anchors


def test_the_graph_is_one_mermaid_block(sample: str) -> None:
    fences = [token for token in parser().parse(sample) if token.type == "fence"]
    assert [fence.info for fence in fences] == ["mermaid"]
    lines = fences[0].content.splitlines()
    assert lines[0] == "flowchart LR"
    assert sum("-->" in line for line in lines) == len(factory.sample().graph.reduced)
    assert any("Does this hold" in line and line.endswith(":::find") for line in lines)


def test_each_entry_of_a_list_has_a_line_of_its_own(sample: str) -> None:
    assert re.findall(r"\S- [A-Z].*", sample) == []


def test_what_was_not_observed(sample: str) -> None:
    seen = next(line for line in sample.splitlines() if line.startswith("| [Harborview Clinics]"))
    assert "Not observed: connection timed out after 10 s.](#seen-harborview) |" in seen
    page = sample.split('<a id="org-harborview"></a>')[1].split('<a id="')[0]
    assert "not observed" in page.lower()
    assert "missing" not in page.lower()
    row = next(line for line in sample.splitlines() if line.startswith("| [Harborview Clinics]") and "Epic" in line)
    assert "missing" not in row


@pytest.fixture(scope="module")
def sample_tokens(sample: str) -> list[Token]:
    """Every token of the sample's report."""
    return flat(parser().parse(sample))


# Each by itself as a text is above; in a whole report a few in `make test`, all in `make test-all`.
@pytest.mark.parametrize("attack", ATTACKS if LONG else ATTACKS[::4])
def test_hostile_texts_make_no_markup(attack: str, sample_tokens: list[Token]) -> None:
    text = render(factory.hostile(attack), factory.hostile_observations(attack))
    tokens = flat(parser().parse(text))
    kinds = {token.type for token in tokens}
    assert kinds <= {token.type for token in sample_tokens} | {"text_special"}
    assert not {"image", "html_block", "code_inline", "code_block", "em_open", "s_open"} & kinds
    html = [token.content for token in tokens if token.type == "html_inline"]
    assert all(re.fullmatch(r'<a id="[a-z0-9-]+">|</a>', content) for content in html)
    assert outside(tokens) <= outside(sample_tokens)
    assert sum(token.type == "fence" for token in tokens) == 1
    before = [token.type for token in tokens if token.type.startswith(("h", "table", "blockquote"))]
    after = [token.type for token in sample_tokens if token.type.startswith(("h", "table", "blockquote"))]
    assert before.count("heading_open") == after.count("heading_open")
    assert before.count("table_open") == after.count("table_open")
    assert "\x1b" not in text and "\u202e" not in text


def test_nothing_open_and_nobody_added() -> None:
    text = render(factory.minimal(), {})
    assert "No gap is open." in text and "No organisation has been added yet" in text
    assert "```" not in text


def test_long_texts_are_cut() -> None:
    text = render(factory.hostile("x" * 10_000))
    assert "x" * 1501 not in text
    assert "…" in plain_text(text)


def test_an_organisation_page_asks_what_the_probe_left_open() -> None:
    text = render()
    assert "#### What to ask them" in text
    asked = text.partition("#### What to ask them")[2].partition("####")[0]
    assert re.search(r"^1\. ", asked, re.MULTILINE)
