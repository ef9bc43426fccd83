"""The catalogue of hazards: reading, proofs, and how far each hazard is held."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from interlock.content.changes import ContentParts, content_changes
from interlock.content.hazards import HAZARDS, Hazards, load_hazards, read_hazards
from interlock.content.questionnaires import load_questionnaires
from interlock.content.rulesets import load_ruleset
from interlock.contract.skeletons.failure_modes import exported_tests
from interlock.documents.resources import data_dir
from interlock.documents.yaml import model_from_yaml, parse_yaml
from interlock.judge.hazard_states import HazardFacts
from interlock.judge.hazards import HazardLibrary
from interlock.judge.lint import LintProblem, lint_hazards
from interlock.judge.variables import RuleInputs
from interlock.model.base import Evidence, RuleOutcome, Scope
from interlock.model.contract import WorkflowContract
from interlock.model.errors import DocumentError
from interlock.model.finding import PRODUCT, Finding, Subject, finding_key
from interlock.model.hazard import Detectability, Hazard, HazardFigures, HazardFile, HazardState
from interlock.model.pattern import PatternMatch

pytestmark = pytest.mark.fast

SHIPPED = load_hazards([data_dir("rulesets") / HAZARDS])
QUESTIONS = load_questionnaires((data_dir("questionnaires"),))
RULESET = load_ruleset(data_dir("rulesets") / "core")
RULES = {rule.id: rule for rule in RULESET.rules}
HAZARD = """\
id: HZ-90
title: A cut list is taken for the whole
family: inputs
sequence: The first page is taken for everything
harmed: Patient
severity: 4
detectability: very_low
arises: the contract searches
applies: contract.inputs.exists(i, "search" in i.interactions)
controls:
  design: Follow the next link to the end
  monitoring: Share of searches with a next link
contract:
  - failures.truncated
rules: [PROD-007]
patterns: [PAT-042]
observation: A server with a page size of 2
tests:
  - tests/test_failures.py::test_client_does_what_the_contract_says[truncated]
checks: [DATA-009]
sources: [SEARCH]
"""
SOURCES = """\
sources:
  SEARCH: {title: "FHIR R4, Search", url: "https://hl7.org/fhir/R4/search.html", read: '2026-11-29', seen: page}
"""


def written(folder: Path, hazard: str = HAZARD, sources: str = SOURCES) -> Path:
    (folder / "HZ-90.yaml").write_text(hazard, encoding="utf-8")
    (folder / "sources.yaml").write_text(sources, encoding="utf-8")
    return folder


def linted(folder: Path) -> tuple[LintProblem, ...]:
    read = read_hazards(folder)
    return lint_hazards(
        read,
        QUESTIONS,
        rules=RULES,
        patterns={"PAT-042"},
        tests=exported_tests(),
        checks={"DATA-009"},
        sources=read.sources,
    )


# -- content --------------------------------------------------------------------------------------------------------


def test_a_hazard_without_mistakes_is_clean(tmp_path: Path) -> None:
    assert linted(written(tmp_path)) == ()


@pytest.mark.parametrize(
    ("right", "wrong", "line", "told"),
    [
        ("severity: 4", "severity: 6", 6, "less than or equal to 5"),
        ("severity: 4", 'severity: "4"', 6, "integer"),
        ("very_low", "hardly", 7, "detectability"),
        ("  - failures.truncated", "  - failures.truncatd", 14, "did you mean 'truncated'?"),
        ("  - failures.truncated", "  - inputs.when_missing", 14, "is a list: write inputs[]"),
        ("  - failures.truncated", "  - failures[].truncated", 14, "is no list"),
        ("[PROD-007]", "[PROD-777]", 15, "no such rule"),
        ("[PAT-042]", "[PAT-999]", 16, "no such pattern"),
        ("[truncated]", "[cut]", 19, "no such test"),
        ("[DATA-009]", "[DATA-999]", 20, "no such check"),
        ("[SEARCH]", "[SERCH]", 21, "did you mean 'SEARCH'?"),
        ("contract.inputs.exists", "contract.input.exists", 9, "did you mean 'inputs'?"),
        ("contract.inputs.exists(", "contract.inputs.exists((", 9, "is not valid CEL"),
        ('i, "search" in', 'i, probe.smart == "" && "search" in', 9, "not there in a rule of product scope"),
        ("arises: the contract searches\n", "", 1, "write both, or neither"),
        ("sources: [SEARCH]\n", "", 1, "says in judgement that it is ours"),
        ("id: HZ-90", "id: HZ-91", 1, "rename the file"),
        ("harmed: Patient", "harmed: Patient\nlikelihood: 3", 6, "likelihood"),
        ("  monitoring: Share of searches with a next link\n", "", 10, "monitoring"),
    ],
)
def test_each_mistake_is_told_with_file_and_line(tmp_path: Path, right: str, wrong: str, line: int, told: str) -> None:
    assert right in HAZARD
    problems = linted(written(tmp_path, HAZARD.replace(right, wrong)))
    found = [problem for problem in problems if told in problem.message]
    assert found, [str(problem) for problem in problems]
    assert (found[0].file or "").endswith("HZ-90.yaml")
    assert found[0].line == line


def test_a_source_needs_a_day_and_a_use(tmp_path: Path) -> None:
    unread = SOURCES.replace(", read: '2026-11-29'", "")
    assert any("read" in problem.message and problem.line for problem in linted(written(tmp_path, sources=unread)))
    spare = SOURCES + SOURCES.partition("\n")[2].replace("SEARCH", "SPARE")
    (problem,) = linted(written(tmp_path, sources=spare))
    assert (problem.line, problem.message) == (3, "no hazard names the source SPARE")


def test_a_source_that_nobody_wrote_down_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="there is no source 'NOBODY'"):
        load_hazards([written(tmp_path, HAZARD.replace("[SEARCH]", "[NOBODY]"))])


def test_what_is_shipped_names_each_control_and_how_it_is_tried() -> None:
    assert [hazard.id for hazard in SHIPPED.hazards] == [f"HZ-{number:02}" for number in range(1, 51)]
    for hazard in SHIPPED.hazards:
        assert hazard.sources or hazard.judgement, hazard.id


# -- states ---------------------------------------------------------------------------------------------------------


def finding(rule: str, outcome: str, org: str = "", evidence: Evidence = Evidence.DOCUMENTED) -> Finding:
    subject = Subject(scope=Scope.ORG, id=org) if org else PRODUCT
    met = evidence if outcome == "met" else None
    return Finding(
        key=finding_key(rule, subject),
        rule=rule,
        subject=subject,
        outcome=RuleOutcome(outcome),
        message="",
        evidence=met,
    )


def contract(**parts: Any) -> WorkflowContract:
    return WorkflowContract.model_validate({"schema": 2, "version": "1", "title": "Own", **parts})


WHOLE = contract(
    inputs=[{"resource": "Observation", "interactions": ["search"]}],
    failures={"truncated": "The list is shown as cut, and nothing is scored."},
)


def held(
    findings: Iterable[Finding],
    said: WorkflowContract | None = WHOLE,
    *,
    rules: Any = RULES,
    patterns: Iterable[PatternMatch] = (),
    hazards: Hazards | None = None,
    figures: Any = None,
) -> tuple[HazardState, ...]:
    own = hazards or Hazards(
        (model_from_yaml(Hazard, parse_yaml(HAZARD.replace("[SEARCH]", "[FHIR-SEARCH]"), "x")),), SHIPPED.sources
    )
    library = HazardLibrary(own, QUESTIONS)
    facts = HazardFacts(tuple(findings), rules, patterns, said)
    return library.match(RuleInputs(questionnaires=QUESTIONS, contract=said), facts, figures or {})


def status(*args: Any, **kwargs: Any) -> str:
    (state,) = held(*args, **kwargs)
    return state.status


def test_a_hazard_is_controlled_when_every_control_holds_and_says_by_what() -> None:
    (state,) = held([finding("PROD-007", "met", evidence=Evidence.ASSERTED)])
    assert state.status == "controlled"
    assert [(control.kind, control.outcome) for control in state.controls] == [("contract", "held"), ("rule", "held")]
    assert state.evidence is Evidence.ASSERTED, "the weakest of what holds it"


def test_a_gap_a_pattern_or_an_empty_field_leaves_it_open() -> None:
    met = [finding("PROD-007", "met")]
    assert status([finding("PROD-007", "gap")]) == "open"
    assert status(met, WHOLE.but(failures=contract().failures)) == "open"
    matched = PatternMatch.model_construct(pattern="PAT-042", title="Never tried", outcome="matched", orgs=("a",))
    assert status(met, patterns=[matched]) == "open"
    assert status(met, patterns=[matched.but(outcome="undecided")]) == "controlled"


@pytest.mark.parametrize("findings", [[], [finding("PROD-007", "unknown")], [finding("PROD-007", "error")]])
def test_what_is_not_known_is_neither_open_nor_controlled(findings: list[Finding]) -> None:
    assert status(findings) == "not_known"


def test_a_rule_that_is_turned_off_controls_nothing() -> None:
    (state,) = held([], rules={})
    assert state.status == "not_known"
    assert "turned off" in state.of("not_known")[0].says


def test_without_a_contract_nothing_is_said_of_what_it_would_decide() -> None:
    (state,) = held([finding("PROD-007", "met")], None)
    assert (state.status, state.applies) == ("not_known", None)
    assert "contract is not written" in state.because


def test_a_contract_of_the_first_schema_cannot_say_it() -> None:
    old = WHOLE.but(schema_version=1, failures=contract().failures)
    (state,) = held([finding("PROD-007", "met")], old)
    assert state.status == "not_known"
    assert "interlock contract upgrade" in state.of("not_known")[0].says


def test_what_cannot_arise_says_where_it_would() -> None:
    (state,) = held([finding("PROD-007", "gap")], contract(inputs=[{"resource": "Patient", "interactions": ["read"]}]))
    assert (state.status, state.controls) == ("does_not_arise", ())
    assert state.because == "it arises only where the contract searches"


def test_an_element_that_lacks_a_field_is_named_and_one_that_it_does_not_concern_is_not() -> None:
    outputs = [
        {"resource": "Observation", "interactions": ["create"]},
        {"resource": "Task", "interactions": ["update"]},
    ]
    (hazard,) = (hazard for hazard in SHIPPED.hazards if hazard.id == "HZ-36")
    (state,) = held([], contract(outputs=outputs), hazards=Hazards((hazard,), SHIPPED.sources))
    (field,) = (control for control in state.controls if control.kind == "contract")
    assert (field.outcome, field.says) == ("open", "not said of Task")


def test_open_ones_come_first_and_of_these_the_most_severe_then_the_hardest_to_notice() -> None:
    states = held([finding("DEL-022", "gap"), finding("DEL-014", "met")], None, hazards=SHIPPED)
    order = ("open", "not_known", "controlled", "does_not_arise")
    keys = [(order.index(s.status), -s.severity, -s.detectability.rank, s.hazard.id) for s in states]
    assert keys == sorted(keys)
    assert states[0].hazard.id == "HZ-50"


# -- the team's figures ---------------------------------------------------------------------------------------------


def test_a_team_sets_its_own_figures_and_they_are_told_as_its_own() -> None:
    own = HazardFigures(severity=2, by="Dr Grey, clinical safety officer", date="2026-11-20")
    (state,) = held([], figures={"HZ-90": own})
    assert (state.severity, state.detectability) == (2, Detectability.VERY_LOW)
    assert state.figures == own
    assert state.hazard.severity == 4, "ours stays beside it"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{severity: 0, by: A, date: '2026-11-20'}", "greater than or equal to 1"),
        ("{severity: 3, date: '2026-11-20'}", "by"),
        ("{severity: 3, by: A}", "date"),
        ("{by: A, date: '2026-11-20'}", "severity"),
        ("{severity: 3, by: A, date: '2026-13-20'}", "month"),
        ("{likelihood: 3, severity: 3, by: A, date: '2026-11-20'}", "likelihood"),
    ],
)
def test_a_team_s_figures_are_bounded_and_signed(entry: str, told: str) -> None:
    document = parse_yaml(f"schema: 1\nhazards:\n  HZ-01: {entry}\n", "hazards.yaml")
    with pytest.raises(DocumentError, match=told) as refused:
        model_from_yaml(HazardFile, document)
    assert str(refused.value.location).startswith("hazards.yaml:3")


def test_a_hazard_that_a_workspace_changes_or_adds_is_a_difference_that_is_told() -> None:
    ours = ContentParts(RULESET, (), (), SHIPPED.hazards)
    (first, *rest) = SHIPPED.hazards
    added = model_from_yaml(Hazard, parse_yaml(HAZARD, "x"))
    own = ContentParts(RULESET, (), (), (first.but(severity=1), *rest, added))
    told = [(change.of, change.id, change.change) for change in content_changes(ours, own)]
    assert told == [("hazard", "HZ-01", "severity 1 instead of 5"), ("hazard", "HZ-90", "added")]
