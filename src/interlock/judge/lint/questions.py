"""Questions: unique ids, conditions that can hold, weights that grade, automatic answers that can be given."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from interlock.content.compile import FACT_ROOTS, caret, compile_expression
from interlock.content.syntax import CelSyntaxError
from interlock.judge.lint.problems import LintProblem, Locations, problem
from interlock.judge.lint.references import name_problems, unknown_statements
from interlock.model.base import Scope
from interlock.model.questionnaire import AutoAnswer, Item, ItemType


def question_problems(
    items: Sequence[Item], locations: Locations, check_ids: Collection[str] | None
) -> Iterator[LintProblem]:
    """Everything that is wrong with the questions themselves; ``items`` has the groups too, in reading order."""
    by_id = {item.id: item for item in items}
    for item in by_id.values():
        if item.scope is Scope.VENDOR:
            message = "answers are kept for the product and for each organisation, never for a vendor"
            yield problem(locations.item(item.id, "scope"), item.id, "scope", message)
        for message in unknown_statements(item.source):
            yield problem(locations.item(item.id, "source"), item.id, "reference", message)
        yield from _weights(item, locations)
        for index, automatic in enumerate(item.auto_answer):
            location = locations.item(item.id, "auto_answer", index)
            for code, message in _automatic(item, automatic, by_id, check_ids):
                yield problem(location, item.id, code, message)


def _weights(item: Item, locations: Locations) -> Iterator[LintProblem]:
    weights = [option.weight for option in item.options if not option.unknown]
    graded = [weight for weight in weights if weight is not None]
    if not graded:
        return
    location = locations.item(item.id, "options")
    if item.type is ItemType.CHOICE and len(graded) < len(weights):
        without = ", ".join(option.value for option in item.options if option.weight is None and not option.unknown)
        yield problem(location, item.id, "grade", f"some options have a weight and some have none: {without}")
    if len(set(graded)) == 1 and len(graded) > 1:
        yield problem(location, item.id, "grade", f"every option has the weight {graded[0]:g}; leave weights out")


def _automatic(
    item: Item, automatic: AutoAnswer, by_id: Mapping[str, Item], check_ids: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    if item.scope is not Scope.ORG:
        yield "auto-answer", "an automatic answer comes from one organisation's observation: the scope must be org"
    if not item.takes(item.as_answer(automatic.value)):
        yield "auto-answer", f"{automatic.value!r} is not an answer to this question"
    try:
        condition = compile_expression(automatic.when)
    except CelSyntaxError as error:
        yield "expression", f"when is not valid CEL: {error.message}\n{caret(automatic.when, error.offset)}"
        return
    if not condition.reads:
        yield "constant", f"when is always the same: {automatic.when}"
    for name in condition.reads:
        if name.partition(".")[0] not in FACT_ROOTS:
            yield "auto-answer", f"when reads {name}; only {', '.join(sorted(FACT_ROOTS))} can be read"
            continue
        for code, message in name_problems(name, Scope.ORG, by_id, check_ids):
            yield code, f"when reads {name}: {message}"
