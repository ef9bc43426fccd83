"""Nothing is lost on the way to a form and back, whatever was answered."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as QuestionnaireResponseResource
from forms_workspace import inputs_of, with_answers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.content.answer import parse_answer
from interlock.model.base import Evidence, EvidenceKind, Status
from interlock.model.errors import DocumentError, InterlockError
from interlock.model.evidence import EvidenceRecord
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import Response
from interlock.model.text import forbidden
from interlock.usecases.fhir_forms import export_forms
from interlock.usecases.fhir_import import plan_import
from interlock.usecases.form_import import FormsRefusedError
from interlock.usecases.load import Inputs
from tiers import rounds

ORGS = ("north", "south")
#: What can be stored: a character that is refused where text enters is in no answer.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"]).filter(lambda character: forbidden(character) is None)
PROSE = st.text(CHARACTERS | st.sampled_from("\n\t<&\"'|=@"), max_size=60)
LINKS = st.sampled_from(
    ["https://example.org/a?b=c#d", "http://Example.ORG:8080/x y", "binder 7, page 3", "docs/proof.pdf", "https://"]
)
URLS = st.sampled_from(["https://example.org", "http://example.org:8080/a%20b?c=d#e", "https://xn--grce-4qa.example/é"])
NAMES = PROSE.map(lambda text: " ".join(text.split())).filter(bool)
DAYS = st.dates(date(2020, 1, 1), date(2026, 1, 1)).map(str)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=0)
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs_of(tmp_path_factory.mktemp("round") / "w", *ORGS)


def values(item: Item) -> st.SearchStrategy[object]:
    options = [option.value for option in item.options]
    strategies: dict[ItemType, st.SearchStrategy[object]] = {
        ItemType.BOOLEAN: st.booleans(),
        ItemType.INTEGER: st.integers(
            item.min if item.min is not None else -(2**31), item.max if item.max is not None else 2**31 - 1
        ),
        ItemType.DATE: st.dates().map(str),
        ItemType.URL: URLS,
        ItemType.STRING: PROSE,
        ItemType.TEXT: PROSE,
    }
    if item.type is ItemType.CHOICE:
        return st.sampled_from(options)
    if item.type is ItemType.MULTI_CHOICE:
        return st.lists(st.sampled_from(options), min_size=1, unique=True)
    return strategies[item.type]


@st.composite
def responses(draw: st.DrawFn, item: Item) -> Response | None:
    statuses = [Status.UNANSWERED, Status.ANSWERED, Status.ANSWERED, Status.UNKNOWN]
    status = draw(st.sampled_from([*statuses, Status.NOT_APPLICABLE] if item.na == "with_reason" else statuses))
    if status is Status.UNANSWERED:
        return None
    value = None
    if status is Status.ANSWERED:
        try:
            value = parse_answer(item, draw(values(item)))  # type: ignore[arg-type]
        except InterlockError:  # such as text of spaces only
            return None
    reason = draw(PROSE.filter(str.strip)) if status is Status.NOT_APPLICABLE else None
    return Response(
        status=status,
        value=value,
        evidence=draw(st.sampled_from(Evidence)),
        reason=reason,
        note=draw(st.none() | PROSE.filter(bool)),
        at=draw(TIMES),
        **draw(st.sampled_from(BESIDE)),
    )


#: What may stand beside an answer; what each part may be is put to the test alone, below.
BESIDE: list[dict[str, Any]] = [
    {},
    {"by": "Ada Lake <ada@example.org>", "due": "2026-12-14"},
    {"assignee": "Bob & 'Eve'", "documents": (EvidenceRecord(link="binder 7, page 3"),)},
    {
        "by": "José",
        "documents": (
            EvidenceRecord(title="Second run", file="runs/march 7.pdf", reviewer="Eve", independent=True),
            EvidenceRecord(kind=EvidenceKind.TICKET, link="https://example.org/7", date="2026-03-01"),
        ),
    },
]


@st.composite
def evidence_records(draw: st.DrawFn) -> EvidenceRecord:
    """A piece of evidence, with and without link, file and title, but never without all three."""
    named = draw(
        st.fixed_dictionaries({}, optional={"title": NAMES, "link": LINKS, "file": st.just("runs/march 7.pdf")}).filter(
            bool
        )
    )
    first, last = sorted((draw(DAYS), draw(DAYS)))
    return EvidenceRecord(
        kind=draw(st.sampled_from(EvidenceKind)),
        reviewer=draw(st.none() | NAMES),
        independent=draw(st.booleans()),
        date=draw(st.none() | st.just(first)),
        valid_until=draw(st.none() | st.just(last)),
        **named,
    )


@st.composite
def answer_sets(draw: st.DrawFn, inputs: Inputs) -> dict[str, dict[str, Response]]:
    """Answers to the workspace's own questions, which are of all types, and to a few of the shipped ones."""
    items = inputs.content.items
    shipped = draw(st.sets(st.sampled_from([name for name in items if not name.startswith("zoo.")]), max_size=40))
    answered: dict[str, dict[str, Response]] = {}
    for item in items.values():
        if item.id in shipped or item.id.startswith("zoo."):
            for scope in ORGS if item.scope.value == "org" else ("product",):
                response = draw(responses(item))
                if response is not None:
                    answered.setdefault(scope, {})[item.id] = response
    return answered


def written(inputs: Inputs, folder: Path) -> tuple[list[Path], set[tuple[str, str]]]:
    """The response files of an export, and which answers it left out."""
    folder.mkdir(exist_ok=True)
    export = export_forms(inputs)
    paths = []
    for name, raw in export.files.items():
        if name.startswith("QuestionnaireResponse-"):
            (folder / name).write_bytes(raw)
            paths.append(folder / name)
    return paths, {(left.scope, left.item) for left in export.left}


def every(answers: dict[str, dict[str, Response]]) -> dict[tuple[str, str], Response]:
    return {(scope, item): response for scope, given in answers.items() for item, response in given.items()}


@settings(max_examples=rounds(12, 40), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_was_answered_comes_back_and_what_was_left_out_is_named(
    data: st.DataObject, inputs: Inputs, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stored = data.draw(answer_sets(inputs))
    full = with_answers(inputs, stored)
    paths, left = written(full, tmp_path_factory.mktemp("forms"))

    for path in paths:
        if "zoo" in path.name:
            QuestionnaireResponseResource.model_validate_json(path.read_bytes())

    empty = plan_import(with_answers(inputs, {}), paths)
    came_back = {(change.scope, change.item): change.after for change in empty.changes}
    assert came_back == {key: response for key, response in every(stored).items() if key not in left}
    assert left <= every(stored).keys(), "only what was stored can be left out"
    assert not any(change.hidden for change in empty.changes), "what is hidden was left out"

    again = plan_import(full, paths)
    assert again.changes == ()
    assert again.unchanged == len(came_back)
    assert {(kept.scope, kept.item) for kept in again.kept} == left, "nothing that a form leaves out is removed"


def test_a_form_that_brings_no_record_keeps_the_note_and_drops_evidence_for_another_answer(
    inputs: Inputs, tmp_path: Path
) -> None:
    beside = {"evidence": "observed", "note": "seen in March", "evidence_url": "https://example.org/x"}
    response = Response.model_validate({"status": "answered", "value": 3, "at": "2026-03-01T10:00:00Z"} | beside)
    stored = with_answers(inputs, {"product": {"zoo.integer": response}})
    paths, _ = written(stored, tmp_path)
    (path,) = [path for path in paths if path.name == "QuestionnaireResponse-zoo.product.json"]
    document = json.loads(path.read_text())
    (item,) = document["item"]
    del item["extension"]
    path.write_text(json.dumps(document))
    assert plan_import(stored, [path]).changes == ()

    item["answer"][0]["valueInteger"] = 4
    path.write_text(json.dumps(document))
    planned = plan_import(stored, [path])
    (change,) = planned.changes
    assert (change.after.value, change.after.note) == (4, "seen in March")
    assert (change.after.evidence, change.after.link) == (Evidence.ASSERTED, None)
    assert any("zoo.integer" in remark for remark in planned.remarks)


@settings(
    max_examples=rounds(20, 60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(records=st.lists(evidence_records(), max_size=3), by=NAMES, assignee=st.none() | NAMES, due=st.none() | DAYS)
def test_all_that_stands_beside_an_answer_comes_back(
    inputs: Inputs, tmp_path: Path, records: list[EvidenceRecord], by: str, assignee: str | None, due: str | None
) -> None:
    fields = {"documents": tuple(records), "by": by, "assignee": assignee, "due": due, "at": "2026-03-01T10:00:00Z"}
    stored, path = one_answer(inputs, tmp_path, **fields)
    QuestionnaireResponseResource.model_validate_json(path.read_bytes())
    assert plan_import(stored, [path]).changes == ()
    (change,) = plan_import(with_answers(inputs, {}), [path]).changes
    assert change.after == stored.product["zoo.integer"]


def brought(path: Path, **changes: object) -> None:
    """Change parts of the only answer's record in a written response."""
    document = json.loads(path.read_text())
    parts = document["item"][0]["extension"][0]["extension"]
    for part in parts:
        for name, value in changes.items():
            if part["url"] == name:
                part[next(key for key in part if key.startswith("value"))] = value
    path.write_text(json.dumps(document))


def one_answer(inputs: Inputs, folder: Path, **fields: object) -> tuple[Inputs, Path]:
    response = Response.model_validate({"status": "answered", "value": 3} | fields)
    stored = with_answers(inputs, {"product": {"zoo.integer": response}})
    paths, _ = written(stored, folder)
    return stored, next(path for path in paths if path.name == "QuestionnaireResponse-zoo.product.json")


def test_another_authors_answer_stands_beside_the_first(inputs: Inputs, tmp_path: Path) -> None:
    stored, path = one_answer(inputs, tmp_path, by="Ada", at="2026-03-01T10:00:00Z")
    brought(path, author="Bob")
    document = json.loads(path.read_text())
    document["item"][0]["answer"][0]["valueInteger"] = 4
    path.write_text(json.dumps(document))
    (change,) = plan_import(stored, [path]).changes
    assert change.kind == "differs" and change.after.agreed_status is Status.UNKNOWN
    assert [(answer.by, answer.value) for answer in change.after.answers] == [("Ada", 3), ("Bob", 4)]
    again = with_answers(inputs, {"product": {"zoo.integer": change.after}})
    assert {left.item: left.reason for left in export_forms(again).left} == {
        "zoo.integer": "several people answered it differently"
    }


def test_evidence_of_a_day_to_come_is_refused_with_file_and_pointer(inputs: Inputs, tmp_path: Path) -> None:
    record = {"title": "x", "date": "2199-01-01"}
    stored, path = one_answer(inputs, tmp_path, documents=[record])
    with pytest.raises(DocumentError, match="dated 1 Jan 2199, which is in the future") as raised:
        refused(stored, path)
    assert (raised.value.location.file, raised.value.location.pointer) == (str(path), "/item/0/answer")


def test_a_name_with_a_line_break_is_refused_with_file_and_pointer(inputs: Inputs, tmp_path: Path) -> None:
    stored, path = one_answer(inputs, tmp_path, by="Ada")
    brought(path, author="Ada\nBob")
    with pytest.raises(DocumentError, match="the name holds a line break") as raised:
        refused(stored, path)
    assert raised.value.location.pointer == "/item/0/extension/0/extension/1"


def refused(inputs: Inputs, path: Path) -> None:
    """Import a document that is refused for one reason, and raise it."""
    try:
        plan_import(inputs, [path])
    except FormsRefusedError as error:
        (problem,) = error.problems
        raise problem from error
