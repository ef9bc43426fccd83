"""The syntax tree of a CEL expression, for reading what an expression reads. Evaluation is the CEL library's business.

Grammar: Common Expression Language specification, section Syntax (google/cel-spec, ``doc/langdef.md``), without message
literals, byte strings and leading dots, which no rule needs. Length and nesting are bounded before the library sees the
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

#: Longest expression in characters, and deepest nesting of brackets, operators and macros.
MAX_LENGTH = 2_000
MAX_DEPTH = 40

NodeKind = Literal[
    "literal", "ident", "select", "index", "call", "method", "list", "map", "not", "negate", "binary", "ternary"
]


class CelSyntaxError(ValueError):
    """An expression that is not CEL. ``offset`` is 0-based in the expression's text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True)
class Node:
    """One node of the tree; ``start`` and ``end`` delimit its text in the expression.

    :ivar text: identifier, field, function or operator name, or a literal as written.
    :ivar children: operands; of a ``method`` the receiver comes first, of a ``map`` keys and values alternate.
    """

    kind: NodeKind
    text: str
    children: tuple[Node, ...]
    start: int
    end: int

    def walk(self) -> Iterator[Node]:
        """This node and every node below it, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()


_STRING = r"""[rR]?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_TOKEN = re.compile(
    rf"""(?P<space>(?:[ \t\r\n\f]|//[^\n]*)+)
    |(?P<string>{_STRING})
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<operator>\|\||&&|[<>=!]=|[<>!?:+\-*/%.,()\[\]{{}}])""",
    re.VERBOSE | re.DOTALL,
)
_LEVELS = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
#: How closely each operator between two values binds them.
_CLOSENESS = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
_HINTS = {
    '"': "a string that is not closed",
    "'": "a string that is not closed",
    "=": "a single '=': write '==' to compare",
    "&": "a single '&': write '&&'",
    "|": "a single '|': write '||'",
}
_LITERAL_NAMES = frozenset({"true", "false", "null"})


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def parse(expression: str) -> Node:
    """The tree of an expression.

    :raises CelSyntaxError: not CEL, longer than :data:`MAX_LENGTH`, or nested deeper than :data:`MAX_DEPTH`.
    """
    if len(expression) > MAX_LENGTH:
        raise CelSyntaxError(f"longer than {MAX_LENGTH:,} characters", MAX_LENGTH)
    return _Parser(expression).parse()


def string_value(literal: str) -> str | None:
    """What a string literal without escapes says; none for any other literal."""
    match = re.fullmatch(r"""([rR]?)(\"\"\"|'''|"|')(.*)\2""", literal, re.DOTALL)
    if match is None or ("\\" in match.group(3) and not match.group(1)):
        return None
    return match.group(3)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise CelSyntaxError(_HINTS.get(text[position], f"unexpected {text[position]!r}"), position)
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    return [*tokens, _Token("end", "", len(text))]


class _Parser:
    """Recursive descent; operators between values by how closely they bind (precedence climbing)."""

    def __init__(self, expression: str) -> None:
        self.tokens = _tokens(expression)
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def parse(self) -> Node:
        node = self.expression()
        if self.token.kind != "end":
            raise self.unexpected("an operator or the end")
        return node

    def unexpected(self, wanted: str) -> CelSyntaxError:
        there = repr(self.token.text) if self.token.text else "the end"
        return CelSyntaxError(f"expected {wanted}, found {there}", self.token.start)

    def accept(self, text: str) -> _Token | None:
        token = self.token
        if token.text == text and token.kind in {"operator", "name"}:
            self.at += 1
            return token
        return None

    def expect(self, text: str) -> _Token:
        token = self.accept(text)
        if token is None:
            raise self.unexpected(repr(text))
        return token

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CelSyntaxError(f"nested deeper than {MAX_DEPTH}", self.token.start)
        node = self.level(0)
        if self.accept("?"):
            yes = self.level(0)
            self.expect(":")
            no = self.expression()
            node = Node("ternary", "?", (node, yes, no), node.start, no.end)
        self.depth -= 1
        return node

    def level(self, lowest: int) -> Node:
        """Values with operators between them that bind at least so closely."""
        node = self.unary()
        length, last = 0, len(_LEVELS)
        while True:
            operator = self.token
            level = _CLOSENESS.get(operator.text, -1) if operator.kind in {"operator", "name"} else -1
            if level < lowest:
                return node
            length = length + 1 if level == last else 1
            if length > MAX_DEPTH:
                raise CelSyntaxError(f"more than {MAX_DEPTH} operators in a row", operator.start)
            last = level
            self.at += 1
            right = self.level(level + 1)
            node = Node("binary", operator.text, (node, right), node.start, right.end)

    def unary(self) -> Node:
        token = self.token
        if token.kind == "operator" and token.text in "!-" and token.text:
            self.at += 1
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise CelSyntaxError(f"nested deeper than {MAX_DEPTH}", token.start)
            operand = self.unary()
            self.depth -= 1
            kind: NodeKind = "not" if token.text == "!" else "negate"
            return Node(kind, token.text, (operand,), token.start, operand.end)
        return self.member()

    def member(self) -> Node:
        node = self.primary()
        length = 0
        while True:
            length += 1
            if length > MAX_DEPTH:
                raise CelSyntaxError(f"more than {MAX_DEPTH} fields in a row", self.token.start)
            if self.accept("."):
                field = self.token
                if field.kind != "name":
                    raise self.unexpected("a field name")
                self.at += 1
                if self.accept("("):
                    arguments, end = self.arguments(")")
                    node = Node("method", field.text, (node, *arguments), node.start, end)
                else:
                    node = Node("select", field.text, (node,), node.start, field.end)
            elif self.accept("["):
                key = self.expression()
                node = Node("index", "[]", (node, key), node.start, self.expect("]").end)
            else:
                return node

    def primary(self) -> Node:
        token = self.token
        self.at += 1
        if token.kind in {"string", "number"} or (token.kind == "name" and token.text in _LITERAL_NAMES):
            return Node("literal", token.text, (), token.start, token.end)
        if token.kind == "name" and token.text != "in":
            if self.accept("("):
                arguments, end = self.arguments(")")
                return Node("call", token.text, arguments, token.start, end)
            return Node("ident", token.text, (), token.start, token.end)
        if token.text == "(":
            inner = self.expression()
            return Node(inner.kind, inner.text, inner.children, token.start, self.expect(")").end)
        if token.text == "[":
            elements, end = self.arguments("]")
            return Node("list", "[]", elements, token.start, end)
        if token.text == "{":
            return self.map(token)
        self.at -= 1
        raise self.unexpected("a value")

    def arguments(self, close: str) -> tuple[tuple[Node, ...], int]:
        nodes: list[Node] = []
        closing = self.accept(close)
        while closing is None:
            nodes.append(self.expression())
            comma = self.accept(",")
            if comma is None:
                closing = self.expect(close)
            elif close == "]":
                closing = self.accept(close)
        return tuple(nodes), closing.end

    def map(self, opening: _Token) -> Node:
        nodes: list[Node] = []
        closing = self.accept("}")
        while closing is None:
            nodes.append(self.expression())
            self.expect(":")
            nodes.append(self.expression())
            closing = self.accept("}") if self.accept(",") else self.expect("}")
        return Node("map", "{}", tuple(nodes), opening.start, closing.end)
