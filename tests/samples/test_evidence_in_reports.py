"""From each open gap of a report a reader gets to what was answered, by whom and when, or to what was observed."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterable
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome
from interlock.model.statements import STATEMENTS
from interlock.report import html, view
from interlock.report.sections.context import Context
from interlock.report.sections.method import GLOSSARY, LIMITS
from interlock.report.view import SECTIONS
from interlock.usecases.assess import assess
from interlock.usecases.load import Inputs
from interlock.usecases.report import write_report

from test_executive_page import TEMPLATES  # isort: skip

TODAY = date(2026, 11, 30)


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
