"""What changed since the last milestone, in the report: answers, observations and our own rules, told apart."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome
from interlock.model.diff import AnswerMove, AssessmentDiff, FindingChange, ObservationMove, Since
from interlock.plan.told_apart import Causes
from interlock.report import html, markdown
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.milestone import save_milestone, with_changes
from interlock.usecases.recipient import for_recipient
from interlock.usecases.report import report_view, write_report
from interlock.usecases.verify import verify
from interlock.workspace.store import Workspace

TODAY = date(2026, 11, 30)
ITEM = "boundary.output_stable"
NOTHING = {
    "Answers that changed": "No answer changed.",
    "Observations that changed": "Nothing was observed anew.",
    "Our own questions and rules that changed": "Questions and rules are the same as then",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The sample "ready" with a milestone of it as it is."""
    return load_inputs(initialize(tmp_path_factory.mktemp("changes") / "ready", "ready"))


@pytest.fixture(scope="module")
def before(inputs: Inputs) -> Assessment:
    assessment = assess(inputs, today=TODAY, runs=50)
    save_milestone(Workspace(inputs.root), "before pilot", assessment)
    return assessment


@pytest.fixture(scope="module")
def answered(inputs: Inputs, before: Assessment) -> Assessment:
    """The same with one answer taken back."""
    (given,) = (answer for answer in before.answers if answer.item == ITEM)
    unknown = given.response.model_copy(update={"value": None, "status": "unknown"})
    return assess(inputs.with_response("product", ITEM, unknown), today=TODAY, runs=50)


def told(after: Assessment, inputs: Inputs, folder: Path) -> dict[str, str]:
    """The section in Markdown: the heading of each part → its text."""
    (file,) = write_report(after, inputs, folder, ("md",), sections=("changes",))
    text = file.read_text().partition("<!--")[0]
    assert "Compared with the milestone “before-pilot” of 30 Nov 2026." in text
    parts = re.split(r"^### (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))


def alone(parts: dict[str, str], title: str) -> str:
    """What one kind says, when each other says that there is nothing of it."""
    for other, nothing in NOTHING.items():
        assert parts[other].startswith(nothing) == (other != title), other
    return parts[title]


def test_without_a_change_each_kind_says_that_there_is_none(inputs: Inputs, before: Assessment, tmp_path: Path) -> None:
    parts = told(before, inputs, tmp_path)
    assert parts.keys() == NOTHING.keys(), "and no finding has another outcome: a rule is the same after a round trip"
    for title, nothing in NOTHING.items():
        assert parts[title].startswith(nothing)


def test_an_answer(inputs: Inputs, before: Assessment, answered: Assessment, tmp_path: Path) -> None:
    parts = told(answered, inputs, tmp_path)
    said = alone(parts, "Answers that changed")
    assert "How stable is the AI output" in said and said.endswith("| unknown |")
    (row,) = (line for line in parts["What has another outcome because of it"].splitlines() if "BND-001" in line)
    assert row.endswith("| met | undecided | Answers |")
    first = answered.findings[0]
    assert Causes(before, answered).of(first.but(reads=("contradictions.count",))) == ("answers",), "one of its sides"
    assert Causes(before, answered).of(first.but(reads=("contract.launch",), missing_answers=())) == ()


def test_an_observation(inputs: Inputs, before: Assessment, tmp_path: Path) -> None:
    seen = tuple(own.but(observed_at="2026-11-29T10:00:00Z", observed="observed") for own in before.readiness)
    reads = next(f for f in before.findings if any(name.startswith("checks.") for name in f.reads) and f.subject.id)
    findings = tuple(f.but(outcome=RuleOutcome.GAP) if f is reads else f for f in before.findings)
    parts = told(before.but(readiness=seen, findings=findings), inputs, tmp_path)
    said = alone(parts, "Observations that changed")
    assert "| Northgate University Hospital | never probed | observed, 29 Nov 2026, 10:00 UTC |" in said
    (row,) = (line for line in parts["What has another outcome because of it"].splitlines() if reads.rule in line)
    assert row.endswith("| Observations |")


def test_our_own_rules(inputs: Inputs, before: Assessment, tmp_path: Path) -> None:
    rule = before.rules["BND-001"]
    rules = before.rules | {"BND-001": rule.but(gap_when="true"), "BND-002": before.rules["BND-002"].but(why="Other")}
    findings = tuple(f.but(outcome=RuleOutcome.GAP) if f.rule == "BND-001" else f for f in before.findings)
    after = before.but(ruleset="core 9.9", rules=rules, findings=findings)
    parts = told(after, inputs, tmp_path)
    said = alone(parts, "Our own questions and rules that changed")
    assert f"The ruleset is core 9.9 instead of {before.ruleset}." in said
    assert f"1 rule is judged otherwise: “{rule.title}”." in said.replace("\\", "")
    assert f"1 rule is worded or estimated otherwise: “{before.rules['BND-002'].title}”." in said.replace("\\", "")
    (row,) = (line for line in parts["What has another outcome because of it"].splitlines() if "BND-001" in line)
    assert row.startswith("| Opened |") and row.endswith("| Our own rules |")


def test_it_is_in_every_format_and_a_report_with_it_matches(inputs: Inputs, before: Assessment, tmp_path: Path) -> None:
    write_report(before, inputs, tmp_path, ("html", "json", "csv", "docx", "xlsx"), sections=("changes", "summary"))
    page = (tmp_path / "report.html").read_text()
    assert "No answer changed." in page and "Nothing was observed anew." in page
    assert json.loads((tmp_path / "report.json").read_text())["since"]["name"] == "before-pilot"
    table = (tmp_path / "report-changes.csv").read_text()
    assert table.splitlines()[0] == "Kind,What,Where,Before,Now,Because of"
    assert verify(tmp_path / "report.html", inputs).found == "matches"


def test_one_recipient_and_a_workspace_without_a_milestone_have_no_such_section(
    inputs: Inputs, before: Assessment, tmp_path: Path
) -> None:
    assert with_changes(before, for_recipient(inputs, "northgate")).since is None, "a milestone is of all"
    assert "changes" not in {section["id"] for section in report_view(before, inputs, "2026-11-30").sections}
    assert with_changes(before, load_inputs(initialize(tmp_path / "blank", "blank"))).since is None
    (asked,) = report_view(before, inputs, "2026-11-30", ["changes"]).sections
    assert asked["content"]["lead"][0].startswith("There is no milestone to compare with")


def test_hostile_texts_stay_texts(inputs: Inputs, before: Assessment) -> None:
    hostile = "<script>alert(1)</script> | a **b**\x1b[31m"
    move = AnswerMove(item="x.y", scope=hostile, text=hostile, before=hostile, after="")
    seen = ObservationMove(
        org=hostile, before=None, after="nonsense", outcome="observed", outcome_before="never_probed"
    )
    change = FindingChange(key=f"X-001@{hostile}", title=hostile, before=None, after=RuleOutcome.GAP, message=hostile)
    diff = AssessmentDiff(answers=(move,), observations=(seen,), rules=(hostile,), opened=(change,))
    shown = report_view(
        before.but(since=Since(name=hostile, as_of=hostile, diff=diff)), inputs, "2026-11-30", ["changes"]
    )
    page, text = html.render(shown, scripted=False), markdown.render(shown)
    assert "<script>alert" not in page + text and "\x1b" not in page + text
    rows = [line for line in text.splitlines() if "alert" in line and line.startswith("|")]
    assert len(rows) == 4 and all(len(re.findall(r"(?<!\\)\|", row)) in {2, 4, 5, 7} for row in rows)
