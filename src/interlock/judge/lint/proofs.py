"""Proofs over all rules at once: the best answers leave no gap, the worst opens one, and ignorance decides nothing.

They are made with a complete contract, without observations, first with one organisation and then with one of each
vendor and environment: a proof holds when it holds in one of these settings, and a refutation when it does so in any.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from interlock.content.compile import ANSWER_ROOTS, OBSERVED_ROOTS, CompiledRule
from interlock.judge.answers import nested, state_of
from interlock.judge.context import SubjectContext, Variables
from interlock.judge.engine import decide
from interlock.judge.lint.complete import COMPLETE_CONTRACT, COMPLETE_SETTINGS
from interlock.judge.lint.problems import LintProblem, Locations, problem
from interlock.judge.variables import (
    RuleInputs,
    Wanted,
    contract_variable,
    fleet_variable,
    organization_variable,
    wanted_names,
)
from interlock.model.base import RuleOutcome, Scope, Status
from interlock.model.finding import Subject
from interlock.model.organization import Organization
from interlock.model.questionnaire import EnableWhen, Item, ItemType, Operator
from interlock.model.response import AnswerValue, Response

#: Vendors with content of their own, and every environment: rules may apply to one of them only.
VENDORS = ("other", "epic", "oracle", "athenahealth", "meditech")
ENVIRONMENTS = ("non-production", "sandbox", "production")
#: How many combinations of answers that are not graded are tried, so that a rule applies.
MAX_COMBINATIONS = 64

Choices = dict[str, AnswerValue]


@dataclass(frozen=True)
class Content:
    """The rules in force, every item that can be answered, and the groups around each."""

    rules: tuple[CompiledRule, ...]
    items: Mapping[str, Item]
    groups: Mapping[str, tuple[Item, ...]]

    def readers(self, item_id: str) -> tuple[CompiledRule, ...]:
        """The rules that read an item."""
        names = {f"{root}.{item_id}" for root in ANSWER_ROOTS}
        return tuple(rule for rule in self.rules if names & set(rule.reads))


def best_answer(item: Item) -> AnswerValue | None:
    """The answer with the highest v, or none when no answer is better than another."""
    if item.type is ItemType.BOOLEAN:
        return True
    graded = [option for option in item.options if option.weight is not None]
    if not graded:
        return None
    best = max(graded, key=lambda option: option.weight or 0.0)
    if item.type is not ItemType.MULTI_CHOICE:
        return best.value
    several = tuple(option.value for option in graded if not option.exclusive and option.weight)
    alone = (best.value,)
    return several if (item.graded_value(several) or 0.0) >= (item.graded_value(alone) or 0.0) else alone


def worst_answers(item: Item) -> tuple[AnswerValue, ...]:
    """Every answer with the lowest v."""
    if item.type is ItemType.BOOLEAN:
        return (False,)
    graded = [option for option in item.options if option.weight is not None]
    lowest = min((option.weight or 0.0 for option in graded), default=0.0)
    return tuple(item.as_answer(option.value) for option in graded if option.weight == lowest)


def best_leaves_no_gap(content: Content, locations: Locations) -> Iterator[LintProblem]:
    """A rule that is a gap although every graded question has its best answer.

    A rule that reads neither answers nor facts is about the setting itself, so only the first one counts.
    """
    best = _best(content)
    for rule in content.rules:
        settings = itertools.islice(_settings(rule), None if _reads_knowledge(rule) else 1)
        if any(_outcome(rule, content, best, setting) is RuleOutcome.GAP for setting in settings):
            message = "is a gap although every answer is the best, the contract is complete and nothing is observed"
            yield problem(locations.rule(rule.rule.id, "gap_when"), rule.rule.id, "best-opens-gap", message)


def worst_opens_a_gap(content: Content, locations: Locations) -> Iterator[LintProblem]:
    """A graded question whose worst answer, all others being the best, opens no gap.

    Questions that its ``enable_when`` depends on are answered so that it is asked, and answers that are not graded so
    that a rule applies. A boolean that is only a premise (in ``applies``, in ``enable_when``) is not graded.
    """
    best = _best(content)
    for item in content.items.values():
        worst = worst_answers(item)
        if not worst or (item.type is ItemType.BOOLEAN and _only_premise(item, content)):
            continue
        readers = content.readers(item.id)
        if not any(_opens(item, answer, rule, content, best) for answer in worst for rule in readers):
            read_by = f"; read by {', '.join(rule.rule.id for rule in readers)}" if readers else "; no rule reads it"
            shown = " or ".join(str(", ".join(value) if isinstance(value, tuple) else value) for value in worst)
            message = f"the worst answer ({shown}) opens no gap{read_by}"
            yield problem(locations.item(item.id, "id"), item.id, "worst-opens-nothing", message)


def ignorance_decides_nothing(content: Content, locations: Locations) -> Iterator[LintProblem]:
    """A rule about answers or facts that is decided although nothing was answered and nothing observed."""
    for rule in content.rules:
        if not _reads_knowledge(rule):
            continue
        location = locations.rule(rule.rule.id, "gap_when")
        settings = tuple(_settings(rule))
        if any(_outcome(rule, content, {}, setting) is RuleOutcome.GAP for setting in settings):
            message = "is a gap although nothing was answered and nothing observed: unknown is never no"
            yield problem(location, rule.rule.id, "unknown-is-no", message)
        bare = [{name: value for name, value in setting.items() if name != "contract"} for setting in settings]
        if any(_outcome(rule, content, {}, setting) is RuleOutcome.MET for setting in bare):
            message = "is met although nothing is known: unknown is never yes"
            yield problem(location, rule.rule.id, "unknown-is-yes", message)


def _reads_knowledge(rule: CompiledRule) -> bool:
    return any(name.partition(".")[0] in ANSWER_ROOTS | OBSERVED_ROOTS for name in rule.gap_when.reads)


def _best(content: Content) -> Choices:
    answers = {item.id: best_answer(item) for item in content.items.values()}
    return {item_id: answer for item_id, answer in answers.items() if answer is not None}


def _only_premise(item: Item, content: Content) -> bool:
    """A boolean that rules and conditions use, and no rule's ``gap_when`` reads."""
    names = {f"{root}.{item.id}" for root in ANSWER_ROOTS}
    if any(rule.rule.measures == item.id or names & set(rule.gap_when.reads) for rule in content.rules):
        return False
    controls = any(condition.question == item.id for other in content.items.values() for condition in other.enable_when)
    return controls or bool(content.readers(item.id))


def _opens(item: Item, worst: AnswerValue, rule: CompiledRule, content: Content, best: Choices) -> bool:
    enabled = {**best, **_enabling(item, content, best)}
    good = best.get(item.id)
    for extra in _premises(item, rule, content):
        others = {**enabled, **extra}
        with_best = {**others, item.id: good} if good is not None else others
        for setting in _settings(rule):
            if (
                _outcome(rule, content, {**others, item.id: worst}, setting) is RuleOutcome.GAP
                and _outcome(rule, content, with_best, setting) is not RuleOutcome.GAP
            ):
                return True
    return False


def _enabling(item: Item, content: Content, best: Choices, visited: frozenset[str] = frozenset()) -> Choices:
    """Answers to the questions that decide whether the item is asked, so that it is."""
    choices: Choices = {}
    for part in (*content.groups.get(item.id, ()), item):
        conditions = part.enable_when if part.enable_behavior == "all" else part.enable_when[:1]
        for condition in conditions:
            control = content.items.get(condition.question)
            if control is None or control.id in visited:
                continue
            choices |= _enabling(control, content, best, visited | {item.id})
            answer = _satisfying(condition, control, best)
            if answer is not None:
                choices[control.id] = answer
    return choices


def _satisfying(condition: EnableWhen, control: Item, best: Choices) -> AnswerValue | None:
    answer = condition.answer
    if condition.operator is Operator.EXISTS:
        return best.get(control.id) if answer else None
    if condition.operator is Operator.NE:
        if control.type is ItemType.BOOLEAN:
            return not answer
        others = [option for option in control.options if option.value != answer and not option.unknown]
        chosen = max(others, key=lambda option: option.weight or 0.0).value if others else None
        return control.as_answer(chosen) if chosen else None
    if isinstance(answer, int) and not isinstance(answer, bool):
        return answer + {Operator.GT: 1, Operator.LT: -1}.get(condition.operator, 0)
    return control.as_answer(answer)


def _premises(item: Item, rule: CompiledRule, content: Content) -> Iterator[Choices]:
    """Combinations of answers to questions that the rule also reads and that are not graded."""
    names = dict.fromkeys(name.partition(".")[2] for name in rule.reads if name.partition(".")[0] in ANSWER_ROOTS)
    free = [content.items[name] for name in names if name in content.items and name != item.id]
    open_items = [other for other in free if other.options and best_answer(other) is None]
    open_items += [other for other in free if other.type is ItemType.BOOLEAN and _only_premise(other, content)]
    offered: list[list[Choices]] = []
    for other in open_items:
        values: list[bool | str] = [option.value for option in other.options if not option.unknown]
        offered.append([{other.id: other.as_answer(value)} for value in values or (True, False)])
    for combination in itertools.islice(itertools.product(*offered), MAX_COMBINATIONS):
        yield {name: answer for part in combination for name, answer in part.items()}


def _settings(rule: CompiledRule) -> Iterator[Variables]:
    """The variables that are the same for every answer: contract, fleet, and who the subject is."""
    scope = rule.rule.scope
    vendors = rule.rule.vendors
    every = _fleet(vendors) if vendors else _FLEETS
    for organizations in (every[:1], every):
        shared: Variables = {
            "contract": _CONTRACT,
            "fleet": fleet_variable(RuleInputs(organizations=tuple(organizations))),
        }
        if scope is Scope.PRODUCT:
            yield shared
        elif scope is Scope.VENDOR:
            for vendor in dict.fromkeys(organization.vendor for organization in organizations):
                members = [organization_variable(entry) for entry in organizations if entry.vendor == vendor]
                yield {**shared, "vendor": vendor, "organizations": members}
        else:
            for organization in organizations:
                who = organization_variable(organization)
                yield {**shared, "org": who, "settings": COMPLETE_SETTINGS, "probe": {}, "checks": {}}


def _outcome(rule: CompiledRule, content: Content, choices: Choices, setting: Variables) -> RuleOutcome:
    names = dict.fromkeys(name.partition(".")[2] for name in rule.reads if name.partition(".")[0] in ANSWER_ROOTS)
    given = {
        name: state_of(content.items[name], Response(status=Status.ANSWERED, value=choices[name]))
        for name in names
        if name in content.items and name in choices
    }
    answers = {name: state for name, state in given.items() if state is not None}
    subject = Subject(scope=rule.rule.scope, id="" if rule.rule.scope is Scope.PRODUCT else "example")
    return decide(rule, SubjectContext(subject, {**setting, **nested(answers)}, answers, _wanted(rule))).outcome


@lru_cache(maxsize=4096)
def _wanted(rule: CompiledRule) -> Wanted:
    return wanted_names(rule.reads)


_CONTRACT: Variables = {**contract_variable(COMPLETE_CONTRACT), "not_fhir": []}


@lru_cache(maxsize=64)
def _fleet(vendors: tuple[str, ...]) -> tuple[Organization, ...]:
    """One organisation of each of these vendors and of each environment."""
    return tuple(
        Organization.model_validate(
            {
                "id": f"{vendor}-{environment}",
                "name": f"Example {vendor} {environment}",
                "vendor": vendor,
                "environment": environment,
                "fhir_base_url": f"https://{vendor}.{environment}.example.org/fhir",
            }
        )
        for vendor, environment in itertools.product(vendors, ENVIRONMENTS)
    )


_FLEETS = _fleet(VENDORS)
