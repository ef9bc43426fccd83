"""Cover and executive summary: the verdict, why, what is next, and how sure we are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import RuleOutcome, Scope, VerdictValue
from interlock.model.content import first_changes, ruleset_words, told_changes
from interlock.model.finding import Finding
from interlock.model.gap_graph import GapNode, open_question
from interlock.model.language import _
from interlock.model.readiness import OrgReadiness, VerdictChange, VerdictReason
from interlock.model.rule import Rule
from interlock.report import safe
from interlock.report.elements import OUTCOME_MARK, Figure, Link, Shown, pairs
from interlock.report.sections.context import UNDECIDED, Context, Section, answer_anchor


def build_cover(context: Context, generated: str | None, version: str) -> Shown:
    """The first page. Without ``generated`` the report carries no date."""
    assessment = context.assessment
    observed = sum(1 for readiness in assessment.readiness if readiness.observed == "observed")
    total = len(assessment.organizations)
    date = safe.moment(generated)
    changes = assessment.content_changes
    ruleset = ruleset_words(assessment.ruleset, assessment.shipped_ruleset, changes)
    created = (generated or "").strip()
    return {
        "product": safe.name(assessment.product),
        "name": safe.name(assessment.name),
        "description": safe.paragraphs(assessment.description, 600),
        "date": date,
        "headline": safe.text(assessment.verdict.headline, 400),
        "verdict": words.verdict_label(assessment.verdict.value, assessment.verdict.latest),
        "organizations": context.recommended(),
        "facts": pairs(
            {
                _("Date"): date,
                _("For"): words.report_for(context.organization_name(to) if (to := assessment.recipient) else None),
                _("Target gate"): words.GATE[assessment.target_gate].title,
                _("Organisations"): _("%(observed)s of %(total)s observed", observed=observed, total=total)
                if total
                else _("none added yet"),
                _("Ruleset"): safe.text(ruleset),
                _("Questionnaires"): _questionnaires(assessment.questionnaires),
                _("Prepared with"): _("Interlock %(version)s", version=safe.text(version, 40)),
            }
        ),
        "changes_note": told_changes(changes),
        "changes": tuple(words.sentence(safe.text(line, 240)) for line in first_changes(changes, 8, "report.json")),
        "running": safe.text(assessment.product, 60),
        "footer": " · ".join(part for part in (safe.text(assessment.name, 60), safe.day(generated)) if part),
        "created": created if safe.parse_day(created) else "",
    }


def _questionnaires(versions: dict[str, str]) -> str:
    if not versions:
        return _("none")
    if len(set(versions.values())) == 1:
        only = safe.text(next(iter(versions.values())), 30)
        return words.counted(
            len(versions),
            "%(number)s questionnaire, version %(only)s",
            "%(number)s questionnaires, version %(only)s",
            only=only,
        )
    return words.listed([f"{safe.text(key, 40)} {safe.text(versions[key], 30)}" for key in sorted(versions)], 12)


def build_summary(context: Context) -> Shown:
    """The page that a product lead reads."""
    assessment = context.assessment
    verdict = assessment.verdict
    told = (
        "executive" in context.shown and verdict.settled and verdict.value is VerdictValue.INTEGRATE
    )  # as its headline
    return {
        "verdict": words.verdict_label(verdict.value, verdict.latest),
        "organizations": "" if told else safe.text(verdict.organizations, 600),
        "headline": safe.text(verdict.headline, 400),
        "lead": _lead(context),
        "reasons": tuple(_reason(context, reason) for reason in verdict.reasons),
        "next_step": words.sentence(safe.text(verdict.next_step)),
        "next_owner": words.OWNER[verdict.next_step_owner].title,
        "counterfactual": words.sentence(safe.text(verdict.counterfactual)),
        "changes": tuple(_change(context, change) for change in verdict.changes),
        "figures": _figures(context),
        "sure": tuple(sure := _sure(context)),
        "sure_at": tuple(sure.values()),
        "undecided": tuple(_reason(context, reason) for reason in verdict.undecided),
        "caps": tuple(words.capital(words.sentence(safe.text(cap))) for cap in assessment.product_score.caps),
    }


def _reason(context: Context, reason: VerdictReason) -> Shown:
    title, message = safe.name(reason.title), words.sentence(safe.text(reason.message))
    if reason.outcome in UNDECIDED:
        finding = context.findings[reason.key]
        title = question(context.assessment.rules[finding.rule])
        message = f"{context.subject_link(finding.subject).label}: {why_undecided(context, finding)}"
    link = context.finding_link(reason.key)
    return {"mark": OUTCOME_MARK[reason.outcome], "id": link, "title": title, "message": message}


def why_undecided(context: Context, finding: Finding, *, reason: bool = True) -> str:
    """One sentence; what could not be looked at is called not observed.

    :param reason: say why, where nothing at all was observed there; leave it out where that is said already.
    """
    if finding.outcome is RuleOutcome.ERROR:
        return words.sentence(
            _("the rule could not be evaluated: %(detail)s", detail=safe.text(finding.detail or _("no detail"), 300))
        )
    parts = []
    if finding.missing_facts:
        org = finding.subject.id if finding.subject.scope is Scope.ORG else ""
        if org and context.unseen(org):
            why = _("not observed: %(why_unseen)s", why_unseen=context.why_unseen(org))
            parts.append(why if reason else _("not observed"))
        else:
            parts.append(
                _(
                    "not observed: %(missing_facts)s",
                    missing_facts=words.listed([safe.text(fact, 60) for fact in finding.missing_facts], 4),
                )
            )
    if finding.missing_answers:
        names = words.listed([safe.text(item, 96) for item in finding.missing_answers], 4)
        parts.append(_("not answered: %(names)s", names=names))
    if not parts:
        parts.append(safe.text(finding.detail or _("no answer and no observation decides it"), 300))
    return words.sentence("; ".join(parts))


def question(rule: Rule | GapNode) -> str:
    """What is asked while a rule is undecided."""
    return open_question(safe.name(rule.title), safe.text(rule.question, 300) if rule.question else None)


def _lead(context: Context) -> tuple[str, ...]:
    assessment = context.assessment
    gate = words.GATE[assessment.target_gate].phrase
    total = len(assessment.readiness)
    if not total:
        return (
            _(
                "No organisation has been added yet, so this report is about %(product)s alone.",
                product=safe.name(assessment.product),
            ),
        )
    there, maybe, short = stages(assessment.readiness, assessment.target_gate.rank)

    def names(part: Sequence[OrgReadiness]) -> str:
        return words.listed([context.organization_name(readiness.org) for readiness in part], 6)

    lead = [
        words.counted(
            total,
            "%(product)s was assessed for the %(gate)s gate at %(number)s organisation.",
            "%(product)s was assessed for the %(gate)s gate at %(number)s organisations.",
            product=safe.name(assessment.product),
            gate=gate,
        )
    ]
    lead.append(
        _(
            "%(number)s every requirement up to the %(gate)s gate: %(names)s.",
            number=_number(len(there), total),
            gate=gate,
            names=names(there),
        )
        if there
        else _("No organisation meets every requirement up to the %(gate)s gate yet.", gate=gate)
    )
    if maybe:
        lead.append(_("Undecided, because it depends on what we do not know: %(names)s.", names=names(maybe)))
    if short:
        lead.append(_("Not yet, whatever the unknowns turn out to be: %(names)s.", names=names(short)))
    return tuple(lead)


def _number(part: int, total: int) -> str:
    if part == total:
        return _("It meets") if total == 1 else _("All %(total)s meet", total=total)
    return words.counted(part, "%(number)s of %(total)s meets", "%(number)s of %(total)s meet", total=total)


def stages(
    readiness: Sequence[OrgReadiness], target: int
) -> tuple[list[OrgReadiness], list[OrgReadiness], list[OrgReadiness]]:
    """Organisations that reached the gate of rank ``target``; that would if unknowns hold; that would not."""
    there, maybe, short = [], [], []
    for own in readiness:
        if own.stage is not None and own.stage.rank >= target:
            there.append(own)
        elif own.stage_if_unknowns_hold is not None and own.stage_if_unknowns_hold.rank >= target:
            maybe.append(own)
        else:
            short.append(own)
    return there, maybe, short


def _figures(context: Context) -> tuple[Figure, ...]:
    assessment = context.assessment
    score = assessment.product_score
    total = len(assessment.readiness)
    states = Counter(readiness.observed for readiness in assessment.readiness)
    undecided = sum(assessment.totals.findings.get(outcome, 0) for outcome in UNDECIDED)
    counted = sum(
        number for outcome, number in assessment.totals.findings.items() if outcome is not RuleOutcome.NOT_APPLICABLE
    )
    scored = Link(label=_("method"), anchor=context.leads("method", "method-score"))
    return (
        Figure(
            value=words.share(score.completeness),
            label=_("Complete"),
            note=_("of the product's own score is decided"),
            at=scored,
        ),
        Figure(
            value=words.share(score.confidence),
            label=_("Confidence"),
            note=_("strength of evidence: an answer counts half, a document three quarters, an observation in full"),
            at=scored,
        ),
        Figure(
            value=_("%(observed)s of %(total)s", observed=states["observed"], total=total) if total else _("none"),
            label=_("Organisations observed"),
            note=_("and %(partial)s in part", partial=states["partial"])
            if states["partial"]
            else _("by looking at their own endpoints"),
            at=Link(label=_("details"), anchor=context.leads("coverage")),
        ),
        Figure(
            value=_("%(undecided)s of %(counted)s", undecided=undecided, counted=counted) if counted else _("none"),
            label=_("Findings undecided"),
            note=_("for want of an answer or an observation"),
            at=Link(label=_("details"), anchor=context.leads("unknowns")),
        ),
    )


def _sure(context: Context) -> dict[str, Link]:
    """How sure the verdict is: each sentence with where it is told in full."""
    assessment = context.assessment
    verdict = assessment.verdict
    few = words.count(len(verdict.undecided), "undecided finding") if verdict.undecided else _("what is undecided")
    settled = (
        _("The verdict is settled: nothing that is undecided could change it.")
        if verdict.settled
        else _("The verdict is not decided: %(few)s could still lead to an earlier one than the latest named.", few=few)
    )
    said = {settled: Link(label=_("method"), anchor=context.leads("method", "method-verdict"))}
    shares = [readiness.score.completeness for readiness in assessment.readiness]
    if len(shares) > 1:
        low, high = words.share(min(shares)), words.share(max(shares))
        spread = _("runs from %(low)s to %(high)s", low=low, high=high) if low != high else _("is %(low)s", low=low)
        complete = _("Organisation by organisation, completeness %(spread)s.", spread=spread)
        said[complete] = Link(label=_("details"), anchor=context.leads("organizations"))
    if assessment.contradictions:
        number = len(assessment.contradictions)
        disagree = words.counted(
            number,
            "%(number)s answer disagrees with what was observed, which is what is judged; both sides are shown.",
            "%(number)s answers disagree with what was observed, which is what is judged; both sides are shown.",
        )
        said[disagree] = Link(label=_("details"), anchor=context.leads("contradictions"))
    return said


def _change(context: Context, change: VerdictChange) -> Shown:
    """The verdict that it would be, the answers that would make it so, and where those of today are."""
    answers = [
        _(
            "%(item)s%(value)s: “%(after)s” instead of “%(before)s”",
            item=f"“{safe.text(answer.text, 200)}”" if answer.text else safe.text(answer.item, 96),
            value=f" at {context.organization_name(answer.org)}" if answer.org else "",
            after=safe.text(answer.after, 90),
            before=safe.text(answer.before, 90),
        )
        for answer in change.answers
    ]
    given = [context.answers.get((answer.item, answer.org or "product")) for answer in change.answers]
    rests = (context.leads("answers", answer_anchor(answer)) for answer in given if answer is not None)
    return {
        "term": words.verdict(change.verdict, change.latest),
        "value": words.sentence("; ".join(answers)),
        "rests": tuple(Link(label=_("answered"), anchor=anchor) for anchor in rests),
    }


SECTION = Section("summary", "The verdict, and how sure we are", build_summary)
