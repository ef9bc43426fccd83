"""The report that is read from front to back: equal things once, the worst first, and what is left out is counted."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import assessment_factory as factory
import pytest
from assessment_factory import content

from interlock.model.assessment import Assessment
from interlock.model.base import GapClass, RuleOutcome, Scope
from interlock.model.contract import SettingMatch
from interlock.report import html, pdf, view
from interlock.report.sections.context import BRIEF_QUESTIONS, WHOLE
from interlock.usecases.report import PDF_SECTIONS
from tiers import LONG


def build(assessment: Assessment, *, brief: bool = True, **options: Any) -> view.ReportView:
    chosen: dict[str, Any] = {"generated": factory.GENERATED, "observations": factory.observations()} | options
    return view.build(assessment, interlock_version="0.1.0", brief=brief, **chosen)


def both(assessment: Assessment, section: str) -> tuple[Any, Any]:
    whole, brief = (content(build(assessment, brief=brief), section) for brief in (False, True))
    return whole, brief


@pytest.mark.parametrize("assessment", [factory.sample(), factory.large()])
def test_each_open_rule_stands_once_and_first_what_holds_up_most(assessment: Assessment) -> None:
    whole, brief = both(assessment, "gaps")
    rows = [row for group in brief.groups for row in group.rows]
    assert sorted(row.id for row in rows) == sorted(gap.id for group in whole.groups for gap in group.gaps)
    page = html.render(build(assessment))
    assert all(page.count(f'id="{row.anchor}"') == 1 for row in rows)
    for group in brief.groups:
        held = [int((re.search(r"\d+", row.holds) or ["0"])[0]) for row in group.rows]
        assert held == sorted(held, reverse=True)
    actions = {gap.id: gap.action for group in whole.groups for gap in group.gaps}
    assert all(actions[row.id].startswith(row.action) for row in rows)


def test_a_blocker_says_what_was_seen_once_for_all_organisations() -> None:
    (blockers, *_) = content(build(factory.sample()), "gaps").groups
    row = next(row for row in blockers.rows if row.id == "AUTH-003")
    assert row.where == "Lakeshore Health System and Pinecrest Community Hospital"
    assert all(line.startswith(("Lakeshore Health System: ", "Pinecrest Community Hospital: ")) for line in row.seen)
    assert all(re.search(r"(Observed on|Answered: |As the workflow contract)", line) for line in row.seen)


def test_the_worst_open_questions_are_told_and_all_are_counted() -> None:
    sample = factory.sample()
    whole, brief = both(sample, "unknowns")
    undecided = [finding for finding in sample.findings if finding.outcome is RuleOutcome.UNKNOWN]
    assert brief.lead.startswith(f"{len(undecided)} findings are undecided, of {len(whole.questions)} requirements")
    told = {row.id for row in brief.worst}
    assert told < {question.id for question in whole.questions} and len(told) <= BRIEF_QUESTIONS
    blockers = {GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER}
    rules = [sample.rules[rule] for rule in told]
    assert all(rule.severity.value == "critical" or rule.gap_class in blockers for rule in rules)
    assert f"{len(whole.questions) - len(told)} other question" in brief.worst_more and WHOLE in brief.worst_more
    helps = [int(step.helps) for step in brief.steps]
    assert helps == sorted(helps, reverse=True) and brief.steps[0].said.startswith("Look at its endpoints")


def test_organisations_of_which_all_is_the_same_stand_together() -> None:
    sample = factory.sample()
    (first, *_) = sample.readiness
    twin = next(org for org in sample.organizations if org.id == first.org)
    twins = {f"twin-{number}": f"Twin {number}" for number in (2, 10)}
    again = sample.model_copy(
        update={
            "organizations": (
                *sample.organizations,
                *(twin.model_copy(update={"id": key, "name": name}) for key, name in twins.items()),
            ),
            "readiness": (*sample.readiness, *(first.model_copy(update={"org": key}) for key in twins)),
            "fit": (
                *sample.fit,
                *(fit.model_copy(update={"org": key}) for fit in sample.fit if fit.org == first.org for key in twins),
            ),
        }
    )
    observations = factory.observations()
    observations |= {key: observations[first.org] for key in twins if first.org in observations}
    blocks = content(build(again, observations=observations), "organizations").blocks
    together = next(block for block in blocks if len(block.anchors) > 1)
    assert together.name == "3 organisations alike" and together.names.endswith("Twin 2 and Twin 10")
    assert len(blocks) == len(sample.readiness)


def test_what_the_product_lacks_is_named_once_and_only_counted_at_the_organisations() -> None:
    sample = factory.sample()
    own = {finding.rule for finding in sample.findings if finding.subject.scope is Scope.PRODUCT}
    readiness = tuple(
        each.model_copy(
            update={
                "gates": tuple(
                    gate.model_copy(update={"holds": False, "open": (*gate.open, *sorted(own)[:1])})
                    for gate in each.gates
                )
            }
        )
        for each in sample.readiness
    )
    brief = content(build(sample.model_copy(update={"readiness": readiness})), "organizations")
    titles = {link.label for link in brief.product}
    assert titles
    for block in brief.blocks:
        for gate in block.gates:
            assert not titles & {link.label for line in gate.lines for link in line.links}
            assert any("of the product" in line.more for line in gate.lines)


def test_settings_at_an_organisation_name_what_is_wrong_alone() -> None:
    settings = (
        SettingMatch(name="window", outcome="default", default="6"),
        SettingMatch(name="contact", outcome="missing", needed=True),
        SettingMatch(name="codes", outcome="mistyped", needed=True, value='"<b>x"', note="a list is expected"),
    )
    sample = factory.sample()
    fits = tuple(fit.model_copy(update={"settings": settings, "observed": True}) for fit in sample.fit)
    whole, brief = both(sample.model_copy(update={"fit": fits}), "organizations")
    assert [(row.name, row.mark.label, row.default) for row in whole.pages[0].settings] == [
        ("window", "Default, everywhere", "6"),
        ("contact", "Without a value", "none"),
        ("codes", "Of another type", "none"),
    ]
    said = " ".join(brief.blocks[0].contract)
    assert "without a value: contact" in said and "of another type: codes" in said and "window" not in said


def test_needs_and_organisations_that_came_out_alike_share_a_row_and_a_column() -> None:
    whole, brief = both(factory.sample(), "fit")
    long, short = (
        [row for table in fit.tables for group in table.groups for row in group.rows] for fit in (whole, brief)
    )
    assert len(short) < len(long)
    whole, brief = both(factory.large(), "fit")
    columns = [link.label for table in brief.tables for link in table.organizations]
    assert len(columns) < 60 and any(label.endswith(" alike") for label in columns)


@pytest.fixture(scope="module")
def needs_weasyprint() -> None:
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)


@pytest.mark.usefixtures("needs_weasyprint")
def test_the_whole_report_goes_along_inside_the_pdf_and_the_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    if shutil.which("pdfdetach") is None:
        pytest.skip("pdfdetach is not installed")
    page = html.render(build(factory.sample(), sections=["contradictions"]))
    attached = {WHOLE: b"<!DOCTYPE html><p>all of it</p>"}
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf.render(page, None, attached))
    assert pdf.render(page, None, attached) == file.read_bytes()
    subprocess.run(["pdfdetach", "-saveall", "-o", tmp_path, file], check=True, capture_output=True)
    assert (tmp_path / WHOLE).read_bytes() == attached[WHOLE]


@pytest.mark.skipif(not LONG, reason="the long tier")
@pytest.mark.usefixtures("needs_weasyprint")
def test_sixty_organisations_of_which_no_two_are_alike_have_eighty_pages_at_most(tmp_path: Path) -> None:
    if shutil.which("pdfinfo") is None:
        pytest.skip("pdfinfo is not installed")
    for sections, limit in ((PDF_SECTIONS, 80), (("executive",), 2)):
        file = tmp_path / "report.pdf"
        file.write_bytes(pdf.render(html.render(build(factory.large(), observations={}, sections=sections))))
        info = subprocess.run(["pdfinfo", file], capture_output=True, check=True, text=True).stdout
        assert int(info.partition("Pages:")[2].split()[0]) <= limit


def test_many_organisations_are_counted_where_space_is_short_and_named_in_their_own_order() -> None:
    large = factory.large()
    report = build(large, observations={})
    shown = content(report, "executive")
    assert shown.many and report.cover["organizations"].endswith("60 organisations.")
    rows = content(build(large, observations={}), "glance").rows
    assert [row.link.label for row in rows] == [org.name for org in large.organizations]
    assert all(len(row.where) < 60 for row in shown.in_the_way)
