"""Hazards in the report: open ones first, whose figures they are, and laid out for a hazard log."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import assessment_factory as factory
import pytest

from interlock.content.hazards import HAZARDS, load_hazards
from interlock.documents.resources import data_dir
from interlock.model.assessment import Assessment
from interlock.model.base import Evidence
from interlock.model.hazard import HazardControl, HazardFigures, HazardState
from interlock.report import html, markdown, view, xlsx
from interlock.report.sections.hazards import BRIEF_ROWS

pytestmark = pytest.mark.fast

CATALOGUE = load_hazards([data_dir("rulesets") / HAZARDS])
OFFICER = HazardFigures(severity=2, by="Dr Grey, safety officer", date="2026-11-20", reason="Read twice here")


def state(number: int, status: Any, *controls: HazardControl, **changed: Any) -> HazardState:
    hazard = CATALOGUE.hazards[number - 1]
    sources = tuple(CATALOGUE.sources[name] for name in hazard.sources)
    own = HazardState(
        hazard=hazard, status=status, severity=hazard.severity, detectability=hazard.detectability,
        controls=controls, sources=sources,
    )  # fmt: skip
    return own.but(**changed)


LACKS = HazardControl(kind="contract", id="failures.truncated", outcome="open", says="not said")
HELD = HazardControl(
    kind="contract", id="safeguards.off_switch", outcome="held", says="The duty lead", evidence=Evidence.DOCUMENTED
)
STATES = (
    state(11, "open", LACKS),
    state(2, "not_known", applies=None, because="the workflow contract is not written"),
    state(49, "controlled", HELD, severity=2, figures=OFFICER),
    state(39, "does_not_arise", applies=False, because="it arises only where the contract writes orders or plans"),
)


def built(states: tuple[HazardState, ...] = STATES, **options: Any) -> view.ReportView:
    assessed = factory.sample().but(hazards=states)
    return view.build(assessed, generated=None, interlock_version="1", observations={}, **options)


def text_of(states: tuple[HazardState, ...] = STATES) -> str:
    return markdown.render(built(states, sections=["hazards"]))


def test_it_is_told_from_harm_to_control_to_test_open_ones_first() -> None:
    text = text_of()
    assert "1 is open, 1 not known and 1 controlled; 1 cannot arise here" in text
    at = [text.index(f"{name} ") for name in ("HZ-11", "HZ-02", "HZ-49", "HZ-39")]
    assert at == sorted(at)
    told = text[at[0] : at[1]]
    order = ("What may happen", "failures, truncated: not said", "What may control it", "What shows it")
    assert [told.index(part) for part in order] == sorted(told.index(part) for part in order)
    assert r"test_client_does_what_the_contract_says\[truncated\]" in told
    assert "The workflow contract is not written." in text
    assert "Gravest, and hardest to notice" not in text
    assert "It arises only where the contract writes orders or plans." in text


def test_a_figure_says_whose_it_is() -> None:
    text = text_of()
    assert "severity 4 of 5, serious harm · detectability very low (judgement of Interlock)" in text
    assert "severity 2 of 5, minor harm · detectability high (set by Dr Grey, safety officer, 20 Nov 2026)" in text
    assert "The team set the figures of 1 of them" in text


def test_what_may_kill_unnoticed_is_named_first_for_an_alarm_by_the_team_s_figures() -> None:
    assert "hardest to notice: Feed falls silent unnoticed. An alarm or a drill" in text_of(
        (state(25, "controlled", HELD),)
    )
    assert "hardest to notice" not in text_of((state(25, "open", LACKS, severity=3, figures=OFFICER),))


def test_who_has_to_act_stands_with_what_is_open() -> None:
    rule = factory.sample().findings[0].rule
    gap = HazardControl(kind="rule", id=rule, outcome="open", says="A gap", at=("lakeshore",))
    assert re.search(r"A gap\. .*Lakeshore Health System.*\. Owner: [A-Z]", text_of((state(11, "open", gap),)))
    page = html.render(built((state(11, "open", gap),), sections=["hazards"]))
    assert re.search(r'id="hazard-hz-11" data-entry data-about="Lakeshore Health System"', page), "filtered by it"


def test_a_source_of_which_less_was_read_says_so() -> None:
    assert "abstract alone" in text_of((state(23, "open", LACKS),))


def test_controlled_says_on_what_evidence_and_by_which_words() -> None:
    text = text_of()
    assert "Controlled as documented" in text
    assert "off switch: “The duty lead”" in text


def test_a_brief_report_has_a_row_for_what_is_missing_and_counts_the_rest() -> None:
    shown = factory.content(built(brief=True), "hazards")
    assert [(group.harm, len(group.rows)) for group in shown.groups] == [
        ("Serious harm", 1),
        ("Short harm or loss of trust", 1),
    ]
    assert (shown.entries, shown.controlled, shown.absent) == ((), (), ())
    assert "1 as documented" in shown.rest
    many = tuple(state(number, "open", LACKS) for number in range(1, BRIEF_ROWS + 4))
    assert "3 more are open or not known." in factory.content(built(many, brief=True), "hazards").rest


def test_an_assessment_without_hazards_says_so() -> None:
    assert "without a catalogue of hazards" in text_of(())


def test_the_workbook_is_a_hazard_log_whose_last_columns_are_the_officer_s() -> None:
    data = xlsx.render(factory.sample().but(hazards=STATES), {}, interlock_version="1", sections=["hazards"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert 'name="Hazards"' in archive.read("xl/workbook.xml").decode()
        strings = archive.read("xl/sharedStrings.xml").decode()
        rows = re.findall(r"<row .*?</row>", archive.read("xl/worksheets/sheet1.xml").decode(), re.DOTALL)
    assert "Residual severity (for the safety officer)" in strings and "Cut list taken for the whole" in strings
    assert len(rows) == 1 + len(STATES)
    assert [re.findall(r'r="([R-V])\d+"[^>]*><v>', row) for row in rows[1:]] == [["R"], ["R"], ["R"], []]


def test_a_hazard_of_a_workspace_is_escaped() -> None:
    own = STATES[0].hazard.but(
        title="<script>alert(1)</script>", sequence="=HYPERLINK(1)", observation="[x](javascript:1)"
    )
    page = html.render(built((STATES[0].but(hazard=own),), sections=["hazards"]))
    assert "<script>alert" not in page and "&lt;script&gt;" in page
    assert r"\[x\](javascript:1)" in text_of((STATES[0].but(hazard=own),))


def test_an_assessment_with_hazards_is_read_again() -> None:
    assessed = factory.sample().but(hazards=STATES)
    assert Assessment.model_validate_json(assessed.model_dump_json(by_alias=True)) == assessed
