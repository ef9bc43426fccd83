"""Every rule on every subject, and again after a change, without deciding twice what is known already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import NamedTuple

from interlock.content.compile import (
    ANSWER_ROOTS,
    OBSERVED_ROOTS,
    CompiledPattern,
    CompiledRule,
    Condition,
    compile_rules,
    dotted,
    needs_of,
)
from interlock.content.messages import fields, fill
from interlock.content.syntax import Node
from interlock.judge.context import Knowledge, Known, SubjectContext
from interlock.judge.engine import Conclusion, conclude, finding
from interlock.judge.variables import RuleInputs, Wanted, wanted_names
from interlock.model.base import Evidence, Scope
from interlock.model.finding import Finding, Subject
from interlock.model.questionnaire import Questionnaire
from interlock.model.rule import Ruleset

#: Findings to remember; beyond it everything is forgotten, which costs one slow evaluation.
MAX_REMEMBERED = 200_000


class Reads(NamedTuple):
    """All that decides a rule.

    :ivar items: ids of the items whose answers can make a difference.
    :ivar names: the other dotted names that its conditions read.
    :ivar named: it only looks for the organisation's id in the contract's lists, so that all that are not named there
        are alike; a case of its own for every organisation would cost five times as much.
    :ivar observed: it reads facts, so that its detail may tell why there are none.
    :ivar wanted: all that its conditions need of the names that they read.
    """

    items: tuple[str, ...]
    names: tuple[str, ...]
    named: bool
    observed: bool
    wanted: Wanted


class Conclusions:
    """What rules or patterns conclude about subjects, each remembered under all that the rule reads.

    A rule is never handed more than its :class:`Reads`, so subjects that are alike in these get the same conclusion,
    and none ever has to be forgotten because something changed.

    :param conclude: how much is concluded: :func:`interlock.judge.engine.decide` or ``conclude``.
    """

    def __init__(
        self,
        rules: Collection[CompiledRule | CompiledPattern],
        questionnaires: Iterable[Questionnaire],
        conclude: Callable[[Condition, SubjectContext], Conclusion],
    ) -> None:
        items = frozenset(item.id for questionnaire in questionnaires for item in questionnaire.questions())
        conditions = [condition for rule in rules for condition in (rule, *rule.where.values())]
        self._reads = {condition: reads_of(condition, items) for condition in conditions}
        self._rules = rules
        self._conclude = conclude
        self._remembered: dict[Hashable, Conclusion] = {}

    def knowledge(
        self, inputs: RuleInputs, rules: Collection[CompiledRule | CompiledPattern] | None = None
    ) -> Knowledge:
        """What is known about every subject, as far as these rules read or show it; by default all of them."""
        asking = self._rules if rules is None else rules
        shown = [name for rule in asking for message in rule.rule.messages for name in fields(message)]
        names = [name.partition(".") for name in (*shown, *(name for rule in asking for name in rule.all_reads))]
        conditions = (condition for rule in asking for condition in (rule, *rule.where.values()))
        items = {rest for _, _, rest in names}.union(*(self._reads[condition].items for condition in conditions))
        return Knowledge(inputs, frozenset(root for root, _, _ in names), items)

    def states(self, rule: Condition, known: Known) -> Hashable:
        """The states of all that decides a rule."""
        reads = self._reads[rule]
        return (
            rule,
            *map(known.answers.get, reads.items),
            *map(known.states.__getitem__, reads.names),
            known.named if reads.named else None,
            known.unobserved if reads.observed else None,
        )

    def beyond(self, rule: CompiledRule) -> tuple[str, ...]:
        """The names that a rule's message shows and its states do not hold."""
        reads = self._reads[rule]
        held = {*reads.names, *(f"{root}.{item}" for root in ANSWER_ROOTS for item in reads.items)}
        return tuple(name for message in rule.rule.messages for name in fields(message) if name not in held)

    def of(self, rule: Condition, known: Known, states: Hashable = None) -> Conclusion:
        """What a rule concludes about a subject, in these states."""
        states = self.states(rule, known) if states is None else states
        remembered = self._remembered.get(states)
        if remembered is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            remembered = self._remembered[states] = self._conclude(rule, self.context(rule, known))
        return remembered

    def context(self, rule: Condition, known: Known) -> SubjectContext:
        """A subject as far as a rule reads it."""
        reads = self._reads[rule]
        return known.context(reads.wanted, reads.items)


class Evaluator:
    """Evaluates the rules of one content.

    A finding is the conclusion with its subject and what its message shows beyond the rule's states, and is remembered
    under all of them.

    :raises DocumentError: a condition of the ruleset is not CEL. Inputs never raise, whatever a server put into them.
    """

    def __init__(self, ruleset: Ruleset, questionnaires: Iterable[Questionnaire]) -> None:
        rules = compile_rules(ruleset)
        self._conclusions = Conclusions(rules, questionnaires, conclude)
        self._rules = {rule.rule.id: (rule, self._conclusions.beyond(rule)) for rule in rules}
        self._findings: dict[Hashable, Finding] = {}

    def findings(self, inputs: RuleInputs, rules: Collection[str] | None = None) -> tuple[Finding, ...]:
        """What the rules in force conclude about every subject of their scope and vendors, by rule id and subject.

        :param rules: the ids of those to evaluate; by default all.
        """
        wanted = [entry for rule_id, entry in self._rules.items() if rules is None or rule_id in rules]
        knowledge = self._conclusions.knowledge(inputs, [rule for rule, _ in wanted])
        subjects: dict[Scope, list[Known]] = {scope: [] for scope in Scope}
        for known in sorted(knowledge, key=lambda known: known.name):
            subjects[known.subject.scope].append(known)
        return tuple(
            self._finding(rule, beyond, known)
            for rule, beyond in wanted
            for known in subjects[rule.rule.scope]
            if not rule.rule.vendors or known.vendor in rule.rule.vendors
        )

    def conclude(self, rule_id: str, subject: Subject, tries: Iterable[RuleInputs]) -> Iterator[Conclusion]:
        """What one rule concludes about one subject, with each of several sets of answers to the same inputs."""
        rule = self._rules[rule_id][0]
        knowledge = None
        for inputs in tries:
            knowledge = knowledge.answered(inputs) if knowledge else self._conclusions.knowledge(inputs, [rule])
            if subject.scope is Scope.PRODUCT:
                known = knowledge.product()
            elif subject.scope is Scope.VENDOR:
                known = knowledge.vendor(subject.id)
            else:
                known = knowledge.organization(next(org for org in inputs.organizations if org.id == subject.id))
            yield self._conclusions.of(rule, known)

    def _finding(self, rule: CompiledRule, beyond: Iterable[str], known: Known) -> Finding:
        states = self._conclusions.states(rule, known)
        key = (known.name, states, *map(known.shown, beyond))
        remembered = self._findings.get(key)
        if remembered is None:
            if len(self._findings) >= MAX_REMEMBERED:
                self._findings.clear()
            conclusion = self._conclusions.of(rule, known, states)
            answered = conclusion.evidence not in {None, Evidence.OBSERVED} and rule.rule.message_answered
            message = fill(answered or rule.rule.message, known.shown)
            remembered = finding(rule, known.subject, conclusion, message)
            self._findings[key] = remembered
        return remembered


def evaluate(ruleset: Ruleset, inputs: RuleInputs) -> tuple[Finding, ...]:
    """A finding for every rule in force and every subject of its scope and vendors, by rule id and subject.

    :raises DocumentError: a condition of the ruleset is not CEL. Inputs never raise, whatever a server put into them.
    """
    return Evaluator(ruleset, inputs.questionnaires).findings(inputs)


def reads_of(rule: Condition, items: Iterable[str]) -> Reads:
    """All that decides a rule.

    An answer is read by its item's id. Of ``has(…)``, and of a name that is no item's, every item counts that begins
    with the same word: with an answer to any of them the maps on the way are there.
    """
    known = frozenset(items)
    trees = [condition.tree for condition in (rule.applies, rule.gap_when) if condition is not None]
    has = any(map(_calls_has, trees))
    named = "org.id" in rule.reads and all(map(_only_looked_up, trees))
    answers, names = set(known & {rule.measures}), []
    for name in rule.reads:
        root, _, rest = name.partition(".")
        if root not in ANSWER_ROOTS:
            names += [name] if name != "org.id" or not named else []
        elif rest in known and not has:
            answers.add(rest)
        else:
            word = rest.partition(".")[0]
            answers |= {item for item in known if not word or item.partition(".")[0] == word}
    observed = any(name.partition(".")[0] in OBSERVED_ROOTS for name in names)
    wanted = wanted_names(name for tree in trees for name in needs_of(tree))
    return Reads(tuple(sorted(answers)), tuple(names), named, observed, wanted)


def _calls_has(node: Node) -> bool:
    return (node.kind == "call" and node.text == "has") or any(map(_calls_has, node.children))


def _only_looked_up(node: Node) -> bool:
    """Whether ``org.id`` stands only on the left of an ``in`` whose right side is a field called ``organizations``."""
    if dotted(node) in {"org", "org.id"}:
        return False
    children = node.children
    if node.kind == "binary" and node.text == "in" and dotted(children[0]) == "org.id":
        if children[1].kind != "select" or children[1].text != "organizations":
            return False
        children = children[1:]
    return dotted(node) is not None or all(map(_only_looked_up, children))
