"""No fixed sentence stands twice in a section of the report, on any sample: not in HTML, in the PDF or in Markdown.

A fixed sentence has eight words or more that do not come from rules, questions, answers or names. Tables are data, and
so are titles, labels of links and rows of facts (``one · two``). A part of a section about one organisation is read by
itself.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest

from interlock.model.assessment import Assessment
from interlock.model.language import Language, using
from interlock.report import html, markdown
from interlock.usecases.load import Inputs
from interlock.usecases.report import PDF_SECTIONS, report_view
from tiers import LONG

TEMPLATES = [
    "auth-blocked", "blank", "ci-gate", "early", "fuzzy-contract", "outside-ehr", "ready", "sepsis", "too-early",
]  # fmt: skip
DAY = "2026-11-30"
WORDS = 8
#: Elements whose text is data, or is not read in its place.
_DATA = {"a", "table", "svg", "script", "style", "head", "nav", "h3", "h4"}
_BLOCKS = {"p", "li", "h2", "h3", "h4", "dd", "dt", "figcaption", "div", "section", "article", "summary", "ul", "ol"}


class Marks(Language):
    """English with a mark around every fixed sentence of eight words and more."""

    def one(self, message: str) -> str:
        fixed = re.findall(r"\w+", re.sub(r"%\(\w+\)\w|%%", "", message))
        return f"⟦{message}⟧" if len(fixed) >= WORDS else message

    def counted(self, singular: str, plural: str, number: float) -> str:
        return self.one(singular if number == 1 else plural)


class Page(HTMLParser):
    """The blocks of text outside tables, by section; within one on organisations by organisation."""

    def __init__(self) -> None:
        super().__init__()
        self.part, self.blocks = "cover", defaultdict[str, list[str]](list)
        self._data, self._block, self._paragraph = 0, "", False

    def _end(self) -> None:
        if text := " ".join(self._block.split()):
            self.blocks[self.part].append(f"{'' if self._paragraph else '* '}{text}")
        self._block, self._paragraph = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in _BLOCKS or named.get("class") in {"line", "sub"}:
            self._end()
            self._paragraph = tag == "p"
        if tag == "h2" or (tag == "h3" and self.part.startswith(("organizations", "org-"))):
            self.part = named.get("id") or f"organizations {len(self.blocks)}"
        self._data += tag in _DATA

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end()
        self._data -= tag in _DATA

    def handle_data(self, data: str) -> None:
        if not self._data:
            self._block += data


def of_page(page: str) -> dict[str, list[str]]:
    parser = Page()
    parser.feed(page)
    return parser.blocks


def of_markdown(text: str) -> dict[str, list[str]]:
    """The same of Markdown: what is no paragraph begins with ``*``."""
    text = re.sub(r"(?s)```.*?```|<!--.*?-->", "", text)
    text = re.sub(r"\[[^\]]*\]\([^)]*\)|\\(?=[^\w\s])", "", text)
    parts = re.split(r'<a id="([a-z]+)"></a>\n\n## ', text)
    blocks: dict[str, list[str]] = defaultdict(list)
    for section, body in zip(parts[1::2], parts[2::2], strict=True):
        for number, part in enumerate(re.split(r"^### ", body, flags=re.MULTILINE)):
            name = f"{section} {number}" if section == "organizations" else section
            for line in part.splitlines():
                if line.strip() and not line.startswith(("|", "#", "<a")):
                    blocks[name].append(f"* {line}" if re.match(r"[-*>\d ]", line) else line)
    return blocks


def fixed(block: str, data: str) -> Iterator[str]:
    """The fixed sentences of a block: those that are marked; of a paragraph those too that no data holds."""
    marked: list[str] = []
    depth, begun = 0, 0
    for index, character in enumerate(block):
        if character == "⟦":
            begun = begun if depth else index
            depth += 1
        elif character == "⟧":
            depth -= 1
            if not depth:
                marked.append(re.sub("[⟦⟧]", "", block[begun:index]))
    yield from (said for said in marked if said.endswith((".", "!", "?")) and " · " not in said)
    if block.startswith("* ") or " · " in block:
        return
    for sentence in re.split(r"(?<=[.!?]) ", re.sub("⟦.*⟧", "", block)):
        told = re.sub(r"^[A-Z][\w ]{2,24}: ", "", sentence).rstrip(".").casefold()
        if len(re.findall(r"\w+", sentence)) >= WORDS and told not in data:
            yield sentence


def twice(blocks: dict[str, list[str]], data: str) -> dict[str, list[str]]:
    """What each part says more than once."""
    found = {
        part: [said for said, times in Counter(s for text in texts for s in fixed(text, data)).items() if times > 1]
        for part, texts in blocks.items()
    }
    return {part: said for part, said in found.items() if said}


@pytest.mark.parametrize("template", TEMPLATES if LONG else ["blank", "sepsis"])
def test_no_fixed_sentence_twice_in_a_section(
    template: str, inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> None:
    inputs, assessment = inputs_of(template), assessed(template)
    data = " ".join(json.dumps(assessment.model_dump(mode="json"), ensure_ascii=False).split()).casefold()
    with using(Marks()):
        whole = report_view(assessment, inputs, DAY)
        brief = report_view(assessment, inputs, DAY, PDF_SECTIONS, brief=True)
        made = {
            "html": of_page(html.render(whole, scripted=False)),
            "pdf": of_page(html.render(brief, scripted=False)),
            "md": of_markdown(markdown.render(whole)),
        }
    assert all({"executive", "summary", "plan"} <= set(blocks) for blocks in made.values())
    assert {form: found for form, blocks in made.items() if (found := twice(blocks, data))} == {}


def test_a_sentence_that_stands_twice_is_found() -> None:
    said = "Nobody has looked at what this hospital's own endpoints show."
    page = f'<h2 id="plan">Plan</h2><p>{said}</p><table><tr><td>{said}</td></tr></table><ul><li>⟦{said}⟧</li></ul>'
    assert twice(of_page(page), "") == {"plan": [said]}
    assert twice(of_page(page), said.casefold().rstrip(".")) == {}, "what a rule or an answer says is data"
    text = f'<a id="plan"></a>\n\n## 1. Plan\n\n{said}\n\n| {said} |\n\n- ⟦{said}⟧\n'
    assert twice(of_markdown(text), "") == {"plan": [said]}
    apart = f'<h2 id="organizations">O</h2><h3 id="organizations-a">A</h3><p>{said}</p><h3 id="b">B</h3><p>{said}</p>'
    assert twice(of_page(apart), "") == {}
