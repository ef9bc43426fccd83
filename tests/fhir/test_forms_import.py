"""Documents that are not ours, or no longer: every refusal says where and why, and nothing is half done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forms_workspace import BASE, PRODUCT, Json, choice, given, integer, make, response, subject
from hypothesis import HealthCheck, settings
from hypothesis import given as given_
from hypothesis import strategies as st

from interlock.model.errors import DocumentError, WorkspaceError
from interlock.model.forms import FormImport
from interlock.usecases.fhir_import import plan_import
from interlock.usecases.form_import import FormsRefusedError, apply_import
from interlock.usecases.load import Inputs, load_inputs
from interlock.workspace import edit
from interlock.workspace.store import Workspace
from tiers import rounds

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make(tmp_path / "w", "north", "south")


@pytest.fixture
def inputs(workspace: Workspace) -> Inputs:
    return load_inputs(workspace)


NORTH = subject("organization", "north")


def there(value: bool) -> Json:
    return given("there", {"valueBoolean": value})


def absent(code: str) -> Json:
    return {"extension": [{"url": ABSENT, "valueCode": code}]}


def recorded(name: str, value: Json) -> Json:
    parts = [{"url": name} | value]
    return integer(1) | {"extension": [{"url": f"{BASE}/StructureDefinition/answer-record", "extension": parts}]}


@pytest.fixture
def plan(inputs: Inputs, tmp_path: Path) -> Callable[..., FormImport]:
    def call(*documents: Json | bytes, **options: Any) -> FormImport:
        paths = []
        for number, document in enumerate(documents):
            path = tmp_path / f"form{number}.json"
            path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
            paths.append(path)
        return plan_import(inputs, paths, **options)

    return call


def refusals(plan: Callable[..., FormImport], *documents: Json | bytes, **options: Any) -> list[DocumentError]:
    with pytest.raises(FormsRefusedError) as refused:
        plan(*documents, **options)
    return list(refused.value.problems)


NESTED: Json = {"linkId": "zoo.group", "item": []}
for _ in range(100):
    NESTED = {"linkId": "zoo.group", "item": [NESTED]}

REFUSED: dict[str, tuple[Json | bytes, str, str | None]] = {
    "unknown linkId": (response({"linkId": "zoo.choise"}), "no item 'zoo.choise'; did you mean", "/item/0/linkId"),
    "no linkId": (response({"answer": []}), "no item ''", "/item/0/linkId"),
    "option not offered": (
        response(choice("al")),
        "'al' is not offered; did you mean 'all'",
        "/item/0/answer/0/valueCoding/code",
    ),
    "another code system": (
        response(choice("all", system="http://loinc.org")),
        "code system 'http://loinc.org'",
        "/item/0/answer/0/valueCoding/system",
    ),
    "free text for an option": (
        response(given("choice", {"valueString": "all"})),
        "answered with valueCoding, and valueString",
        "/item/0/answer/0/valueString",
    ),
    "two answers to one question": (
        response(given("integer", {"valueInteger": 1}, {"valueInteger": 2})),
        "takes one answer, and 2",
        "/item/0/answer/1",
    ),
    "answered twice": (response(integer(1), integer(1)), "answered twice, first at /item/0", "/item/1"),
    "exclusive with another": (
        response(given("several", {"valueCoding": {"code": "nothing"}}, {"valueCoding": {"code": "red"}})),
        "excludes every other",
        "/item/0/answer",
    ),
    "out of range": (response(integer(13)), "13 is out of range", "/item/0/answer"),
    "a number as text": (
        response(integer("3")),
        "valueInteger is a string, not a whole number",
        "/item/0/answer/0/valueInteger",
    ),
    "true as a number": (response(integer(True)), "valueInteger is a boolean", "/item/0/answer/0/valueInteger"),
    "no date": (response(given("date", {"valueDate": "2026-02"})), "is not a date", "/item/0/answer"),
    "a script for a URL": (
        response(given("url", {"valueUri": "javascript:alert(1)"})),
        "not an absolute http",
        "/item/0/answer",
    ),
    "control characters": (
        response(given("text", {"valueString": "\x1b[31mred"})),
        "a control character",
        "/item/0/answer",
    ),
    "a group that is answered": (response(given("group", {"valueString": "x"})), "is a group", "/item/0/answer"),
    "help that is answered": (
        response({"linkId": "zoo.choice/help", "answer": [{"valueString": "x"}]}),
        "no item",
        "/item/0/linkId",
    ),
    "not applicable without a reason": (
        response(given("choice", absent("not-applicable"))),
        "needs a reason",
        "/item/0",
    ),
    "not applicable where all applies": (
        response({"linkId": "zoo.integer"} | absent("not-applicable")),
        "always applies",
        "/item/0",
    ),
    "another reason for no value": (
        response(given("integer", {"_valueInteger": absent("masked")})),
        "'masked' says neither",
        "/item/0/answer/0/_valueInteger/extension/0",
    ),
    "a value and a reason for none": (response(integer(1) | absent("unknown")), "a value and a reason", "/item/0"),
    "a modifier": (
        response({"linkId": "zoo.integer", "modifierExtension": [{"url": "http://example.org/not"}]}),
        "modifierExtension",
        "/item/0/modifierExtension",
    ),
    "an enclosed file": (
        response(recorded("document", {"extension": [{"url": "attachment", "valueAttachment": {"data": "AAAA"}}]})),
        "linked to, not enclosed",
        "/item/0/extension/0/extension/0/extension/0/valueAttachment/data",
    ),
    "evidence by script": (
        response(
            recorded("document", {"extension": [{"url": "attachment", "valueAttachment": {"url": "javascript:x"}}]})
        ),
        "not an http",
        "/item/0/extension/0/extension/0/extension/0/valueAttachment/url",
    ),
    "evidence outside the workspace": (
        response(recorded("document", {"extension": [{"url": "file", "valueString": "../../etc/passwd"}]})),
        "names a file in the workspace",
        "/item/0/extension/0/extension/0",
    ),
    "evidence that ends before it begins": (
        response(
            recorded(
                "document",
                {
                    "extension": [
                        {"url": "title", "valueString": "x"},
                        {"url": "date", "valueDate": "2026-03-01"},
                        {"url": "validUntil", "valueDate": "2026-02-01"},
                    ]
                },
            )
        ),
        "this evidence is of 1 Mar 2026 and valid until 1 Feb 2026, which is earlier",
        "/item/0/extension/0/extension/0",
    ),
    "evidence of another kind": (
        response(recorded("evidence", {"valueCode": "sworn"})),
        "'sworn' is not known",
        "/item/0/extension/0/extension/0",
    ),
    "items that are no list": (response(item={"linkId": "x"}), "item is an object, not a list", "/item"),
    "items that are no objects": (response(item=[1]), "item holds a number", "/item/0"),
    "answers that are no list": (
        response({"linkId": "zoo.integer", "answer": "x"}),
        "answer is a string",
        "/item/0/answer",
    ),
    "another questionnaire": (
        response(questionnaire="https://example.org/Questionnaire/zoo"),
        "has the address 'https://example.org/Questionnaire/zoo'",
        "/questionnaire",
    ),
    "no questionnaire": (response(questionnaire=None), "no questionnaire is named", "/questionnaire"),
    "another version": (
        response(questionnaire=f"{BASE}/Questionnaire/zoo|2.0"),
        "answers version 2.0 of zoo, and this workspace asks version 2.1",
        "/questionnaire",
    ),
    "entered in error": (response(status="entered-in-error"), "entered in error", "/status"),
    "another product": (
        response(subject=subject("product", "Falls")),
        "about the product 'Falls'",
        "/subject/identifier/value",
    ),
    "an organisation that is not here": (
        response(subject=subject("organization", "west")),
        "no organisation 'west'",
        "/subject/identifier/value",
    ),
    "a patient": (response(subject={"reference": "Patient/1"}), "no identifier of ours", "/subject"),
    "somebody else's identifier": (
        response(subject={"identifier": {"system": "urn:oid:1.2", "value": "1"}}),
        "of the system 'urn:oid:1.2'",
        "/subject/identifier",
    ),
    "nobody's answers": (response(subject=None), "does not say which", "/subject"),
    "the product's question about an organisation": (
        response(integer(1), subject=NORTH),
        "asked once for the product, and the document is about north",
        "/item/0/answer",
    ),
    "an organisation's question about the product": (
        response(there(True)),
        "asked for each organisation, and the document is about the product",
        "/item/0/answer",
    ),
    "the form itself": ({"resourceType": "Questionnaire"}, "it is the form, not the answers", "/resourceType"),
    "a bundle": ({"resourceType": "Bundle"}, "found a Bundle", "/resourceType"),
    "a list": (b"[]", "found no FHIR resource", "/resourceType"),
    "a number": (b"1" * 5000, "not valid JSON", None),
    "no JSON": (b"{", "not valid JSON", None),
    "no UTF-8": (b'{"a": "\xff"}', "not UTF-8", None),
    "NaN": (b'{"a": NaN}', "NaN is not JSON", None),
    "nested a hundred thousand deep": (b"[" * 100_000 + b"]" * 100_000, "nested", None),
    "nested too deeply": (response(NESTED), "nested more than 64 deep", None),
    "too many values": (b'{"item": [' + b"1," * 200_001 + b"1]}", "more than 200,000 values", None),
    "too large": (b" " * 4_000_001, "larger than 4,000,000 bytes", None),
    "a long text": (response({"linkId": "x" * 100_001}), "100,001 characters long", "/item/0/linkId"),
    "half a character": (
        b'{"resourceType": "QuestionnaireResponse", "questionnaire": "\\ud800"}',
        "half of a character",
        "/questionnaire",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_is_refused_with_its_place(plan: Callable[..., FormImport], name: str) -> None:
    document, message, pointer = REFUSED[name]
    (problem,) = refusals(plan, document)
    assert message in problem.message
    assert problem.location is not None
    assert problem.location.pointer == pointer
    assert problem.location.file is not None and problem.location.file.endswith("form0.json")
    assert len(str(problem)) < 1_000


def test_every_problem_of_every_document_is_told(plan: Callable[..., FormImport]) -> None:
    bad = response(choice("maybe"), integer(99), {"linkId": "zoo.nope"})
    problems = refusals(plan, bad, b"{", response(integer(1)))
    assert [problem.location.pointer for problem in problems if problem.location] == [
        "/item/0/answer/0/valueCoding/code",
        "/item/1/answer",
        "/item/2/linkId",
        None,
    ]


def test_two_documents_that_disagree_are_refused(plan: Callable[..., FormImport]) -> None:
    one, two = response(integer(1)), response(integer(2))
    (problem,) = refusals(plan, one, two)
    assert "zoo.integer is answered otherwise in" in problem.message
    assert len(plan(one, one).changes) == 1


def test_a_response_of_another_renderer_is_taken(plan: Callable[..., FormImport]) -> None:
    """No subject, no version, no R4 type for a URL, a system on each coding, items of help, empty items."""
    system = f"{BASE}/CodeSystem/zoo.choice"
    planned = plan(
        response(
            {
                "linkId": "zoo.group",
                "text": "The first group",
                "item": [choice("some", system=system, display="Some of them"), {"linkId": "zoo.choice/help"}],
            },
            given("integer", {"valueInteger": 3.0}),
            given("url", {"valueUrl": "https://example.org"}),
            {"linkId": "zoo.text"},
            given("string"),
            there(True),
            questionnaire=f"{BASE}/Questionnaire/zoo",
            subject=None,
            authored="2026-03-31T09:00:00.123+02:00",
            meta={"tag": [{"code": "some renderer"}]},
        ),
        org="south",
    )
    assert {(change.scope, change.item): change.after.value for change in planned.changes} == {
        ("product", "zoo.choice"): "some",
        ("product", "zoo.integer"): 3,
        ("product", "zoo.url"): "https://example.org",
        ("south", "zoo.there"): True,
    }
    assert planned.changes[0].after.at is not None
    assert planned.changes[0].after.at.isoformat() == "2026-03-31T09:00:00+02:00"
    assert any("which version of zoo" in remark for remark in planned.remarks)


@pytest.mark.parametrize("code", ["unknown", "asked-unknown", "temp-unknown"])
@pytest.mark.parametrize("where", ["item", "answer", "value"])
def test_unknown_is_understood_wherever_it_stands(plan: Callable[..., FormImport], code: str, where: str) -> None:
    extension = {"extension": [{"url": ABSENT, "valueCode": code}]}
    item: Json = {"linkId": "zoo.choice"}
    item |= {"item": extension, "answer": {"answer": [extension]}, "value": {"answer": [{"valueCoding": extension}]}}[
        where
    ]
    (change,) = plan(response(item)).changes
    assert change.after.status.value == "unknown"


def test_an_answer_to_a_question_that_is_not_asked_is_taken_and_marked(plan: Callable[..., FormImport]) -> None:
    late = given("date", {"valueDate": "2026-01-31"})
    planned = plan(response(integer(1), late))
    assert {change.item: change.hidden for change in planned.changes} == {"zoo.integer": False, "zoo.date": True}


def test_another_version_is_taken_when_asked_for(plan: Callable[..., FormImport]) -> None:
    old = response(integer(1), subject=PRODUCT, questionnaire=f"{BASE}/Questionnaire/zoo|2.0")
    planned = plan(old, any_version=True)
    assert len(planned.changes) == 1
    assert any("version 2.0" in remark for remark in planned.remarks)


def test_an_import_is_saved_whole_or_not_at_all(
    workspace: Workspace, plan: Callable[..., FormImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    north = response(there(True), subject=NORTH)
    planned = plan(response(integer(1)), north)
    product_file = workspace.root / "responses/product.yaml"
    north_file = workspace.root / "responses/north.yaml"
    real = edit.write_atomically

    def fails_for_north(path: Path, content: bytes, *, within: Path | None = None) -> None:
        if path == north_file:
            raise WorkspaceError("the disk is full")
        real(path, content, within=within)

    monkeypatch.setattr(edit, "write_atomically", fails_for_north)
    with pytest.raises(WorkspaceError, match="disk is full"):
        apply_import(workspace, planned)
    assert not product_file.exists()
    assert not north_file.exists()

    monkeypatch.setattr(edit, "write_atomically", real)
    apply_import(workspace, planned)
    assert workspace.responses("product")["zoo.integer"].value == 1
    assert workspace.responses("north")["zoo.there"].value is True


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(
    ["item", "answer", "linkId", "extension", "valueCoding", "valueInteger", "url", "valueCode", "code", "subject"]
)
IDS = st.sampled_from(["zoo.choice", "zoo.integer", "zoo.group", "zoo.choice/help", ABSENT, "unknown", "all"])
ANYTHING = st.recursive(
    SCALARS | IDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@settings(max_examples=rounds(100, 300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_(item=ANYTHING, subject=ANYTHING)
def test_whatever_a_document_holds_it_is_taken_or_refused(
    plan: Callable[..., FormImport], item: object, subject: object
) -> None:
    try:
        plan(response(item=item, subject=subject))
    except FormsRefusedError as refused:
        assert all(problem.location and problem.location.file for problem in refused.problems)
