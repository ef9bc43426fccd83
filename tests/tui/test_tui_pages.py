"""The pages that are drawn from results: checks by family, ways in, TLS, verdict, burn-down; and hostile words."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from interlock.model.base import CheckOutcome, Owner, RuleOutcome, Severity, VerdictValue
from interlock.model.contract import ContractFit, SettingMatch
from interlock.model.diff import AssessmentDiff, BurnDown, BurnDownPoint, FindingChange, ForecastMove
from interlock.model.drift import Drift, DriftChange
from interlock.model.facts import CapabilityFacts, Certificate, Facts, SmartFacts, TlsFacts
from interlock.model.forecast import Driver, Quantiles
from interlock.model.observation import Check, Observation, RequestRecord, Target
from interlock.model.pattern import PatternMatch
from interlock.model.readiness import AnswerChange, Interval, VerdictChange
from interlock.tui.findings_page import draw_burn_down, draw_diff, draw_patterns
from interlock.tui.observation_page import draw_checks, draw_observation, draw_settings
from interlock.tui.overview_page import draw_verdict
from interlock.tui.page import Page
from interlock.tui.plan_page import draw_first
from interlock.tui.screens.probe import draw_drift
from interlock.tui.widgets.standing import verdict_change

pytestmark = pytest.mark.usefixtures("unplanned")

EVIL = "[@click=app.quit]go[/] [red]x \x1b[31m\u202e\x07"
TAMED = "[@click=app.quit]go[/] [red]x"


def shown(draw, *values, width: int = 78) -> str:
    """What a page says at a width; every line keeps within it."""
    page = Page(width)
    draw(page, *values)
    content = page.content()
    assert all(line.cell_length <= width for line in content.split("\n", allow_blank=True))
    assert "\x1b" not in content.plain and "\u202e" not in content.plain and "\x07" not in content.plain
    assert not [span for span in content.spans if "click" in str(span.style)], "no text acts when it is clicked"
    return " ".join(content.plain.split())


def check(name: str, outcome: CheckOutcome, message: str = "told", severity: Severity = Severity.LOW) -> Check:
    return Check(id=name, title=name, outcome=outcome, severity=severity, message=message)


CHECKS = (
    check("CAP-001", CheckOutcome.PASS, "passes quietly"),
    check("CAP-002", CheckOutcome.WARN, "is a warning"),
    check("NET-001", CheckOutcome.FAIL, "fails a little"),
    check("NET-002", CheckOutcome.FAIL, f"fails badly {EVIL}", Severity.CRITICAL),
    check("SMART-001", CheckOutcome.NOT_OBSERVED, "Not observed: a timeout"),
    check("SMART-002", CheckOutcome.NOT_OBSERVED, "Not observed: a timeout"),
    check("SMART-003", CheckOutcome.NOT_APPLICABLE),
)


@pytest.mark.parametrize("width", [40, 78, 120])
def test_what_is_off_comes_first_and_the_families_are_folded(width):
    said = shown(draw_checks, CHECKS, width=width)
    assert said.index("NET-002") < said.index("NET-001") < said.index("CAP-002") < said.index("✓ 1 pass")
    assert "passes quietly" not in said and "CAP-001" not in said, "what passes is only counted"
    assert "NET ✗ 2 fail" in said and "all ✓ 1 pass" in said
    assert "SMART ○ 2 not observed" in said
    assert said.count("a timeout") == 1 and "2 checks could not look" in said
    assert TAMED in said


def test_a_target_of_which_nothing_was_seen_has_no_verdict_of_its_checks():
    said = shown(draw_checks, CHECKS[4:])
    assert "Nothing is off" not in said and "could not look" not in said
    assert "Nothing is off" in shown(draw_checks, CHECKS[:1])


def observation(**facts: object) -> Observation:
    return Observation(
        target=Target(base_url="https://ehr.example.org/fhir", org="one"),
        started=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        elapsed_ms=12,
        outcome="observed",
        facts=Facts(capability=CapabilityFacts(software={"name": EVIL}), **facts),
    )


@pytest.mark.parametrize("outcome", ["observed", "not_observed"])
def test_the_proxy_that_was_asked_is_named_once_whatever_was_seen(outcome):
    def asked(proxy: str | None) -> RequestRecord:
        return RequestRecord(method="GET", url="https://ehr.example.org/fhir/metadata", elapsed_ms=1, proxy=proxy)

    def drawn(*proxies: str | None) -> str:
        records = tuple(asked(proxy) for proxy in proxies)
        return shown(draw_observation, observation().model_copy(update={"outcome": outcome, "requests": records}), None)

    first, second = "http://proxy.example.org:3128", f"http://{EVIL}:3128"
    said = drawn(None, first, first, second)
    assert said.count(first) == 1 and f"asked through the proxy {first} and http://" in said and TAMED in said
    assert "proxy" not in drawn(None)


def test_the_way_in_of_each_launch_mode_is_shown():
    smart = SmartFacts(capabilities=("launch-standalone",), authorization_endpoint=EVIL, token_endpoint=EVIL)
    said = shown(draw_observation, observation(smart=smart), None)
    assert "Ways in" in said and "✗ EHR launch: not listed" in said
    assert "Standalone launch:" in said and "Backend service:" in said and TAMED in said
    assert "Ways in" not in shown(draw_observation, observation(), None)


def test_a_certificate_that_runs_out_and_one_that_is_not_accepted_are_told():
    leaf = Certificate(
        subject=EVIL,
        issuer="Some CA",
        not_before="2025-01-01T00:00:00Z",
        not_after="2026-01-10T00:00:00Z",
        days_left=8,
        self_signed=True,
        key="RSA 2048",
    )
    tls = TlsFacts(verified=True, chain=(leaf,), versions={"TLSv1.2": "offered", "TLSv1": "refused"})
    said = shown(draw_observation, observation(tls=tls), None)
    assert "certificate accepted" in said and "10 Jan 2026 (8 days left)" in said and "self-signed" in said
    assert "Versions TLSv1.2" in said and "TLSv1," not in said and TAMED in said
    refused = TlsFacts(
        verified=False, error="expired", message=EVIL, chain=(leaf.model_copy(update={"days_left": -2}),)
    )
    said = shown(draw_observation, observation(tls=refused), None)
    assert "not accepted" in said and "(expired)" in said and TAMED in said
    assert "certificate not looked at" in shown(draw_observation, observation(tls=TlsFacts()), None)


QUANTILES = Quantiles(
    p10_days=1, p50_days=2, p80_days=3, p90_days=4,
    p10_date="2026-06-01", p50_date="2026-09-01", p80_date="2027-01-01", p90_date="2027-03-01",
)  # fmt: skip
POINTS = (
    BurnDownPoint(
        name=EVIL,
        date="2026-01-01",
        product=Interval(low=20, high=60),
        orgs={"one": Interval(low=10, high=90)},
        open=14,
        undecided=33,
        finish=QUANTILES,
    ),
    BurnDownPoint(
        name="now",
        date="2026-02-01",
        product=Interval(low=41.6, high=41.6),
        orgs={"one": Interval(low=30, high=70), "two": Interval(low=0, high=5)},
        open=9,
        undecided=2,
        finish=None,
    ),
)


@pytest.mark.parametrize("width", [56, 78, 140])
def test_the_burn_down_has_a_line_for_each_milestone_and_for_now(width):
    said = shown(draw_burn_down, BurnDown(points=POINTS, names={"one": "First", "two": EVIL}), width=width)
    assert "1 Jan 2026 14 33" in said and "now 1 Feb 2026 9 2 no date" in said
    if width > 56:
        assert "1 Jun 2026 to 1 Mar 2027" in said and "1 Jan 2027" not in said, "without ground no single date"
    assert "20 to 60" in said and "42" in said and "30 to 70" in said
    assert "not there yet" in said, "an organisation that was added later has no score before"
    assert "No milestone yet" not in said
    assert "No milestone yet" in shown(draw_burn_down, BurnDown(points=POINTS[1:], names={}), width=width)


def test_what_was_opened_again_and_why_a_date_moved_is_told():
    diff = AssessmentDiff(
        reopened=(
            FindingChange(key="A-001@one", title=EVIL, before=RuleOutcome.MET, after=RuleOutcome.GAP, message="again"),
        ),
        forecasts=(
            ForecastMove(
                org="one",
                before_days=10,
                after_days=15,
                before_date="2026-03-01",
                after_date="2026-03-08",
                calendar_days=7,
                firm=True,
                because=(f"A-001 is open again: 5 days; {EVIL}",),
            ),
        ),
    )
    said = shown(draw_diff, diff, {"one": EVIL})
    assert "Opened again 1" in said and "A-001@one" in said
    assert "1 Mar 2026 → 8 Mar 2026 7 calendar days later" in said and "is open again: 5 days" in said and TAMED in said


async def test_what_would_change_the_verdict_is_told_with_question_and_answers(terminal):
    async with terminal() as t:
        assessment = t.app.state.assessment
        changes = (
            VerdictChange(
                direction="earlier",
                answers=(
                    AnswerChange(item="a.b", org=None, before="no", after=EVIL, value=EVIL),
                    AnswerChange(item="a.c", org="lakeshore", before="unanswered", after="yes", value=True),
                ),
                verdict=VerdictValue.PRODUCT_FIRST,
                latest=VerdictValue.PRODUCT_FIRST,
            ),
        )
        verdict = assessment.verdict.model_copy(update={"changes": changes})
        said = shown(
            draw_verdict, verdict, assessment.product_score, {"a.b": f"Which? {EVIL}"}, t.app.state.names, width=100
        )
        assert f"▼ Product first if Which? {TAMED}" in said and f"no → {TAMED}" in said
        assert "and a.c (Lakeshore Health System) unanswered → yes" in said
        for change in assessment.verdict.changes:
            asked = t.app.state.inputs.content.items[change.answers[0].item].text
            assert asked in t.of("#verdict")


@pytest.mark.fast
async def test_nothing_in_patterns_and_drivers_is_markup(terminal):
    async with terminal() as t:
        match = PatternMatch(
            pattern="PAT-001",
            title=EVIL,
            scope="org",
            outcome="matched",
            orgs=("one",),
            messages=(EVIL,),
            means=EVIL,
            action=EVIL,
            owner=Owner.US,
            source=("S44",),
            references=(),
        )
        unsure = match.model_copy(update={"outcome": "undecided", "detail": EVIL})
        said = shown(draw_patterns, (match, unsure), {"one": EVIL})
        assert said.count("[red]x") == 7
        plan = t.app.state.assessment.plan
        driver = Driver(id=EVIL, title=EVIL, what="task", p80_if_well=1, p80_if_badly=2)
        party = Driver(id="p", title="x", what="party", org=EVIL, p80_if_well=1, p80_if_badly=2)
        said = shown(draw_first, plan.model_copy(update={"drivers": (driver, party)}), {})
        assert said.count("[red]x") == 2 and "What drives the P80" in said


def test_what_the_contract_uses_comes_first_among_changes_and_unseen_is_no_removal():
    drift = Drift(
        base_url="https://ehr.example.org/fhir",
        before=datetime(2026, 1, 1, tzinfo=UTC),
        after=datetime(2026, 2, 1, tzinfo=UTC),
        changes=(
            DriftChange(kind="resource", direction="added", name=EVIL, rank="added"),
            DriftChange(kind="scope", direction="removed", name="launch", rank="contract_broken", uses=EVIL),
        ),
        not_compared=(f"the JWK Set {EVIL}",),
        ranked_by=EVIL,
    )
    said = shown(draw_drift, drift)
    assert said.index("scope launch is gone") < said.index("New or better 1") < said.index("Not compared")
    assert said.count("[red]x") == 4 and "nothing is concluded" in said
    assert "Nothing changed" in shown(draw_drift, drift.model_copy(update={"changes": ()}))


def test_settings_tell_how_many_are_set_and_what_is_wrong_with_the_others():
    settings = (
        SettingMatch(name="models_enabled", outcome="own", needed=True, value='["adult"]'),
        SettingMatch(name="window", outcome="default", value=None, default="6"),
        SettingMatch(name="contact", outcome="missing", needed=True),
        SettingMatch(name="threshold", outcome="defaulted", needed=True, default="0.6"),
        SettingMatch(name="codes", outcome="mistyped", needed=True, value='"x"', note=f"a list is expected {EVIL}"),
        SettingMatch(name="modells", outcome="unknown", value="1", note="did you mean 'models_enabled'?"),
    )
    said = shown(draw_settings, ContractFit(org="north", observed=False, matches=(), settings=settings))
    assert "1 of 4 set here" in said
    assert "contact without a value" in said and "threshold only the default default 0.6" in said
    assert f"codes of another type a list is expected {TAMED}" in said
    assert "modells not in the contract did you mean 'models_enabled'?" in said
    assert said.index("contact") < said.index('models_enabled ["adult"]') < said.index("window default 6")
    assert shown(draw_settings, ContractFit(org="north", observed=False, matches=())) == ""


@pytest.mark.fast
def test_an_answer_that_moves_the_verdict_says_so_before_anything_else():
    def judged(value: VerdictValue) -> Any:
        return SimpleNamespace(judgement=SimpleNamespace(verdict=SimpleNamespace(value=value, latest=value)))

    before, after = judged(VerdictValue.PROVE_OUTSIDE_EHR), judged(VerdictValue.DEFINE_CONTRACT)
    (told,) = verdict_change(before, after)
    assert told.plain == "verdict: Define the contract"
    assert verdict_change(before, before) == []
