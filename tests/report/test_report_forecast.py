"""What moves the dates: drivers, what to find out first, and the cost of shared sandboxes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import assessment_factory as factory
import pytest
from assessment_factory import content

from interlock.model.assessment import Assessment
from interlock.model.base import Owner, VerdictValue
from interlock.model.forecast import Behaviour, Driver, SandboxCost, SandboxOrg
from interlock.model.plan import UnknownThing
from interlock.model.readiness import AnswerChange, VerdictChange
from interlock.report import html, markdown, view
from interlock.report.charts import TornadoRow, tornado
from interlock.report.view import ReportView

pytestmark = pytest.mark.fast


def build(assessment: Assessment) -> ReportView:
    return view.build(
        assessment, generated=factory.GENERATED, interlock_version="0.1.0", observations=factory.observations()
    )


def planned(**update: object) -> Assessment:
    sample = factory.sample()
    return sample.model_copy(update={"plan": sample.plan.model_copy(update=update)})


def section(assessment: Assessment) -> Any:
    return content(build(assessment), "plan")


DRIVERS = (
    Driver(id="org:lakeshore", title="How things go", what="party", org="lakeshore", p80_if_well=100, p80_if_badly=180),
    Driver(id="t", title="Build </svg><script>", what="task", org=None, p80_if_well=120, p80_if_badly=150),
)


def test_the_tornado_draws_every_bar_around_the_p80() -> None:
    markup, alt = tornado([TornadoRow("a", "b", 90, 140), TornadoRow("c", "", 100, 120, strong=True)], 110)
    shapes = ET.fromstring(markup)
    bars = list(shapes.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(bars) == 4
    assert "a (b): day 90 to 140; c: day 100 to 120" in alt


def test_no_picture_without_bars() -> None:
    assert tornado([], 10.0) == ("", "")


def test_drivers_name_the_organisation_that_tasks_share() -> None:
    assessment = planned(drivers=DRIVERS)
    picture = section(assessment).drivers
    assert picture is not None
    assert "Lakeshore Health System (everything there, together)" in picture.alt
    page = html.render(build(assessment), scripted=False)
    assert "What drives the P80" in page and "<script>" not in page
    assert section(planned(drivers=())).drivers is None


def test_what_to_find_out_first_asks_and_says_what_hangs_on_it() -> None:
    node = next(node for node in factory.sample().graph.nodes if node.kind == "discovery")
    unknown = UnknownThing(
        key=node.key, title="x", owner=Owner.US, action="Ask them", person_days=0.7, score_points=2.2, p80_days=20.5,
        because="It adds 20 days.",
    )  # fmt: skip
    assessment = planned(unknowns=(unknown,))
    (step,) = section(assessment).unknowns
    assert (step.title, step.because) == ("Ask them.", "It adds 20 days.")
    assert "worth most for a day of asking" in markdown.render(build(assessment))


def cost(*stated: bool) -> SandboxCost:
    orgs = tuple(
        SandboxOrg(org=org, days=23, p80_days=12, stated=known)
        for org, known in zip(("lakeshore", "pinecrest"), stated, strict=True)
    )
    once = Behaviour(
        behaviour="Launch", why="Only there", runs_per_week=1, share=1, p80_days_saved=11, org_days_saved=20
    )
    return SandboxCost(p80_days=28, orgs=orgs, behaviours=(once,))


@pytest.mark.parametrize(
    ("stated", "lead"),
    [((True, True), "are stated."), ((False, False), "by none of them"), ((True, False), "for 1 of 2")],
)
def test_the_cost_of_sandboxes_says_what_is_stated_and_what_is_estimated(stated: tuple[bool, bool], lead: str) -> None:
    assessment = planned(sandbox=cost(*stated))
    sandbox = section(assessment).sandbox
    assert sandbox is not None
    assert lead in sandbox.lead and "28 working days" in sandbox.lead
    assert [row.stated for row in sandbox.organizations] == ["stated" if known else "estimated" for known in stated]
    assert sandbox.behaviours[0].saved == "20 working days"
    assert "What shared sandboxes cost" in html.render(build(assessment))


def test_nothing_is_said_about_sandboxes_where_none_is_shared() -> None:
    assert section(planned(sandbox=None)).sandbox is None
    assert section(planned(sandbox=SandboxCost(p80_days=0, orgs=(), behaviours=()))).sandbox is None


def test_closing_several_together_is_told_once() -> None:
    first = factory.sample().plan.first
    assert len(first) >= 2
    summed = tuple(
        first_thing.model_copy(update={"together_days": 10.0 * n, "together_p80_date": "2027-05-01"})
        for n, first_thing in enumerate(first, start=1)
    )
    said = content(build(planned(first=summed)), "first").together
    assert "1 to 3 together would save 30 working days" in said
    assert said.endswith("in four of five runs all is then through by 1 May 2027, instead of 28 Apr 2027.")
    assert content(build(planned(first=summed[:1])), "first").together == ""


def test_the_answers_that_would_change_the_verdict_are_named() -> None:
    answer = AnswerChange(
        item="auth.jwks_hosting", org="lakeshore", before="none", after="<b>hosted</b>", value="hosted"
    )
    change = VerdictChange(
        direction="later", answers=(answer,), verdict=VerdictValue.INTEGRATE, latest=VerdictValue.INTEGRATE
    )
    sample = factory.sample()
    assessment = sample.model_copy(update={"verdict": sample.verdict.model_copy(update={"changes": (change,)})})
    built = build(assessment)
    (shown,) = content(built, "summary").changes
    assert shown.term == "Integrate"
    assert shown.value == "auth.jwks_hosting at Lakeshore Health System: “<b>hosted</b>” instead of “none”."
    page = html.render(built)
    assert "These answers would make it another one" in page and "<b>hosted" not in page
    assert "auth.jwks" in markdown.render(built)
