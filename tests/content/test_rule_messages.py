"""Messages with fields, whatever the names in them are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import answered, choice, conclude, fit, inputs, observation, organization, rule

from interlock.content.messages import fields, show

pytestmark = pytest.mark.fast


def message(template: str, **more: Any) -> str:
    return conclude(rule("org.has_url", message=template), inputs(choice("x.a"), **more)).message


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Nothing to fill in", "Nothing to fill in"),
        ("{org.name} ({org.vendor})", "Riverside Hospital (epic)"),
        ("{org.has_url}", "yes"),
        ("{fleet.organizations} organisations", "1 organisations"),
        ("{fleet.releases}", "none"),
        ("{org.missing} and {nothing.at.all}", "? and ?"),
        ("{org}", "?"),
        ("{org.name.first}", "?"),
        ("{org.name.__class__} {org.__len__}", "? ?"),
        ("{checks.SMART-001}", "fail"),
        ("{responses.x.a} {value.x.a}", "some 0.5"),
        ("{probe.smart.pkce_s256}", "no"),
        ("{} {0} { org.name } {org name} {{org.id}}", "{} {0} { org.name } {org name} {riverside}"),
        ("%s %(org)s $org", "%s %(org)s $org"),
    ],
)
def test_fields(template: str, expected: str) -> None:
    seen = observation(smart={"pkce_s256": False}, checks={"SMART-001": "fail"})
    assert message(template, own={"x.a": answered("some")}, observations={"riverside": seen}) == expected


def test_long_lists_are_cut_and_say_so() -> None:
    matches = [("interaction", f"Type{chr(65 + number)}.read", "missing") for number in range(8)]
    text = message("{fit.missing}", fits={"riverside": fit("riverside", *matches)})
    assert text == "TypeA.read, TypeB.read, TypeC.read, TypeD.read, TypeE.read, TypeF.read and 2 more"
    six = message("{fit.missing}", fits={"riverside": fit("riverside", *matches[:6])})
    assert six.endswith("TypeE.read, TypeF.read")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("{org.id} {fit.missing}", "{org.id} {fit.missing}"),
        ("{org.name}", "{org.name}"),
        (
            "\x1b]8;;http://evil\x07click\x1b[0m",
            "\N{REPLACEMENT CHARACTER}]8;;http://evil\N{REPLACEMENT CHARACTER}click",
        ),
        ("abc\u202edef", "abc\N{REPLACEMENT CHARACTER}def"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("%s%n{0}{}", "%s%n{0}{}"),
        ("\\g<0>\\1", "\\g<0>\\1"),
        ("[bold]x[/bold] <b>y</b> =CMD()", "[bold]x[/bold] <b>y</b> =CMD()"),
        ("x" * 200, "x" * 119 + "…"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_hostile_names_are_shown_and_never_filled_in_again(name: str, expected: str) -> None:
    text = message("A {org.name} Z", organizations=(organization().model_copy(update={"name": name}),))
    assert text.startswith(f"A {expected}")
    assert text.endswith(" Z")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=60)
@given(VALUES)
def test_any_value_has_bounded_words(value: Any) -> None:
    text = show([value] * 9)
    assert isinstance(text, str)
    assert "\x1b" not in text and "\n" not in text
    assert len(text) < 6 * 125 + 20


def test_a_list_in_a_list_has_no_words() -> None:
    deep: list[object] = []
    for _ in range(50_000):
        deep = [deep]
    assert show(["a", deep, {"b": deep}]) == "a, ?, ?"


def test_a_number_too_large_to_print_is_not() -> None:
    assert show(10**5_000) == "?"


def test_the_fields_of_a_template() -> None:
    assert fields("{org.name}: {fit.missing} {} {checks.A-001}") == ("org.name", "fit.missing", "checks.A-001")
