"""The page that an executive decides from: one page, in words, on every sample, and for many organisations."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from interlock.model.assessment import Assessment
from interlock.model.base import Owner, Recommendation, RuleOutcome, Severity, TaskState, VerdictValue
from interlock.model.rehearsal import ProductObservation, RehearsalOutcome, RehearsalResult, RehearsedApp
from interlock.model.routine import TaskStatus
from interlock.report import html, markdown, pdf, view
from interlock.report.elements import Brand, Shown
from interlock.report.sections.executive_words import board
from interlock.usecases.assess import assess
from interlock.usecases.load import Inputs
from interlock.usecases.report import PDF_SECTIONS
from tiers import LONG

TEMPLATES = [
    "auth-blocked", "blank", "ci-gate", "early", "fuzzy-contract", "outside-ehr", "ready", "sepsis", "too-early",
]  # fmt: skip
TODAY = date(2026, 11, 30)
LOOKED_UP = re.compile(
    r"\b[A-Z]{2,5}-\d{3}\b|\binterlock [a-z]|--[a-z]|https?:|sandbox:|\d+\.\d+\.\d+\.\d+"
    r"|\.(ya?ml|example|test|org|com)\b"
)


def executive(assessment: Assessment, inputs: Inputs) -> view.ReportView:
    return view.build(
        assessment,
        generated=TODAY.isoformat(),
        interlock_version="0",
        observations=inputs.observations,
        sections=("executive",),
    )


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    return [str(getattr(value, "value", ""))]


def has_one_form_of_date_and_share(assessment: Assessment, inputs: Inputs) -> None:
    """The whole body of the PDF, but for titles and addresses of references."""
    kept = tuple(name for name in PDF_SECTIONS if name != "references")
    built = view.build(
        assessment,
        generated=TODAY.isoformat(),
        interlock_version="0",
        observations=inputs.observations,
        sections=kept,
        brief=True,
    )
    page = re.sub(r"(?s)<(head|style|script|svg)\b.*?</\1>|<[^>]+>", " ", html.render(built, scripted=False))
    assert not re.findall(r".{30}\b20\d\d-\d\d-\d\d\b|.{30}\d[ \u00a0]%|.{30}\bper ?cent\b", page)
    assert not re.findall(r".{30}Does this hold\?", page)


#: Words of our own that a reader of this page alone cannot know, or that can be read in two ways.
OURS = re.compile(
    r"\bours\b|\bour (client|judgement)|\bauth\b|\bis through\b|others have still|Start here|\bas answered\b"
    r"|technical assessment|pilot's exit|\b0 of|\b[Mm]ap first|\bmapping\b|\blaunch\b|\bhardly\b|\bOur clinical lead"
)


def answers_five_questions(assessment: Assessment, shown: Shown) -> None:
    """Start where, what blocks the rest, when and how sure, at what cost, what to decide: each has its sentence."""
    where = "start at " in shown["headline"].lower() or shown["verdict"] == "Start nowhere yet"
    assert where or "No organisation has been added" in shown["headline"], shown["headline"]
    assert shown["in_the_way"] or "blocker" in shown["no_blocker"]
    assert "in eight of ten simulated runs" in shown["dates"][0] or "no date" in shown["dates"][0]
    assert "person-days of the product team" in shown["cost"][0]
    verdict = assessment.verdict
    whole = verdict.settled and verdict.value is VerdictValue.INTEGRATE
    part = (not whole and (verdict.settled or verdict.settled_by)) or len(shown["organizations"]) > 1
    assert shown["cost"][1].startswith("Of that, ") == bool(part), shown["cost"]
    assert shown["cost"][-1].endswith("fees and licences are not in it.") or "nor are fees" in shown["cost"][-1]
    assert shown["decisions"][0]["what"].startswith("Today: ")
    unchecked = [own for own in assessment.readiness if own.recommendation is Recommendation.COULD_NOT_LOOK]
    assert any("server checked at" in row["what"] for row in shown["decisions"]) == bool(unchecked)
    owners = {owner.role: owner.name for owner in assessment.contract.owners} if assessment.contract else {}
    lead = owners.get("Product lead")
    assert shown["who_decides"].startswith(f"By the product lead ({lead})" if lead else "Nobody is named to decide: ")
    if assessment.plan.ground.dated:
        assert any(line.startswith("All dates assume that work begins on ") for line in shown["dates"])
        assert any(line.startswith("How long things take is ") for line in shown["dates"])
    dates = {row["who"]: row["span"] for row in shown["organizations"]}
    for own in assessment.readiness:
        sure = own.observed not in {"not_observed", "never_probed"} and whole
        sure = sure and own.recommendation is Recommendation.START
        span = dates.get({org.id: org.name for org in assessment.organizations}[own.org], "")
        assert bool(span) <= verdict.settled and (not span or span.endswith(", or later") != sure)


def adds_up_and_begins_once(assessment: Assessment, shown: Shown) -> None:
    """The rows make the sum, which is the plan's; the headline names the first of what is in the way; plain words."""
    whole = "\n".join(texts(shown))
    assert not OURS.search(whole), OURS.search(whole)
    said = "\n".join(texts({name: value for name, value in shown.items() if name != "meant"}))
    used = {term for term in ("Observation", "DocumentReference", "entered-in-error") if term in said}
    ours = ("Gate", "Blocker", "Contract", "EHR", "FHIR", "Registration", "Sign-in key", "Clinical owner", "SAFER")
    used |= {term for term in ours if re.search(rf"\b{term}", said, re.IGNORECASE)}
    assert {word.term for word in shown["meant"]} == used
    if shown["organizations"]:
        rows = [row["work"] for row in shown["organizations"]] + [shown["product_work"]]
        team = sum(int(row.replace(",", "")) for row in rows)
        assert f"about {team:,} person-day" in shown["cost"][0] and "sum of the table" in shown["cost"][0]
        left = [(task, 1.0 if task.chance is None else task.chance) for task in assessment.plan.left if task.effort]
        ours = sum(task.effort.mean * chance for task, chance in left if task.owner is Owner.US and task.effort)
        assert abs(team - ours) <= len(rows) / 2
    named = re.findall(r"“([^”]+)”", shown["headline"])
    if assessment.verdict.settled and assessment.verdict.value is not VerdictValue.INTEGRATE:
        first = [row["title"].removesuffix(".") for row in shown["in_the_way"]]
        assert named == first[: len(named)] and all(row["when"] for row in shown["in_the_way"])
    parts = re.search(r": (\d+) blockers? \((.+)\), each told in the report\.$", shown["all_blockers"])
    if parts:
        assert int(parts[1]) == sum(int(part.rpartition(" ")[2]) for part in parts[2].split("; "))
    elif shown["all_blockers"] == "":
        assert len(shown["in_the_way"]) <= 3


@pytest.mark.parametrize("template", TEMPLATES)
def test_it_has_words_alone_and_says_nothing_twice(
    template: str, inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> None:
    inputs, assessment = inputs_of(template), assessed(template)
    built = executive(assessment, inputs)
    said = [text for text in texts(built.sections[0]["content"]) if text]
    whole = "\n".join(said)
    assert not LOOKED_UP.search(whole), LOOKED_UP.search(whole)
    slugs = set(inputs.content.items) | {org.id for org in inputs.organizations}
    assert not [slug for slug in slugs if re.search(rf"(?<![\w-]){re.escape(slug)}(?![\w-])", whole)]
    sentences = [sentence for text in said for sentence in re.split(r"(?<=[.!?]) ", text) if len(sentence) > 60]
    assert [sentence for sentence, times in Counter(sentences).items() if times > 1] == []
    assert built.sections[0]["number"] == "1"
    if LONG or template == "sepsis":
        has_one_form_of_date_and_share(assessment, inputs)
    answers_five_questions(assessment, built.sections[0]["content"])
    first = next((thing for thing in assessment.plan.first if thing.argues), None)
    if first is not None and assessment.verdict.settled and first.kind == "gap":
        assert built.sections[0]["content"]["first"].casefold().count(board(first.task).removesuffix(".").casefold())
    adds_up_and_begins_once(assessment, built.sections[0]["content"])
    headings = re.findall(r"^### (.+)$", markdown.render(built), re.MULTILINE)
    assert headings[:2] == ["Clinical safety", "First"] and {"When", "In the way", "Not known"} <= set(headings)


def test_it_tells_recommendation_decision_blockers_dates_cost_and_safety(
    inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> None:
    inputs = inputs_of("sepsis")
    shown = executive(assessed("sepsis"), inputs).sections[0]["content"]
    assert [row["recommendation"] for row in shown["organizations"]] == [
        "Start",
        "Prepare first",
        "Prepare first",
        "Check first",
    ]
    assert all(row["span"] for row in shown["organizations"])
    assert shown["verdict"] == "Integrate, at 1 of 4 organisations"
    assert shown["headline"] == (
        "Start at Riverside Regional Medical Center. "
        "Not yet at Harborview Clinics, Lakeshore Health System and Pinecrest Community Hospital."
    )
    assert re.fullmatch(
        r"Left to do at Riverside Regional Medical Center, in this order: .+ \(the organisation\); "
        r"begin in the pilot unit \(the product team\)\.",
        shown["first"],
    )
    assert shown["decisions"][0]["what"] == (
        "Today: start at Riverside Regional Medical Center, and nowhere else until what is open at the others is "
        "closed. Have the EHR's server checked at Harborview Clinics."
    )
    assert shown["who_decides"] == (
        "By the product lead (Maya Okafor) if nobody is named. 1 later one is in the report."
    )
    assert shown["decisions"][1]["where"] == "Lakeshore Health System"
    assert "Choose: opening the product outside the EHR there, or" in shown["decisions"][1]["what"]
    assert re.match(
        r"Clinicians, the first about \w+ \d{4}: decision-support committee \(all 4\), ",
        shown["approvals"][0],
    )
    assert shown["approvals"][1].startswith("Others, the first about ") and "privacy office" in shown["approvals"][1]
    assert {row["known"] for row in shown["in_the_way"]} == {"the team's answer, not verified"}
    assert shown["known"] == "Source of all: the team's answer, not verified."
    assert [row["where"] for row in shown["in_the_way"]] == [
        "Lakeshore Health System and Pinecrest Community Hospital"
    ] * 3
    assert re.fullmatch(
        r"Open in all, up to the pilot gate: \d+ blockers \(Pinecrest Community Hospital \d+; "
        r"Lakeshore Health System \d+\), each told in the report\.",
        shown["all_blockers"],
    )
    lakeshore = re.match(r"(\d+) blockers are open there, among them “", shown["organizations"][1]["because"])
    assert lakeshore and f"Lakeshore Health System {lakeshore[1]}" in shown["all_blockers"] and shown["closed"] == ""
    assert shown["organizations"][3]["because"].endswith(
        "Nobody has checked its EHR's server: which gate is met is the team's account."
    )
    assert shown["organizations"][0]["because"] == (
        "No blocker is open up to the pilot gate. Left are work and the decision-support committee's approval."
    )
    assert re.fullmatch(
        r"If all goes as assumed here, the pilot unit begins at the last of the 4 organisations \w+( \d{4})? to "
        r"\w+ \d{4} in eight of ten simulated runs of the plan \(.+\); otherwise later\.",
        shown["dates"][0],
    )
    assert shown["dates"][1] == "No date to promise: Harborview Clinics was never checked."
    assert "3 people work on it, every approval is given and every decision is yes." in shown["dates"][2]
    assert shown["dates"][-1] == "No date has in it what such a check may bring up."
    assert re.fullmatch(r"\d+ of them are blockers of the pilot gate if they turn out badly\.", shown["unknown"][1])
    assert shown["unknown"][2].startswith("By this report's rules the first step stays;")
    assert shown["unknown"][3] == "Not judged here: how often an output is wrong or missing."
    assert shown["safety"][0].value == "In use nowhere, by the team's own record."
    assert [row["stage"] for row in shown["organizations"]] == ["Pilot (not begun)", "Design", "Design", "Design"]
    riverside = shown["organizations"][0]["work"]
    assert shown["cost"][1] == (
        f"Of that, Riverside Regional Medical Center alone takes about {riverside} person-days."
    )
    assert re.search(
        r"\(\d+ to \d+ if every step takes its least or its most; planned with 3 people\)", shown["cost"][0]
    )
    assert shown["safety"][1].value.startswith("Bedside nurse")
    assert "entered-in-error" in shown["safety"][2].value


@pytest.mark.parametrize("template", ["early", "fuzzy-contract"])
def test_each_open_gap_of_clinical_safety_has_somebody_who_decides_it_and_a_month(
    template: str, inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> None:
    inputs, assessment = inputs_of(template), assessed(template)
    shown = executive(assessment, inputs).sections[0]["content"]
    gaps = {finding.rule for finding in assessment.findings if finding.outcome is RuleOutcome.GAP}
    safety = {"BND-004": "a medical device", "PROD-003": "how long it may wait", "WF-006": "when the output is wrong"}
    for rule in gaps & set(safety):
        (row,) = [row for row in shown["decisions"] if safety[rule] in row["what"]]
        assert re.search(r"[Aa]bout \w{3} \d{4}$", row["by"])
    assert gaps & set(safety)


@pytest.mark.parametrize("template", ["early", "fuzzy-contract", "outside-ehr"])
def test_how_much_of_the_work_waits_for_what_comes_first_is_told(
    template: str, inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]
) -> None:
    assessment = assessed(template)
    shown = executive(assessment, inputs_of(template)).sections[0]["content"]
    total, asked = (int(days) for days in re.findall(r"about (\d+) person-days", " ".join(shown["cost"]))[:2])
    today = shown["decisions"][0]["what"]
    told = re.search(
        r" Of the (\d+) person-days it takes (\d+)(?:;|,) (\d+) wait for it(?:, and (\d+) may go on meanwhile)?\.",
        today,
    )
    assert told and total == int(told[1]) == sum(int(part or 0) for part in told.groups()[1:]) and int(told[2]) == asked
    decided = assessment.verdict.value is not VerdictValue.DEFINE_CONTRACT
    assert shown["closed"].startswith("A blocker is due when the work on it ends;") is decided
    beyond = [line for line in shown["dates"] if line.startswith("The plan ends at the sandbox gate")]
    assert bool(beyond) is (template == "early")
    trial = "After that a trial outside the EHR decides whether it is integrated."
    assert (trial in shown["headline"]) is (template == "early")


def test_a_trial_outside_the_ehr_is_no_pilot_and_waits_for_the_privacy_office(
    inputs_of: Callable[[str], Inputs],
    assessed: Callable[[str], Assessment],
) -> None:
    inputs = inputs_of("outside-ehr")
    shown = executive(assessed("outside-ehr"), inputs).sections[0]["content"]
    assert shown["decisions"][1]["what"].startswith(
        "After the trial outside the EHR, decide by the criterion set before it"
    )
    trial = {pair.term: pair.value for pair in shown["safety"]}["The trial outside the EHR"]
    assert "and the review board where it is research, have agreed." in trial
    assert "where it runs, which clinician answers for it, who reviews an output there, what becomes of" in trial
    assert {pair.term for pair in shown["safety"]} >= {
        "Later, in the EHR: who reviews an output",
        "Later, in the EHR: when an output is wrong",
        "Later, in the EHR: who switches it off",
    }
    assert "the trial outside the EHR succeeds" in "".join(shown["dates"])
    assert (
        shown["first"].startswith("Choose, with a clinician who answers for it, the simplest way")
        and "privacy office" in shown["first"]
    )
    assert " Then: give the intended role the output" in shown["first"]
    assert not [row for row in shown["decisions"] if "pilot" in row["what"]]


def test_what_is_in_use_is_said(inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment]) -> None:
    inputs = inputs_of("ready")
    assessment = assessed("ready")
    begun = TaskStatus(status=TaskState.DONE, done="2026-11-02", by="Integration lead")
    tasks = tuple(
        task.model_copy(update={"progress": begun}) if task.id.startswith("us.launch@") else task
        for task in assessment.plan.tasks
    )
    plan = assessment.plan.model_copy(update={"tasks": tasks})
    shown = executive(assessment.model_copy(update={"plan": plan}), inputs).sections[0]["content"]
    assert shown["safety"][0].value == "In use at Northgate University Hospital."
    assert shown["organizations"][0]["stage"] == "Pilot (in use)"


def test_without_organisations_there_is_no_date_and_without_contract_no_safety(
    inputs_of: Callable[[str], Inputs],
    assessed: Callable[[str], Assessment],
) -> None:
    inputs = inputs_of("blank")
    assessment = assessed("blank")
    shown = executive(assessment.model_copy(update={"contract": None}), inputs).sections[0]["content"]
    assert shown["dates"] == ("There is no date yet: no organisation has been added.",)
    assert shown["safety"][1].value == "There is no workflow contract yet, so nothing of it is agreed."
    assert len(shown["safety"]) == 2
    assert shown["first"].startswith("Have the 22 questions answered on which it depends what comes next")
    assert shown["decisions"][0]["what"].startswith("Today: name who answers what is open")
    assert shown["cost"][0].startswith("For the product alone") and "finding out what comes next" in shown["cost"][1]
    assert shown["headline"].startswith(
        "What comes next is not decided: anything from “product first” to “integrate” is possible"
    )
    assert shown["no_blocker"].endswith("; what is not known may be one.")


def sheets(built: view.ReportView, file: Path) -> int:
    """How many sheets of paper it has, the cover included."""
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)
    if shutil.which("pdfinfo") is None:
        pytest.skip("pdfinfo is not installed")
    file.write_bytes(pdf.render(html.render(built)))
    info = subprocess.run(["pdfinfo", file], capture_output=True, check=True, text=True).stdout
    return int(info.partition("Pages:")[2].split()[0])


@pytest.mark.parametrize("template", TEMPLATES if LONG else ["sepsis", "auth-blocked"])
def test_it_is_one_page_of_paper(
    template: str, inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment], tmp_path: Path
) -> None:
    inputs = inputs_of(template)
    built = executive(assessed(template), inputs)
    papers = ("a4", "letter") if LONG or template == "sepsis" else ("a4",)
    for paper in papers:
        assert sheets(replace(built, brand=Brand(paper=paper)), tmp_path / "page.pdf") == 2, "the cover, and one page"


def rehearsed(inputs: Inputs) -> Assessment:
    """With a rehearsal in which the viewer and the filter showed a record without a session."""
    broke = [
        RehearsalResult(
            id="RH-E01",
            outcome=RehearsalOutcome.BROKE,
            severity=Severity.CRITICAL,
            title="Without a session no endpoint shows a record",
            subject=f"/{about}",
            about=about,
            seen="without a session it shows a record",
            requests=(1,),
        )
        for about in ("viewer", "filter")
    ]
    rehearsal = ProductObservation(
        app=RehearsedApp(launch_url="http://127.0.0.1:8000/launch"),
        started=datetime(2026, 11, 30, tzinfo=UTC),
        elapsed_ms=1,
        driver="http",
        layout="addresses",
        organizations=("north", "south"),
        polite=True,
        results=tuple(broke),
    )
    return assess(replace(inputs, rehearsal=rehearsal), today=TODAY, runs=200)


def test_what_a_rehearsal_broke_leaves_it_one_page(inputs_of: Callable[[str], Inputs], tmp_path: Path) -> None:
    """It names what is open in the product, and what holds the nearest organisation back."""
    inputs = inputs_of("sepsis")
    built = executive(rehearsed(inputs), inputs)
    assert "Seen to be wrong in a rehearsal" in {pair.term for pair in built.sections[0]["content"]["safety"]}
    for paper in ("a4", "letter"):
        assert sheets(replace(built, brand=Brand(paper=paper)), tmp_path / "page.pdf") == 2, "the cover, and one page"


def test_a_gap_that_a_rehearsal_showed_leads_there_before_the_answer(inputs_of: Callable[[str], Inputs]) -> None:
    inputs = inputs_of("sepsis")
    built = view.build(
        rehearsed(inputs),
        generated=TODAY.isoformat(),
        interlock_version="0",
        observations=inputs.observations,
        sections=("gaps", "rehearsal", "answers"),
    )
    gaps = markdown.render(built).partition("END-005 The viewer opens data")[2].partition("####")[0]
    assert re.search(
        r"- \[Observed in the rehearsal on 30 Nov 2026: Knowing the address \(RH-E01\)\. That is judged, and not the "
        r"answer:\]\(#rehearsal-1\)\n- \[.+ Answered: ",
        gaps,
    ), gaps


def test_fifty_two_organisations_have_one_page_too(
    inputs_of: Callable[[str], Inputs], assessed: Callable[[str], Assessment], tmp_path: Path
) -> None:
    inputs = inputs_of("sepsis")
    one = assessed("sepsis")
    copies = [one, *(of_district(one, number) for number in range(12))]
    plans = [copy.plan for copy in copies]
    many = one.model_copy(
        update={
            **{
                name: tuple(each for copy in copies for each in getattr(copy, name))
                for name in ("organizations", "readiness", "findings")
            },
            "plan": one.plan.model_copy(
                update={
                    name: tuple(each for plan in plans for each in getattr(plan, name)) for name in ("orgs", "tasks")
                }
            ),
        }
    )
    built = executive(many, inputs)
    shown = built.sections[0]["content"]
    assert [row["who"].partition(" ")[0] for row in shown["organizations"]] == ["13", "26", "13"]
    assert re.search(r"committee \(\d+ of 52\)", shown["approvals"][0])
    assert sheets(built, tmp_path / "page.pdf") == 2


def of_district(assessment: Assessment, number: int) -> Assessment:
    """The same organisations under other names, with what is found, planned and recommended there; nothing else."""
    names = {org.id: f"{org.id}-{number}" for org in assessment.organizations}
    findings = [
        each.model_copy(update={"subject": each.subject.model_copy(update={"id": names[each.subject.id]})})
        for each in assessment.findings
        if each.subject.id in names
    ]
    tasks = [
        task.model_copy(update={"org": names[task.org], "id": f"{task.id.partition('@')[0]}@{names[task.org]}"})
        for task in assessment.plan.tasks
        if task.org
    ]
    orgs = [each.model_copy(update={"org": names[each.org]}) for each in assessment.plan.orgs]
    return assessment.model_copy(
        update={
            "organizations": tuple(
                org.model_copy(update={"id": names[org.id], "name": f"{org.name} of District {number}"})
                for org in assessment.organizations
            ),
            "readiness": tuple(own.model_copy(update={"org": names[own.org]}) for own in assessment.readiness),
            "findings": tuple(findings),
            "plan": assessment.plan.model_copy(update={"tasks": tuple(tasks), "orgs": tuple(orgs)}),
        }
    )
