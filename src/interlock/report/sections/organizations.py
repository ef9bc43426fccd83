"""One page an organisation: gates, what is open, what is undecided, and what its endpoints showed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from interlock.model import words
from interlock.model.base import RuleOutcome, Scope
from interlock.model.card_making import card_of
from interlock.model.contract import ContractFit
from interlock.model.finding import Finding
from interlock.model.language import _
from interlock.model.observation import Observation
from interlock.model.organization import Contact, Organization
from interlock.model.readiness import GateState, OrgReadiness
from interlock.report import safe
from interlock.report.elements import SEVERITY_MARK, Link, Shown
from interlock.report.sections.context import UNDECIDED, Context, Section, worst_first
from interlock.report.sections.endpoints import (
    callout,
    check_row,
    checks_note,
    failed_checks,
    probe_facts,
    probe_note,
    when_observed,
)
from interlock.report.sections.fit import settings_here, unmet_needs
from interlock.report.sections.glance import bar, gate_mark, if_unknowns_hold, stage_mark
from interlock.report.sections.summary import question, why_undecided

#: Organisations that the contents name one by one.
CHILDREN = 12


def build_organizations(context: Context) -> Shown:
    """A page for every organisation that was assessed."""
    fits = {fit.org: fit for fit in context.assessment.fit}
    by_org: dict[str, list[Finding]] = defaultdict(list)
    for finding in context.assessment.findings:
        if finding.subject.scope is Scope.ORG:
            by_org[finding.subject.id].append(finding)
    pages = tuple(
        _page(context, readiness, fits.get(readiness.org), by_org[readiness.org])
        for readiness in context.assessment.readiness
    )
    links = tuple(Link(label=page["name"], anchor=page["anchor"]) for page in pages)
    return {
        "children": links if len(links) <= CHILDREN else (),
        "pages": pages,
    }


def _page(context: Context, readiness: OrgReadiness, fit: ContractFit | None, findings: list[Finding]) -> Shown:
    name, organization = context.organization_name(readiness.org), context.organizations[readiness.org]
    observation = context.observations.get(readiness.org)
    observed = None if context.unseen(readiness.org) else observation
    vendor = words.capital(words.vendor(organization.vendor))
    # Through whom it was asked: whose answer came, and whose silence, cannot be told from the requests alone.
    proxies = [safe.text(proxy, 200) for proxy in observation.proxies] if observation else []
    proxy_note = _("Asked through the proxy %(proxies)s.", proxies=words.listed(proxies, 3)) if proxies else ""
    return {
        "anchor": safe.anchor("org", readiness.org),
        "name": name,
        "subtitle": f"{vendor} · {words.capital(organization.environment)}",
        "picture": bar(readiness.score, name),
        "score": words.interval(readiness.score.interval.low, readiness.score.interval.high),
        "stage": stage_mark(readiness, context.assessment.target_gate),
        "facts": _facts(context, readiness, organization),
        "file": _file(readiness.org),
        "seen": Link(label=_("observed"), anchor=context.seen_anchor(readiness.org)),
        "callout": callout(context, readiness, name),
        "caps": tuple(words.capital(words.sentence(safe.text(cap))) for cap in readiness.score.caps),
        "gates": tuple(_gate(context, state) for state in readiness.gates),
        "open": _rows(context, findings, frozenset({RuleOutcome.GAP})),
        "undecided": _rows(context, findings, UNDECIDED),
        "probe": probe_facts(observed) if observed else (),
        "probe_note": " ".join(filter(None, (probe_note(observed, readiness), proxy_note))),
        "card": _card(observed) if observed else {},
        "checks": tuple(check_row(context, check) for check in failed_checks(observed)),
        "checks_note": checks_note(observed),
        "agreed": context.assessment.contract is not None,
        "settings": settings_here(fit, only_wrong=False),
        "needs": unmet_needs(fit, limit=60) if fit else (),
        "needs_note": _needs_note(fit),
    }


def _file(org: str) -> Link:
    """The file that records an organisation, and where its page names it."""
    return Link(label=safe.text(f"orgs/{org}.yaml", 120), anchor=safe.anchor("org", org, "file"))


def _facts(context: Context, readiness: OrgReadiness, organization: Organization) -> tuple[Shown, ...]:
    """Terms with their values, each with where it is from."""
    score, recorded = readiness.score, _file(readiness.org)
    seen = Link(label=_("observed"), anchor=context.seen_anchor(readiness.org))
    scored = Link(label=_("method"), anchor=context.leads("method", "method-score"))
    staged = Link(label=_("method"), anchor=context.leads("method", "method-stage"))
    decided = Link(label=_("method"), anchor=context.leads("method", "method-verdict"))
    gates = Link(label=_("gates"), anchor=f"{safe.anchor('org', readiness.org)}-gates")
    held = words.stage(readiness.stage_if_unknowns_hold) if if_unknowns_hold(readiness) else ""
    recommended = words.RECOMMENDATION[readiness.recommendation]
    told = (
        (_("FHIR base URL"), safe.text(organization.fhir_base_url or _("none recorded"), 300), recorded),
        (_("Observed"), when_observed(readiness), seen),
        (_("Stage if what is undecided holds"), words.capital(held), staged),
        (_("Before caps"), words.interval(score.uncapped.low, score.uncapped.high) if score.caps else "", scored),
        (_("Complete"), words.share(score.completeness), scored),
        (_("Confidence"), words.share(score.confidence), scored),
        (_("Not applicable"), words.share(score.not_applicable) if score.not_applicable else "", scored),
        (_("Recommended"), f"{recommended.title}: {safe.text(readiness.because, 300)}", gates),
        (_("Verdict here"), words.verdict(readiness.verdict, readiness.latest_verdict), decided),
        (_("Contacts"), "; ".join(map(_contact, organization.contacts)), recorded),
        (_("Note"), safe.text(organization.note or ""), recorded),
    )
    return tuple({"term": term, "value": value, "at": at} for term, value, at in told if value)


def _contact(contact: Contact) -> str:
    told = f"{contact.told}{f' <{safe.text(contact.email)}>' if contact.email else ''}"
    return _("of ours: %(contact)s", contact=told) if contact.side == "here" else told


def _gate(context: Context, state: GateState) -> Shown:
    return {
        "gate": words.GATE[state.gate].title,
        "target": state.gate is context.assessment.target_gate,
        "mark": gate_mark(state),
        "met": _("%(met)s of %(required)s", met=state.met, required=state.required)
        if state.required
        else _("none required"),
        "open": _links(context, state.open),
        "undecided": _links(context, state.undecided),
        "weak": _links(context, [entry.key for entry in state.weak]),
    }


def _links(context: Context, keys: Iterable[str]) -> tuple[Link, ...]:
    """Each rule once."""
    return tuple({link.label: link for link in map(context.finding_link, keys)}.values())


def _rows(context: Context, findings: Iterable[Finding], outcomes: frozenset[RuleOutcome]) -> tuple[Shown, ...]:
    rules = context.assessment.rules
    pairs = [
        (rules[finding.rule], finding)
        for finding in findings
        if finding.outcome in outcomes and rules[finding.rule].lifecycle != "deprecated"
    ]
    pairs.sort(key=lambda pair: worst_first(pair[0]))
    return tuple(
        {
            "severity": SEVERITY_MARK[rule.severity],
            "id": context.finding_link(finding.key),
            "title": question(rule) if finding.outcome in UNDECIDED else safe.name(rule.title),
            "gate": words.GATE[rule.gate].title,
            "message": (
                _why_undecided(context, finding)
                if finding.outcome in UNDECIDED
                else context.detail(finding, rule.title)
            ),
        }
        for rule, finding in pairs
    )


def _why_undecided(context: Context, finding: Finding) -> str:
    """Why; where nothing could be observed the page says so at its top, so only missing answers are named."""
    if not context.unseen(finding.subject.id) or not finding.missing_facts:
        return words.capital(why_undecided(context, finding))
    answers = [safe.text(item, 96) for item in finding.missing_answers]
    return (
        _("Not observed; not answered: %(answers)s.", answers=words.listed(answers, 4))
        if answers
        else _("Not observed.")
    )


def _card(observation: Observation) -> Shown:
    """What the last probe says blocks, and what to ask them, as on the card of a probe; empty if nothing."""
    card = card_of(observation)
    if not card.ask and not card.blocks:
        return {}
    return {
        "first": safe.text(card.first, 400),
        "blocks": tuple(safe.text(f"{line.text} {line.do}", 900) for line in card.blocks),
        "ask": tuple(
            safe.once(safe.text(f"{line.text} {line.do}" if line.apart else line.text, 900) for line in card.ask)
        ),
    }


def _needs_note(fit: ContractFit | None) -> str:
    if fit is None:
        return ""
    if not fit.observed:
        return _("Contract fit: not observed.")
    if not any(match.outcome in {"missing", "undeclared", "restricted", "not_fhir"} for match in fit.matches):
        return _("The statement declares everything that the workflow contract needs.")
    return ""


SECTION = Section("organizations", "Organisation by organisation", build_organizations)
