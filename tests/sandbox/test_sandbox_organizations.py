"""Loading simulated organisations: the shipped ones, and what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from interlock.model.errors import DocumentError, InterlockError
from interlock.sandbox.organizations import MAX_DOCUMENT_BYTES, load_organizations, read_json

pytestmark = pytest.mark.fast

CARD = "id: hillside\nname: Hillside Clinic\n"
STATEMENT = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}


def make(folder: Path, card: str = CARD, name: str = "hillside", **documents: object) -> Path:
    home = folder / name
    home.mkdir(parents=True)
    (home / "organization.yaml").write_text(card, encoding="utf-8")
    for file, content in ({"metadata": STATEMENT} | documents).items():
        if content is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (home / f"{file}.json").write_text(text, encoding="utf-8")
    return home


def test_the_shipped_organisations_are_those_of_the_story() -> None:
    found = {entry.id: entry for entry in load_organizations()}
    assert list(found) == ["harborview", "lakeshore", "pinecrest", "riverside"]
    assert {name: entry.vendor for name, entry in found.items()} == {
        "harborview": "epic",
        "lakeshore": "oracle",
        "pinecrest": "other",
        "riverside": "epic",
    }
    assert {name: entry.release for name, entry in found.items() if entry.listen} == {
        "lakeshore": "R4",
        "pinecrest": "STU3",
        "riverside": "R4",
    }
    assert not found["harborview"].listen
    assert found["harborview"].metadata is None
    assert found["pinecrest"].smart is None
    assert found["lakeshore"].smart is not None
    assert found["lakeshore"].openid is None


def test_organisations_are_frozen(tmp_path: Path) -> None:
    make(tmp_path)
    (organization,) = load_organizations(tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        organization.name = "Other"  # type: ignore[misc]


def test_resources_come_alone_or_in_bundles(tmp_path: Path) -> None:
    home = make(tmp_path)
    (home / "resources").mkdir()
    one, two, three = ({"resourceType": "Patient", "id": name} for name in ("a", "b", "c"))
    (home / "resources" / "one.json").write_text(json.dumps(one), encoding="utf-8")
    bundle = {"resourceType": "Bundle", "entry": [{"resource": two}, {"resource": three}]}
    (home / "resources" / "two.json").write_text(json.dumps(bundle), encoding="utf-8")
    (organization,) = load_organizations(tmp_path)
    assert organization.resources == (one, two, three)


def test_an_unknown_key_is_named_with_its_line(tmp_path: Path) -> None:
    make(tmp_path, card=CARD + "lisen: false\n")
    with pytest.raises(DocumentError, match=r"organization\.yaml:3:\d+: unknown key 'lisen'.*listen"):
        load_organizations(tmp_path)


def test_an_unknown_fault_is_named(tmp_path: Path) -> None:
    make(tmp_path, card=CARD + "faults: [slowly]\n")
    with pytest.raises(DocumentError, match=r"no fault is named slowly; did you mean slow\?"):
        load_organizations(tmp_path)


def test_the_id_must_be_the_folders_name(tmp_path: Path) -> None:
    make(tmp_path, name="valley")
    with pytest.raises(DocumentError, match="'hillside' is not the folder's name 'valley'"):
        load_organizations(tmp_path)


def test_one_that_listens_needs_a_statement(tmp_path: Path) -> None:
    make(tmp_path, metadata=None)
    with pytest.raises(DocumentError, match=r"needs a capability statement .*listen: false"):
        load_organizations(tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"a": 1,\n  oops}', r"metadata\.json:2:\d+: not valid JSON"),
        ("[1]", "expected a JSON object"),
        ('{"a": ' + "[" * 50_000 + "]" * 50_000 + "}", "nested more than 64 deep"),
        (" " * (MAX_DOCUMENT_BYTES + 1), "larger than 4,000,000 bytes"),
    ],
    ids=["syntax", "array", "deep", "large"],
)
def test_bad_json_is_an_error_with_its_place(tmp_path: Path, content: str, problem: str) -> None:
    make(tmp_path, metadata=content)
    with pytest.raises(DocumentError, match=problem):
        load_organizations(tmp_path)


def test_bytes_that_are_not_utf_8_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(DocumentError, match="not UTF-8"):
        read_json(path)
    with pytest.raises(DocumentError, match="cannot be read"):
        read_json(tmp_path)


@pytest.mark.parametrize(
    ("resources", "problem"),
    [
        ([{"resourceType": "Patient"}], "needs a resourceType and an id"),
        ([{"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "a"}], "two sample resources are"),
    ],
)
def test_sample_resources_need_names_of_their_own(tmp_path: Path, resources: list[object], problem: str) -> None:
    home = make(tmp_path)
    (home / "resources").mkdir()
    for index, resource in enumerate(resources):
        (home / "resources" / f"{index}.json").write_text(json.dumps(resource), encoding="utf-8")
    with pytest.raises(DocumentError, match=problem):
        load_organizations(tmp_path)


def test_an_empty_or_absent_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InterlockError, match="no organisation is here"):
        load_organizations(tmp_path)
    with pytest.raises(InterlockError, match="there is no folder"):
        load_organizations(tmp_path / "nowhere")
