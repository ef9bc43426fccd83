"""From each open gap of a report a reader gets to what was answered, by whom and when, or to what was observed."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterable
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome
from interlock.model.statements import STATEMENTS
from interlock.report import html, markdown, view
from interlock.report.sections.context import Context
from interlock.report.sections.method import GLOSSARY, LIMITS
from interlock.report.view import SECTIONS
from interlock.usecases.assess import assess
from interlock.usecases.load import Inputs
from interlock.usecases.report import write_report

from test_executive_page import TEMPLATES  # isort: skip

TODAY = date(2026, 11, 30)
#: Elements without an end.
VOID = {"meta", "link", "br", "img", "input", "hr", "col"}


@pytest.fixture
def context_of(inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]) -> Callable[[str], Context]:
    return lambda template: Context(assessed(template), inputs_of(template).observations, SECTIONS)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_open_gap_rests_on_something_that_is_told(template: str, context_of: Callable[[str], Context]) -> None:
    context = context_of(template)
    gaps = [finding for finding in context.assessment.findings if finding.outcome is RuleOutcome.GAP]
    assert [finding.key for finding in gaps if not context.rests_on(finding)] == []


def test_both_sides_are_told_with_author_day_evidence_and_note(context_of: Callable[[str], Context]) -> None:
    context = context_of("sepsis")
    finding = context.findings["AUTH-006@lakeshore"]
    assert "launch-ehr is not among the capabilities that its SMART configuration publishes" in finding.message
    answer, observed, contract = (line.label for line in context.rests_on(finding))
    assert answer.startswith("“Does this organisation's EHR offer a launch from inside it")
    assert "Answered: yes (" in answer and "2 Sep 2026; asserted)" in answer
    assert answer.endswith("Note: The vendor's presentation says that every customer has it.")
    assert observed.startswith("Observed at its endpoints on ")
    assert contract.startswith("The workflow contract, version ")


def test_a_contradiction_rests_on_the_answer_that_is_contradicted(context_of: Callable[[str], Context]) -> None:
    context = context_of("sepsis")
    answer, observed = context.rests_on(context.findings["PRB-050@lakeshore"])
    assert "Answered: yes (Rosa Lind, 2 Sep 2026" in answer.label and observed.label.startswith("Observed at ")


def test_where_nothing_was_seen_the_message_says_what_was_answered(inputs_of: Callable[[str], Inputs]) -> None:
    inputs = inputs_of("sepsis")
    answer = inputs.by_org["lakeshore"]["org.ehr_launch"]
    unseen = inputs.with_observation("lakeshore", inputs.observations["harborview"])
    unseen = unseen.with_response("lakeshore", "org.ehr_launch", answer.but(value=False))
    context = Context(assess(unseen, today=TODAY, runs=50), unseen.observations, SECTIONS)
    message = context.findings["AUTH-006@lakeshore"].message
    assert message.endswith("the team answered that no launch from the chart is offered here")
    assert not any(
        line.label.startswith("Observed") for line in context.rests_on(context.findings["AUTH-006@lakeshore"])
    )


def test_the_annex_has_every_answer_and_request_and_each_gap_leads_there(
    inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> None:
    inputs, assessment = inputs_of("sepsis"), assessed("sepsis")

    def page(*, brief: bool) -> str:
        built = view.build(
            assessment, generated=None, interlock_version="0", observations=inputs.observations, brief=brief
        )
        return html.render(built)

    whole, brief = page(brief=False), page(brief=True)
    ids = set(re.findall(r' id="(answer-[^"]+)"', whole))
    assert len(ids) == len(assessment.answers) > 200
    led = set(re.findall(r'href="#(answer-[^"]+)"', whole))
    assert led and led <= ids
    for observation in inputs.observations.values():
        assert all(request.sha256[:16] in whole for request in observation.requests if request.sha256)
    assert "Answered by Rosa Lind (" in brief and "Left out as not applicable" in brief
    assert not re.findall(r"(?:id|href)=\"#?answer-", brief), "what is read from front to back counts them"
    there, here = (set(re.findall(r' id="([^"]+)"', text)) for text in (whole, brief))
    on = set(re.findall(r'href="report\.html#([^"]+)"', brief))
    assert on and on <= there, "each leads to its place in the whole report beside it"
    assert here & set(SECTIONS) - {"executive"} <= on, (
        "from every sentence but those of the first page a section leads on"
    )
    assert {name for name in here if name.startswith(("gap-", "open-", "org-", "pattern-"))} <= on


class Units(HTMLParser):
    """The paragraphs, list items, rows and pairs of a page, each with its section and whether a link stands beside it.

    Beside is in it, in the list item around it, in the caption of its table, or in the row of pairs that it is in.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.section = ""
        self.stack: list[dict[str, Any]] = []
        self.left: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        named = dict(attrs)
        if tag == "h2":
            self.section = str(named["id"])
        if tag == "a":
            for around in self.stack:
                around["led"] = True
        self.stack.append({"tag": tag, "text": "", "led": False, "inner": False, "class": named.get("class") or ""})

    def handle_data(self, data: str) -> None:
        for around in self.stack:
            around["text"] += data

    def handle_endtag(self, tag: str) -> None:
        unit = self.stack.pop()
        if tag == "caption" and unit["led"]:
            self.stack[-1]["captioned"] = True
        pair = tag == "div" and self.stack[-1]["tag"] == "dl" and self.stack[-1]["class"] != "meta-row"
        if tag not in {"p", "li", "tr"} and not pair:
            return
        around = [outer["tag"] for outer in self.stack]
        within_item = [outer for outer in self.stack if outer["tag"] == "li"]
        for outer in within_item:
            outer["inner"] = True
        captioned = any(outer.get("captioned") for outer in self.stack)
        if unit["led"] or unit["inner"] or captioned or within_item or "thead" in around:
            return
        self.left.append((self.section, " ".join(unit["text"].split())))


#: Sections that are what the others lead to; the first page is told in words alone.
EVIDENCE = {"", "executive", "answers", "method", "references"}
#: What needs no evidence: it introduces what follows, is a heading within a table, or is itself what is recorded.
NO_CLAIM = ("These answers would make", "The pilot unit begins only if", "Recorded in", "The hash of this text")
#: A label or a number under one, in letters: no sentence.
SHORT = 24


def test_beside_each_sentence_of_the_whole_report_a_link_leads_to_what_it_rests_on(
    inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> None:
    assessment, observations = assessed("sepsis"), inputs_of("sepsis").observations
    built = view.build(assessment, generated=None, interlock_version="0", observations=observations)
    page, text = html.render(built), markdown.render(built)
    done = {section["id"]: section for section in built.sections}["tasks"]["content"]["done"]
    left = [
        (section, said)
        for section, said in Units(page).left
        if section not in EVIDENCE and not said.startswith(NO_CLAIM) and len(said) > SHORT
    ]
    recorded = tuple(task["title"] for task in done)
    assert [unit for unit in left if not unit[1].startswith(recorded)] == []

    for document, link, anchor in (
        (page, r'href="#([^"]+)"', r' id="([^"]+)"'),
        (text, r"\]\(#([^)]+)\)", r'<a id="([^"]+)"></a>'),
    ):
        anchors = re.findall(anchor, document)
        assert len(anchors) == len(set(anchors))
        assert set(re.findall(link, document)) <= set(anchors)

    gaps = re.findall(r'<article class="gap[^"]*" id="gap-(.*?)</article>', page, re.DOTALL)
    assert len(gaps) > 10
    for gap in gaps:
        rule = assessment.rules[gap.partition('"')[0].upper()]
        assert all(f'href="#statement-{said.lower()}"' in gap for said in rule.source)
    rows = re.findall(r'<tr id="task-(.*?)</tr>', page, re.DOTALL)
    assert len(rows) > 50
    for row in rows:
        kind = row.split("-")[1]
        of_a_rule = kind in {"gap", "discovery"} and not row.split("-")[2].startswith("probe")
        assert re.search(r'href="#(gap|open)-' if of_a_rule else r'href="#method-inputs"', row), row


def texts_of(path: Path) -> str:
    """What a report says, in whichever format, without escapes and markup that only that format has."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            said = book.read("xl/sharedStrings.xml").decode()
    else:
        said = path.read_text(encoding="utf-8")
        said = json.dumps(json.loads(said), ensure_ascii=False) if path.suffix == ".json" else said
    said = re.sub(r"<[^>]*>", " ", said) if path.suffix == ".html" else said
    return without_marks(unescape(said))


def without_marks(text: str) -> str:
    return " ".join(re.sub(r"[\\\u2060*`]", "", text).split())


def test_the_annex_is_whole_in_each_format(
    inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment], tmp_path: Path
) -> None:
    inputs, assessment = inputs_of("sepsis"), assessed("sepsis")
    sections = ("coverage", "answers", "method", "statements")
    texts = [
        texts_of(path)
        for path in write_report(assessment, inputs, tmp_path, ("md", "html", "json", "xlsx"), sections=sections)
    ]

    def lacks(said: Iterable[str | None]) -> list[str]:
        whole = [without_marks(one) for one in said if one]
        return [f"{number}: {one}" for number, text in enumerate(texts) for one in whole if one not in text]

    responses = [(answer, answer.response) for answer in assessment.answers]
    assert lacks(answer.text for answer, _ in responses) == []
    assert lacks(answer.item for answer, _ in responses) == []
    assert lacks((response.by or "").partition(" <")[0] for _, response in responses) == []
    assert lacks(response.reason for _, response in responses) == [], "what is left out, with the reason"
    assert lacks(response.note for _, response in responses) == []
    assert lacks(record.name for _, response in responses for record in response.documents) == []
    requests = [request for observation in inputs.observations.values() for request in observation.requests]
    assert len(requests) > 10
    assert lacks(request.sha256 for request in requests) == []
    assert lacks(request.url for request in requests) == []
    checks = [check for observation in inputs.observations.values() for check in observation.checks]
    assert lacks(evidence.pointer for check in checks for evidence in check.evidence) == []
    assert lacks(statement.id for statement in STATEMENTS) == []
    assert lacks(LIMITS) == [] and lacks(GLOSSARY.values()) == []
    assert lacks([assessment.content_hash, assessment.contract_hash, str(assessment.plan.seed)]) == []
    assert len(assessment.content_hash) == len(assessment.contract_hash) == 64
