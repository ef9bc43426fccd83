"""Every statement is asked about, judged and reported, and the page that says so is not stale."""

from __future__ import annotations

from pathlib import Path

import pytest
from traceability import Trace, page, traces

from interlock.model.statements import STATEMENTS
from interlock.report.view import SECTIONS
from interlock.usecases.load import Content, load_content

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def content() -> Content:
    return load_content(None)


@pytest.fixture(scope="module")
def traced(content: Content) -> dict[str, Trace]:
    return {trace.statement.id: trace for trace in traces(content)}


def test_no_statement_has_a_hole(traced: dict[str, Trace]) -> None:
    assert [f"{name} has {hole}" for name, trace in traced.items() for hole in trace.holes()] == []


def test_the_page_is_what_the_content_gives(traced: dict[str, Trace], content: Content) -> None:
    written = (ROOT / "docs/traceability.md").read_text("utf-8")
    assert written == page(traced.values(), content), "docs/traceability.md is stale: make renew"


def test_the_page_links_to_files_that_are_there(traced: dict[str, Trace], content: Content) -> None:
    targets = {part.partition(")")[0] for part in page(traced.values(), content).split("](")[1:]}
    assert len(targets) > 100
    assert [target for target in targets if not (ROOT / "docs" / target).resolve().is_file()] == []


def test_everything_that_cites_a_statement_is_traced(traced: dict[str, Trace], content: Content) -> None:
    for item in content.items.values():
        assert all(item.id in traced[statement].questions for statement in item.source)
    for rule in content.ruleset.rules:
        if rule.lifecycle != "deprecated":
            assert all(rule.id in (*traced[s].rules, *traced[s].vendor_rules) for s in rule.source)
    for pattern in content.patterns.patterns:
        assert all(pattern.id in traced[s].patterns for s in pattern.source)


def test_every_statement_is_traced_in_order(traced: dict[str, Trace]) -> None:
    ids = [statement.id for statement in STATEMENTS]
    assert ids == sorted(set(ids)) == list(traced)
    assert all(set(trace.sections) <= set(SECTIONS) for trace in traced.values())


def test_a_check_counts_for_the_statement_of_the_rule_that_reads_it(traced: dict[str, Trace], content: Content) -> None:
    readers = [rule for rule in content.ruleset.rules if 'checks["SMART-001"]' in f"{rule.applies} {rule.gap_when}"]
    assert readers
    assert all("SMART-001" in traced[statement].checks for rule in readers for statement in rule.source)


def test_holes_are_told_apart(content: Content) -> None:
    without_questions = Content((), content.ruleset)
    holes = {trace.statement.id: list(trace.holes()) for trace in traces(without_questions)}
    assert holes["S01"] == ["no question and no check"]
    assert holes["S25"] == [], "rules read checks of the probe for it"

    without_rules = Content(content.questionnaires, content.ruleset.model_copy(update={"rules": ()}))
    for trace in traces(without_rules):
        assert list(trace.holes()) == ["no rule that holds for every vendor", "no section in the report"]
        assert trace.questions
