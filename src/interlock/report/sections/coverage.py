"""What the conclusions rest on: what was answered and observed, by whom, what was left out, and whose rules judge."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from interlock.model import words
from interlock.model.assessment import GivenAnswer
from interlock.model.base import Evidence, Status
from interlock.model.content import told_changes
from interlock.model.language import N_, _
from interlock.model.readiness import OrgReadiness
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import UNDECIDED, Context, Section, answer_anchor

PRODUCT = "product"
#: Organisations with a row each in a brief report; more are one row for each way in which they were observed.
BRIEF_ROWS = 12
#: Differences from the shipped content, and reasons for leaving out, that a brief report names.
_NAMED = 8
NOT_OBSERVED_MEANS = N_(
    "Not observed means that we could not look. It lowers confidence and adds a task to find out; it says nothing "
    "about what these organisations publish or support."
)


def build_coverage(context: Context) -> Shown:
    """A row for the product and each organisation, who answered, what does not apply, and how the content differs."""
    assessment = context.assessment
    given: dict[str, list[GivenAnswer]] = defaultdict(list)
    for answer in assessment.answers:
        given[answer.scope].append(answer)
    authors = Counter(author(answer) for answer in assessment.answers)
    changes = assessment.content_changes
    shown = changes[: _NAMED if context.brief else None]
    excused = [answer for answer in assessment.answers if answer.status is Status.NOT_APPLICABLE]
    return {
        "lead": _lead(context),
        "rows": (_row(context, PRODUCT, given[PRODUCT]), *_organizations(context, given)),
        "authors": words.listed([f"{name} ({number:,})" for name, number in authors.most_common()], 8),
        "not_seen_note": _(NOT_OBSERVED_MEANS)
        if any(own.observed != "observed" for own in assessment.readiness)
        else "",
        "excused": _excused(excused) if context.brief else "",
        "not_applicable": tuple(
            {
                "where": about(context, answer.scope),
                "question": Link(
                    label=safe.text(answer.text, 300), anchor=context.leads("answers", answer_anchor(answer))
                ),
                "reason": safe.note(answer.response.reason),
            }
            for answer in excused
            if not context.brief
        ),
        "content": told_changes(changes) or _("Questions and rules are those that Interlock ships, unchanged."),
        "changes": tuple(words.sentence(safe.text(change.sentence, 300)) for change in shown),
        "changes_left": len(changes) - len(shown),
    }


def _lead(context: Context) -> tuple[str, ...]:
    """Questions and findings, counted to the last one."""
    totals = context.assessment.totals
    open_questions = totals.questions - totals.answered - totals.unknown - totals.not_applicable
    undecided = sum(totals.findings.get(outcome, 0) for outcome in UNDECIDED)
    return (
        words.counted(
            totals.questions,
            "Of %(number)s question: %(answered)s answered, %(unknown)s answered “unknown”, "
            "%(not_applicable)s not applicable, %(open_questions)s not answered yet.",
            "Of %(number)s questions: %(answered)s answered, %(unknown)s answered “unknown”, "
            "%(not_applicable)s not applicable, %(open_questions)s not answered yet.",
            answered=words.number(totals.answered),
            unknown=words.number(totals.unknown),
            not_applicable=words.number(totals.not_applicable),
            open_questions=words.number(max(open_questions, 0)),
        ),
        words.counted(
            undecided,
            "%(number)s finding is undecided for want of an answer or an observation: none of them "
            "counts as open, and none as met.",
            "%(number)s findings are undecided for want of an answer or an observation: none of them "
            "counts as open, and none as met.",
        ),
    )


def _organizations(context: Context, given: dict[str, list[GivenAnswer]]) -> Iterator[Shown]:
    readiness = context.assessment.readiness
    if not context.brief or len(readiness) <= BRIEF_ROWS:
        yield from (_row(context, own.org, given[own.org]) for own in readiness)
        return
    for state, word in words.OBSERVED.items():
        group = [own for own in readiness if own.observed == state]
        if group:
            yield _together(context, group, word.phrase, [given[own.org] for own in group])


def _row(context: Context, scope: str, given: Sequence[GivenAnswer]) -> Shown:
    statuses = Counter(answer.status for answer in given)
    own = context.readiness.get(scope)
    return {
        "where": about(context, scope),
        "answered": f"{statuses[Status.ANSWERED]:,}",
        "unknown": f"{statuses[Status.UNKNOWN]:,}",
        "not_applicable": f"{statuses[Status.NOT_APPLICABLE]:,}",
        "evidence": Link(
            label=_evidence(given), anchor=context.leads("answers", safe.anchor("answers", scope)) if given else ""
        ),
        "observed": Link(
            label=_observed(context, own) if own is not None else "",
            anchor="" if context.brief or own is None else context.seen_anchor(scope),
        ),
    }


def _together(
    context: Context, group: Sequence[OrgReadiness], observed: str, given: Sequence[list[GivenAnswer]]
) -> Shown:
    """Organisations that were observed alike in one row: the least and the most of each number."""

    def between(status: Status) -> str:
        counts = [sum(answer.status is status for answer in answers) for answers in given]
        return (
            f"{min(counts):,}"
            if min(counts) == max(counts)
            else _("%(counts)s to %(counts2)s", counts=words.number(min(counts)), counts2=words.number(max(counts)))
        )

    names = words.listed([context.organization_name(own.org) for own in group], 4)
    return {
        "where": Link(label=f"{words.count(len(group), 'organisation')}: {names}"),
        "answered": between(Status.ANSWERED),
        "unknown": between(Status.UNKNOWN),
        "not_applicable": between(Status.NOT_APPLICABLE),
        "evidence": Link(label=_evidence([answer for answers in given for answer in answers])),
        "observed": Link(label=words.capital(observed)),
    }


def _evidence(given: Sequence[GivenAnswer]) -> str:
    """What the answers rest on, counted by grade, the best first."""
    grades = Counter(answer.response.evidence for answer in given if answer.status is Status.ANSWERED)
    counted = [f"{grades[kind]:,} {words.EVIDENCE[kind].phrase}" for kind in reversed(Evidence) if grades[kind]]
    return words.listed(counted, 3) or _("none")


def _observed(context: Context, own: OrgReadiness) -> str:
    """Whether its endpoints were observed, when, and why not in full."""
    said = words.OBSERVED[own.observed].title
    when = f", {safe.day(own.observed_at)}" if own.observed_at else ""
    why = f": {why_not_seen(context, own)}" if own.observed != "observed" else ""
    return words.sentence(f"{said}{when}{why}")


def _excused(excused: Sequence[GivenAnswer]) -> str:
    """What a brief report says of what does not apply: how many questions, and the reasons given most often."""
    if not excused:
        return ""
    reasons = Counter(safe.text(answer.response.reason or _("no reason"), 120).removesuffix(".") for answer in excused)
    named = [f"{reason} ({words.number(number)})" for reason, number in reasons.most_common(_NAMED)]
    if len(reasons) > _NAMED:
        named.append(_("and %(number)s more reasons", number=words.number(len(reasons) - _NAMED)))
    return words.counted(
        len(excused),
        "Left out as not applicable, %(number)s answer: %(named)s.",
        "Left out as not applicable, %(number)s answers: %(named)s.",
        named="; ".join(named),
    )


def not_seen(context: Context) -> tuple[Shown, ...]:
    """Organisations that were not observed in full, with the reason."""
    return tuple(
        {
            "link": context.organization_link(own.org),
            "state": words.OBSERVED[own.observed].phrase,
            "why": why_not_seen(context, own),
        }
        for own in context.assessment.readiness
        if own.observed != "observed"
    )


def why_not_seen(context: Context, readiness: OrgReadiness) -> str:
    """Why an organisation was not observed, or not in full."""
    if readiness.observed != "partial" or readiness.not_observed_because:
        return context.why_unseen(readiness.org)
    observation = context.observations.get(readiness.org)
    failed = [request for request in observation.requests if request.failure] if observation else []
    if failed:
        return safe.text(failed[0].detail or failed[0].failure, 200)
    return _("some documents could not be read")


def about(context: Context, scope: str) -> Link:
    """The product, or an organisation with its page: whom an answer is about."""
    if scope != PRODUCT:
        return context.organization_link(scope)
    return Link(label=safe.name(context.assessment.product), anchor=context.product_link.anchor)


def author(answer: GivenAnswer) -> str:
    """Who gave an answer, without the address."""
    return safe.text(answer.response.by.partition(" <")[0], 80) if answer.response.by else _("nobody named")


SECTION = Section("coverage", "What this report rests on", build_coverage)
