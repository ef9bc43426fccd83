"""CEL expressions compiled, with what is known of them unevaluated, and the rules and patterns made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from interlock.content.cel import cel
from interlock.content.messages import line
from interlock.content.syntax import MAX_LENGTH, CelSyntaxError, Node, parse, string_value
from interlock.model.errors import DocumentError
from interlock.model.hazard import Hazard
from interlock.model.pattern import Pattern
from interlock.model.rule import Rule, Ruleset

#: Every top-level name that some subject has; see :mod:`interlock.judge.context`.
TOP_LEVEL = frozenset(
    {
        "responses",
        "value",
        "contract",
        "probe",
        "checks",
        "fit",
        "settings",
        "compared",
        "contradictions",
        "org",
        "site",
        "fleet",
        "anywhere",
        "everywhere",
        "vendor",
        "organizations",
    }
)
#: Macros that bind their first argument for the arguments after it (CEL specification, Macros).
MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})
#: How many of them may be nested: the work grows with the product of the lists' lengths.
MAX_NESTED_MACROS = 2
#: Elements of a list that is written out, and characters of a pattern inside a macro.
MAX_LIST = 100
MAX_PATTERN = 200
#: Counted repetitions and Unicode classes make a small pattern a large program.
_COSTLY = re.compile(r"\{|\\+[pPwWdDsSbBuUxX0-9]")
#: These copy what they have built for every element, so alone they already cost the square of the list's length.
_BUILDS_A_LIST = frozenset({"filter", "map"})
#: What evaluation gives: true, false, none when undecided; the second is set when it failed for another reason.
Result = tuple[bool | None, str | None]

_UNDEFINED = re.compile(r"Undefined variable or function: '([^']*)'")


@dataclass(frozen=True, eq=False)
class Expression:
    """A compiled expression. Build it with :func:`compile_expression`."""

    text: str
    tree: Node
    program: cel.Program

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Dotted names that it reads, in order, without names bound by a macro; ``x["k"]`` counts as ``x.k``."""
        return reads_of(self.tree)

    @cached_property
    def normal_form(self) -> str:
        """The same for expressions that differ in white space, comments or brackets only."""
        return _normal(self.tree)

    @cached_property
    def parts(self) -> tuple[Expression, ...]:
        """The operands of an outermost ``||``, ``&&`` or ``!``, compiled; nothing when there is no such operator."""
        tree = self.tree
        if tree.kind == "not" or (tree.kind == "binary" and tree.text in {"||", "&&"}):
            return tuple(compile_expression(self.text[child.start : child.end]) for child in tree.children)
        return ()

    def evaluate(self, context: cel.Context) -> Result:
        """True, false, or none when it cannot be decided; never raises.

        A missing key, or a top-level name that this subject lacks, leaves it undecided, and so does an element of a
        macro's list for which its body cannot be decided, unless an earlier element decides the macro. Anything else
        that goes wrong is told in the second value.
        """
        try:
            value = self.program.execute(context)
        except KeyError:
            return None, None
        except RuntimeError as error:
            undefined = _UNDEFINED.search(str(error))
            if undefined and undefined.group(1) in TOP_LEVEL:
                return None, None
            if undefined:
                return None, f"{undefined.group(1)!r} is neither a variable nor a function"
            return None, _in_short(error)
        except TypeError as error:
            return None, f"values of types that do not go together: {_in_short(error)}"
        except Exception as error:  # whatever else the library raises is an outcome, not a crash
            return None, _in_short(error)
        if isinstance(value, bool):
            return value, None
        return None, f"the condition gives a {type(value).__name__}, not true or false"


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Compile an expression.

    :raises CelSyntaxError: not CEL, too long, nested too deeply, with more than :data:`MAX_NESTED_MACROS` nested
        macros, or with anything else that could take long; says where in the text.
    """
    tree = parse(text)
    refused = _too_much_work(tree, 0)
    if refused is not None:
        raise refused
    try:
        program = cel.compile(text)
    except Exception as error:  # the library raises ValueError and, for some texts, others
        raise _library_error(text, error) from error
    return Expression(text, tree, program)


def caret(text: str, offset: int) -> str:
    """Two lines: the line of the expression that holds ``offset``, and a caret under that character."""
    offset = min(max(offset, 0), len(text))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    row = text[start : end if end >= 0 else len(text)]
    column = offset - start
    if len(row) > 110:
        cut = max(0, column - 80)
        row, column = row[cut : cut + 110], column - cut
    return f"{row}\n{' ' * column}^"


def reads_of(tree: Node) -> tuple[str, ...]:
    """Dotted names read below a node, in order of their appearance, each once."""
    return tuple(dict.fromkeys(_reads(tree, frozenset())))


def dotted(node: Node, bound: frozenset[str] = frozenset()) -> str | None:
    """``a.b.c`` of a chain of fields that starts at a free name; none of anything else."""
    if node.kind == "ident":
        return None if node.text in bound else node.text
    if node.kind == "select":
        head = dotted(node.children[0], bound)
        return f"{head}.{node.text}" if head else None
    if node.kind == "index" and node.children[1].kind == "literal":
        head = dotted(node.children[0], bound)
        key = string_value(node.children[1].text)
        return f"{head}.{key}" if head and key else None
    return None


def macro_variable(node: Node) -> str | None:
    """The name that a macro binds in its arguments after the first; none of a node that is no macro."""
    if node.kind == "method" and node.text in MACROS and len(node.children) > 2 and node.children[1].kind == "ident":
        return node.children[1].text
    return None


def _reads(node: Node, bound: frozenset[str]) -> Iterator[str]:
    name = dotted(node, bound)
    if name is not None:
        yield name
        return
    variable = macro_variable(node)
    if variable is not None:
        yield from _reads(node.children[0], bound)
        for argument in node.children[2:]:
            yield from _reads(argument, bound | {variable})
        return
    for child in node.children:
        yield from _reads(child, bound)


def needs_of(tree: Node) -> tuple[str, ...]:
    """What of the names that it reads an expression needs to come to the same: ``a.[].b`` is b of every element of a.

    A list that a macro goes through is needed as far as its body reads the elements, and a map as far as a text is
    looked for in it (``"NET-002" in checks``).
    """
    return tuple(dict.fromkeys(_needs(tree, {})))


def _needs(node: Node, bound: Mapping[str, str | None]) -> Iterator[str]:
    """:param bound: variable of a macro → what its values are elements of, or none where that is no name."""
    name = dotted(node)
    if name is not None:
        yield from _path(name, bound)
        return
    variable = macro_variable(node)
    if variable is None:
        if node.kind == "binary" and node.text == "in" and node.children[0].kind == "literal":
            key, holder = string_value(node.children[0].text), dotted(node.children[1])
            if key and "." not in key and holder is not None:
                yield from (f"{path}.{key}" for path in _path(holder, bound))
                return
        for child in node.children:
            yield from _needs(child, bound)
        return
    looped = dotted(node.children[0])
    elements = None if looped is None or node.text == "filter" else next(_path(f"{looped}.[]", bound), None)
    if elements is None:
        yield from _needs(node.children[0], bound)
    inside = [name for child in node.children[2:] for name in _needs(child, {**bound, variable: elements})]
    if elements is not None and not any(name.startswith(elements) for name in inside):
        yield elements
    yield from inside


def _path(name: str, bound: Mapping[str, str | None]) -> Iterator[str]:
    """A name with what its first word stands for in its place; nothing where that is no name."""
    head, dot, rest = name.partition(".")
    prefix = bound.get(head, head)
    if prefix is not None:
        yield f"{prefix}{dot}{rest}"


def _too_much_work(node: Node, depth: int) -> CelSyntaxError | None:
    """Why evaluation could take long.

    Macros nested too deeply; one that builds a list for every element; a long list that is written out; a pattern that
    is costly to build, built anew for every element.
    """
    inside = depth
    if node.kind == "list" and len(node.children) > MAX_LIST:
        return CelSyntaxError(f"a list of more than {MAX_LIST} elements", node.start)
    if depth and node.text == "matches" and node.kind in {"method", "call"} and node.children:
        pattern = node.children[-1]
        if not _quickly_built(pattern):
            return CelSyntaxError(
                "a pattern inside a macro is made of texts without {…} and \\ classes, and of a resource's name",
                pattern.start,
            )
    if macro_variable(node) is not None:
        inside += 1
        if inside > MAX_NESTED_MACROS:
            return CelSyntaxError(f"more than {MAX_NESTED_MACROS} nested all, exists, filter or map", node.start)
        if depth and node.text in _BUILDS_A_LIST:
            return CelSyntaxError(f"{node.text} inside another macro", node.start)
    for index, child in enumerate(node.children):
        refused = _too_much_work(child, depth if index == 0 else inside)
        if refused is not None:
            return refused
    return None


def _quickly_built(pattern: Node) -> bool:
    """Whether a pattern may be built again and again, as the library does for every evaluation."""
    if pattern.kind == "literal":
        return len(pattern.text) <= MAX_PATTERN and not _COSTLY.search(pattern.text)
    if pattern.kind == "binary" and pattern.text == "+":
        return all(map(_quickly_built, pattern.children))
    return pattern.kind == "select" and pattern.text == "resource"


def _normal(node: Node) -> str:
    inner = " ".join(_normal(child) for child in node.children)
    return f"({node.kind} {node.text} {inner})" if inner else f"({node.kind} {node.text})"


def _in_short(error: BaseException) -> str:
    text = line(str(error).split(". ")[0], 200)
    return text or type(error).__name__


def _library_error(text: str, error: Exception) -> CelSyntaxError:
    told = re.search(r"ERROR: <input>:(\d+):(\d+): (.*)", str(error))
    if told is None:
        return CelSyntaxError(_in_short(error), 0)
    row, column, message = int(told.group(1)), int(told.group(2)), told.group(3)
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    offset = starts[min(row, len(starts)) - 1] + column - 1
    return CelSyntaxError(message[:200], min(offset, MAX_LENGTH))


#: Prefixes of names that only an observation gives.
FACT_ROOTS = frozenset({"probe", "checks", "fit"})
#: Prefixes of names that compare answers with an observation; see :mod:`interlock.judge.contradictions`.
COMPARED_ROOTS = frozenset({"compared", "contradictions"})
#: Prefixes of all names that are only there when something was observed.
OBSERVED_ROOTS = FACT_ROOTS | COMPARED_ROOTS
#: Prefixes of names that an answer gives; what follows is the item's id.
ANSWER_ROOTS = frozenset({"responses", "value"})


@dataclass(frozen=True, eq=False, kw_only=True)
class Condition:
    """When a rule is a gap, compiled.

    :ivar reads: the dotted names that decide it, each once.
    :ivar where: conditions of each organisation that it asks for, by name.
    """

    applies: Expression | None = None
    gap_when: Expression
    reads: tuple[str, ...]
    measures: str | None = None
    where: Mapping[str, Condition] = field(default_factory=dict)

    @property
    def all_reads(self) -> tuple[str, ...]:
        """What decides it, and what decides the conditions of each organisation."""
        return (*self.reads, *(name for condition in self.where.values() for name in condition.reads))


@dataclass(frozen=True, eq=False, kw_only=True)
class CompiledRule(Condition):
    """One rule and its compiled condition."""

    rule: Rule


@dataclass(frozen=True, eq=False, kw_only=True)
class CompiledPattern(Condition):
    """One pattern and its compiled condition."""

    rule: Pattern


def condition_texts(rule: Rule | Pattern | Hazard) -> dict[str, str]:
    """The text of each of a rule's, pattern's or hazard's conditions, by its dotted key."""
    if isinstance(rule, Hazard):
        return {} if rule.applies is None else {"applies": rule.applies}
    if isinstance(rule, Pattern):
        return {f"where.{name}": text for name, text in rule.where.items()} | {"gap_when": rule.gap_when}
    return {"gap_when": rule.gap_when} if rule.applies is None else {"applies": rule.applies, "gap_when": rule.gap_when}


def compile_rule(rule: Rule) -> CompiledRule:
    """Compile a rule's conditions.

    :raises DocumentError: a condition is not CEL; shows it with a caret, without a location.
    """
    conditions = _compiled(rule)
    reads = tuple(dict.fromkeys(name for condition in conditions.values() for name in condition.reads))
    return CompiledRule(
        rule=rule,
        applies=conditions.get("applies"),
        gap_when=conditions["gap_when"],
        reads=reads,
        measures=rule.measures,
    )


def compile_pattern(pattern: Pattern) -> CompiledPattern:
    """Compile a pattern's conditions.

    :raises DocumentError: a condition is not CEL; shows it with a caret, without a location.
    """
    conditions = {
        key: Condition(gap_when=compiled, reads=compiled.reads) for key, compiled in _compiled(pattern).items()
    }
    own = conditions.pop("gap_when")
    where = {key.removeprefix("where."): condition for key, condition in conditions.items()}
    return CompiledPattern(rule=pattern, gap_when=own.gap_when, reads=own.reads, where=where)


def compile_hazard(hazard: Hazard) -> Condition | None:
    """When a hazard can arise, as a condition that is then a gap; none of one that can arise anywhere.

    :raises DocumentError: the condition is not CEL; shows it with a caret, without a location.
    """
    applies = _compiled(hazard).get("applies")
    return None if applies is None else Condition(gap_when=applies, reads=applies.reads)


def compile_rules(ruleset: Ruleset) -> tuple[CompiledRule, ...]:
    """Every rule that is in force, in id order, compiled; deprecated ones are kept out.

    Expressions are cached by their text, so this is cheap to repeat.

    :raises DocumentError: a condition is not CEL.
    """
    in_force = (rule for rule in ruleset.rules if rule.lifecycle != "deprecated")
    return tuple(compile_rule(rule) for rule in sorted(in_force, key=lambda rule: rule.id))


def broken_conditions(rule: Rule | Pattern | Hazard) -> Iterator[tuple[str, str]]:
    """(key, what is wrong, with a caret under the character) of each condition that is not CEL."""
    for key, text in condition_texts(rule).items():
        try:
            compile_expression(text)
        except CelSyntaxError as error:
            yield key, f"{key} is not valid CEL: {error.message}\n{caret(text, error.offset)}"


def _compiled(rule: Rule | Pattern | Hazard) -> dict[str, Expression]:
    broken = next(broken_conditions(rule), None)
    if broken is not None:
        raise DocumentError(f"{rule.id}: {broken[1]}")
    return {key: compile_expression(text) for key, text in condition_texts(rule).items()}
