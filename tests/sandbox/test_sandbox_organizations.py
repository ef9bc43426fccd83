"""The simulated organisations that are shipped."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from interlock.documents.resources import data_dir
from interlock.sandbox.faults import FAULTS
from interlock.sandbox.organizations import load_organizations

pytestmark = pytest.mark.fast


def test_the_shipped_organisations_are_those_of_the_story() -> None:
    found = {entry.id: entry for entry in load_organizations()}
    assert list(found) == ["harborview", "lakeshore", "pinecrest", "riverside", "summerfield"]
    assert {name: entry.vendor for name, entry in found.items()} == {
        "harborview": "epic",
        "lakeshore": "oracle",
        "pinecrest": "other",
        "riverside": "epic",
        "summerfield": "other",
    }
    assert {name: entry.release for name, entry in found.items() if entry.listen} == {
        "lakeshore": "R4",
        "pinecrest": "STU3",
        "riverside": "R4",
        "summerfield": "R4",
    }
    assert not found["harborview"].listen
    assert found["harborview"].metadata is None
    assert found["pinecrest"].smart is None
    assert found["lakeshore"].smart is not None
    assert found["lakeshore"].openid is None


def test_organisations_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_organizations()[0].name = "Other"  # type: ignore[misc]


def test_the_shipped_folders_hold_what_the_sandbox_relies_on() -> None:
    for organization in load_organizations():
        assert (data_dir("samples") / "organizations" / organization.id).is_dir()
        assert organization.metadata is not None or not organization.listen
        assert set(organization.faults) <= FAULTS.keys()
        named = [(resource["resourceType"], resource["id"]) for resource in organization.resources]
        assert len(set(named)) == len(named)
