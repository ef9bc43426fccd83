"""What is not known, for a reader who goes from front to back: how much, what settles most of it, and the worst."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from interlock.model import words
from interlock.model.finding import Finding
from interlock.model.language import _
from interlock.report import safe
from interlock.report.brief.gaps import NAMED, where
from interlock.report.elements import SEVERITY_MARK, Shown
from interlock.report.sections.context import UNDECIDED, WHOLE, Context, worst_first
from interlock.report.sections.summary import question

#: Questions and looks that are told: those that settle most findings.
_TOLD = 8


def build_unknowns_brief(context: Context) -> Shown:
    """Undecided findings counted, what to ask or look at first, and the undecided rules that would be worst."""
    by_rule = context.findings_by_rule(UNDECIDED)
    every = [finding for findings in by_rule.values() for finding in findings]
    rules = sorted((context.assessment.rules[rule_id] for rule_id in by_rule), key=worst_first)
    told = [rule for rule in rules if context.told(rule)]
    steps = _steps(context, every)
    left = len(rules) - len(told)
    return {
        "lead": _lead(context, every, len(rules)),
        "steps": tuple(steps[:_TOLD]),
        "steps_more": words.counted(
            len(steps) - _TOLD,
            "%(number)s more question: in %(whole)s.",
            "%(number)s more questions: in %(whole)s.",
            whole=WHOLE,
        )
        if len(steps) > _TOLD
        else "",
        "worst": tuple(
            {
                "anchor": safe.anchor("open", rule.id),
                "id": rule.id,
                "severity": SEVERITY_MARK[rule.severity],
                "question": _named(context, question(rule), by_rule[rule.id]),
                "where": where(context, by_rule[rule.id]),
                "gate": words.GATE[rule.gate].title,
            }
            for rule in told
        ),
        "worst_more": words.counted(
            left,
            "%(number)s other question like these is in %(whole)s.",
            "%(number)s other questions like these are in %(whole)s.",
            whole=WHOLE,
        )
        if left
        else "",
    }


def _named(context: Context, asked: str, findings: Sequence[Finding]) -> str:
    """The question with the organisation's name in it, where it is open at one alone."""
    orgs = {finding.subject.id for finding in findings}
    name = context.names.get(orgs.pop()) if len(orgs) == 1 else None
    return asked.replace("this organisation", name) if name else asked


def _lead(context: Context, every: Sequence[Finding], rules: int) -> str:
    if not every:
        return _("Every finding is decided.")
    at = Counter(context.subject_link(finding.subject).label for finding in every)
    where = words.listed([f"{name} ({number:,})" for name, number in at.most_common()], 2 * NAMED)
    counted = words.counted(len(every), "%(number)s finding is undecided", "%(number)s findings are undecided")
    return words.counted(
        rules,
        "%(counted)s, of %(number)s requirement: %(places)s. Each is an open question and not a gap.",
        "%(counted)s, of %(number)s requirements: %(places)s. Each is an open question and not a gap.",
        counted=counted,
        places=where,
    )


def _steps(context: Context, every: Sequence[Finding]) -> list[Shown]:
    """Looks at endpoints and questions to people, those that help to decide most findings first."""
    texts = {answer.item: answer.text for answer in context.assessment.answers}
    helps: dict[tuple[str, str], set[str]] = defaultdict(set)
    at: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in every:
        keys = [("ask", item) for item in finding.missing_answers]
        if finding.missing_facts and context.unseen(finding.subject.id):
            keys.append(("look", finding.subject.id))
        elif finding.missing_facts:
            keys.append(("tell", ""))
        for key in keys:
            helps[key].add(finding.key)
            at[key].append(finding)
    steps = []
    for key in sorted(helps, key=lambda key: (-len(helps[key]), key)):
        kind, about = key
        said = {
            "look": _("Look at its endpoints: open the way to them, and probe again"),
            "tell": _("Ask for what its documents leave out"),
            "ask": f"“{safe.text(texts.get(about) or question(context.assessment.rules[at[key][0].rule]), 300)}”",
        }
        steps.append({"said": said[kind], "where": where(context, at[key]), "helps": f"{len(helps[key]):,}"})
    return steps
