"""Half a page an organisation; those of which all of it is the same stand together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import RuleOutcome, Scope
from interlock.model.contract import ContractFit
from interlock.model.language import N_, _
from interlock.model.observation import Check, Observation
from interlock.model.readiness import GateState, OrgReadiness
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import WHOLE, Context
from interlock.report.sections.endpoints import CHECK_MARK, callout, failed_checks, probe_facts
from interlock.report.sections.fit import settings_here, unmet_needs
from interlock.report.sections.glance import gate_mark, stage_mark
from interlock.report.sections.summary import question

#: Requirements of one gate, and checks of one organisation, that are named, worst first; the others are counted.
_NAMED, _CHECKS = 3, 3
#: Facts of an observation that a reader of this report decides by.
_FACTS = (
    N_("FHIR release"),
    N_("Software"),
    N_("Launch modes"),
    N_("Client types"),
    N_("PKCE S256"),
    N_("Scope syntax"),
)


def build_organizations_brief(context: Context) -> Shown:
    """A block for every organisation, or for all of which the same is to be said, in the order of the first of each."""
    fits = {fit.org: fit for fit in context.assessment.fit}
    alike: dict[str, list[tuple[OrgReadiness, Shown]]] = defaultdict(list)
    for readiness in context.assessment.readiness:
        block = _block(context, readiness, fits.get(readiness.org))
        alike[repr(sorted(block.items()))].append((readiness, block))
    blocks = [_together(context, group) for group in alike.values()]
    return {"children": (), "product": _product(context), "blocks": blocks}


def _together(context: Context, group: Sequence[tuple[OrgReadiness, Shown]]) -> Shown:
    """What is the same of these organisations, with their names, and of one alone what is its own."""
    orgs = [readiness.org for readiness, _ in group]
    names = [context.organization_name(org) for org in orgs]
    outlook = {line.org: line for line in context.assessment.plan.outlook}
    own = outlook.get(orgs[0]) if len(orgs) == 1 else None
    people = _("There: %(there)s; here: %(here)s.", there=safe.text(own.there), here=safe.text(own.here)) if own else ""
    following = _("Next: %(next)s", next=words.sentence(safe.text(own.next))) if own and own.next else ""
    return group[0][1] | {
        "anchors": tuple(safe.anchor("org", org) for org in orgs),
        "name": names[0] if len(names) == 1 else _("%(names)s organisations alike", names=words.number(len(names))),
        "names": "" if len(names) == 1 else words.listed(names, len(names)),
        "callout": callout(context, group[0][0], words.listed(names, 3)),
        "next": " ".join(filter(None, (following, people))),
    }


def _block(context: Context, readiness: OrgReadiness, fit: ContractFit | None) -> Shown:
    """All that is told of an organisation but its name, its people and its days."""
    organization = context.organizations[readiness.org]
    observation = context.observations.get(readiness.org)
    observed = None if context.unseen(readiness.org) else observation
    vendor = words.capital(words.vendor(organization.vendor))
    recommended = words.RECOMMENDATION[readiness.recommendation]
    failed = failed_checks(observed)
    return {
        "subtitle": f"{vendor} · {words.capital(organization.environment)} · {_when(readiness)}",
        "score": words.interval(readiness.score.interval.low, readiness.score.interval.high),
        "stage": stage_mark(readiness, context.assessment.target_gate),
        "recommended": f"{recommended.title}: {words.sentence(safe.text(readiness.because, 300))}",
        "gates": tuple(_gate(context, state) for state in readiness.gates),
        "showed": _showed(observed) if observed else "",
        "checks": tuple(map(_check, failed[:_CHECKS])),
        "checks_more": _(
            "%(failed)s more with findings: in %(whole)s.", failed=words.number(len(failed) - _CHECKS), whole=WHOLE
        )
        if len(failed) > _CHECKS
        else "",
        "contract": tuple(_contract(fit)),
    }


def _when(readiness: OrgReadiness) -> str:
    state = words.OBSERVED[readiness.observed].title
    if readiness.observed_at is None:
        return state
    day = safe.day(readiness.observed_at)
    if readiness.observed in {"observed", "partial"}:
        return _("%(state)s on %(day)s", state=state, day=day)
    return _("%(state)s, tried on %(day)s", state=state, day=day)


def _check(check: Check) -> Shown:
    said = f"{words.sentence(safe.name(check.title))} {words.sentence(safe.text(check.message, 400))}"
    return {"mark": CHECK_MARK[check.outcome], "said": said}


def _gate(context: Context, state: GateState) -> Shown:
    """A gate with what stands in its way; what is the product's own is counted, for it is told once for all."""
    lines = []
    for keys, lead in ((state.open, ""), (state.undecided, f"{_('Undecided')}: ")):
        own = [key for key in keys if not _of_product(context, key)]
        own.sort(key=lambda key: context.assessment.rules[key.partition("@")[0]].severity.rank)
        shown = [Link(label=_title(context, key), anchor=context.finding_link(key).anchor) for key in own[:_NAMED]]
        counts = {N_("%(number)s more"): len(own) - len(shown), N_("%(number)s of the product"): len(keys) - len(own)}
        more = words.listed([_(name, number=words.number(count)) for name, count in counts.items() if count])
        if shown or more:
            rest = f" {_('and %(rest)s', rest=more)}" if shown and more else more
            lines.append({"lead": lead, "links": shown, "more": rest})
    if state.weak:
        weak = words.counted(
            len(state.weak),
            "%(number)s requirement met on weaker evidence than this gate wants",
            "%(number)s requirements met on weaker evidence than this gate wants",
        )
        lines.append({"lead": weak, "links": (), "more": ""})
    return {
        "gate": words.GATE[state.gate].title,
        "target": state.gate is context.assessment.target_gate,
        "mark": gate_mark(state),
        "met": _("%(met)s of %(required)s", met=state.met, required=state.required)
        if state.required
        else _("none required"),
        "lines": tuple(lines),
    }


def _title(context: Context, key: str) -> str:
    rule = context.assessment.rules[key.partition("@")[0]]
    decided = context.findings[key].outcome is RuleOutcome.GAP
    return safe.name(rule.title) if decided else question(rule)


def _of_product(context: Context, key: str) -> bool:
    """Whether a finding is the product's own, and so the same for every organisation."""
    finding = context.findings.get(key)
    return finding is None or finding.subject.scope is Scope.PRODUCT


def _product(context: Context) -> tuple[Link, ...]:
    """What the product itself has open or undecided, at any gate and each once."""
    keys = dict.fromkeys(
        key
        for readiness in context.assessment.readiness
        for state in readiness.gates
        for key in (*state.open, *state.undecided)
        if key in context.findings and _of_product(context, key)
    )
    return tuple(Link(label=_title(context, key), anchor=context.finding_link(key).anchor) for key in keys)


def _showed(observation: Observation) -> str:
    """What its endpoints showed, in a line."""
    facts = {pair.term: pair.value for pair in probe_facts(observation)}
    return "; ".join(f"{name}: {facts[name]}" for name in map(_, _FACTS) if name in facts)


def _contract(fit: ContractFit | None) -> list[str]:
    """What of the contract is not declared there, and which settings are not as they should be."""
    if fit is None:
        return []
    if not fit.observed:
        return [_("Contract not compared: nothing was observed.")]
    required = [match for match in fit.matches if not match.optional]
    supported = sum(match.outcome == "supported" for match in required)
    lines = [
        words.counted(
            len(required),
            "Of the contract's %(number)s need its statement declares %(supported)s.",
            "Of the contract's %(number)s needs its statement declares %(supported)s.",
            supported=words.number(supported),
        )
    ]
    lines += [f"{row['mark'].label}: {row['needs']}. {row['note']}".strip() for row in unmet_needs(fit, limit=_NAMED)]
    settings: dict[str, list[str]] = defaultdict(list)
    for setting in settings_here(fit, only_wrong=True):
        settings[setting["mark"].label].append(setting["name"].replace("_", " "))
    lines += [
        _("Settings, %(lower)s: %(names)s.", lower=label.lower(), names=words.listed(names))
        for label, names in settings.items()
    ]
    return lines
