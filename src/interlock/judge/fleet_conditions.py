"""Conditions over all organisations, three-valued: one that is not known does not hide what is known of another.

CEL libraries stop at the first element that cannot be decided. Here ``orgs.exists(o, …)`` is true as soon as it is true
of one organisation, and undecided only while the unknown could still make the difference, as the CEL specification
defines ``||`` and ``&&`` (section Logical Operators).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from interlock.content.cel import cel
from interlock.content.expression import Expression, compile_expression, dotted, macro_variable, reads_of
from interlock.content.syntax import CelSyntaxError, Node
from interlock.judge.causes import NO_CAUSES, Causes, causes_of, missing
from interlock.judge.context import SubjectContext
from interlock.judge.names import value_at

#: The list of all organisations, and the name that every condition gives to one of them.
ORGS = "orgs"
ENTRY = "o"
_USE = f"read {ORGS} as {ORGS}.exists({ENTRY}, …) or {ORGS}.all({ENTRY}, …), joined with &&, || and !"


@dataclass(frozen=True, eq=False)
class FleetCondition:
    """A condition taken apart. ``exists`` and ``all`` hold their body, which is about one organisation."""

    kind: Literal["or", "and", "not", "exists", "all", "plain"]
    expression: Expression
    parts: tuple[FleetCondition, ...] = ()

    @property
    def bodies(self) -> tuple[Expression, ...]:
        """Everything that is asked of each organisation."""
        own = (self.expression,) if self.kind in {"exists", "all"} else ()
        return own + tuple(body for part in self.parts for body in part.bodies)


@dataclass(frozen=True, eq=False)
class Place:
    """One organisation: its own context, what conditions read of it as ``o``, and both as CEL sees them."""

    id: str
    name: str
    context: SubjectContext
    entry: Mapping[str, Any]
    seen: cel.Context


@dataclass(frozen=True)
class Truth:
    """What a condition comes to; none while undecided. Then ``causes`` and ``places`` say what is not known of whom."""

    value: bool | None
    causes: Causes = NO_CAUSES
    places: tuple[Place, ...] = ()


def structure(expression: Expression) -> FleetCondition:
    """Take a condition apart.

    :raises CelSyntaxError: ``orgs`` or ``o`` is used in another way than ``exists`` and ``all``, or within a macro.
    """
    tree = expression.tree
    if expression.parts:
        kind: Literal["or", "and", "not"] = "not" if tree.kind == "not" else "or" if tree.text == "||" else "and"
        return FleetCondition(kind, expression, tuple(structure(part) for part in expression.parts))
    if macro_variable(tree) is not None and dotted(tree.children[0]) == ORGS:
        if tree.text not in {"exists", "all"} or macro_variable(tree) != ENTRY or len(tree.children) != 3:
            raise CelSyntaxError(_USE, tree.start)
        body = tree.children[2]
        inner = compile_expression(expression.text[body.start : body.end])
        of_one(inner)
        return FleetCondition("exists" if tree.text == "exists" else "all", inner)
    _refuse(tree, {ORGS, ENTRY})
    return FleetCondition("plain", expression)


def of_one(expression: Expression) -> None:
    """Check a condition that is about one organisation.

    :raises CelSyntaxError: it reads ``orgs``, or ``o`` as a whole.
    """
    _refuse(expression.tree, {ORGS})
    if ENTRY in expression.reads:
        raise CelSyntaxError(f"read a field of {ENTRY}, not all of it", expression.tree.start)


def reads_of_one(expression: Expression) -> tuple[str, ...]:
    """Dotted names that a condition reads of one organisation, without the leading ``o``."""
    prefix = f"{ENTRY}."
    return tuple(name.removeprefix(prefix) for name in reads_of(expression.tree) if name.startswith(prefix))


def reads_beside(expression: Expression) -> tuple[str, ...]:
    """Dotted names that a condition about one organisation reads of the product."""
    return tuple(name for name in expression.reads if name.partition(".")[0] != ENTRY)


def truth(condition: FleetCondition, product: SubjectContext, places: Sequence[Place]) -> Truth:
    """What a condition comes to over all organisations."""
    if condition.kind == "plain":
        return _plain(condition.expression, product)
    if condition.kind == "exists":
        return _combined([_at(condition.expression, place, decisive=True) for place in places], decisive=True)
    if condition.kind == "all":
        return _combined([_at(condition.expression, place, decisive=False) for place in places], decisive=False)
    found = [truth(part, product, places) for part in condition.parts]
    if condition.kind == "not":
        inner = found[0]
        return inner if inner.value is None else Truth(not inner.value)
    return _combined(found, decisive=condition.kind == "or")


def _combined(found: Sequence[Truth], *, decisive: bool) -> Truth:
    """``or`` when ``decisive`` is true, ``and`` when it is false."""
    if any(one.value is decisive for one in found):
        return Truth(decisive)
    open_ones = [one for one in found if one.value is None]
    if not open_ones:
        return Truth(not decisive)
    causes = NO_CAUSES
    places: dict[str, Place] = {}
    for one in open_ones:
        causes = causes.union(one.causes)
        places |= {place.id: place for place in one.places}
    return Truth(None, causes, tuple(places.values()))


def _plain(expression: Expression, product: SubjectContext) -> Truth:
    value, error = expression.evaluate(product.context)
    if value is not None:
        return Truth(value)
    causes = causes_of(expression, product)
    return Truth(None, causes if error is None else causes._replace(others=(*causes.others, error)))


def _at(body: Expression, place: Place, *, decisive: bool) -> Truth:
    """Of an organisation of which nothing that is missing will ever be asked, the condition says nothing."""
    value, error = body.evaluate(place.seen)
    if value is not None:
        return Truth(value)
    causes = missing(reads_of_one(body), partial(value_at, place.entry), place.context.answers)
    if error is not None:
        causes = causes._replace(others=(*causes.others, error))
    return Truth(not decisive) if causes.only_excused else Truth(None, causes, (place,))


def _refuse(tree: Node, names: set[str]) -> None:
    for node in _free(tree, frozenset()):
        if node.text in names:
            raise CelSyntaxError(_USE, node.start)


def _free(node: Node, bound: frozenset[str]) -> Iterator[Node]:
    """Identifiers that no macro binds."""
    if node.kind == "ident" and node.text not in bound:
        yield node
    variable = macro_variable(node)
    for index, child in enumerate(node.children):
        if variable is None or index == 0:
            yield from _free(child, bound)
        elif index > 1:
            yield from _free(child, bound | {variable})
