"""Evidence annex: every answer with its evidence, and every request that was sent.

A reader who doubts a sentence gets from here to the answer or the observation behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from interlock.model import words
from interlock.model.assessment import GivenAnswer
from interlock.model.language import _
from interlock.model.observation import Observation
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections.context import Context, Section, answer_anchor
from interlock.report.sections.coverage import PRODUCT, about, author


def build_answers(context: Context) -> Shown:
    """Every answer and request; nothing but where they are in a brief report."""
    scopes = [PRODUCT, *(org.id for org in context.assessment.organizations)]
    given: dict[str, list[GivenAnswer]] = defaultdict(list)
    for answer in context.assessment.answers:
        given[answer.scope].append(answer)
    return {
        "whole": not context.brief,
        "given": tuple(
            {
                "anchor": safe.anchor("answers", scope),
                "where": about(context, scope),
                "about": _("Product") if scope == PRODUCT else context.organization_name(scope),
                "answers": tuple(_answer(context, answer) for answer in given[scope]),
            }
            for scope in scopes
            if given[scope] and not context.brief
        ),
        "observed": () if context.brief else tuple(_observed(context)),
    }


def _answer(context: Context, answer: GivenAnswer) -> Shown:
    response, today = answer.response, safe.parse_day(context.assessment.as_of)
    return {
        "anchor": answer_anchor(answer),
        "question": safe.text(answer.text, 300),
        "id": safe.text(answer.item, 96),
        "said": safe.text(answer.said, 400),
        "who": ", ".join([author(answer), *([words.day(response.at.date())] if response.at else [])]),
        "evidence": words.capital(words.EVIDENCE[response.evidence].phrase),
        "documents": tuple(words.sentence(record.told(today)) for record in response.documents if today),
        "note": safe.note("\n\n".join(filter(None, (response.note, response.reason)))),
    }


def _observed(context: Context) -> list[Shown]:
    """Each organisation's last observation: when, and every request with what came back."""
    observed = [
        (org.id, context.observations[org.id])
        for org in context.assessment.organizations
        if org.id in context.observations
    ]
    return [
        {
            "anchor": safe.anchor("seen", org),
            "where": about(context, org),
            "when": safe.moment(observation.started.isoformat()),
            "requests": tuple(build_requests(observation)),
        }
        for org, observation in observed
    ]


def build_requests(observation: Observation) -> Iterator[Shown]:
    """Every request with what came back, and where in it which check looked: its JSON pointer and outcome."""
    looked: dict[str, list[str]] = defaultdict(list)
    for check in observation.checks:
        for evidence in check.evidence:
            where = safe.text(evidence.pointer, 200) or _("the whole")
            looked[evidence.url].append(f"{where} ({safe.text(check.id, 40)}, {words.CHECK[check.outcome].phrase})")
    for request in observation.requests:
        came = str(request.status) if request.status is not None else safe.text(request.failure or _("nothing"), 40)
        yield {
            "asked": f"{safe.text(request.method, 10)} {safe.text(request.url, 300)}",
            "came": came,
            "size": _("%(bytes)s bytes", bytes=words.number(request.bytes)) if request.bytes else "",
            "hash": safe.text(request.sha256 or "", 64),
            "looked": "; ".join(looked.pop(request.url, ())),
        }


SECTION = Section("answers", "Evidence: what was answered and observed", build_answers, appendix=True)
