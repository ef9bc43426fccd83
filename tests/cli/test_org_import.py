"""``interlock org import``: adds what is new, changes nothing that exists, and says what it left out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from interlock.model.fleet import ImportResult

CSV = """\
base_url,organization,source
https://north.example/r4/,North Clinic,Some_Vendor
HTTPS://North.example/r4,North Clinic,Some_Vendor
: https://south.example/r4/metadata,South Clinic,Epic_Systems_Corporation
/relative/r4,Lost Clinic,Some_Vendor
https://north.example/dstu2,North Clinic,Some_Vendor
https://unnamed.example/r4,,Some_Vendor
"""


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "directory.csv"
    path.write_text(CSV)
    return path


@pytest.fixture
def workspace(command, tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    assert command("init", folder).code == 0
    return folder


def organizations(command, workspace: Path) -> dict[str, dict[str, str]]:
    return {org["id"]: org for org in command("org", "list", "-f", "json", "-w", workspace).json()}


def test_what_is_new_is_added_with_ids_that_are_free(command, workspace: Path, listed: Path) -> None:
    before = organizations(command, workspace)
    result = command("org", "import", listed, "-w", workspace)
    assert result.code == 0
    added = {key: org for key, org in organizations(command, workspace).items() if key not in before}
    assert {key: (org["name"], org["vendor"], org["fhir_base_url"]) for key, org in added.items()} == {
        "north-clinic": ("North Clinic", "some-vendor", "https://north.example/r4"),
        "south-clinic": ("South Clinic", "epic", "https://south.example/r4"),
        "north-clinic-2": ("North Clinic", "some-vendor", "https://north.example/dstu2"),
        "unnamed-example": ("unnamed.example", "some-vendor", "https://unnamed.example/r4"),
    }
    assert all(org["environment"] == "production" for org in added.values())
    assert "Added 4 organisations" in result.err
    assert "it is a relative path, like line 5: /relative/r4" in result.err
    assert "Cleaned:" in result.err


def test_a_second_import_changes_nothing(command, workspace: Path, listed: Path) -> None:
    command("org", "import", listed, "-w", workspace)
    command("org", "edit", "north-clinic", "--note", "ours", "-w", workspace)
    before = organizations(command, workspace)
    again = command("org", "import", listed, "--format", "json", "-w", workspace)
    result = ImportResult.model_validate_json(again.out)
    assert again.code == 0
    assert result.added == ()
    assert set(result.known.values()) == {"north-clinic", "north-clinic-2", "south-clinic", "unnamed-example"}
    assert organizations(command, workspace) == before


def test_an_organisation_of_the_same_name_is_left_alone(command, workspace: Path, listed: Path) -> None:
    command("org", "add", "South Clinic", "--url", "https://elsewhere.example/r4", "-w", workspace)
    command("org", "import", listed, "-w", workspace)
    by_id = organizations(command, workspace)
    assert by_id["south-clinic"]["fhir_base_url"] == "https://elsewhere.example/r4"
    assert by_id["south-clinic-2"]["fhir_base_url"] == "https://south.example/r4"


def test_a_trial_run_saves_nothing_and_lists_everything(command, workspace: Path, listed: Path) -> None:
    before = organizations(command, workspace)
    shown = command("org", "import", listed, "--dry-run", "--format", "json", "-w", workspace)
    result = ImportResult.model_validate_json(shown.out)
    assert not result.saved
    assert [org.id for org in result.added] == ["north-clinic", "south-clinic", "north-clinic-2", "unnamed-example"]
    (dropped,) = result.dropped
    assert (dropped.location, dropped.word, dropped.name) == ("line 5", "relative", "Lost Clinic")
    assert (result.listed, result.distinct) == (6, 4)
    assert organizations(command, workspace) == before


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--name", "south"), ["south-clinic"]),
        (("--name", "*CLINIC"), ["north-clinic", "south-clinic", "north-clinic-2"]),
        (("--vendor", "epic"), ["south-clinic"]),
        (("--vendor", "some vendor", "--name", "north"), ["north-clinic", "north-clinic-2"]),
        (("--limit", "1"), ["north-clinic"]),
    ],
)
def test_picking(command, workspace: Path, listed: Path, options: tuple[str, ...], ids: list[str]) -> None:
    shown = command("org", "import", listed, *options, "--format", "json", "-w", workspace)
    assert [org["id"] for org in shown.json()["added"]] == ids


def test_nothing_that_fits_is_an_error(command, workspace: Path, listed: Path) -> None:
    result = command("org", "import", listed, "--name", "nobody", "-w", workspace)
    assert result.code == 2
    assert "none of the 4 endpoints fits" in result.err


def test_a_vendor_is_given_to_a_directory_that_names_none(
    command, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stdin:
        buffer = io.BytesIO(b"https://a.example/r4 North\n")

    monkeypatch.setattr("sys.stdin", Stdin())
    shown = command("org", "import", "-", "--vendor", "oracle", "--format", "json", "-w", workspace)
    assert [(org["name"], org["vendor"]) for org in shown.json()["added"]] == [("North", "oracle")]


def test_a_whole_country_is_not_added_by_accident(command, workspace: Path, tmp_path: Path) -> None:
    many = tmp_path / "many.txt"
    many.write_text("".join(f"https://h{number}.example/r4\n" for number in range(300)))
    result = command("org", "import", many, "-w", workspace)
    assert result.code == 2
    assert "300 organisations would be added" in result.err
    assert "--limit" in result.err
    assert len(command("org", "import", many, "--limit", "3", "-f", "json", "-w", workspace).json()["added"]) == 3


def test_a_file_that_is_no_directory(command, workspace: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "page.html"
    wrong.write_text("<html></html>")
    result = command("org", "import", wrong, "-w", workspace)
    assert result.code == 2
    assert "no directory of endpoints" in result.err
    assert command("org", "import", tmp_path / "missing", "-w", workspace).code == 2


def test_hostile_names_reach_neither_file_nor_terminal(command, workspace: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.json"
    hostile.write_text(json.dumps([{"url": "https://a.example/r4", "name": "\x1b]0;x\x07../../etc [red]<b>=CMD()"}]))
    result = command("org", "import", hostile, "-w", workspace)
    assert result.code == 0
    assert "\x1b" not in result.out + result.err
    names = [path.name for path in (workspace / "orgs").iterdir()]
    assert "0-x-etc-red-b-cmd.yaml" in names
