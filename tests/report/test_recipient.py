"""A report for one recipient: its own dates and verdict, and nothing of any other organisation in any format."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from canaries import Search

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import CheckOutcome, Severity, Status, TaskState
from interlock.model.contract_parts import Approval, Channel, NeedHere
from interlock.model.errors import InterlockError
from interlock.model.evidence import EvidenceRecord
from interlock.model.hazard import HazardFigures
from interlock.model.observation import Check, CheckEvidence, Observation, RequestRecord, Target
from interlock.model.organization import Contact, Freeze, Organization
from interlock.model.rehearsal import ProductObservation, RehearsalOutcome, RehearsalResult, RehearsedApp, TapeLine
from interlock.model.response import Response
from interlock.model.routine import TaskStatus
from interlock.report import html
from interlock.usecases import work
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.recipient import SOMEBODY_ELSE, for_recipient
from interlock.usecases.report import PDF_SECTIONS, Format, report_view, write_report
from tiers import LONG

DAY = date(2026, 11, 30)
OTHERS = re.compile("harborview|pinecrest|riverside regional", re.IGNORECASE)
CANARY = "Qzx"


def observed(org: str, canary: str) -> Observation:
    asked = RequestRecord(
        method="GET", url=f"https://{canary}.example/metadata", status=200, elapsed_ms=1, bytes=9,
        sha256=hashlib.sha256(canary.encode()).hexdigest(), detail=canary, headers={"server": canary},
    )  # fmt: skip
    check = Check(
        id="CAP-001", title=f"{canary} check", outcome=CheckOutcome.FAIL, severity=Severity.HIGH,
        message=f"{canary} lacks", evidence=(CheckEvidence(url=asked.url, pointer=f"/{canary}"),),
    )  # fmt: skip
    return Observation(
        target=Target(base_url=f"https://{canary}.example", org=org, name=canary), vantage=canary,
        started=datetime(2026, 3, 17, tzinfo=UTC), elapsed_ms=1, outcome="partial", checks=(check,), requests=(asked,),
    )  # fmt: skip


def rehearsed(org: str, canary: Callable[[str], str]) -> ProductObservation:
    """A rehearsal whose simulated hospital is named after a real one."""
    seen = canary("seen in the rehearsal")
    broke = RehearsalResult(
        id="RH-L07", outcome=RehearsalOutcome.BROKE, severity=Severity.CRITICAL, title="A look-alike is refused",
        organization=org, subject=f"/{canary('path')}", seen=seen, requests=(1,),
    )  # fmt: skip
    line = TapeLine(number=1, at=0.5, by="app", where=org, role="token", method="POST", path=f"/{seen}")
    return ProductObservation(
        app=RehearsedApp(launch_url="http://127.0.0.1:8000/launch"), started=datetime(2026, 11, 28, tzinfo=UTC),
        elapsed_ms=900, driver="http", layout="addresses", organizations=(org,), polite=True, results=(broke,),
        tape=(line,),
    )  # fmt: skip


def with_stranger(inputs: Inputs) -> tuple[Inputs, dict[str, str]]:
    """The inputs with one more organisation that has a canary in each of its fields, and with its name elsewhere."""
    canaries: dict[str, str] = {}

    def canary(field: str) -> str:
        return canaries.setdefault(field, f"{CANARY}{hashlib.sha256(field.encode()).hexdigest()[:9]}")

    org = canary("id").lower()
    canaries["id"] = org
    here = Contact(name=canary("contact"), role=canary("role"), email=f"{canary('mail')}@example.org")
    stranger = Organization(
        id=org, name=f"{canary('name')} Clinic", vendor="epic", fhir_base_url=f"https://{canary('host')}.example/r4",
        auth={"client_id_env": canary("variable")}, overrides={"risk_threshold": canary("setting")},
        contacts=(here, here.but(side="here", name=canary("ours"))), note=canary("note of its own"),
    )  # fmt: skip
    answer = Response(
        status=Status.ANSWERED, value="yes", note=canary("note"), by=canary("author"), assignee=canary("assignee"),
        at=datetime(2026, 3, 18, tzinfo=UTC), due="2026-03-19",
        documents=(EvidenceRecord(title=canary("title"), link=f"https://{canary('link')}.example", file=canary("file"),
                                  reviewer=canary("reviewer"), date="2026-03-16"),),
        others=(Response(status=Status.UNKNOWN, note=canary("other's note"), by=canary("other author")),),
    )  # fmt: skip
    answered = {item: answer.but(value=found.value) for item, found in inputs.answers("riverside").items()}
    tasks = {
        f"org.priority@{org}": TaskStatus(
            status=TaskState.DONE, begun="2026-01-05", done="2026-03-20", by=canary("task by"),
            owner=canary("task owner"), note=canary("task note"), documents=(EvidenceRecord(title=canary("proof")),),
        )
    }  # fmt: skip
    contract = inputs.contract
    assert contract is not None
    needs = contract.inputs
    other_need = needs[0].but(organizations=(org,), purpose=canary("purpose"))
    own_here = needs[1].but(here=(NeedHere(organization=org, query=(f"category={canary('query')}",)),))
    added = contract.but(
        inputs=(other_need, own_here, *needs[1:], needs[0].but(not_at=(org,))),
        channels=(*contract.channels, Channel(kind="hl7v2", message=canary("message"), organizations=(org,))),
        approvals=(
            *contract.approvals, Approval(by=canary("approver"), organization=org, date="2026-03-21", hash="a" * 64)
        ),
    )  # fmt: skip
    freeze = Freeze(first=date(2026, 12, 7), last=date(2027, 9, 26), org=org, reason=canary("freeze"))
    figures = HazardFigures(severity=4, by="Safety officer", date="2026-03-22", reason=f"Seen at {stranger.name}.")
    item, said = next((item, said) for item, said in inputs.product.items() if said.status is Status.ANSWERED)
    mentions = said.but(note=f"As at {stranger.name}, and at {stranger.id.upper()} too.")
    return (
        replace(
            inputs,
            settings=inputs.settings.but(freezes=(*inputs.settings.freezes, freeze)),
            organizations=(*inputs.organizations, stranger),
            product=dict(inputs.product) | {item: mentions},
            by_org=dict(inputs.by_org) | {org: answered},
            observations={org: observed(org, canary("observed")), "lakeshore": observed("lakeshore", "lakeside")},
            tasks=inputs.tasks | tasks,
            rehearsal=rehearsed(org, canary),
            figures={"HZ-10": figures},
            contract=added,
        ),
        canaries,
    )


def without_others(inputs: Inputs, seen: Inputs) -> Inputs:
    """A workspace that never had any organisation but Lakeshore, with the same words where one mentions another."""
    return replace(
        inputs,
        organizations=seen.organizations,
        product=seen.product,
        by_org=seen.by_org,
        settings=inputs.settings.but(freezes=()),
        observations={"lakeshore": observed("lakeshore", "lakeside")},
        tasks={
            task: status
            for task, status in inputs.tasks.items()
            if task.partition("@")[2] in {"", "lakeshore", "vendor:oracle"}
        },
        contract=seen.contract,
        rehearsal=seen.rehearsal,
        figures=seen.figures,
    )


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return load_inputs(initialize(tmp_path_factory.mktemp("alone") / "ws", "sepsis"))


@pytest.fixture(scope="module")
def own(inputs: Inputs) -> Assessment:
    return assess(for_recipient(inputs, "lakeshore"), today=DAY, runs=200)


def test_nothing_of_a_stranger_is_in_any_format(inputs: Inputs, tmp_path: Path) -> None:
    whole, canaries = with_stranger(inputs)
    narrowed = for_recipient(whole, "lakeshore")
    formats: tuple[Format, ...] = ("md", "html", "json", "xlsx", "docx", "csv", "sarif", "pdf")
    assessment = assess(narrowed, today=DAY, runs=100)
    write_report(assessment, narrowed, tmp_path, formats[:-1])
    if LONG:
        write_report(assessment, narrowed, tmp_path / "pdf", ("pdf",))
    else:  # the page that a PDF is laid out from
        page = html.render(report_view(assessment, narrowed, "2026-11-30", PDF_SECTIONS, brief=True))
        (tmp_path / "page.html").write_text(page)
    search = Search((tmp_path,))
    search.add_all(canaries | {name: value.lower() for name, value in canaries.items() if name == "host"})
    assert search.check() >= 29 * 11  # fields and files
    text = (tmp_path / "report.md").read_text()
    assert f"As at {SOMEBODY_ELSE}, and at {SOMEBODY_ELSE} too" in text
    for told in ("17 Mar 2026", "18 Mar 2026", "19 Mar 2026", "20 Mar 2026", "21 Mar 2026", "26 Sep 2027"):
        assert (told == "17 Mar 2026") == (told in text), told  # its own observation is of that day
    names = [path.name for path in tmp_path.rglob("*") if CANARY.casefold() in path.name.casefold()]
    assert names == []


def test_the_same_bytes_as_where_there_never_was_another(inputs: Inputs, tmp_path: Path) -> None:
    """Counts, dates and hashes too: whatever others have, the report is the same."""
    whole, _ = with_stranger(inputs)
    alone = without_others(inputs, for_recipient(whole, "lakeshore"))
    for name, one in (("many", whole), ("one", alone)):
        narrowed = for_recipient(one, "lakeshore")
        write_report(assess(narrowed, today=DAY, runs=100), narrowed, tmp_path / name, ("md", "html", "json", "xlsx"))
    for path in (tmp_path / "many").iterdir():
        assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes(), path.name


def test_it_says_for_whom_it_is_and_the_whole_one_too(inputs: Inputs, own: Assessment, tmp_path: Path) -> None:
    narrowed = for_recipient(inputs, "lakeshore")
    (path,) = write_report(own, narrowed, tmp_path, ("md",))
    text = path.read_text()
    assert "| For | Lakeshore Health System alone |" in text and words.DATES_ALONE.partition(": ")[2][1:] in text
    assert OTHERS.findall(text) == [] and "four organisations" not in text
    assert json.loads(own.model_dump_json())["recipient"] == "lakeshore"
    whole = assess(inputs, today=DAY, runs=100)
    (path,) = write_report(whole, inputs, tmp_path, ("xlsx",), sections=("summary",))
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as book:
        assert "All organisations: for the product team" in book.read("xl/sharedStrings.xml").decode()


def test_its_plan_of_action_and_calendar_are_its_own_too(own: Assessment) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    for text in (work.poam(own, now=now), work.calendar(own, now=now)):
        assert OTHERS.findall(text) == [] and "Lakeshore Health System" in text and "Every organisation" not in text


def test_the_contract_is_its_own_part_with_the_hash_of_that(inputs: Inputs) -> None:
    whole, _ = with_stranger(inputs)
    assert whole.contract is not None and inputs.contract is not None
    agreed = Approval(by="Ada", organization=None, date="2026-11-01", hash=whole.contract.hash)
    whole = replace(whole, contract=whole.contract.but(approvals=(agreed, agreed.but(hash="b" * 64))))
    contract = for_recipient(whole, "lakeshore").contract
    assert contract is not None and contract.hash != whole.contract.hash
    assert [approval.hash for approval in contract.approvals] == [contract.hash, "0" * 64]


def test_an_id_that_is_a_word_of_ours_takes_nothing_away(inputs: Inputs) -> None:
    """Organisations may be called as a status, a resource or a part of one's own name is."""
    others = [Organization(id=name, name=name) for name in ("answered", "patient", "lake", "health", "yes", "pilot")]
    narrowed = for_recipient(replace(inputs, organizations=(*inputs.organizations, *others)), "lakeshore")
    assert narrowed.organizations[0].name == "Lakeshore Health System"
    assert narrowed.settings.target_gate is inputs.settings.target_gate
    assert inputs.contract is not None and narrowed.contract is not None
    assert {need.resource for need in narrowed.contract.inputs} <= {need.resource for need in inputs.contract.inputs}
    assert {r.status for r in narrowed.product.values()} == {r.status for r in inputs.product.values()}


def test_every_organisation_can_have_one(inputs: Inputs) -> None:
    for organization in inputs.organizations:
        narrowed = assess(for_recipient(inputs, organization.id), today=DAY, runs=100)
        assert [forecast.org for forecast in narrowed.plan.orgs] == [organization.id]
        assert narrowed.plan.finish == narrowed.plan.orgs[0].finish


def test_each_part_of_a_workspace_is_narrowed_and_in_the_manifest() -> None:
    """A new field of the inputs belongs into ``for_recipient`` and ``parts_of``, and then into this list."""
    narrowed = {"settings", "organizations", "product", "by_org", "contract", "observations", "tasks", "figures"}
    narrowed |= {"rehearsal"}
    neither = {"content", "root", "today", "past", "recipient", "product_version", "product_commit"}
    assert {field.name for field in fields(Inputs)} == narrowed | neither


def test_one_that_is_not_there_is_refused(inputs: Inputs) -> None:
    with pytest.raises(InterlockError, match="no organisation 'nowhere'"):
        for_recipient(inputs, "nowhere")
