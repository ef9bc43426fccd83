"""The workbook: its sheets and the kinds of their cells, hostile text, and the same bytes twice.

Read back with nothing but a zip and an XML reader, so that what is proved is what stands in the file.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from xml.etree import ElementTree

import assessment_factory as factory
import pytest

from interlock.model.assessment import Assessment, GivenAnswer
from interlock.model.base import CheckOutcome, Evidence, Grade, Reference, Status
from interlock.model.errors import InterlockError
from interlock.model.evidence import EvidenceRecord
from interlock.model.observation import CheckEvidence, Observation
from interlock.model.response import Response
from interlock.report import xlsx
from interlock.report.xlsx import book as workbook
from interlock.report.xlsx.book import cell_text

pytestmark = pytest.mark.fast

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
PART = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
EPOCH = datetime(1899, 12, 30)
HOSTILE = (
    '=HYPERLINK("https://evil.example","pay")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1,1)",
    "{=1+1}",
    "https://evil.example/x",
    "mailto:someone@evil.example",
    "internal:'Gaps'!A1",
    "12345",
    "1e9",
    "_x0041_ and _x001B_",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "a\x00b\ufffec",
    "right\u202eto left",
    "lone \ud800 surrogate",
    "<b>&amp;</b> ]]> <!--",
    "line\r\n=1+1",
)


class Cell(NamedTuple):
    """``kind`` is the file's: ``s`` text, ``n`` number (dates too); ``shown`` is the number format."""

    value: str | float | None
    kind: str
    shown: str


class Sheet(NamedTuple):
    rows: list[dict[str, Cell]]
    xml: str

    def table(self, head: str) -> list[dict[str, Cell]]:
        """Rows below the header whose first cell says ``head``, by the header's words, up to an empty row."""
        top = next(index for index, row in enumerate(self.rows) if row.get("A") and row["A"].value == head)
        heads = {column: str(cell.value) for column, cell in self.rows[top].items()}
        cells = []
        for row in self.rows[top + 1 :]:
            if not row:
                break
            cells.append({heads[column]: cell for column, cell in row.items()})
        return cells


def workbook_bytes(
    assessment: Assessment | None = None,
    observations: Mapping[str, Observation] | None = None,
    **options: object,
) -> bytes:
    return xlsx.render(
        assessment or factory.sample(),
        factory.observations() if observations is None else observations,
        interlock_version="1.2.3",
        **options,  # type: ignore[arg-type]
    )


def read(data: bytes) -> dict[str, Sheet]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    strings = [
        re.sub(
            "_x([0-9a-fA-F]{4})_",
            lambda escaped: chr(int(escaped[1], 16)),
            "".join(text.text or "" for text in item.iter(f"{MAIN}t")),
        )
        for item in ElementTree.fromstring(files["xl/sharedStrings.xml"])
    ]
    styles = ElementTree.fromstring(files["xl/styles.xml"])
    codes = {int(node.get("numFmtId", "0")): node.get("formatCode", "") for node in styles.iter(f"{MAIN}numFmt")}
    formats = [codes.get(int(node.get("numFmtId", "0")), "") for node in styles.find(f"{MAIN}cellXfs") or ()]
    relations = {
        node.get("Id"): node.get("Target", "") for node in ElementTree.fromstring(files["xl/_rels/workbook.xml.rels"])
    }
    book = ElementTree.fromstring(files["xl/workbook.xml"])
    sheets = {}
    for sheet in book.iter(f"{MAIN}sheet"):
        text = files["xl/" + relations[sheet.get(f"{PART}id")]]
        rows: list[dict[str, Cell]] = []
        for row in ElementTree.fromstring(text).iter(f"{MAIN}row"):
            rows += [{} for _ in range(int(row.get("r", "0")) - len(rows) - 1)]
            rows.append({})
            for cell in row:
                column = (cell.get("r") or "").rstrip("0123456789")
                value, kind = cell.findtext(f"{MAIN}v"), cell.get("t", "n")
                shown = formats[int(cell.get("s", "0"))]
                content = None if value is None else strings[int(value)] if kind == "s" else float(value)
                rows[-1][column] = Cell(content, kind, shown)
        sheets[sheet.get("name", "")] = Sheet(rows, text)
    return sheets


def day(cell: Cell) -> date:
    assert cell.kind == "n" and "yyyy" in cell.shown
    return (EPOCH + timedelta(days=float(cell.value or 0))).date()


@pytest.fixture(scope="module")
def book() -> dict[str, Sheet]:
    return read(workbook_bytes())


def test_sheets_in_order(book: dict[str, Sheet]) -> None:
    assert list(book) == [
        "Summary",
        "Gaps",
        "Questions open",
        "Hazards",
        "Plan",
        "Fit",
        "Probe findings",
        "Answers",
        "Requests",
        "Statements",
        "Method",
        "Sources",
    ]


def test_every_sheet_keeps_its_first_row_filters_and_prints_on_pages(book: dict[str, Sheet]) -> None:
    for name, sheet in book.items():
        pane = re.search(r"<pane [^>]*>", sheet.xml)
        assert pane and 'ySplit="1"' in pane[0] and 'state="frozen"' in pane[0], name
        assert "<autoFilter " in sheet.xml, name
        assert 'orientation="landscape"' in sheet.xml and 'fitToHeight="0"' in sheet.xml, name
        assert "<fitToPage" in sheet.xml or 'fitToPage="1"' in sheet.xml, name
        assert 'customWidth="1"' in sheet.xml, name
    with zipfile.ZipFile(io.BytesIO(workbook_bytes())) as archive:
        titles = re.findall(r"_xlnm.Print_Titles[^>]*>([^<]*)<", archive.read("xl/workbook.xml").decode())
        styles = archive.read("xl/styles.xml").decode()
    assert len(titles) == len(book) and all(title.endswith("!$1:$1") for title in titles)
    assert 'wrapText="1"' in styles


def test_the_filter_spans_the_whole_table(book: dict[str, Sheet]) -> None:
    gaps = book["Gaps"]
    last = len(gaps.rows)
    assert f'<autoFilter ref="A1:S{last}"' in gaps.xml


def test_a_gap_has_everything_that_a_project_manager_asks_for(book: dict[str, Sheet]) -> None:
    rows = book["Gaps"].table("Rank")
    open_findings = [finding for finding in factory.FINDINGS if finding.outcome.value == "gap"]
    assert len(rows) == len(open_findings)
    assert [row["Rank"].value for row in rows] == [float(rank) for rank in range(1, len(rows) + 1)]
    row = next(other for other in rows if other["Id"].value == "AUTH-001")
    assert row["Organisation"].value == "Lakeshore Health System"
    assert row["Class"].value == "Integration blocker"
    assert row["Severity"].value == "Critical"
    assert row["Gate"].value == "Sandbox"
    assert row["Owner"].value == "EHR vendor"
    efforts = [row[f"Effort, {level} (person-days, judgement)"] for level in ("low", "expected", "high")]
    assert [(cell.value, cell.kind) for cell in efforts] == [(1.0, "n"), (2.0, "n"), (5.0, "n")]
    assert row["Status"].value == "Open, can start now"
    assert "registration has not been started" in str(row["What was found"].value)
    assert str(row["Why it matters"].value).startswith("Without a client id")
    assert str(row["What to do"].value).startswith("Register the client")
    assert row["Evidence"].value == "Observed"
    assert "45 CFR 170.404(b)(1)" in str(row["Sources"].value)
    assert "S20, S21" in str(row["Sources"].value)
    assert row["Lead time is judgement"].value == "No"  # a regulation's
    waits = next(
        other
        for other in rows
        if (other["Id"].value, other["Organisation"].value) == ("AUTH-003", row["Organisation"].value)
    )
    assert waits["Status"].value == "Open, waits for AUTH-001"
    assert waits["Lead time is judgement"].value == "Yes"
    assert rows[-1]["Id"].value == "SEC-009"
    assert rows[-1]["Status"].value == "Open, not needed for the pilot gate"


def test_what_is_undecided_is_a_question_and_never_a_gap(book: dict[str, Sheet]) -> None:
    rows = book["Questions open"].table("No.")
    assert len(rows) == sum(finding.outcome.value == "unknown" for finding in factory.FINDINGS)
    assert all(str(row["Question"].value).startswith("Does this hold?") for row in rows)
    unseen = [row for row in rows if row["Organisation"].value == "Harborview Clinics"]
    assert unseen
    for row in unseen:
        assert row["Whom to ask"].value == "Nobody: probe Harborview Clinics"
        assert str(row["Why nobody knows yet"].value).startswith("Not observed: connection timed out")
        assert "Observation: probe.smart" in str(row["What would decide it"].value)
        assert "missing" not in " ".join(str(cell.value) for cell in row.values()).lower()
    product = next(row for row in rows if row["Id"].value == "SES-002")
    assert product["Whom to ask"].value == "Product team"
    assert product["What would decide it"].value == "Answer: session.isolation"
    gaps = {(row["Id"].value, row["Organisation"].value) for row in book["Gaps"].table("Rank")}
    assert gaps.isdisjoint((row["Id"].value, row["Organisation"].value) for row in rows)


def test_the_plan_has_real_dates_and_names_what_is_judgement(book: dict[str, Sheet]) -> None:
    rows = book["Plan"].table("No.")
    assert len(rows) == len(factory.sample().plan.tasks)
    review = next(row for row in rows if row["Task"].value == "review.security@lakeshore")
    assert review["Predecessors"].value == "AUTH-003@lakeshore"
    assert review["Lead time: grade"].value == "Judgement"
    assert str(review["Lead time: source"].value).startswith("Judgement")
    assert day(review["Earliest start, P50"]) == date(2026, 12, 1)  # 60 working days after 8 September are over
    assert day(review["Finish, P50"]) == date(2027, 1, 13)
    assert "Finish, P80" in review
    assert day(review["Gate passed there, P90"]) == date(2027, 4, 16)
    assert review["Effort, low (person-days, judgement)"].value is None
    cited = next(row for row in rows if row["Task"].value == "AUTH-001@lakeshore")
    assert cited["Lead time: grade"].value == "Regulation"
    assert re.fullmatch(r"\[\d+\] https://www\.ecfr\.gov/\S+", str(cited["Lead time: source"].value))
    assert [cited[f"Lead time, {level}"].value for level in ("low", "expected", "high")] == [1.0, 10.0, 15.0]
    assert cited["Lead time is in"].value == "working days"
    assert cited["On the critical path (share of runs)"] == Cell(0.73, "n", "0.0%")


def test_holidays_move_the_plans_dates() -> None:
    rows = read(workbook_bytes(holidays=[date(2026, 12, 1)]))["Plan"].table("No.")
    review = next(row for row in rows if row["Task"].value == "review.security@lakeshore")
    assert day(review["Earliest start, P50"]) == date(2026, 12, 2)


def test_the_summary_says_how_sure_it_is(book: dict[str, Sheet]) -> None:
    facts = {str(row["What"].value): row for row in book["Summary"].table("What")[:25]}
    assert facts["Verdict"]["Value"].value == "Not decided"
    assert facts["How sure"]["Value"].value == "Not decided"
    assert facts["Product’s own score, verified so far"]["Value"].value == 64
    assert facts["Product’s own score, at best"]["Value"].value == 71
    passed = facts["All pass the pilot gate"]
    assert passed["Value"].value == "1 Mar 2027 to 11 Jun 2027"
    assert "not a date to promise" in str(passed["What it means"].value)
    assert facts["Harborview Clinics"]["Value"].value == "Not observed"
    assert "we could not look" in str(facts["Not observed"]["What it means"].value)
    rows = {str(row["Organisation"].value): row for row in book["Summary"].table("Organisation")}
    harbor = rows["Harborview Clinics"]
    assert harbor["Observed"].value == "Not observed"
    assert "connection timed out" in str(harbor["How sure"].value)
    assert harbor["Stage reached"].value == "Design"
    assert harbor["Stage if what is undecided holds"].value == "Pilot"
    assert harbor["Score verified so far (of 100)"] == Cell(28.0, "n", "0.0")
    assert harbor["Score at best (of 100)"].value == 69
    assert harbor["Confidence (share)"] == Cell(0.33, "n", "0.0%")
    assert harbor["Observed at (UTC)"].value is None
    observed_at = rows["Lakeshore Health System"]["Observed at (UTC)"]
    assert observed_at.shown == "d mmm yyyy hh:mm"
    moment = EPOCH + timedelta(days=float(observed_at.value or 0))
    assert abs(moment - datetime(2026, 9, 7, 9, 12, 4)) < timedelta(seconds=1)
    first = book["Summary"].table("What to do first")
    assert first[0]["What to do first"].value == "1. AUTH-001 Lakeshore Health System"
    assert first[0]["Working days off the P80s"].value == 12.8


def test_probe_findings_put_failures_first_and_call_the_unseen_not_observed(book: dict[str, Sheet]) -> None:
    rows = book["Probe findings"].table("Organisation")
    assert [row["Outcome"].value for row in rows] == ["Fail", "Warning", "Not observed", "Pass", "Pass"]
    failed, warned, unseen = rows[:3]
    assert failed["Check"].value == "CAP-007"
    assert failed["Address"].value == "https://ehr.pinecrest.example/fhir/stu3/metadata"
    assert failed["Pointer"].value == "/fhirVersion"
    assert "FHIR R4, CapabilityStatement" in str(failed["Reference"].value)
    assert warned["Severity of the check"].value == "Medium"
    assert unseen["Organisation"].value == "Harborview Clinics"
    assert "We could not look: connection timed out" in str(unseen["Message"].value)


def test_never_probed_is_said_so() -> None:
    sample = factory.sample()
    never = sample.readiness[3].model_copy(update={"observed": "never_probed", "not_observed_because": None})
    readiness = (*sample.readiness[:3], never)
    observations = {org: observation for org, observation in factory.observations().items() if org != "harborview"}
    book = read(workbook_bytes(sample.model_copy(update={"readiness": readiness}), observations))
    row = next(
        row for row in book["Probe findings"].table("Organisation") if row["Organisation"].value == "Harborview Clinics"
    )
    assert row["Outcome"].value == "Never probed"
    assert "it has not been probed yet" in str(row["Message"].value)


def test_every_source_that_is_cited_is_listed_with_who_cites_it(book: dict[str, Sheet]) -> None:
    sources = book["Sources"].table("No.")
    numbers = {int(float(row["No."].value or 0)) for row in sources}
    cited: set[int] = set()
    for name, column in (("Gaps", "S"), ("Gaps", "R"), ("Plan", "T"), ("Probe findings", "I")):
        for row in book[name].rows[1:]:
            cited |= {int(number) for number in re.findall(r"^\[(\d+)\]", str(row[column].value or ""), re.MULTILINE)}
    assert cited == numbers and numbers == set(range(1, len(numbers) + 1))
    rfc = next(row for row in sources if "RFC 7517" in str(row["Title"].value))
    assert rfc["Address"].value == factory.RFC7517.url
    assert rfc["Cited by"].value == "AUTH-003"


def hostile(text: str) -> tuple[Assessment, dict[str, Observation]]:
    """The sample with one text in every place that a server, a file or a person fills."""
    sample = factory.sample()
    observations = factory.observations()
    reference = Reference.trusted(title=text, url=text)
    check = (
        observations["pinecrest"]
        .checks[0]
        .but(
            title=text,
            message=text,
            outcome=CheckOutcome.FAIL,
            evidence=(CheckEvidence.trusted(url=text, pointer=text),),
            references=(reference,),
        )
    )
    target = observations["pinecrest"].target.but(base_url=text)
    observations["pinecrest"] = observations["pinecrest"].but(checks=(check,), target=target)
    lead = factory.JUDGED.but(source=text, grade=Grade.VENDOR, as_of=text)
    rules = {
        key: rule.but(
            title=text,
            why=text,
            references=(reference,),
            remediation=rule.remediation.but(text=text, lead_time=lead),
        )
        for key, rule in sample.rules.items()
    }
    return (
        sample.but(
            name=text,
            product=text,
            ruleset=text,
            organizations=tuple(org.but(name=text) for org in sample.organizations),
            rules=rules,
            findings=tuple(finding.but(message=text, detail=text, reads=(text,)) for finding in sample.findings),
            readiness=tuple(
                organization.but(
                    not_observed_because=text, observed_at=text, score=organization.score.but(caps=(text,))
                )
                for organization in sample.readiness
            ),
            verdict=sample.verdict.but(headline=text, next_step=text, counterfactual=text),
            plan=sample.plan.but(
                tasks=tuple(task.but(title=text, after=(text,), lead_time=lead) for task in sample.plan.tasks),
                first=tuple(step.but(action=text, because=text) for step in sample.plan.first),
            ),
        ),
        observations,
    )


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(text: str) -> None:
    data = workbook_bytes(*hostile(text))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        parts = {name: archive.read(name).decode() for name in names}
    for name, part in parts.items():
        ElementTree.fromstring(part)  # well formed: no control character, no lone surrogate
        assert "TargetMode" not in part, name
        assert "evil.example" not in part or name in {"xl/sharedStrings.xml", "docProps/core.xml"} or "Footer" in part
    assert not [name for name in names if "externalLink" in name or "connections" in name or "vba" in name.lower()]
    for sheet in read(data).values():
        assert "<f>" not in sheet.xml and "<f " not in sheet.xml and "<hyperlink" not in sheet.xml
        assert 't="str"' not in sheet.xml and 't="b"' not in sheet.xml and 't="e"' not in sheet.xml
        for row in sheet.rows:
            for cell in row.values():
                if cell.kind != "s":
                    continue
                value = str(cell.value)
                assert not value.startswith(("=", "+", "-", "@", "\t", "\r")), value
                assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff\ufffe\uffff]", value)
    titles = {str(row["Title"].value) for row in read(data)["Plan"].table("No.") if row["Kind"].value == "Gap"}
    (written,) = titles
    if text.startswith(("=", "+", "-", "@")):
        assert written == "'" + text
    elif text.isprintable():
        assert written == text


def test_a_product_name_cannot_write_codes_into_the_footer() -> None:
    sheet = read(workbook_bytes(factory.sample().but(product="A&D &B&R &[File]")))["Gaps"]
    footer = ElementTree.fromstring(sheet.xml).findtext(f".//{MAIN}oddFooter")
    assert footer == "&LA&&D &&B&&R &&[File]&C&A&RPage &P of &N"


@pytest.mark.parametrize("letter", ["x", "😀", "é"])
def test_a_cell_that_is_too_long_is_cut_and_says_so(letter: str) -> None:
    observations = factory.observations()
    long = letter * 40_000
    observations["pinecrest"] = observations["pinecrest"].but(
        checks=(observations["pinecrest"].checks[0].but(message=long),)
    )
    row = read(workbook_bytes(None, observations))["Probe findings"].table("Organisation")[0]
    message = str(row["Message"].value)
    units = len(message.encode("utf-16-le")) // 2
    assert 32_000 < units <= 32_767
    assert message.startswith(letter * 100)
    whole = len(f"{long}.".encode("utf-16-le")) // 2
    assert message.endswith(f"[cut: a cell holds 32,767 characters, the whole text has {whole:,}]")


def test_text_that_just_fits_is_whole() -> None:
    assert cell_text("x" * 32_767) == "x" * 32_767
    assert cell_text("😀" * 16_383) == "😀" * 16_383


def test_rows_that_do_not_fit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROW_LIMIT", 5)
    rows = read(workbook_bytes())["Gaps"].rows
    gaps = sum(finding.outcome.value == "gap" for finding in factory.FINDINGS)
    assert len(rows) == 5
    assert str(rows[-1]["A"].value) == f"{gaps - 3} more rows do not fit into a sheet and are left out here."


def test_the_same_assessment_gives_the_same_bytes() -> None:
    assessment = factory.sample().but(as_of="2026-09-08")
    first, second = workbook_bytes(assessment), workbook_bytes(assessment)
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        core = archive.read("docProps/core.xml").decode()
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert re.findall(r">(\d{4}-\d\d-\d\d)T00:00:00Z<", core) == ["2026-09-08", "2026-09-08"]
    assert str(datetime.now(UTC).year + 1) not in core


def test_sections_choose_the_sheets() -> None:
    assert list(read(workbook_bytes(sections=["gaps", "references"]))) == ["Gaps", "Sources"]
    assert list(read(workbook_bytes(sections=["tasks"]))) == ["Plan"]
    alone = read(workbook_bytes(sections=["summary"]))["Summary"]
    assert not [row for row in alone.rows if "see the sheet" in str(row.get("C", "")).lower()]
    glance = read(workbook_bytes(sections=["glance", "graph"]))
    assert list(glance) == ["Summary"]
    assert len(glance["Summary"].table("Organisation")) == 4
    assert "What to do first" not in {row["A"].value for row in glance["Summary"].rows if row}
    with pytest.raises(InterlockError, match="no sheet for the section graph and patterns") as caught:
        workbook_bytes(sections=["graph", "patterns"])
    assert "gaps" in (caught.value.remedy or "")


def test_nothing_open_and_nobody_there() -> None:
    book = read(workbook_bytes(factory.minimal(), {}))
    assert list(book) == [name for name in xlsx.SHEETS if name != "Changes"], "there is no milestone"
    facts = {str(row["What"].value): row for row in book["Summary"].table("What")}
    assert "Nothing is left to do" in str(facts["Plan"]["What it means"].value)
    assert [len(book[name].rows) for name in ("Gaps", "Questions open", "Plan", "Probe findings")] == [1, 1, 1, 1]


def test_numbers_that_are_none_and_days_before_spreadsheets_are_words() -> None:
    sample = factory.sample()
    score = sample.product_score.but(confidence=float("nan"))
    plan = sample.plan.but(start="1066-10-14")
    summary = read(workbook_bytes(sample.but(product_score=score, plan=plan)))["Summary"]
    facts = {row["A"].value: row["B"] for row in summary.rows if "B" in row}
    assert facts["Confidence"].value == "not known"
    assert facts["Plan starts on"] == Cell("1066-10-14", "s", facts["Plan starts on"].shown)


def test_answers_say_who_gave_them_when_and_what_supports_them() -> None:
    other = Response(status=Status.UNKNOWN, by="=Bob")
    response = Response(
        status=Status.ANSWERED,
        value="all_decided",
        evidence=Evidence.DOCUMENTED,
        documents=(EvidenceRecord(title="Report", reviewer="Eve", valid_until="2020-01-31"),),
        by="Ada <ada@example.org>",
        at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        assignee="Carol",
        due="2026-12-14",
        note="seen",
        others=(other,),
    )
    given = GivenAnswer(
        item="auth.path_matrix", scope="lakeshore", text="How?", said="All or unknown", response=response
    )
    (row,) = read(workbook_bytes(factory.sample().but(answers=(given,), as_of="2026-11-30")))["Answers"].table(
        "Asked of"
    )
    assert row["Asked of"].value == "Lakeshore Health System"
    assert (row["Answer"].value, row["Counts as"].value) == ("All or unknown", "Unknown")
    assert row["Evidence behind it"].value == "Document: Report; reviewed by Eve; expired on 31 Jan 2020"
    assert str(row["Who answered"].value).splitlines()[0] == "Ada <ada@example.org>"
    assert "=Bob" in str(row["Who answered"].value) and row["Who answered"].kind == "s"
    assert row["Answered at (UTC)"].kind == "n" and day(row["By"]) == date(2026, 12, 14)
    assert (row["Who owes it"].value, row["Note"].value) == ("Carol", "seen")
