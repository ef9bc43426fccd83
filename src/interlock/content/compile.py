"""Rules and patterns with their conditions compiled: what the engine runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from interlock.content.expression import Expression, caret, compile_expression
from interlock.content.syntax import CelSyntaxError
from interlock.model.errors import DocumentError
from interlock.model.pattern import Pattern
from interlock.model.rule import Rule, Ruleset

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


def condition_texts(rule: Rule | Pattern) -> dict[str, str]:
    """The text of each of a rule's or pattern's conditions, by its dotted key."""
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


def compile_rules(ruleset: Ruleset) -> tuple[CompiledRule, ...]:
    """Every rule that is in force, in id order, compiled; deprecated ones are kept out.

    Expressions are cached by their text, so this is cheap to repeat.

    :raises DocumentError: a condition is not CEL.
    """
    in_force = (rule for rule in ruleset.rules if rule.lifecycle != "deprecated")
    return tuple(compile_rule(rule) for rule in sorted(in_force, key=lambda rule: rule.id))


def broken_conditions(rule: Rule | Pattern) -> Iterator[tuple[str, str]]:
    """(key, what is wrong, with a caret under the character) of each condition that is not CEL."""
    for key, text in condition_texts(rule).items():
        try:
            compile_expression(text)
        except CelSyntaxError as error:
            yield key, f"{key} is not valid CEL: {error.message}\n{caret(text, error.offset)}"


def _compiled(rule: Rule | Pattern) -> dict[str, Expression]:
    broken = next(broken_conditions(rule), None)
    if broken is not None:
        raise DocumentError(f"{rule.id}: {broken[1]}")
    return {key: compile_expression(text) for key, text in condition_texts(rule).items()}
