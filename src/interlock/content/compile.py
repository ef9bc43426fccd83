"""A ruleset with its conditions compiled: what the engine runs."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.content.expression import Expression, caret, compile_expression
from interlock.content.syntax import CelSyntaxError
from interlock.model.errors import DocumentError
from interlock.model.rule import Rule, Ruleset

#: Prefixes of names that only an observation gives.
FACT_ROOTS = frozenset({"probe", "checks", "fit"})
#: Prefixes of names that compare answers with an observation; see :mod:`interlock.judge.comparison`.
COMPARED_ROOTS = frozenset({"compared", "contradictions"})
#: Prefixes of all names that are only there when something was observed.
OBSERVED_ROOTS = FACT_ROOTS | COMPARED_ROOTS
#: Prefixes of names that an answer gives; what follows is the item's id.
ANSWER_ROOTS = frozenset({"responses", "value"})


@dataclass(frozen=True, eq=False)
class CompiledRule:
    """One rule and its compiled conditions. ``reads`` covers both, each name once."""

    rule: Rule
    applies: Expression | None
    gap_when: Expression
    reads: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CompiledRuleset:
    """Every rule of a ruleset that is in force, in id order; deprecated ones are kept out."""

    ruleset: Ruleset
    rules: tuple[CompiledRule, ...]

    @property
    def reads(self) -> frozenset[str]:
        """Every dotted name that some rule reads, in its conditions or its message."""
        return frozenset(name for rule in self.rules for name in rule.reads)


def compile_rule(rule: Rule) -> CompiledRule:
    """Compile a rule's conditions.

    :raises DocumentError: a condition is not CEL; shows it with a caret, without a location.
    """
    applies = _compiled(rule, "applies", rule.applies) if rule.applies is not None else None
    gap_when = _compiled(rule, "gap_when", rule.gap_when)
    reads = tuple(dict.fromkeys([*(applies.reads if applies else ()), *gap_when.reads]))
    return CompiledRule(rule, applies, gap_when, reads)


def compile_ruleset(ruleset: Ruleset) -> CompiledRuleset:
    """Compile every rule that is in force. Expressions are cached by their text, so this is cheap to repeat.

    :raises DocumentError: a condition is not CEL.
    """
    rules = sorted((rule for rule in ruleset.rules if rule.lifecycle != "deprecated"), key=lambda rule: rule.id)
    return CompiledRuleset(ruleset, tuple(compile_rule(rule) for rule in rules))


def expression_error(owner: str, key: str, text: str, error: CelSyntaxError) -> str:
    """What is wrong with an expression, and a caret under the character."""
    return f"{owner}: {key} is not valid CEL: {error.message}\n{caret(text, error.offset)}"


def _compiled(rule: Rule, key: str, text: str) -> Expression:
    try:
        return compile_expression(text)
    except CelSyntaxError as error:
        raise DocumentError(expression_error(rule.id, key, text, error)) from error
