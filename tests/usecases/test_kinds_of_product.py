"""Each kind of product at its best: nothing stays open or undecided but what only a probe sees."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from answers_page import Truth, by_file, start

from interlock.model.base import ProductKind, RuleOutcome, Scope
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import asked, judge, judge_of
from interlock.usecases.load import Inputs, load_content, load_inputs
from interlock.usecases.questions import kind_words
from interlock.workspace.store import SETTINGS_FILE

each_kind = pytest.mark.parametrize("kind", ProductKind)


@cache
def at_its_best(kind: ProductKind) -> Inputs:
    """Everything that is asked of it is answered, at two organisations that nobody has observed."""
    content, truth = load_content(None), Truth("good", kind, observed=True)
    inputs = start(truth, content)
    inputs = replace(inputs, settings=inputs.settings.model_copy(update={"profile": "full"}), observations={})
    while (question := by_file(inputs)) is not None:
        inputs = inputs.with_response(*question, truth.answer(content.items[question[1]]))
    return inputs


@each_kind
def test_the_best_answers_leave_no_gap_and_nothing_undecided_but_what_a_probe_sees(kind: ProductKind) -> None:
    inputs = at_its_best(kind)
    findings = judge(inputs).findings
    assert [finding.key for finding in findings if finding.outcome is RuleOutcome.GAP] == []
    undecided = [finding for finding in findings if finding.outcome in {RuleOutcome.UNKNOWN, RuleOutcome.ERROR}]
    assert [finding.key for finding in undecided if finding.missing_answers and not finding.missing_facts] == []
    rules = {rule.id: rule for rule in inputs.content.ruleset.rules}
    assert {rules[finding.rule].scope for finding in undecided} == {Scope.ORG}


@each_kind
def test_what_is_not_asked_is_not_applicable_and_never_met(kind: ProductKind) -> None:
    inputs = at_its_best(kind)
    hidden = judge_of(inputs.content).hidden(inputs)
    rules = {rule.id: rule for rule in inputs.content.ruleset.rules}
    about = [
        (finding.rule, finding.outcome)
        for finding in judge(inputs).findings
        if rules[finding.rule].measures in hidden[finding.subject.id if finding.subject.scope is Scope.ORG else ""]
    ]
    assert about
    assert [rule for rule, outcome in about if outcome is RuleOutcome.MET] == []


def test_a_kind_that_is_changed_hides_and_shows_and_answers_stay(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "ws", kind=ProductKind.CHART_APP)
    settings = workspace.root / SETTINGS_FILE
    answers = workspace.root / "responses" / "product.yaml"
    answers.parent.mkdir(exist_ok=True)
    answers.write_text("answers:\n  boundary.alert_burden: {status: answered, value: ceiling}\n")

    def shown() -> bool:
        return "boundary.alert_burden" in {item.id for item in asked(load_inputs(workspace), "product")}

    before = answers.read_bytes()
    assert shown()
    settings.write_text(settings.read_text().replace("kind: chart_app", "kind: patient_app"))
    assert not shown()
    settings.write_text(settings.read_text().replace("kind: patient_app", "kind: chart_app"))
    assert shown()
    assert answers.read_bytes() == before


def test_what_the_kind_leaves_is_told_in_words(tmp_path: Path) -> None:
    inputs = load_inputs(initialize(tmp_path / "ws", kind=ProductKind.BACKEND_SERVICE))
    everything = load_inputs(initialize(tmp_path / "everything"))
    left, every = (len(asked(of, "product")) for of in (inputs, everything))
    assert left < every
    said = kind_words(inputs)
    assert said.startswith("The product is a back-end service without a screen of its own: ")
    assert f": {left} of {every} questions about it apply, and " in said
    assert kind_words(everything) == "What kind of product it is was not said, so everything is asked."
    ready = load_inputs(initialize(tmp_path / "ready", "ready", kind=ProductKind.BACKEND_SERVICE))
    assert "but the contract or an answer says otherwise (see interlock lint): " in kind_words(ready)
