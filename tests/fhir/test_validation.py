"""Strict validation: what it finds and where, what it lets pass, and that nothing upsets it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.fhir import tables, validation
from interlock.fhir.shapes import resource_shape
from interlock.fhir.validation import InvalidDocumentError, _model, require_valid, validate
from interlock.model.facts import FhirRelease

STATEMENT: dict[str, Any] = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026-11-01",
    "kind": "instance",
    "implementation": {"description": "A server", "url": "https://fhir.example.org/r4"},
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [
        {
            "mode": "server",
            "resource": [
                {
                    "type": "Patient",
                    "interaction": [{"code": "read"}],
                    "searchParam": [{"name": "family", "type": "string"}, {"name": "_id", "type": "token"}],
                }
            ],
        }
    ],
}


def changed(path: str, value: Any, document: dict[str, Any] = STATEMENT) -> dict[str, Any]:
    """The document with one value put at a JSON pointer; ``...`` takes it away."""
    result = copy.deepcopy(document)
    *above, last = [int(step) if step.isdigit() else step for step in path.split("/")[1:]]
    target: Any = result
    for step in above:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return result


def found(document: Any, release: FhirRelease = "R4") -> list[tuple[str, str]]:
    return [(problem.pointer, problem.words) for problem in validate(document, release).problems]


@pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
def test_a_right_statement_passes_and_says_who_read_it(release: FhirRelease) -> None:
    read = validate(STATEMENT, release)
    assert read.problems == () and read.unread is None
    assert read.readers["tables"] == f"FHIR's own tables of {release}"
    assert ("R4 read as R4B" in read.readers["fhir.resources"]) is (release == "R4")
    assert read.sentence().startswith("no flaw is found by FHIR's own tables")


@pytest.mark.parametrize(
    ("path", "value", "at", "said"),
    [
        ("/date", ..., "/date", "is required, and missing"),
        ("/date", "last spring", "/date", "is no dateTime as FHIR writes it"),
        ("/date", "2026-02-30", "/date", "is no date or time that there is"),
        ("/date", "2026-11-01T10:00:00", "/date", "is no dateTime as FHIR writes it"),
        ("/status", 5, "/status", "is a number, not a string"),
        ("/language", " en", "/language", "does not have the form"),
        ("/experimental", "true", "/experimental", "is a string, not a boolean"),
        ("/experimental", 1, "/experimental", "is a number, not a boolean"),
        ("/format", "json", "/format", "is a string, not a list"),
        ("/format", float("nan"), "/format", "is a number, not a list"),
        ("/format", [], "/format", "is empty"),
        ("/kind", None, "/kind", "is null"),
        ("/kind", ["instance"], "/kind", "is a list, not a string, of which there can be one"),
        ("/implementation", '{"description": "A server"}', "/implementation", "is a string, not an object"),
        ("/implementation/description", ..., "/implementation/description", "is required, and missing"),
        ("/acceptUnknown", "no", "/acceptUnknown", "is no element of CapabilityStatement"),
        ("/status__ext", {"id": "a"}, "/status__ext", "is no element of CapabilityStatement"),
        ("/_status", 5, "/_status", "is a number, not an object"),
        ("/rest/0/resource/0/searchParam/1/type", ..., "/rest/0/resource/0/searchParam/1/type", "is required"),
        ("/rest/0/resource/0/interaction/0", "read", "/rest/0/resource/0/interaction/0", "is a string, not an object"),
        (
            "/contained",
            [{"resourceType": "Patent"}],
            "/contained/0",
            "is of no resource type of R4: Patent (did you mean Patient?)",
        ),
        ("/contained", [{"id": "a"}], "/contained/0", "does not say what resource it is"),
        ("/contained", [{"resourceType": "Patient", "gendre": "x"}], "/contained/0/gendre", "is no element of Patient"),
        ("/resourceType", "Citation", "", "is of no resource type of R4: Citation"),
        ("/kind", "instanse", "/kind", "is no code that is allowed here: instanse (did you mean instance?)"),
        ("/description", "", "/description", "is empty"),
        ("/resourceType", "HumanName", "", "is of no resource type of R4"),
        ("/resourceType", ..., "", "does not say what resource it is"),
    ],
)
def test_each_flaw_is_told_once_and_where(path: str, value: Any, at: str, said: str) -> None:
    ((pointer, words),) = found(changed(path, value))
    assert pointer == at
    assert said in words


def test_choices_one_of_them_and_not_two() -> None:
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "a"}}
    assert found(observation) == []
    ((at, said),) = found({**observation, "valueString": "a", "valueBoolean": True})
    assert at == "" and "more than one of value[x]" in said
    request = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
    ((at, said),) = found({**request, "subject": {"reference": "Patient/1"}})
    assert at == "" and "none of medication[x]" in said


def test_what_r4b_has_otherwise_is_read_as_r4_has_it() -> None:
    meta = {"url": "https://example.org/x", "valueMeta": {"versionId": "1"}}
    basic: dict[str, Any] = {"resourceType": "Basic", "code": {"text": "a"}, "extension": [meta]}
    assert found(basic) == []
    assert found(basic, "R4B")[0][0] == "/extension/0/valueMeta"
    basic["extension"] = [{"url": "https://example.org/x", "valueMeta": {"version": "1"}}]
    assert found(basic) == [("/extension/0/valueMeta/version", "is no element of Meta (did you mean versionId?)")]
    basic["extension"] = [{"url": "https://example.org/x", "valueRatioRange": {"lowNumerator": {"value": 1}}}]
    assert found(basic)[0] == ("/extension/0/valueRatioRange", "is no element of Extension (did you mean valueRatio?)")
    assert found(basic, "R4B") == []
    wrong = {"resourceType": "Evidence", "status": "draft", "url": 5}
    assert "/url" in dict(found(wrong)) and "/exposureBackground" in dict(found(wrong))
    assert validate(wrong, "R4").readers.keys() == {"tables"}, "R4B's Evidence has other elements"
    assert "/exposureBackground" not in dict(found(wrong, "R4B"))
    assert dict(found({"resourceType": "MedicinalProduct"})) == {"/name": "is required, and missing"}
    plan = {"resourceType": "PlanDefinition", "status": "draft", "subjectCanonical": "https://example.org/s"}
    assert [at for at, _ in found(plan)] == ["/subjectCanonical"]
    assert found(plan, "R4B") == []


def test_like_flaws_count_as_one_with_their_number_and_the_rest_is_counted() -> None:
    many = changed("/rest/0/resource/0/searchParam", [{"name": f"p{number}"} for number in range(40)])
    read = validate(many, "R4")
    (problem,) = read.problems
    assert problem.pointer == "/rest/0/resource/0/searchParam/0/type"
    assert (problem.more, read.total) == (39, 40)
    assert read.sentence().startswith("40 flaws: ") and "(and 39 places like it)" in read.sentence()
    assert problem.reader == "fhir.resources" and "says fhir.resources" in read.sentence()
    odd = STATEMENT | {f"odd{number}": 1 for number in range(60)}
    read = validate(odd, "R4")
    assert len(read.problems) == validation.MAX_PROBLEMS and read.total == 60
    assert read.sentence().endswith("; and 57 more")


def test_dstu2_is_read_by_the_tables_alone_required_elements_and_choices_too() -> None:
    conformance: dict[str, Any] = {
        "resourceType": "Conformance",
        "date": "2026-11-01",
        "kind": "instance",
        "fhirVersion": "1.0.2",
        "acceptUnknown": "both",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": [{"type": "Patient", "interaction": [{"code": "read"}]}]}],
        "fhir_comments": ["anywhere"],
    }
    assert found(conformance, "DSTU2") == []
    assert found(changed("/acceptUnknown", ..., conformance), "DSTU2") == [
        ("/acceptUnknown", "is required, and missing")
    ]
    ((at, said),) = found(changed("/rest/0/resource/0/interaction", ..., conformance), "DSTU2")
    assert (at, said) == ("/rest/0/resource/0/interaction", "is required, and missing")
    ((_, said),) = found(STATEMENT, "DSTU2")
    assert "is of no resource type of DSTU2" in said
    both = {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, "valueString": "a"}
    ((at, said),) = found(both | {"valueDateTime": "2026"}, "DSTU2")
    assert at == "" and "more than one of value[x]" in said


@pytest.mark.parametrize("release", ["STU3", "R4B", "R5"])
def test_tables_and_library_agree_on_names(release: FhirRelease) -> None:
    """An element that the tables have and the library has not would be told of documents that are right."""
    for name in sorted(tables.release(release).resource_types)[::16]:
        shape = resource_shape(release, name)
        model = _model(release, name)
        assert shape is not None and model is not None, name
        members = {field.alias or key for key, field in model.model_fields.items()} - {"fhir_comments"}
        ours = {key for key in shape.slots if not key.startswith("_")}
        assert ours == {key for key in members if not key.startswith("_")}, name


def test_size_and_depth_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    item: dict[str, Any] = {"linkId": "a", "type": "group"}
    for _ in range(2000):
        item = {"linkId": "a", "type": "group", "item": [item]}
    deep = {"resourceType": "Questionnaire", "status": "draft", "item": [item]}
    assert "nested deeper" in str(validate(deep, "R4").unread)
    monkeypatch.setattr(validation, "MAX_VALUES", 1000)
    wide = STATEMENT | {"format": ["json"] * 2000}
    assert "more than 1,000 values" in str(validate(wide, "R4").unread)


@pytest.mark.parametrize(
    "document",
    [
        None,
        5,
        [],
        "x",
        {},
        {"resourceType": ["Patient"]},
        {"resourceType": {"a": 1}},
        {"resourceType": "__class__"},
        {"resourceType": "Resource"},
        {"resourceType": "Patient\ud800"},
        {"resourceType": "Patient", "\ud800/~": 1},
        {"resourceType": "Patient", "_birthDate": "5", "name": [[]]},
        {"resourceType": "Patient", "_birthDate": {"extension": [{"url": 1, "_url": []}]}},
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": 5}}]},
        {"resourceType": "Patient", "contained": [{"resourceType": "X" * 10_000}]},
        {"resourceType": "Patient", "multipleBirthInteger": float("inf")},
        {"resourceType": "Patient", "multipleBirthInteger": 10**400},
        {"resourceType": "Observation", "valueQuantity": {"value": float("nan")}},
        {"resourceType": "Patient", "birthDate": "9" * 100_000},
        {"resourceType": "Patient", "name": [{"given": [None, 5, None], "_given": [5]}]},
    ],
)
@pytest.mark.parametrize("release", ["DSTU2", "STU3", "R4", "R4B", "R5"])
def test_nothing_upsets_it(document: Any, release: FhirRelease) -> None:
    read = validate(document, release)
    assert read.problems or release == "DSTU2"  # the tables say nothing of the forms of values
    read.sentence().encode()
    assert all(len(problem.pointer) < 2000 and len(problem.words) < 400 for problem in read.problems)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["Patient", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "contained",
                    "rest",
                    "resource",
                    "extension",
                    "url",
                    "_url",
                    "status",
                    "text",
                    "meta",
                    "id",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None)
@given(extra=st.dictionaries(st.sampled_from(sorted(STATEMENT)) | st.text(max_size=8), _JSON, max_size=4))
def test_nothing_at_random_upsets_it(extra: dict[str, Any]) -> None:
    read = validate(STATEMENT | extra, "R4")
    assert read.unread is None
    read.sentence().encode()


def test_recorded_servers_are_read_without_a_stop(corpus: Path) -> None:
    """What real servers state, each as its release: flaws are told, and none of them stops the reading."""
    for file in sorted((corpus / "servers").glob("*/metadata.json")):
        document = json.loads(file.read_text("utf-8"))
        version = str(document.get("fhirVersion"))
        release: FhirRelease = "R4" if version.startswith("4.0") else "STU3" if version.startswith("3") else "DSTU2"
        read = validate(document, release)
        assert not any("could not be read" in problem.words for problem in read.problems), file
        assert read.unread is None, file


def test_a_document_of_ours_that_is_wrong_is_a_mistake_of_ours_and_says_where() -> None:
    require_valid(STATEMENT, "R4", "a.json")
    with pytest.raises(
        InvalidDocumentError, match=r"a\.json would not be valid FHIR R4.*/date is required, and missing"
    ):
        require_valid(changed("/date", ...), "R4", "a.json")


def test_the_library_is_loaded_when_it_is_used() -> None:
    code = "import sys; import interlock.fhir.validation; print(any(name.startswith('fhir.') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
