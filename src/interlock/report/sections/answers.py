"""Evidence annex: how much was answered and by whom, every answer with its evidence, and every request that was sent.

A reader who doubts a sentence gets from here to the answer or the observation behind it.
"""

from __future__ import annotations

from collections import Counter

from interlock.model import words
from interlock.model.assessment import GivenAnswer
from interlock.model.base import Evidence, Status
from interlock.model.observation import RequestRecord
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import Context, Section, answer_anchor

#: Hexadecimal digits of a body's SHA-256 that a table shows; the JSON report has all of them.
_DIGITS = 16
_PRODUCT = "product"


def build_answers(context: Context) -> Shown:
    """Coverage by whom it is about, who answered, what does not apply; unless it is brief every answer and request."""
    scopes = [_PRODUCT, *(org.id for org in context.assessment.organizations)]
    given = {scope: [answer for answer in context.assessment.answers if answer.scope == scope] for scope in scopes}
    authors = Counter(_author(answer) for answer in context.assessment.answers)
    return {
        "coverage": tuple(_coverage(context, scope, given[scope]) for scope in scopes),
        "authors": words.listed([f"{name} ({number:,})" for name, number in authors.most_common()], 8),
        "not_applicable": tuple(
            {
                "where": _where(context, answer.scope),
                "question": safe.text(answer.text, 300),
                "reason": safe.note(answer.response.reason),
            }
            for answer in context.assessment.answers
            if answer.response.status is Status.NOT_APPLICABLE
        ),
        "whole": not context.brief,
        "given": tuple(
            {
                "where": _where(context, scope),
                "about": "Product" if scope == _PRODUCT else context.organization_name(scope),
                "answers": tuple(_answer(context, answer) for answer in given[scope]),
            }
            for scope in scopes
            if given[scope] and not context.brief
        ),
        "observed": () if context.brief else tuple(_observed(context)),
    }


def _coverage(context: Context, scope: str, given: list[GivenAnswer]) -> Shown:
    statuses = Counter(answer.response.status for answer in given)
    evidence = Counter(answer.response.evidence for answer in given if answer.response.status is Status.ANSWERED)
    own = context.readiness.get(scope)
    return {
        "where": _where(context, scope),
        "answered": f"{statuses[Status.ANSWERED]:,}",
        "unknown": f"{statuses[Status.UNKNOWN]:,}",
        "not_applicable": f"{statuses[Status.NOT_APPLICABLE]:,}",
        "evidence": words.listed(
            [f"{evidence[kind]:,} {words.EVIDENCE[kind].phrase}" for kind in reversed(Evidence) if evidence[kind]], 3
        )
        or "none",
        "observed": f"{words.OBSERVED[own.observed].phrase}, {safe.day(own.observed_at)}"
        if own is not None and own.observed_at
        else words.OBSERVED[own.observed].phrase
        if own is not None
        else "",
    }


def _where(context: Context, scope: str) -> Link:
    return Link(label=safe.name(context.assessment.product)) if scope == _PRODUCT else context.organization_link(scope)


def _author(answer: GivenAnswer) -> str:
    return safe.text(answer.response.by.partition(" <")[0], 80) if answer.response.by else "nobody named"


def _answer(context: Context, answer: GivenAnswer) -> Shown:
    response, today = answer.response, safe.parse_day(context.assessment.as_of)
    return {
        "anchor": answer_anchor(answer),
        "question": safe.text(answer.text, 300),
        "id": safe.text(answer.item, 96),
        "said": safe.text(answer.said, 400),
        "who": ", ".join([_author(answer), *([words.day(response.at.date())] if response.at else [])]),
        "evidence": words.capital(words.EVIDENCE[response.evidence].phrase),
        "documents": tuple(words.sentence(record.told(today)) for record in response.documents if today),
        "note": safe.note("\n\n".join(filter(None, (response.note, response.reason)))),
    }


def _observed(context: Context) -> list[Shown]:
    """Each organisation's last observation: when, and every request with what came back."""
    seen = [
        (org.id, context.observations[org.id])
        for org in context.assessment.organizations
        if org.id in context.observations
    ]
    return [
        {
            "where": _where(context, org),
            "when": safe.moment(observation.started.isoformat()),
            "requests": tuple(_request(request) for request in observation.requests),
        }
        for org, observation in seen
    ]


def _request(request: RequestRecord) -> Shown:
    came = str(request.status) if request.status is not None else safe.text(request.failure or "nothing", 40)
    return {
        "asked": f"{safe.text(request.method, 10)} {safe.text(request.url, 300)}",
        "came": came,
        "size": f"{request.bytes:,} bytes" if request.bytes else "",
        "hash": safe.text(request.sha256 or "", 64)[:_DIGITS],
    }


SECTION = Section("answers", "Evidence: what was answered and observed", build_answers, appendix=True)
