"""Each task in words: what to do, as a person would be told it, and what has to be so for it to count as done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from interlock.model import words
from interlock.model.base import Evidence, GapClass, Gate, Owner, Scope, Severity
from interlock.model.finding import Finding
from interlock.model.plan import PlanTask
from interlock.model.questionnaire import Item, ItemType
from interlock.model.rule import RoutineTask, Rule
from interlock.model.text import plain

#: The id of a task that probes an organisation is this before the organisation's.
PROBE = "probe:"
_BLOCKERS = frozenset({GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER})
#: Findings that one task names; the rest is counted.
_NAMED = 3
#: What a task that asks an organisation a question begins with.
ASK_ORG = "Ask the organisation: "
#: Whom a question is for; :func:`named` gives the organisation its name.
_ASK = {Scope.ORG: "Ask the organisation", Scope.VENDOR: "Ask the EHR vendor"}
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True)
class Wording:
    """What tasks are worded with.

    :ivar items: questions by id; ``routine`` the ruleset's routine tasks by id; ``names`` organisations by id.
    :ivar accepts: the least evidence of each gate, and ``gate`` the plan's target.
    :ivar people: who has a role, by the role in small letters, as the contract names them.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    routine: Mapping[str, RoutineTask] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    accepts: Mapping[Gate, Evidence] = field(default_factory=dict)
    gate: Gate = Gate.PILOT
    people: Mapping[str, str] = field(default_factory=dict)

    def action(self, task: PlanTask, finding: Finding | None) -> str:
        """What to do, as an imperative: a question to ask, a gap's remediation, or the task's own title."""
        rule = self.rules.get(finding.rule) if finding is not None else None
        if rule is None or finding is None:
            return task.title
        if task.kind == "gap":
            return rule.remediation.task or first_sentence(rule.remediation.text)
        return self._found_out(finding, rule)

    def _found_out(self, finding: Finding, rule: Rule) -> str:
        """Whom to ask what; where nobody is asked, what to look at again."""
        asked = [self.items[name] for name in finding.missing_answers if name in self.items]
        who = _ASK.get(finding.subject.scope, "Find out in the product team")
        if rule.tried:
            return f"Try it, and record how it went: {_lower(rule.remediation.task or rule.title)}"
        if not asked:
            return f"{who} whether this is so, or look with another probe: {plain(rule.title, 200)}"
        item, more = asked[0], len(asked) - 1
        question = item.ask.text if item.ask is not None else item.text
        rest = f", and {words.count(more, 'more question')}" if more else ""
        return f"{who}: “{plain(question, 300)}”{rest}"

    def _asked(self, finding: Finding) -> str:
        if finding.subject.scope is Scope.ORG:
            return plain(self.names.get(finding.subject.id, finding.subject.id), 60)
        return "the EHR vendor" if finding.subject.scope is Scope.VENDOR else "the product team"

    def accepted(self, task: PlanTask, finding: Finding | None) -> str:
        """What has to be so for the task to count as done."""
        rule = self.rules.get(finding.rule) if finding is not None else None
        if task.kind == "evidence":
            rules = [key.partition("@")[0] for key in task.about]
            titles = [f"“{plain(self.rules[key].title if key in self.rules else key, 160)}”" for key in rules]
            return f"attached to the answers that say that this is not so: {words.listed(titles, _NAMED)}"
        if task.kind == "discovery":
            return self._known(finding) if rule is not None and finding is not None else "the probe has run"
        if rule is not None and finding is not None:
            return self._closed(rule, finding)
        routine = self.routine.get(task.id.partition("@")[0])
        return f"recorded as done, with {routine.record}" if routine and routine.record else "recorded as done"

    def critical(self, task: PlanTask, finding: Finding | None) -> bool:
        """Whether it closes a gap of critical severity that blocks."""
        rule = self.rules.get(finding.rule) if finding is not None else None
        blocks = rule is not None and rule.gap_class in _BLOCKERS and rule.severity is Severity.CRITICAL
        return blocks and task.kind == "gap"

    def decides(self, task: PlanTask, finding: Finding | None) -> str:
        """Who decides, where the task is a decision, by name where the contract has one; else empty."""
        rule = self.rules.get(finding.rule) if finding is not None and task.kind == "gap" else None
        decision = self.routine.get(task.id.partition("@")[0]) if finding is None else rule and rule.remediation
        who, colon, options = ((decision.decides if decision else None) or "").partition(":")
        for role, name in self.people.items():
            who = re.sub(rf"\b(the {re.escape(role)})\b", "\\1 (" + name.replace("\\", "") + ")", who)
        return f"{who}{colon}{options}"

    def decided_by(self, task: PlanTask, finding: Finding | None) -> Owner:
        """On whose side they are who decide."""
        rule = self.rules.get(finding.rule) if finding is not None else None
        decision = rule.remediation if rule is not None else self.routine.get(task.id.partition("@")[0])
        return decision.decided_by if decision is not None else Owner.ORG

    def _known(self, finding: Finding) -> str:
        asked = finding.missing_answers[0] if finding.missing_answers else ""
        if not asked:
            return "a probe has shown whether it is so"
        where = f" --org {finding.subject.id}" if finding.subject.scope is Scope.ORG else ""
        shown = ", or a probe has shown it" if finding.missing_facts else ""
        return f"interlock answer {asked}{where} has recorded more than “unknown”{shown}"

    def _closed(self, rule: Rule, finding: Finding) -> str:
        """The answer that closes the gap, with its document where the gate wants one; else what has to be seen."""
        wanted = {rule.gate: self.accepts.get(rule.gate, Evidence.ASSERTED)} | dict(rule.accepts)
        papers = any(gate.rank <= self.gate.rank and least is not Evidence.ASSERTED for gate, least in wanted.items())
        proof = ", with its document" if papers else ""
        item = self.items.get(rule.measures or "") or self.items.get(_answer_read(rule.gap_when))
        label = _closing(item, rule.gap_when) if item is not None else ""
        if item is not None and label:
            return f"“{plain(item.text, 200)}” is answered {label}{proof}"
        org = f" of {self._asked(finding)}" if finding.subject.scope is Scope.ORG else ""
        sources = {name.partition(".")[0] for name in finding.reads}
        if sources & {"probe", "checks", "fit", "compared"}:
            return f"the next probe{org} no longer finds it"
        if "settings" in sources:
            return f"orgs/{finding.subject.id}.yaml states it"
        if "contract" in sources:
            return f"contract.yaml no longer shows this: {_lower(plain(rule.title, 200))}"
        return f"an answer{org} says so{proof}"


def named(action: str, name: str) -> str:
    """An action at one organisation alone, which is then named."""
    asks = _ASK[Scope.ORG]
    return f"Ask {plain(name, 60)}{action.removeprefix(asks)}" if name and action.startswith(asks) else action


def first_sentence(text: str) -> str:
    """The first sentence of a text, without its full stop."""
    return plain(_SENTENCE.split(" ".join(text.split()))[0], 240).removesuffix(".")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _answer_read(condition: str) -> str:
    answer = re.search(r"(?:value|responses)\.([a-z_]+(?:\.[a-z_]+)+)", condition)
    return answer[1] if answer else ""


def _closing(item: Item, condition: str) -> str:
    """The least answer that closes a gap, in quotes; empty where the condition does not say which one does."""
    name = re.escape(item.id)
    if item.type is ItemType.BOOLEAN and (said := re.search(rf"responses\.{name} == (true|false)", condition)):
        return "“no”" if said[1] == "true" else "“yes”"
    limit = re.search(rf"value\.{name} < ([0-9.]+)", condition)
    if limit is None or item.type is not ItemType.CHOICE:
        return ""
    enough = [option for option in item.options if option.weight is not None and option.weight >= float(limit[1])]
    if not enough:
        return ""
    least = min(enough, key=lambda option: option.weight or 0.0)
    better = " or better" if len(enough) > 1 else ""
    return f"“{plain(least.label, 160)}”{better}"
