"""Forms and responses as other tools read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as QuestionnaireResource
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as QuestionnaireResponseResource
from forms_workspace import inputs_of, with_answers

from interlock.model.errors import InterlockError
from interlock.model.response import Response
from interlock.usecases.fhir_forms import FormExport, export_forms, write_forms
from interlock.usecases.load import Inputs

pytestmark = pytest.mark.fast

HL7 = "http://hl7.org/fhir/StructureDefinition/"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs_of(tmp_path_factory.mktemp("forms") / "w", "north", "south")


def form(export: FormExport, name: str) -> Json:
    loaded: Json = json.loads(export.files[name])
    return loaded


def items(parent: Json) -> Iterator[Json]:
    for item in parent.get("item", []):
        yield item
        yield from items(item)


def by_link(resource: Json) -> dict[str, Json]:
    return {item["linkId"]: item for item in items(resource)}


def extension(element: Json, url: str) -> Any:
    found = [entry for entry in element.get("extension", []) if entry["url"] == url]
    assert len(found) <= 1
    return next((value for entry in found for key, value in entry.items() if key != "url"), None)


def answered(value: Any, **beside: Any) -> Response:
    return Response.model_validate({"status": "answered", "value": value} | beside)


UNKNOWN = Response.model_validate({"status": "unknown"})


def test_every_file_is_valid_r4(inputs: Inputs) -> None:
    answers = {
        "product": {
            "zoo.choice": answered("all", evidence="documented", evidence_url="https://example.org/x", note="seen"),
            "zoo.several": answered(("red", "blue")),
            "zoo.boolean": Response.model_validate({"status": "not_applicable", "reason": "There is none"}),
            "zoo.integer": answered(7, at="2026-03-01T10:00:00Z"),
            "zoo.date": answered("2026-02-28", evidence_url="binder 7, page 3"),
            "zoo.url": answered("https://example.org/a?b=c"),
            "zoo.string": answered("Größe"),
            "zoo.text": answered("two\nlines"),
        },
        "north": {"zoo.there": UNKNOWN},
    }
    export = export_forms(with_answers(inputs, answers))
    kinds = {"Questionnaire": QuestionnaireResource, "QuestionnaireResponse": QuestionnaireResponseResource}
    for name, raw in export.files.items():
        kind = json.loads(raw)["resourceType"]
        assert name.startswith(f"{kind}-")
        kinds[kind].model_validate_json(raw)
    responses = [name for name in export.files if name.startswith("QuestionnaireResponse-")]
    assert {f"QuestionnaireResponse-zoo.{whose}.json" for whose in ("product", "north", "south")} <= set(responses)
    assert {f"Questionnaire-{q.id}.json" for q in inputs.content.questionnaires} <= set(export.files)


def test_every_shipped_question_is_in_its_form_with_its_options_and_weights(inputs: Inputs) -> None:
    export = export_forms(inputs)
    for questionnaire in inputs.content.questionnaires:
        resource = form(export, f"Questionnaire-{questionnaire.id}.json")
        links = by_link(resource)
        assert resource["url"].endswith(f"/Questionnaire/{questionnaire.id}")
        assert resource["version"] == questionnaire.version
        assert len(links) == sum(1 for _ in items(resource)), "que-2: link ids are unique"
        for item in questionnaire.questions():
            told = links[item.id]
            assert told["text"] == item.text
            assert told["required"] is False
            assert [option["valueCoding"]["code"] for option in told.get("answerOption", [])] == [
                option.value for option in item.options
            ]
            for option, offered in zip(item.options, told.get("answerOption", []), strict=True):
                assert offered["valueCoding"]["display"] == option.label
                for name in ("ordinalValue", "itemWeight"):
                    assert extension(offered, HL7 + name) == option.weight


def test_types_are_those_of_r4(inputs: Inputs) -> None:
    zoo = by_link(form(export_forms(inputs), "Questionnaire-zoo.json"))
    assert {name: (zoo[f"zoo.{name}"]["type"], zoo[f"zoo.{name}"].get("repeats")) for name in (
        "group", "choice", "several", "boolean", "integer", "date", "url", "string", "text"
    )} == {
        "group": ("group", None),
        "choice": ("choice", False),
        "several": ("choice", True),
        "boolean": ("boolean", False),
        "integer": ("integer", False),
        "date": ("date", False),
        "url": ("url", False),
        "string": ("string", False),
        "text": ("text", False),
    }  # fmt: skip
    assert extension(zoo["zoo.integer"], HL7 + "minValue") == 0
    assert extension(zoo["zoo.integer"], HL7 + "maxValue") == 12
    assert zoo["zoo.string"]["maxLength"] < zoo["zoo.text"]["maxLength"]
    nothing = zoo["zoo.several"]["answerOption"][0]
    assert extension(nothing, HL7 + "questionnaire-optionExclusive") is True
    assert extension(zoo["zoo.choice"], HL7 + "questionnaire-supportLink") == "https://example.org/page"


def test_conditions_are_structured_and_use_the_options_own_coding(inputs: Inputs) -> None:
    zoo = by_link(form(export_forms(inputs), "Questionnaire-zoo.json"))
    boolean = zoo["zoo.boolean"]
    assert boolean["enableBehavior"] == "any"
    assert [condition["operator"] for condition in boolean["enableWhen"]] == ["=", "="]
    offered = {option["valueCoding"]["code"]: option["valueCoding"] for option in zoo["zoo.choice"]["answerOption"]}
    assert boolean["enableWhen"][0] == {
        "question": "zoo.choice",
        "operator": "=",
        "answerCoding": offered["all"],
    }
    assert zoo["zoo.late_group"]["enableWhen"] == [{"question": "zoo.integer", "operator": ">=", "answerInteger": 5}]
    assert zoo["zoo.string"]["enableWhen"] == [{"question": "zoo.url", "operator": "exists", "answerBoolean": True}]


def test_a_condition_on_another_form_is_said_in_words_and_the_question_is_always_asked(inputs: Inputs) -> None:
    export = export_forms(inputs)
    zoo = by_link(form(export, "Questionnaire-zoo.json"))
    # One of the two conditions could be told; with "any" that would ask too little.
    assert "enableWhen" not in zoo["zoo.elsewhere"]
    said = zoo["zoo.elsewhere/when"]
    assert said["type"] == "display"
    control = inputs.content.items["auth.launch_modes"]
    assert control.text in said["text"]
    option = control.option("standalone_launch")
    assert option is not None and option.label in said["text"]
    assert "zoo.elsewhere" in dict(export.always_asked)
    every = {f"{q.id}": by_link(form(export, f"Questionnaire-{q.id}.json")) for q in inputs.content.questionnaires}
    for links in every.values():
        for item in links.values():
            assert {condition["question"] for condition in item.get("enableWhen", [])} <= links.keys()


def test_help_is_one_display_item_behind_a_button(inputs: Inputs) -> None:
    zoo = by_link(form(export_forms(inputs), "Questionnaire-zoo.json"))
    helps = zoo["zoo.choice"]["item"]
    assert [item["linkId"] for item in helps] == ["zoo.choice/help"]
    assert "The one that you can prove." in helps[0]["text"]
    assert "Because it matters." in helps[0]["text"]
    assert extension(helps[0], HL7 + "questionnaire-itemControl")["coding"][0]["code"] == "help"


def test_what_is_disabled_is_dropped_and_named(inputs: Inputs) -> None:
    answers = {
        "product": {
            "zoo.choice": answered("none"),
            "zoo.several": answered(("red",)),
            "zoo.boolean": answered(True),
            "zoo.integer": UNKNOWN,
            "zoo.date": answered("2026-02-28"),
            "zoo.elsewhere": answered("Nothing"),
            "auth.launch_modes": answered(("backend",)),
        }
    }
    export = export_forms(with_answers(inputs, answers))
    links = by_link(form(export, "QuestionnaireResponse-zoo.product.json"))
    assert set(links) == {"zoo.group", "zoo.choice", "zoo.integer"}
    reasons = {left.item: left.reason for left in export.left}
    assert set(reasons) == {"zoo.several", "zoo.boolean", "zoo.date", "zoo.elsewhere"}
    assert "zoo.choice is not none" in reasons["zoo.several"]
    assert "zoo.integer is at least 5" in reasons["zoo.date"]


def test_unknown_and_not_applicable_have_a_reason_for_having_no_value(inputs: Inputs) -> None:
    answers = {
        "product": {
            "zoo.integer": UNKNOWN,
            "zoo.choice": Response.model_validate({"status": "not_applicable", "reason": "Nothing is shown"}),
        }
    }
    links = by_link(form(export_forms(with_answers(inputs, answers)), "QuestionnaireResponse-zoo.product.json"))
    for item_id, code in (("zoo.integer", "unknown"), ("zoo.choice", "not-applicable")):
        (answer,) = links[item_id]["answer"]
        assert not [key for key in answer if key.startswith("value")]
        assert extension(answer, HL7 + "data-absent-reason") == code
    record = links["zoo.choice"]["extension"][0]
    assert extension(record, "reason") == "Nothing is shown"


def attachment(record: Json) -> Json:
    """The attachment of the first piece of evidence."""
    document = next(part for part in record["extension"] if part["url"] == "document")
    return extension(document, "attachment")


def test_evidence_is_an_attachment(inputs: Inputs) -> None:
    answers = {
        "product": {
            "zoo.integer": answered(3, evidence="observed", evidence_url="https://example.org/run/7"),
            "zoo.text": answered("x", evidence_url="binder 7"),
        }
    }
    links = by_link(form(export_forms(with_answers(inputs, answers)), "QuestionnaireResponse-zoo.product.json"))
    record = links["zoo.integer"]["extension"][0]
    assert extension(record, "evidence") == "observed"
    assert attachment(record) == {"url": "https://example.org/run/7"}
    assert attachment(links["zoo.text"]["extension"][0]) == {"title": "binder 7"}


def test_a_response_says_whose_it_is_and_whether_it_is_complete(inputs: Inputs) -> None:
    export = export_forms(with_answers(inputs, {"north": {"zoo.there": answered(False)}}))
    north = form(export, "QuestionnaireResponse-zoo.north.json")
    south = form(export, "QuestionnaireResponse-zoo.south.json")
    product = form(export, "QuestionnaireResponse-zoo.product.json")
    assert (north["status"], south["status"]) == ("completed", "in-progress")
    assert north["questionnaire"].endswith("/Questionnaire/zoo|2.1")
    assert (north["subject"]["type"], north["subject"]["identifier"]["value"]) == ("Organization", "north")
    assert (product["subject"]["type"], product["subject"]["display"]) == ("Device", "Sepsis & Co")
    assert set(by_link(north)) == {"zoo.there"}


def test_an_answer_that_its_question_cannot_have_is_left_out_and_named(inputs: Inputs) -> None:
    answers = {"product": {"zoo.choice": answered("gone"), "zoo.extinct": UNKNOWN, "zoo.there": UNKNOWN}}
    export = export_forms(with_answers(inputs, answers))
    reasons = {left.item: left.reason for left in export.left}
    assert set(reasons) == {"zoo.choice", "zoo.extinct", "zoo.there"}
    assert "not offered" in reasons["zoo.choice"]
    assert by_link(form(export, "QuestionnaireResponse-zoo.product.json")) == {}


def test_one_organisation_alone(inputs: Inputs) -> None:
    export = export_forms(inputs, "south")
    responses = {name for name in export.files if name.startswith("QuestionnaireResponse-")}
    assert responses
    assert all(name.endswith(".south.json") for name in responses)
    assert "Questionnaire-delivery-and-test-path.json" not in export.files
    with pytest.raises(InterlockError, match="no organisation 'west'"):
        export_forms(inputs, "west")


def test_the_same_workspace_gives_the_same_bytes(inputs: Inputs, tmp_path: Path) -> None:
    first, second = export_forms(inputs), export_forms(inputs)
    assert first.files == second.files
    paths = write_forms(first, tmp_path / "out")
    assert {path.name: path.read_bytes() for path in paths} == dict(first.files)
