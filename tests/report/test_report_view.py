"""The view model: what it says, and what it must never say."""

from __future__ import annotations

import assessment_factory as factory
import pytest
from assessment_factory import content, shown

from interlock.documents.resources import data_dir
from interlock.model.assessment import Assessment
from interlock.model.base import Gate, Reference, Scope
from interlock.model.contract import ContractFit
from interlock.model.errors import InterlockError
from interlock.model.finding import Subject
from interlock.model.gap_graph import RootCause
from interlock.report import view
from interlock.report.brief import BRIEF
from interlock.report.sections.context import ReferenceBook
from interlock.report.view import ReportView

pytestmark = pytest.mark.fast


def build(assessment: Assessment, **options: object) -> ReportView:
    chosen: dict[str, object] = {"generated": factory.GENERATED, "observations": factory.observations()} | options
    return view.build(assessment, interlock_version="0.1.0", **chosen)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sample() -> ReportView:
    return build(factory.sample())


def test_cover_names_product_date_versions_and_gate(sample: ReportView) -> None:
    facts = {pair.term: pair.value for pair in shown(sample.cover).facts}
    assert shown(sample.cover).product == "Sentinel Sepsis"
    assert facts["Date"] == "8 Sep 2026, 14:03 UTC"
    assert facts["Target gate"] == "Pilot"
    assert facts["Ruleset"] == "core 1.0.0"
    assert facts["Questionnaires"] == "4 questionnaires, version 1.0.0"
    assert facts["Organisations"] == "2 of 4 observed"


def test_without_a_date_the_report_is_undated() -> None:
    undated = build(factory.sample(), generated=None)
    assert "Date" not in {pair.term for pair in shown(undated.cover).facts}
    assert shown(undated.cover).created == ""
    assert "2026" not in shown(undated.cover).footer


def test_summary_says_who_is_ready_who_may_be_and_who_is_not(sample: ReportView) -> None:
    lead = " ".join(content(sample, "summary").lead)
    assert "1 of 4 meets every requirement up to the pilot gate: Riverside Regional Medical Center." in lead
    assert "depends on what we do not know: Harborview Clinics." in lead
    assert "Not yet, whatever the unknowns turn out to be: Lakeshore Health System and Pinecrest" in lead
    assert content(sample, "summary").verdict == "Not decided"
    assert "not decided" in content(sample, "summary").sure[0]
    assert content(sample, "summary").organizations.startswith("Start at Riverside")


def test_an_undecided_reason_is_a_question_and_says_why(sample: ReportView) -> None:
    reason = content(sample, "summary").reasons[2]
    assert reason.mark.label == "Undecided"
    assert reason.title.startswith("Does this hold?")
    assert reason.message == "Harborview Clinics: not observed: connection timed out after 10 s."


def test_what_was_not_observed_is_said_with_its_reason(sample: ReportView) -> None:
    rows = {row.where.label: row.observed.label for row in content(sample, "coverage").rows}
    assert rows["Pinecrest Community Hospital"].startswith("Partly observed, ")
    assert rows["Pinecrest Community Hospital"].endswith(": the SMART configuration did not answer within 10 s.")
    assert rows["Harborview Clinics"] == "Not observed: connection timed out after 10 s."


def test_an_unobserved_organisation_is_never_said_to_miss_anything(sample: ReportView) -> None:
    page = next(page for page in content(sample, "organizations").pages if page.name == "Harborview Clinics")
    row = next(row for row in content(sample, "glance").rows if row.link.label == "Harborview Clinics")
    assert "not observed" in page.callout.lower()
    assert row.observed.label == "Not observed"
    assert "missing" not in f"{page} {row}".lower()
    table = content(sample, "fit").tables[0]
    column = [link.label for link in table.organizations].index("Harborview Clinics")
    assert {row.cells[column].label for group in table.groups for row in group.rows} == {"Not observed"}
    assert table.totals[column] == "not observed"
    assert all(row.title.startswith("Does this hold?") for row in page.undecided)


def test_a_fit_that_was_not_observed_wins_over_its_own_matches() -> None:
    assessment = factory.sample()
    wrong = tuple(
        ContractFit(
            org=fit.org,
            observed=fit.observed,
            matches=tuple(match.model_copy(update={"outcome": "missing"}) for match in fit.matches),
        )
        for fit in assessment.fit
    )
    built = build(assessment.model_copy(update={"fit": wrong}))
    labels = {row.cells[3].label for group in content(built, "fit").tables[0].groups for row in group.rows}
    assert labels == {"Not observed"}
    assert content(built, "organizations").pages[3].needs == ()


def test_each_gate_of_each_organisation_has_a_glyph_and_a_word(sample: ReportView) -> None:
    glance = content(sample, "glance")
    assert [gate.title for gate in glance.gates] == ["Design", "Sandbox", "Pilot", "Production"]
    rows = {row.link.label: row for row in glance.rows}
    glyphs = {name: "".join(gate.symbol for gate in row.gates) for name, row in rows.items()}
    assert glyphs["Riverside Regional Medical Center"].startswith("✓✓✓")
    assert all(gate.label for row in rows.values() for gate in row.gates)
    assert rows["Pinecrest Community Hospital"].if_unknowns_hold == "Design if what is undecided holds"
    assert rows["Harborview Clinics"].if_unknowns_hold == "Pilot if what is undecided holds"
    assert {pair.term: pair.value for pair in content(sample, "glance").stages}["Pilot"] == "1"


def test_five_first_things_are_told_and_each_without_an_id_beside_its_title(sample: ReportView) -> None:
    assert {step.id.label for step in content(sample, "first").steps} <= {"", "details"}
    many = factory.sample().plan.model_copy(update={"first": factory.sample().plan.first * 4})
    built = build(factory.sample().model_copy(update={"plan": many}))
    assert len(content(built, "first").steps) == 5


def test_plan_gives_three_dates_and_the_range(sample: ReportView) -> None:
    assert content(build(factory.firm()), "plan").firm and not content(sample, "plan").firm
    overall = content(sample, "plan").forecasts[0]
    assert (overall.p50.term, overall.p80.term, overall.p90.term) == ("1 Mar 2027", "28 Apr 2027", "11 Jun 2027")
    assert overall.span == "1 Mar 2027 to 11 Jun 2027"
    facts = {fact.term: fact.value for fact in content(sample, "plan").facts}
    assert "64%" in facts["What makes the range this wide"] and "judgement" in facts["What makes the range this wide"]
    unseen = next(row for row in content(sample, "plan").forecasts if row.link.label == "Harborview Clinics")
    assert "not observed" in unseen.note


def test_the_same_rule_at_several_organisations_is_one_task_of_its_wave(sample: ReportView) -> None:
    assert [wave.number for wave in content(sample, "tasks").waves] == ["1", "2", "3", "4"]
    third = {task.id.label: task.where for task in content(sample, "tasks").waves[2].tasks}
    assert third["FHIR-006"] == "Lakeshore Health System and Pinecrest Community Hospital"
    sources = {task.id.label: task.source for task in content(sample, "tasks").waves[0].tasks}
    assert sources["AUTH-001"] == "1 to 15; Regulation, 2026-08"
    assert sources["AUTH-003"] == "5 to 40; Judgement, 2026-08"


def test_gaps_are_grouped_by_wave_and_say_what_they_wait_for(sample: ReportView) -> None:
    titles = [group.title for group in content(sample, "gaps").groups]
    assert titles == ["Wave 1", "Wave 2", "Wave 3", "Later"]
    gaps = {gap.id: gap for group in content(sample, "gaps").groups for gap in group.gaps}
    assert "SEC-009" in {gap.id for gap in content(sample, "gaps").groups[-1].gaps}
    both = gaps["AUTH-003"]
    assert [link.label for subject in both.subjects for link in subject.links] == [
        "Lakeshore Health System",
        "Pinecrest Community Hospital",
    ]
    assert [link.label for link in both.waits_for] == ["AUTH-001"]
    assert [link.label for link in both.opens] == ["FHIR-006", "TEST-002"]
    assert both.subjects[1].message == "The hosted set holds one RS256 key without a kid."
    assert both.lead_source == "Judgement, 2026-08"
    assert gaps["AUTH-001"].lead_cites == gaps["AUTH-001"].cites


def test_unknowns_name_the_answers_and_observations_that_would_decide(sample: ReportView) -> None:
    entries = {entry.id: entry for entry in content(sample, "unknowns").questions}
    assert set(entries) == {"AUTH-003", "AUTH-007", "FHIR-002", "FHIR-005", "SES-002", "TERM-001"}
    assert entries["AUTH-003"].help == "Would be decided by observing probe.capability and probe.smart."
    assert entries["SES-002"].subjects[0].message == "Not answered: session.isolation."
    assert [item.item for item in content(sample, "unknowns").to_answer] == ["session.isolation"]


def test_root_causes_may_stand_for_several_nodes() -> None:
    assessment = factory.sample()
    cause = RootCause(
        key="AUTH-003",
        orgs=("lakeshore", "pinecrest"),
        gate=Gate.PILOT,
        sentence="AUTH-003 stands between 2 of 4 organisations and their pilot gate",
        nodes=("AUTH-003@lakeshore", "AUTH-003@pinecrest"),
    )
    graph = assessment.graph.model_copy(update={"root_causes": (cause,)})
    built = build(assessment.model_copy(update={"graph": graph}))
    row = content(built, "graph").root_causes[0]
    assert row.id.anchor == "gap-auth-003"
    assert row.where == "Lakeshore Health System and Pinecrest Community Hospital"
    assert row.mark.label == "Critical"


def test_references_are_numbered_once_each(sample: ReportView) -> None:
    urls = [entry.url for entry in content(sample, "references").entries]
    assert len(urls) == len(set(urls))
    assert [entry.number for entry in content(sample, "references").entries] == list(range(1, len(urls) + 1))
    assert factory.HTI1.url in urls


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "https://", "http://a b/", "//evil.example", "https://[", "ftp://x"],
)
def test_an_address_that_is_not_http_is_cited_without_a_link(url: str) -> None:
    book = ReferenceBook(linked=True)
    book.cite(Reference(title="Something", url=url))
    assert book.entries()[0].url == ""


def test_statements_trace_to_their_findings(sample: ReportView) -> None:
    rows = {row.id: row for row in content(sample, "statements").rows}
    assert [link.label for link in rows["S21"].rules] == ["AUTH-001", "AUTH-003"]
    assert rows["S14"].outcome == "1 open"
    assert rows["S02"].outcome == "no rule in this ruleset"


def test_organisation_page_shows_gates_facts_and_failed_checks(sample: ReportView) -> None:
    page = next(page for page in content(sample, "organizations").pages if page.name == "Pinecrest Community Hospital")
    facts = {pair.term: pair.value for pair in page.probe}
    assert facts["FHIR release"] == "STU3 (3.0.1)"
    assert facts["SMART configuration"] == "not observed"
    assert [check.id for check in page.checks] == ["CAP-007"]
    assert [row.gate for row in page.gates] == ["Design", "Sandbox", "Pilot", "Production"]
    assert [row.target for row in page.gates] == [False, False, True, False]
    assert page.gates[1].mark.label == "3 open"
    assert {row.mark.label for row in page.needs} == {"Missing", "Undeclared"}


def test_a_vendor_of_the_same_name_is_not_the_organisation() -> None:
    assessment = factory.sample()
    finding = next(finding for finding in assessment.findings if finding.key == "AUTH-001@lakeshore")
    vendor = finding.model_copy(
        update={"subject": Subject(scope=Scope.VENDOR, id="riverside"), "key": "AUTH-001@vendor:riverside"}
    )
    built = build(assessment.model_copy(update={"findings": (*assessment.findings, vendor)}))
    page = next(page for page in content(built, "organizations").pages if page.anchor == "org-riverside")
    assert "AUTH-001" not in {row.id.label for row in page.open}


def test_questions_are_counted_to_the_last(sample: ReportView) -> None:
    said = " ".join(content(sample, "coverage").lead)
    assert "Of 84 questions: 71 answered, 5 answered “unknown”, 3 not applicable, 5 not answered yet." in said


def test_only_the_sections_asked_for_and_no_link_into_others() -> None:
    built = build(factory.sample(), sections=["summary", "plan"])
    assert [section["id"] for section in built.sections] == ["summary", "plan"]
    assert [section["number"] for section in built.sections] == ["1", "2"]
    assert {reason.id.anchor for reason in content(built, "summary").reasons} == {""}
    with pytest.raises(InterlockError, match="no section 'nonsense'"):
        build(factory.sample(), sections=["nonsense"])


def test_patterns_that_hold_are_told_and_those_that_may_are_not_claimed(sample: ReportView) -> None:
    (entry,) = content(sample, "patterns").entries
    assert [link.label for link in entry.where] == ["Lakeshore Health System"]
    assert entry.messages == ("The issuer is elsewhere.",)
    assert entry.owner == "Product team" and entry.cites
    (maybe,) = content(sample, "patterns").undecided
    assert (maybe.id, maybe.detail) == ("PAT-002", "harborview was not observed.")
    assert (
        "Of 3 patterns known from earlier integrations, 1 holds here, and of 1 other"
        in content(sample, "patterns").lead
    )


def test_nothing_at_all_is_a_whole_report_too() -> None:
    built = build(factory.minimal(), observations={})
    assert "No organisation has been added yet" in content(built, "summary").lead[0]
    assert content(built, "plan").forecasts == ()
    assert content(built, "graph").picture is None
    assert content(built, "gaps").groups == () and content(built, "first").steps == ()
    assert content(built, "unknowns").lead == ("Every finding is decided.",)
    assert content(built, "fit").tables == ()


def test_every_section_has_its_templates_and_no_template_is_left_over() -> None:
    folder = data_dir("reports") / "sections"
    assert len(set(view.SECTIONS)) == len(view.SECTIONS)
    assert {path.name for path in folder.iterdir() if path.is_file()} == {
        f"{name}.{medium}.j2" for name in view.SECTIONS for medium in ("html", "md")
    }
    assert {path.name for path in (folder / "brief").iterdir()} == {f"{name}.html.j2" for name in BRIEF}


def test_sixty_organisations_stay_countable() -> None:
    built = build(factory.large(), observations={})
    assert [len(table.organizations) for table in content(built, "fit").tables] == [6] * 10
    assert "columns 1 to 6 of 60" in content(built, "fit").tables[0].caption
    assert len(content(built, "glance").rows) == 60
    assert "nearest to the root causes" in content(built, "graph").note
    assert any(task.where == "10 of 60 organisations" for wave in content(built, "tasks").waves for task in wave.tasks)
