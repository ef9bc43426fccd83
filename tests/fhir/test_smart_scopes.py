"""Scopes: syntax of v1 and v2, and what covers what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.fhir.scopes import Scope, covers, parse, syntax_versions

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("patient/Observation.rs", Scope("patient", "Observation", "rs")),
        ("system/*.cruds", Scope("system", "*", "cruds")),
        ("user/Patient.r", Scope("user", "Patient", "r")),
        ("patient/Observation.read", Scope("patient", "Observation", "rs", version=1)),
        ("user/*.write", Scope("user", "*", "cud", version=1)),
        ("patient/*.*", Scope("patient", "*", "cruds", version=1)),
        (
            "patient/Observation.rs?category=http://x|laboratory&status=final",
            Scope("patient", "Observation", "rs", frozenset({"category=http://x|laboratory", "status=final"})),
        ),
    ],
)
def test_resource_scopes(text: str, scope: Scope) -> None:
    assert parse(text) == scope


@pytest.mark.parametrize(
    "text",
    [
        "",
        "launch",
        "launch/patient",
        "launch/imagingstudy",
        "openid",
        "fhirUser",
        "offline_access",
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.x",
        "patient/Observation.",
        "patient/Observation",
        "patient/observation.rs",
        "patient/Observation.read?category=x",
        "PATIENT/Observation.rs",
        "https://vendor.example/patient/Observation.rs",
        "__vendor",
        "patient/Observation.rs patient/Patient.rs",
    ],
)
def test_everything_else_is_no_resource_scope(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("supported", "needed", "covered"),
    [
        (["patient/Observation.rs"], "patient/Observation.rs", True),
        (["patient/Observation.rs"], "patient/Observation.r", True),
        (["patient/Observation.r"], "patient/Observation.rs", False),
        (["patient/Observation.r", "patient/Observation.s"], "patient/Observation.rs", True),
        (["patient/*.rs"], "patient/Observation.rs", True),
        (["patient/Observation.rs"], "patient/*.rs", False),
        (["user/*.cruds"], "patient/Observation.rs", False),
        (["patient/Observation.read"], "patient/Observation.rs", True),
        (["patient/Observation.rs"], "patient/Observation.read", True),
        (["patient/*.read"], "patient/Observation.rs", True),
        (["patient/Observation.write"], "patient/Observation.cu", True),
        (["patient/Observation.write"], "patient/Observation.rs", False),
        (["patient/Observation.*"], "patient/Observation.cruds", True),
        (["patient/Observation.rs"], "patient/Observation.rs?category=laboratory", True),
        (["patient/Observation.rs?category=laboratory"], "patient/Observation.rs", False),
        (["patient/Observation.rs?category=laboratory"], "patient/Observation.rs?category=laboratory", True),
        (["patient/Observation.rs?category=laboratory"], "patient/Observation.rs?category=vital-signs", False),
        (["patient/Observation.rs?a=1"], "patient/Observation.rs?b=2&a=1", True),
        (["launch", "openid"], "launch", True),
        (["launch/patient"], "launch", False),
        (["patient/Observation.sr"], "patient/Observation.rs", False),
        ([], "openid", False),
        ([], "patient/Observation.rs", False),
    ],
)
def test_coverage(supported: list[str], needed: str, covered: bool) -> None:
    assert covers(supported, needed) is covered
    assert covers(tuple(supported), needed) is covered
    assert covers(frozenset(supported), needed) is covered


def test_versions_by_syntax() -> None:
    assert syntax_versions(["openid", "patient/*.read"]) == (True, False)
    assert syntax_versions(["patient/*.rs"]) == (False, True)


LETTERS = st.sets(st.sampled_from("cruds"), min_size=1).map(lambda found: "".join(c for c in "cruds" if c in found))


@given(LETTERS, LETTERS)
def test_letters_cover_as_sets(offered: str, wanted: str) -> None:
    assert covers([f"system/Patient.{offered}"], f"system/Patient.{wanted}") is (set(wanted) <= set(offered))


@given(st.text(max_size=40))
def test_any_text_covers_itself(text: str) -> None:
    assert covers([text], text)
