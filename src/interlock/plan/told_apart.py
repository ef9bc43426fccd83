"""What differs between two assessments, told apart: answers, observations, and our own questions and rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from interlock.model import words
from interlock.model.assessment import Assessment, GivenAnswer
from interlock.model.base import Scope, Status
from interlock.model.diff import AnswerMove, ChangeKind, ObservationMove
from interlock.model.finding import Finding
from interlock.model.rule import Rule
from interlock.model.text import plain

#: First words of the names that only an observation gives.
_SEEN = frozenset({"probe", "checks", "fit", "compared", "contradictions", "site"})
#: Names that one sentence lists; the rest is counted.
_NAMED = 4
#: What of a rule decides what it finds; its wording, sources and estimates do not.
_JUDGES = {"id", "scope", "gap_class", "gate", "severity", "accepts", "vendors", "applies", "gap_when", "verdict"}


def answer_moves(before: Assessment, after: Assessment) -> tuple[AnswerMove, ...]:
    """Answers that differ, by question and place; none where the earlier one was frozen before answers were kept."""
    if not before.answers:
        return ()
    old, new = ({(each.item, each.scope): each for each in assessment.answers} for assessment in (before, after))
    return tuple(
        AnswerMove(
            item=key[0],
            scope=key[1],
            text=plain((new.get(key) or old[key]).text, 400),
            before=_said(old.get(key)),
            after=_said(new.get(key)),
        )
        for key in sorted(old.keys() | new.keys())
        if _said(old.get(key)) != _said(new.get(key))
    )


def _said(answer: GivenAnswer | None) -> str:
    """An answer in words, with the evidence that it has; empty where there is none."""
    if answer is None:
        return ""
    if answer.response.status is not Status.ANSWERED:
        return plain(answer.said, 300)
    evidence = words.EVIDENCE[answer.response.evidence].phrase
    return f"{plain(answer.said, 300)} ({evidence})"


def observation_moves(before: Assessment, after: Assessment) -> tuple[ObservationMove, ...]:
    """Organisations of which another observation is the last one."""
    old = {own.org: own for own in before.readiness}
    moves = []
    for own in sorted(after.readiness, key=lambda own: own.org):
        then = old.get(own.org)
        if own.observed_at and (then is None or then.observed_at != own.observed_at):
            moves.append(
                ObservationMove(
                    org=own.org,
                    before=then.observed_at if then else None,
                    after=own.observed_at,
                    outcome=own.observed,
                    outcome_before=then.observed if then else "never_probed",
                )
            )
    return tuple(moves)


def content_moves(before: Assessment, after: Assessment) -> Iterator[str]:
    """How our own questions and rules differ, a part of a sentence each: versions, rules, and the workspace's own."""
    if before.ruleset != after.ruleset:
        yield f"the ruleset is {plain(after.ruleset, 60)} instead of {plain(before.ruleset, 60)}"
    for name in sorted(before.questionnaires.keys() | after.questionnaires.keys()):
        now, then = after.questionnaires.get(name, "gone"), before.questionnaires.get(name, "new")
        if before.questionnaires.get(name) != after.questionnaires.get(name):
            yield f"questionnaire {plain(name, 60)} is {plain(now, 60)} instead of {plain(then, 60)}"
    ids, otherwise = before.rules.keys() & after.rules.keys(), judged_otherwise(before, after)
    told: dict[str, list[Rule]] = {
        "new": [rule for name, rule in after.rules.items() if name not in before.rules],
        "gone": [rule for name, rule in before.rules.items() if name not in after.rules],
        "judged otherwise": [after.rules[name] for name in otherwise],
        "worded or estimated otherwise": [
            after.rules[name] for name in ids - otherwise if before.rules[name] != after.rules[name]
        ],
    }
    for change, rules in told.items():
        if rules:
            named = words.listed([f"“{plain(rule.title, 120)}”" for rule in sorted(rules, key=_id)], _NAMED)
            yield f"{words.count(len(rules), 'rule')} {words.agree(len(rules), 'is', 'are')} {change}: {named}"
    if before.content_changes != after.content_changes:
        yield "the workspace's own questions and rules differ"
    elif before.content_hash and before.content_hash != after.content_hash and not any(told.values()):
        yield "questions, routine tasks, patterns or hazards are of another text"


def _id(rule: Rule) -> str:
    return rule.id


def judged_otherwise(before: Assessment, after: Assessment) -> frozenset[str]:
    """Ids of the rules in both whose condition, class, gate or evidence differs."""
    judging = partial(Rule.model_dump, include=_JUDGES)
    old, new = before.rules, after.rules
    return frozenset(
        name
        for name in old.keys() & new.keys()
        if old[name] is not new[name] and old[name] != new[name] and judging(old[name]) != judging(new[name])
    )


class Causes:
    """Which of the three kinds a finding with another outcome is owed to, as far as what it reads tells."""

    def __init__(self, before: Assessment, after: Assessment) -> None:
        self._answered: dict[str, set[str]] = {}
        for move in answer_moves(before, after):
            self._answered.setdefault(move.item, set()).add(move.scope)
        self._observed = {move.org for move in observation_moves(before, after)}
        both = before.rules.keys() & after.rules.keys()
        self._rules = judged_otherwise(before, after) | ((before.rules.keys() | after.rules.keys()) - both)

    def of(self, *findings: Finding) -> tuple[ChangeKind, ...]:
        """The kinds that may have changed a finding, of which these are what it was and is; empty: something else."""
        kinds: list[ChangeKind] = []
        organizations = {finding.subject.id for finding in findings if finding.subject.scope is Scope.ORG}
        read = {name for finding in findings for name in (*finding.reads, *finding.missing_facts)}
        items = {name.partition(".")[2] for name in read} | {item for each in findings for item in each.missing_answers}
        both_sides = any(name.startswith("contradictions") for name in read)  # any answer may be one of them
        if any(
            not organizations or scopes & {*organizations, "product"}
            for item, scopes in self._answered.items()
            if both_sides or item in items
        ):
            kinds.append("answers")
        observed = self._observed & organizations if organizations else self._observed
        if observed and any(name.partition(".")[0] in _SEEN for name in read):
            kinds.append("observations")
        if any(finding.rule in self._rules for finding in findings):
            kinds.append("rules")
        return tuple(kinds)
