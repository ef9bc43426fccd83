"""Expressions: what they read, their bounds, and errors with a caret."""

from __future__ import annotations

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.content.compile import caret, compile_expression
from interlock.content.syntax import CelSyntaxError, parse
from tiers import rounds

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("responses.auth.jwks == 'none'", ("responses.auth.jwks",)),
        ('checks["SMART-001"] == "fail"', ("checks.SMART-001",)),
        ('probe["smart"].issuer == ""', ("probe.smart.issuer",)),
        ("has(probe.jwks) && !probe.jwks.valid", ("probe.jwks", "probe.jwks.valid")),
        ("contract.launch.modes.exists(m, m == 'backend')", ("contract.launch.modes",)),
        ("fit.missing.size() > 0", ("fit.missing",)),
        ("size(fit.missing) > fit.supported", ("fit.missing", "fit.supported")),
        ("contract.outputs.exists(o, o.resource == fleet.x)", ("contract.outputs", "fleet.x")),
        ("contract.outputs[0].resource == 'X'", ("contract.outputs",)),
        ("responses[contract.title] == 'X'", ("responses", "contract.title")),
        ("probe.exists(probe, probe == 'a') || org.id == 'b'", ("probe", "org.id")),
        ("a.all(x, b.exists(y, x == y && c.d)) ", ("a", "b", "c.d")),
        ("a.filter(x, x.y).map(z, z.w).size() == n", ("a", "n")),
        ("x.y.exists(m, m == 'a') && m.z", ("x.y", "m.z")),
        ("\"responses.a\" == 'b.c' // d.e", ()),
        ("responses.a in ['x', value.b]", ("responses.a", "value.b")),
        ("{'k': a.b}.k == -c.d", ("a.b", "c.d")),
        ("a ? b.c : d", ("a", "b.c", "d")),
        ("a.b == a.b || a . b", ("a.b",)),
        ("a.matches(r'\\d+')", ("a",)),
        ("a\n  // why\n  && b", ("a", "b")),
    ],
)
def test_reads(text: str, reads: tuple[str, ...]) -> None:
    assert compile_expression(text).reads == reads


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("", "expected a value, found the end", 0),
        ("a ==", "expected a value, found the end", 4),
        ("a = b", "a single '=': write '==' to compare", 2),
        ("a & b", "a single '&': write '&&'", 2),
        ('a == "b', "a string that is not closed", 5),
        ("a b", "expected an operator or the end, found 'b'", 2),
        ("a.(b)", "expected a field name, found '('", 2),
        ("(a", "expected ')', found the end", 2),
        ("a.exists(x, )", "expected a value, found ')'", 12),
        ("a && # b", "unexpected '#'", 5),
        ("a ? b", "expected ':', found the end", 5),
        ("a" * 2001, "longer than 2,000 characters", 2000),
        ("(" * 60 + "a", "nested deeper than 40", 40),
        ("!" * 60 + "a", "nested deeper than 40", 39),
        ("[" * 60 + "a", "nested deeper than 40", 40),
        ("a" + " || a" * 50, "more than 40 operators in a row", 202),
        ("a" + ".b" * 50, "more than 40 fields in a row", 81),
        ("a.exists(x, b.filter(y, x == y).size() > 0)", "filter inside another macro", 12),
        ("a.filter(x, b.map(y, x).size() > 0).size() > 1", "map inside another macro", 12),
        ("a.all(x, b.all(y, c.all(z, true)))", "more than 2 nested all, exists, filter or map", 18),
    ],
)
def test_what_is_not_an_expression(text: str, message: str, offset: int) -> None:
    with pytest.raises(CelSyntaxError) as caught:
        compile_expression(text)
    assert caught.value.message == message
    assert caught.value.offset == offset


def test_two_nested_macros_are_fine_and_so_is_a_chain() -> None:
    compile_expression("a.all(x, b.exists(y, x == y)) && c.filter(x, x > 1).map(y, y).exists(z, z == 2)")


def test_what_only_the_library_refuses_is_an_error_with_its_place() -> None:
    with pytest.raises(CelSyntaxError) as caught:
        compile_expression("a == 1 &&\n 99999999999999999999 == b")
    assert caught.value.offset == 11


def test_the_caret_stands_under_the_place() -> None:
    assert caret("a ==", 4) == "a ==\n    ^"
    assert caret("a\n&& = b\n|| c", 5) == "&& = b\n   ^"
    line, mark = caret("x" * 300 + "!", 300).splitlines()
    assert line[len(mark) - 1] == "!"
    assert len(line) <= 110


def test_the_same_condition_has_one_normal_form() -> None:
    assert compile_expression("a.b||( c )").normal_form == compile_expression("a.b || c // why").normal_form
    assert compile_expression("a && b").normal_form != compile_expression("a || b").normal_form
    assert compile_expression("a == 'b'").normal_form != compile_expression("a == 'c'").normal_form


NAMES = st.sampled_from(["a.b", "responses.x.y", "probe.z", "m"])


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[str, frozenset[str]]:
    """An expression and what it reads, known because it was built."""
    kind = draw(st.sampled_from(["name", "string", "compare", "and", "not", "has", "exists", "in", "ternary", "index"]))
    if depth == 0 or kind == "name":
        name = draw(NAMES)
        return name, frozenset({name})
    if kind == "string":
        return draw(st.sampled_from(["'a.b'", '"m == x.y"', "'it\\'s'", '"""q.r"""', "r'\\d'"])), frozenset()
    if kind == "has":
        name = draw(st.sampled_from(["a.b", "probe.z"]))
        return f"has({name})", frozenset({name})
    if kind == "index":
        return 'checks["A-1.x"]' if draw(st.booleans()) else "a['b']", frozenset()
    left, left_reads = draw(expressions(depth=depth - 1))
    right, right_reads = draw(expressions(depth=depth - 1))
    if kind == "exists":
        return f"({left}).exists(m, {right})", left_reads | {name for name in right_reads if name != "m"}
    if kind == "not":
        return f"!({left})", left_reads
    if kind == "ternary":
        return f"({left} ? {right} : {left})", left_reads | right_reads
    operator = {"compare": "==", "and": "&&", "in": "in"}[kind]
    return f"({left} {operator} {right})", left_reads | right_reads


@settings(max_examples=rounds(60, 150))
@given(expressions())
def test_reads_of_expressions_whose_reads_are_known(built: tuple[str, frozenset[str]]) -> None:
    text, expected = built
    if text.count(".exists(") > 2:
        return
    found = set(compile_expression(text).reads) - {"checks.A-1.x"}
    if "a['b']" in text:
        found.discard("a.b")
        expected = expected - {"a.b"}
    assert found == expected


@settings(max_examples=rounds(60, 150))
@given(expressions())
def test_the_library_sees_no_other_variables(built: tuple[str, frozenset[str]]) -> None:
    text, _ = built
    if text.count(".exists(") > 2:
        return
    roots = {name.split(".")[0] for name in compile_expression(text).reads}
    assert roots | {"m"} == set(cel.compile(text).variables()) | {"m"}


@settings(max_examples=rounds(60, 150))
@given(st.text(alphabet="ab.()[]{}!&|=<>?:,'\"\\ 01+-*/%in\n", max_size=30))
def test_what_parses_here_parses_there_or_is_refused_in_words(text: str) -> None:
    try:
        tree = parse(text)
    except CelSyntaxError as error:
        assert 0 <= error.offset <= len(text)
        return
    assert text[tree.start : tree.end].strip() != ""
    try:
        compile_expression(text)
    except CelSyntaxError as error:
        assert error.message


@pytest.mark.parametrize(
    "text", ["a", "a.b.c", "!a", "-1 < a", "a + b * c - d / e % f == 1", "a in [1, 2,]", "{}", "[]", "{'a': 1,}"]
)
def test_the_tree_spans_the_whole_expression(text: str) -> None:
    tree = parse(text)
    assert text[tree.start : tree.end] == text
    cel.compile(text)
