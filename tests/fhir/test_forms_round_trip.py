"""Nothing is lost on the way to a form and back, whatever was answered."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as QuestionnaireResponseResource
from forms_workspace import inputs_of, with_answers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.content.answer import parse_answer
from interlock.model.base import Evidence, Status
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import Item, ItemType, Response
from interlock.usecases.fhir_forms import export_forms
from interlock.usecases.fhir_import import plan_import
from interlock.usecases.load import Inputs

ORGS = ("north", "south")
PROSE = st.text(st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from("\n\t<&\"'|=@"), max_size=60)
LINKS = st.sampled_from(
    ["https://example.org/a?b=c#d", "http://Example.ORG:8080/x y", "binder 7, page 3", "docs/proof.pdf", "https://"]
)
URLS = st.sampled_from(["https://example.org", "http://example.org:8080/a%20b?c=d#e", "https://xn--grce-4qa.example/é"])
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
        evidence_url=draw(st.none() | LINKS),
        at=draw(TIMES),
    )


@st.composite
def answer_sets(draw: st.DrawFn, inputs: Inputs) -> dict[str, dict[str, Response]]:
    found: dict[str, dict[str, Response]] = {}
    for item in inputs.content.items.values():
        own = (
            item.id.startswith("zoo.") or draw(st.integers(0, 9)) == 0
        )  # all types always, the shipped ones now and then
        for scope in ORGS if item.scope.value == "org" else ("product",):
            response = draw(responses(item)) if own else None
            if response is not None:
                found.setdefault(scope, {})[item.id] = response
    return found


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


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
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
