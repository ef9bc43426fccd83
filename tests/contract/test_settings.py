"""The contract's settings at each organisation: what needs a value, what has one, and of which type."""

from __future__ import annotations

import time
from typing import Any

import pytest

from interlock.contract.load import remarks
from interlock.contract.match import match_contract
from interlock.contract.settings import match_settings
from interlock.documents.yaml import model_from_yaml, parse_yaml
from interlock.model.contract import SettingMatch, SurfaceSetting, WorkflowContract
from interlock.model.organization import Organization

pytestmark = pytest.mark.fast


def setting(name: str = "threshold", type_: str = "number", surface: str = "per_organization", **more: Any) -> Any:
    return {"name": name, "type": type_, "surface": surface, **more}


def contract(*settings: dict[str, Any]) -> WorkflowContract:
    return WorkflowContract.model_validate({"version": "1", "title": "T", "organization_surface": list(settings)})


def org(**overrides: Any) -> Organization:
    return Organization(id="north", name="North", overrides=overrides)


def only(settings: dict[str, Any], **overrides: Any) -> SettingMatch:
    (found,) = match_settings(contract(settings), org(**overrides))
    return found


@pytest.mark.parametrize(
    ("type_", "taken", "refused"),
    [
        ("boolean", [True, False], [1, 0, "true", ["true"]]),
        ("integer", [0, -3, 10**30], [True, 1.0, "1", [1]]),
        ("number", [0, 0.5, -1], [True, "0.5", [0.5]]),
        ("string", ["ward"], [34109, 0.5, True, ["ward"]]),
        ("list", [[], ["a", "b"]], ["a", [1, 2], [["a"]], [None], {"a": "b"}, True]),
        ("url", ["https://a.example/r4", "http://a.example"], ["a.example", "https://", "/r4", "https://a b/", 7]),
    ],
)
def test_a_value_is_of_its_settings_type_or_not(type_: str, taken: list[Any], refused: list[Any]) -> None:
    for value in taken:
        assert only(setting(type_=type_), threshold=value).outcome == "own", value
    for value in refused:
        found = only(setting(type_=type_), threshold=value)
        assert found.outcome == "mistyped", value
        assert found.note and found.note.endswith(" is there")


@pytest.mark.parametrize(
    ("surface", "default", "overrides", "expected"),
    [
        ("per_organization", None, {}, ("missing", True)),
        ("per_organization", 0.6, {}, ("defaulted", True)),
        ("per_organization", 0.6, {"threshold": 0.6}, ("own", True)),
        ("universal", 0.6, {}, ("default", False)),
        ("universal", 0.6, {"threshold": 0.6}, ("own", False)),
        ("universal", 0.6, {"threshold": 0.5}, ("universal", False)),
        ("universal", None, {}, ("missing", True)),
        ("universal", None, {"threshold": 0.5}, ("own", True)),
        ("per_organization", 0.6, {"threshold": "high"}, ("mistyped", True)),
        ("per_organization", None, {"threshold": None}, ("missing", True)),
        ("per_organization", None, {"threshold": "  "}, ("missing", True)),
    ],
)
def test_what_may_differ_or_has_no_default_needs_a_value(
    surface: str, default: Any, overrides: dict[str, Any], expected: tuple[str, bool]
) -> None:
    found = only(setting(surface=surface, default=default), **overrides)
    assert (found.outcome, found.needed) == expected


def test_a_wrong_value_is_told_with_what_was_expected_and_what_is_there() -> None:
    found = only(setting(), threshold="high")
    assert (found.value, found.note) == ('"high"', 'a number is expected, and "high" is there')


def test_a_name_that_the_contract_does_not_have_is_told_with_the_closest_one() -> None:
    found = match_settings(contract(setting("risk_threshold", default=0.6)), org(risk_treshold=0.7, pager="4711"))
    assert [(match.name, match.outcome) for match in found] == [
        ("risk_threshold", "defaulted"),
        ("risk_treshold", "unknown"),
        ("pager", "unknown"),
    ]
    assert found[1].note == "did you mean 'risk_threshold'?"
    assert found[2].note is None


def test_a_contract_without_settings_says_nothing_about_an_organisations() -> None:
    assert match_settings(contract(), org(threshold=1)) == ()


def test_settings_are_judged_of_an_organisation_that_nobody_has_observed() -> None:
    fit = match_contract(contract(setting()), org(), None)
    assert not fit.observed
    assert [match.outcome for match in fit.settings] == ["missing"]


def test_hostile_names_and_values_are_short_and_plain() -> None:
    name, value = "\x1b[2J" + "n" * 5_000, "\x1b]0;x\x07\n" + "v" * 50_000
    found = match_settings(contract(setting()), org(**{"threshold": value, name: {"a": [value] * 9}}))
    for match in found:
        shown = f"{match.name}{match.value}{match.note}"
        assert len(shown) < 600
        assert "\x1b" not in shown and "\x07" not in shown and "\n" not in shown


def test_many_organisations_and_many_unknown_names_take_little_time() -> None:
    many = contract(*(setting(f"setting_{number}", default=1.0) for number in range(50)))
    fleet = [org(**{f"setting_{number}": number for number in range(start, 50)}) for start in range(200)]
    large = contract(*(setting(f"setting_{number}") for number in range(2_000)))
    strange = org(**{f"seting_{number}": 1 for number in range(5_000)})
    started = time.process_time()
    assert sum(len(match_settings(many, one)) for one in fleet) == 200 * 50
    assert len(match_settings(large, strange)) == 7_000
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"default": "high"}, "threshold: its default is not a number"),
        ({"default": True}, "threshold: its default is not a number"),
        ({"default": 1}, None),
        ({}, None),
    ],
)
def test_a_default_of_another_type_is_undecided_in_the_contract(more: dict[str, Any], told: str | None) -> None:
    text = f"version: '1'\ntitle: T\norganization_surface:\n  - {setting(**more)}\n"
    document = parse_yaml(text.replace("True", "true"), "contract.yaml")
    found = remarks(model_from_yaml(WorkflowContract, document), document)
    about = [(one.line, one.message) for one in found if one.pointer.startswith("/organization_surface")]
    assert about == ([(4, told)] if told else [])


def test_two_settings_of_one_name_are_told() -> None:
    text = f"version: '1'\ntitle: T\norganization_surface:\n  - {setting()}\n  - {setting()}\n"
    document = parse_yaml(text, "contract.yaml")
    found = remarks(model_from_yaml(WorkflowContract, document), document)
    assert (5, "threshold: another setting has this name") in [(one.line, one.message) for one in found]


def test_what_needs_a_value_is_what_may_differ_or_has_no_default() -> None:
    universal = SurfaceSetting.model_validate(setting(surface="universal", default=False))
    assert not universal.needs_value
    assert universal.model_copy(update={"default": None}).needs_value
