"""A condition of a workspace's rule ends soon, whatever it says: what could take long is refused with a caret."""

from __future__ import annotations

import pytest

from interlock.content.cel import cel
from interlock.content.compile import compile_expression
from interlock.content.syntax import CelSyntaxError

LIST = "[" + ",".join("1" for _ in range(100)) + "]"


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("[" + ",".join("1" for _ in range(101)) + "].size() > 0", "a list of more than 100"),
        (f"{LIST}.exists(x, 'a'.matches('\\\\pL{{50}}b'))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, 'a'.matches('(a{{100}}){{100}}'))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, 'a'.matches(r'\\w+'))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, matches('a', r'\\pL+'))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, 'a'.matches(probe.smart.issuer))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, 'a'.matches(x))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, 'a'.matches('b' + x))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, 'a'.matches('b\\173100}}'))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, 'a'.matches('{'a' * 201}'))", "a pattern inside a macro"),
        (f"{LIST}.exists(x, {LIST}.exists(y, {LIST}.exists(z, false)))", "more than 2 nested"),
        (f"{LIST}.map(x, {LIST}.map(y, y)).size() > 0", "map inside another macro"),
        ("1 == 1" + " || 1 == 1" * 60, "operators in a row"),
        ("(" * 100 + "true" + ")" * 100, "nested deeper"),
        ("'" + "x" * 2000 + "' == ''", "longer than 2,000"),
    ],
)
def test_what_could_take_long_is_refused(condition: str, told: str) -> None:
    with pytest.raises(CelSyntaxError, match=told):
        compile_expression(condition)


@pytest.mark.parametrize(
    "condition",
    [
        f"{LIST}.exists(x, {LIST}.exists(y, 'a'.matches('^(patient|user|system)/([*]|b)[.]')))",
        "'" + "a" * 500 + "!'.matches('(a+)+$')",  # Rust's engine does not go back
        "'a'.matches('((((a{100}){100}){100}){100})')",  # too large a program, which is an outcome
    ],
)
def test_the_worst_that_is_allowed_ends(condition: str) -> None:
    value, trouble = compile_expression(condition).evaluate(cel.Context())
    assert value is False or trouble
