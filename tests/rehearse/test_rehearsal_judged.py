"""What a rehearsal says of the product's answers: observed, contradicted, or nothing; and what is judged then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock.judge.answers import AnswerState
from interlock.judge.contradictions import find, rehearsal_told
from interlock.judge.rehearsed import REHEARSAL_DAYS, Rehearsed, rehearsed
from interlock.model import words
from interlock.model.base import Evidence, RuleOutcome
from interlock.model.rehearsal import ProductObservation, RehearsalOutcome, RehearsalResult, RehearsedApp
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import judge_of
from interlock.usecases.load import load_content, load_inputs
from interlock.workspace.history import save_rehearsal
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.fast

DAY = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
CONTENT = load_content(None)
CHECKS = {check.id: check for check in CONTENT.rehearsals}
ISSUER = [check.id for check in CONTENT.rehearsals if any("issuer_allow_list" in turn for turn in check.turns)]


def observation(
    changes: dict[str, str], *, version: str | None = "1.4", about: str | None = None
) -> ProductObservation:
    """A rehearsal in which every check that needs no hook held, apart from some."""
    outcomes = {check.id: "held" for check in CONTENT.rehearsals if check.counts(None)} | changes
    return ProductObservation(
        app=RehearsedApp(launch_url="http://127.0.0.1:8000/launch", version=version),
        started=DAY,
        elapsed_ms=900,
        driver="http",
        layout="addresses",
        organizations=("north", "south"),
        polite=True,
        results=tuple(
            RehearsalResult(
                id=name,
                outcome=RehearsalOutcome(outcome),
                severity=CHECKS[name].severity,
                title=CHECKS[name].title,
                seen="it was seen" if outcome == "broke" else "",
                requests=(3, 4) if outcome == "broke" else (),
                about=about,
            )
            for name, outcome in outcomes.items()
            if outcome != "not built"
        ),
    )


def said(item: str, changes: dict[str, str] | None = None, **more: str) -> Rehearsed | None:
    seen = rehearsed(CONTENT.rehearsals, CONTENT.items, observation(changes or {}, **more), DAY.date(), "1.4")
    return seen.get(item)


def judged(entry: Rehearsed | None, value: str | tuple[str, ...]) -> tuple[object, Evidence | None]:
    assert entry is not None
    state = entry.state(AnswerState(value, None, Evidence.ASSERTED))
    return state.value, state.evidence


def test_an_option_is_observed_when_every_check_for_it_held() -> None:
    entry = said("auth.issuer_allow_list")
    assert judged(entry, "exact") == ("exact", Evidence.OBSERVED)
    assert judged(entry, "exact_tested") == ("exact_tested", Evidence.OBSERVED), "what it adds stays in the score"
    assert judged(entry, "prefix") == ("prefix", Evidence.OBSERVED), "the team said less: that much is seen"
    assert entry is not None and "28 Nov 2026" in entry.evidence and "held" in entry.evidence


@pytest.mark.parametrize("outcome", ["not_reached", "inconclusive", "needs_hook", "not built", "not_applicable"])
def test_one_check_that_said_nothing_leaves_the_answer_as_it_is(outcome: str) -> None:
    assert said("auth.issuer_allow_list", {"RH-L05": outcome}) is None, "it is listed for the option"
    general = said("auth.issuer_allow_list", {"RH-L07": outcome})
    assert (general is None) is (outcome != "not_applicable"), "it is listed for the question"


@pytest.mark.parametrize(("broke", "value"), [("RH-L07", "prefix"), ("RH-L06", "any"), ("RH-L05", "prefix")])
def test_a_ladder_is_read_off_what_broke(broke: str, value: str) -> None:
    entry = said("auth.issuer_allow_list", {broke: "broke"})
    assert judged(entry, "exact_tested") == (value, Evidence.OBSERVED)
    assert judged(entry, value) == (value, Evidence.OBSERVED), "the team knew"
    assert judged(entry, "any")[0] == "any", "and nothing is better than it was said to be"
    assert entry is not None and broke in entry.evidence and "requests 3 and 4" in entry.evidence
    both = said("auth.issuer_allow_list", {"RH-L07": "broke", "RH-L06": "broke"})
    assert judged(both, "exact")[0] == "any", "the lowest counts"


def test_of_several_options_one_falls_and_the_others_stand() -> None:
    entry = said("auth.return_checks", {"RH-C06": "broke", "RH-C09": "not_reached"})
    assert judged(entry, ("state", "answering_server")) == (("state",), Evidence.OBSERVED)
    assert judged(entry, ("answering_server",))[0] == ("none",)
    assert judged(entry, ("state", "pkce")) == (("state", "pkce"), Evidence.ASSERTED), "one check said nothing"
    whole = said("auth.return_checks", {"RH-C06": "broke"})
    assert judged(whole, ("state", "pkce")) == (("state", "pkce"), Evidence.OBSERVED)


def test_a_break_counts_only_for_what_it_is_about() -> None:
    for about, value in (("viewer", "address"), ("filter", "every_call"), (None, "every_call")):
        entry = said("endpoints.viewers", {"RH-E01": "broke"}, about=about)
        assert (judged(entry, "every_call")[0] if entry else "every_call") == value


def test_a_tab_that_turned_into_another_patients_speaks_of_the_chart_and_not_of_the_sign_in() -> None:
    for about, lowered in (("tab", "auth.chart_switch"), ("flow", "auth.flow_record")):
        for question in ("auth.chart_switch", "auth.flow_record"):
            entry = said(question, {"RH-L17": "broke"}, about=about)
            assert (entry is not None and bool(entry.fell)) is (question == lowered), (about, question)


def test_a_rehearsal_ages_with_time_and_with_the_version() -> None:
    broke = observation({"RH-L07": "broke"})
    late = DAY.date() + timedelta(days=REHEARSAL_DAYS + 1)
    for today, version in ((late, "1.4"), (DAY.date(), "1.5")):
        seen = rehearsed(CONTENT.rehearsals, CONTENT.items, broke, today, version)
        assert judged(seen["auth.issuer_allow_list"], "exact") == ("prefix", Evidence.DOCUMENTED)
    last = rehearsed(CONTENT.rehearsals, CONTENT.items, broke, late - timedelta(days=1), None)
    assert judged(last["auth.issuer_allow_list"], "exact")[1] is Evidence.OBSERVED


def test_every_break_names_a_lower_option_than_the_one_that_it_takes_away() -> None:
    for check in CONTENT.rehearsals:
        for reference in check.breaks:
            question, _, option = reference.partition("@")[0].partition("=")
            item = CONTENT.items[question]
            best = max(item.graded_value(entry.value) or 0.0 for entry in item.options)
            assert item.type == "multi_choice" or (item.graded_value(option) or 0.0) < best, reference


def test_it_moves_gates_score_and_contradictions_like_every_observation(tmp_path: Path) -> None:
    initialize(tmp_path / "w", template="sepsis")
    workspace = Workspace.find(tmp_path / "w")
    before = replace(load_inputs(workspace), today=DAY.date())
    assert before.rehearsal is None and before.rehearsed == {}
    for _ in range(2):
        broke = {"RH-L07": "broke", "RH-E01": "broke"}
        save_rehearsal(workspace, observation(broke, version="2.3", about="viewer"))
    assert len(list((tmp_path / "w/observations/product").iterdir())) == 2, "nothing is overwritten"
    after = replace(load_inputs(workspace), today=DAY.date())
    assert after.rehearsal is not None
    judge = judge_of(after.content)
    (told,) = [entry for entry in find(judge.rule_inputs(after)) if entry.item == "auth.issuer_allow_list"]
    assert told.org is None and "RH-L07" in told.evidence
    assert after.product["auth.issuer_allow_list"].value == "exact_tested", "the file keeps the answer"
    was, now = judge.judge(before), judge.judge(after)
    earlier, later = ({entry.key: entry for entry in judged.findings} for judged in (was, now))
    assert earlier["AUTH-007"].outcome is RuleOutcome.MET
    assert later["AUTH-007"].outcome is RuleOutcome.GAP and later["AUTH-007"].evidence is Evidence.OBSERVED
    assert earlier["AUTH-008"].evidence is Evidence.DOCUMENTED and later["AUTH-008"].evidence is Evidence.OBSERVED
    assert now.product_score.interval.high < was.product_score.interval.high
    told = rehearsal_told(after.rehearsal, after.content.rehearsals, judge.rule_inputs(after))
    assert [broke.result.id for broke in told.broke] == ["RH-E01", "RH-L07"], "worst first"
    assert told.broke[1].questions == ("auth.issuer_allow_list",)
    settled = {row.item: row for row in told.settled}
    assert settled["auth.issuer_allow_list"].contradicted and not settled["auth.session_isolation"].contradicted
    assert "2 broke; " in words.rehearsed(told.counts) + "; " and " held" in words.rehearsed(told.counts)
