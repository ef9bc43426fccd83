"""``interlock org import``: adds what is new, changes nothing that exists, and says what it left out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from interlock.model.fleet import ImportResult
from interlock.usecases.fleet import directory_targets

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
        "unnamed-example": ("unnamed.example", "some-vendor", "https://unnamed.example/r4"),
    }
    assert all(org["environment"] == "production" for org in added.values())
    assert "Added 3 organisations" in result.err
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
    assert {org.id for org in result.known} == {"north-clinic", "south-clinic", "unnamed-example"}
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
    assert [org.id for org in result.added] == ["north-clinic", "south-clinic", "unnamed-example"]
    assert [(base.fhir_base_url, base.release) for base in result.added[0].other_bases] == [
        ("https://north.example/dstu2", "DSTU2")
    ]
    (dropped,) = result.dropped
    assert (dropped.location, dropped.word, dropped.name) == ("line 5", "relative", "Lost Clinic")
    assert (result.listed, result.distinct, result.organizations) == (6, 4, 3)
    assert organizations(command, workspace) == before


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--name", "south"), ["south-clinic"]),
        (("--name", "*CLINIC"), ["north-clinic", "south-clinic"]),
        (("--vendor", "epic"), ["south-clinic"]),
        (("--vendor", "some vendor", "--name", "north"), ["north-clinic"]),
        (("--limit", "1"), ["north-clinic"]),
    ],
)
def test_picking(command, workspace: Path, listed: Path, options: tuple[str, ...], ids: list[str]) -> None:
    shown = command("org", "import", listed, *options, "--format", "json", "-w", workspace)
    assert [org["id"] for org in shown.json()["added"]] == ids


def test_nothing_that_fits_is_an_error(command, workspace: Path, listed: Path) -> None:
    result = command("org", "import", listed, "--name", "nobody", "-w", workspace)
    assert result.code == 2
    assert "none of the 3 listed organisations fits" in result.err


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


def directory_file(tmp_path: Path, *resources: dict[str, object]) -> Path:
    path = tmp_path / "directory.json"
    path.write_text(json.dumps(resources))
    return path


def endpoint(identity: str, address: str, **more: object) -> dict[str, object]:
    return {"resourceType": "Endpoint", "id": identity, "address": address, "status": "active"} | more


def organization(identity: str, name: str, *endpoints: str, **more: object) -> dict[str, object]:
    listed = [{"reference": f"Endpoint/{endpoint}"} for endpoint in endpoints]
    return {"resourceType": "Organization", "id": identity, "name": name, "endpoint": listed} | more


@pytest.fixture
def practices(tmp_path: Path) -> Path:
    """Thirty practices on one base."""
    listed = [organization(f"p{number}", f"Practice {number:02} Family Medicine", "e") for number in range(30)]
    return directory_file(tmp_path, endpoint("e", "https://platform.example/r4", name="Platform"), *listed)


def test_each_of_those_who_share_a_base_can_be_picked(command, workspace: Path, practices: Path) -> None:
    result = command("org", "import", practices, "--name", "practice 25*", "-f", "json", "-w", workspace)
    (added,) = result.json()["added"]
    assert (added["name"], added["shared_by"]) == ("Practice 25 Family Medicine", 30)
    everybody = command("org", "import", practices, "-w", workspace)
    assert "Added 29 organisations" in everybody.err
    assert "1 organisation known already and left as it is: practice-25-family-medicine" in everybody.err
    assert "29 of them have a base URL that several listed organisations share" in everybody.err
    again = command("org", "import", practices, "-f", "json", "-w", workspace).json()
    assert (again["added"], len(again["known"])) == ([], 30)


def test_a_name_that_fits_too_many_is_told_with_some_of_them(command, workspace: Path, tmp_path: Path) -> None:
    many = [organization(f"p{number}", f"Practice {number:03}", "e") for number in range(300)]
    path = directory_file(tmp_path, endpoint("e", "https://platform.example/r4"), *many)
    result = command("org", "import", path, "--name", "practice", "-w", workspace)
    assert result.code == 2
    assert "300 organisations would be added: Practice 000, Practice 001, Practice 002, Practice 003 and 296 more" in (
        " ".join(result.err.split())
    )


def test_a_name_that_nearly_fits_is_answered_with_those_that_do(command, workspace: Path, practices: Path) -> None:
    result = command("org", "import", practices, "--name", "Family Practise 07", "-w", workspace)
    assert result.code == 2
    assert "such as Practice" in " ".join(result.err.split())


def brand(tmp_path: Path) -> Path:
    return directory_file(
        tmp_path,
        endpoint("old", "https://h.example/DSTU2"),
        endpoint("new", "https://h.example/R4"),
        organization("h", "Hazel Health", "old", "new"),
        organization("m", "Hazel at Mill Street", partOf={"reference": "Organization/h"}),
    )


@pytest.mark.parametrize(("release", "url"), [("R4", "https://h.example/R4"), ("DSTU2", "https://h.example/DSTU2")])
def test_the_contracts_release_picks_the_base(command, workspace: Path, tmp_path: Path, release: str, url: str) -> None:
    path = workspace / "contract.yaml"
    path.write_text(path.read_text().replace("fhir_release: R4 ", f"fhir_release: {release} "))
    result = command("org", "import", brand(tmp_path), "-w", workspace)
    assert organizations(command, workspace)["hazel-health"]["fhir_base_url"] == url
    assert "Hazel Health is listed at other base URLs too" in result.err
    assert "Not added: 1 organisation without a base URL of its own" in result.err


def test_a_part_of_a_brand_is_added_by_its_name(command, workspace: Path, tmp_path: Path) -> None:
    path = brand(tmp_path)
    command("org", "import", path, "-w", workspace)
    result = command("org", "import", path, "--name", "mill street", "-f", "json", "-w", workspace)
    (added,) = result.json()["added"]
    assert (added["id"], added["part_of"], added["fhir_base_url"]) == (
        "hazel-at-mill-street",
        "Hazel Health",
        "https://h.example/R4",
    )


@pytest.mark.parametrize(
    ("options", "environment"), [((), "non-production"), (("--environment", "production"), "production")]
)
def test_the_directorys_environment_holds_until_the_user_says_another(
    command, workspace: Path, tmp_path: Path, options: tuple[str, ...], environment: str
) -> None:
    path = directory_file(
        tmp_path,
        endpoint("t", "https://t.example/r4", status="test", name="Tests"),
        endpoint("p", "https://p.example/r4", name="Real"),
    )
    command("org", "import", path, *options, "-w", workspace)
    listed = organizations(command, workspace)
    assert (listed["tests"]["environment"], listed["real"]["environment"]) == (environment, "production")


def test_what_is_not_read_and_who_has_no_base_is_said(command, workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    entries = [
        {"resource": endpoint("a", "https://a.example/r4", name="A")},
        {"resource": endpoint("b", "https://b.example/r4", status="suspended")},
        {"resource": organization("o", "Paused Clinic", "b")},
    ]
    link = [{"relation": "next", "url": "https://d.example/Endpoint?page=2"}]
    page = {"resourceType": "Bundle", "type": "searchset", "total": 812, "link": link, "entry": entries}
    path.write_text(json.dumps(page))
    told = " ".join(command("org", "import", path, "--dry-run", "-w", workspace).err.split())
    assert "Note: the file is one page with 3 of 812 entries" in told
    assert "Dropped 1 address: 1 its status is suspended, like entry 2: https://b.example/r4" in told
    assert "1 listed organisation without a base URL: 1 its endpoint cannot be used: its status is suspended" in told


def test_a_fleet_looks_at_a_base_once_and_finds_each_name(practices: Path) -> None:
    everybody = directory_targets(practices)
    assert [target.name for target in everybody.targets] == ["Practice 00 Family Medicine and 29 others"]
    assert everybody.organizations == 30
    one = directory_targets(practices, name="Practice 25")
    assert [(target.base_url, target.name) for target in one.targets] == [
        ("https://platform.example/r4", "Practice 25 Family Medicine")
    ]
