"""What the product did when simulated hospitals launched it: how much held, what broke, and what that settles."""

from __future__ import annotations

from interlock.model import words
from interlock.model.language import _, ngettext
from interlock.model.rehearsal import BrokenCheck, RehearsalTold, SettledQuestion
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import Context, Section, answer_anchor


def build_rehearsal(context: Context) -> Shown:
    """Counts, the questions that it settles with both sides, and each break, worst first."""
    told = context.assessment.rehearsal
    if told is None:
        unknown = _("The product was not rehearsed: nothing is known of it but what the team says.")
        return {"lead": (unknown,), "settled": (), "entries": (), "record": ""}
    by_check: dict[str, list[BrokenCheck]] = {}
    for broke in told.broke:
        by_check.setdefault(broke.check.id, []).append(broke)
    lead = _lead(told)
    observed = sum(not row.contradicted for row in told.settled)
    if context.brief and observed:
        lead += (
            words.counted(
                observed, "%(number)s answer was seen to be as given.", "%(number)s answers were seen to be as given."
            ),
        )
    return {
        "lead": lead,
        "settled": tuple(
            {
                "question": safe.text(row.text, 300),
                "observed": safe.text(row.observed, 300),
                "answer": _answer(context, row),
                "seen": Link(
                    label=_("details") if row.contradicted else _("record"),
                    anchor=context.settled_anchor(row.item) if row.contradicted else "rehearsal-record",
                ),
                "contradicted": row.contradicted,
                "sign": "✗" if row.contradicted else "✓",
                "stands": _("what was observed is judged")
                if row.contradicted
                else _("as answered")
                if row.answered
                else "",
            }
            for row in (() if context.brief else told.settled)  # its contradictions have a section of their own
        ),
        "entries": tuple(_entry(context, rows) for rows in by_check.values()),
        "record": _(
            "Every check with what came of it is in the record of that day, which the product team keeps: a file of "
            "observations/product in its workspace; numbers of requests are of its “tape”."
        ),
    }


def _answer(context: Context, row: SettledQuestion) -> Link:
    """The answer, leading to who gave it."""
    answer = context.answers.get((row.item, "product"))
    anchor = context.leads("answers", answer_anchor(answer)) if answer is not None else ""
    return Link(label=_("not answered") if row.answered is None else safe.text(row.answered, 300), anchor=anchor)


def _lead(told: RehearsalTold) -> tuple[str, ...]:
    named = words.listed([safe.text(org, 40) for org in told.organizations])
    hospitals = _("simulated hospitals (%(named)s)", named=named) if named else _("simulated hospitals")
    product = _("the running product")
    if told.app.version:
        product = _("the running product, version %(version)s,", version=safe.text(told.app.version, 60))
    if told.app.version and told.app.version_header:
        product = _(
            "the running product, which says in %(header)s that it is version %(version)s,",
            header=safe.text(told.app.version_header, 60),
            version=safe.text(told.app.version, 60),
        )
    browser = (
        _("plain HTTP, without a browser that runs scripts") if told.driver == "http" else safe.text(told.driver, 80)
    )
    apart = _("addresses of their own") if told.layout == "addresses" else _("one address with a port each")
    lead = [
        _(
            "On %(date)s %(hospitals)s launched %(product)s first politely, then not. %(counted)s.",
            date=words.day(told.started.date()),
            hospitals=hospitals,
            product=product,
            counted=words.rehearsed({outcome.value: number for outcome, number in told.counts.items()}),
        ),
        _(
            "It was driven by %(browser)s; the hospitals had %(apart)s. What it shows is of the "
            "product, and of no real hospital. A question counts as observed when every check for it "
            "held.",
            browser=browser,
            apart=apart,
        ),
    ]
    if told.left_out:
        lead.append(words.sentence(_("Left out: %(left_out)s", left_out=safe.text(told.left_out, 500))))
    if told.hooks:
        lead.append(words.sentence(words.hooks(told.hooks)))
    if told.aged:
        lead.append(_("It is old, or of another version of the product: it counts as a document until it is repeated."))
    if told.stopped:
        lead.append(words.sentence(_("It ended early: %(stopped)s", stopped=safe.text(told.stopped, 300))))
    return tuple(lead)


def _entry(context: Context, rows: list[BrokenCheck]) -> Shown:
    """One check that broke, with each hospital or endpoint at which it did."""
    check, results = rows[0].check, [broke.result for broke in rows]
    rules = [rule for rule_id in check.rules if (rule := context.rule(rule_id)) is not None]
    where = [safe.text(part, 120) for row in results for part in (row.organization, row.subject) if part]
    told = list(dict.fromkeys(row.seen or _("it did otherwise than it should") for row in results))
    numbers = list(dict.fromkeys(request for row in results for request in row.requests))
    requests = words.listed([f"{request:,}" for request in numbers], 8)
    questions = dict.fromkeys(item for broke in rows for item in broke.questions)
    return {
        "anchor": context.break_anchor(check.id),
        "id": check.id,
        "title": safe.name(check.title),
        "severity": words.SEVERITY[check.severity].title,
        "where": words.listed(list(dict.fromkeys(where))),
        "did": words.sentence(safe.text(check.does)),
        "saw": words.capital(words.sentence(safe.text("; ".join(told), 600))),
        "requests": ngettext("request %(requests)s", "requests %(requests)s", len(numbers), requests=requests)
        if requests
        else "",
        "right": words.sentence(safe.text(check.good)),
        "questions": tuple(
            Link(label=safe.text(answer.text, 300), anchor=context.leads("answers", answer_anchor(answer)))
            for item in (() if context.brief else questions)
            if (answer := context.answers.get((item, "product"))) is not None
        ),
        "rules": tuple(context.finding_link(rule.id) for rule in rules),
        "effort": _effort([rule.remediation.effort.expected for rule in rules]),
        "cites": context.book.cite_all(check.references),
        "judgement": check.judgement,
    }


def _effort(days: list[float]) -> str:
    """``2 to 5 person-days``; empty where no rule asks for it."""
    if not days:
        return ""
    least, most = min(days), max(days)
    return (
        words.person_days(most)
        if least == most
        else _("%(least)s to %(most)s", least=f"{least:g}", most=words.person_days(most))
    )


SECTION = Section(
    "rehearsal",
    "What the product did in the rehearsal",
    build_rehearsal,
    late=True,
    present=lambda assessment: assessment.rehearsal is not None,
)
