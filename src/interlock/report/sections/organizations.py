"""One page an organisation: gates, what is open, what is undecided, and what its endpoints showed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from interlock.model import words
from interlock.model.base import CheckOutcome, Gate, RuleOutcome, Scope, Severity
from interlock.model.card_making import card_of
from interlock.model.contract import ContractFit
from interlock.model.facts import CapabilityFacts, SmartFacts
from interlock.model.finding import Finding
from interlock.model.observation import Check, Observation
from interlock.model.organization import Contact, Organization
from interlock.model.readiness import GateState, OrgReadiness
from interlock.model.words import Word
from interlock.report import safe
from interlock.report.elements import SEVERITY_MARK, Link, Mark, Pair, Shown, pairs
from interlock.report.sections.context import UNDECIDED, Context, Section, worst_first
from interlock.report.sections.fit import settings_here, unmet_needs
from interlock.report.sections.glance import bar, if_unknowns_hold, stage_mark
from interlock.report.sections.summary import question, why_undecided

#: Gaps, undecided rules, and checks with findings, that a brief report shows of one organisation, worst first.
BRIEF_ROWS = 4
#: Rules of one gate, and contract needs of one outcome, that a brief report names.
BRIEF_NAMES = 6
#: Values of one fact that are named.
_NAMED = 8
#: Organisations that the contents name one by one.
CHILDREN = 12
_SHOWN_CHECKS = (CheckOutcome.FAIL, CheckOutcome.WARN)
_CHECK_MARK = {
    CheckOutcome.FAIL: Mark.of(words.CHECK[CheckOutcome.FAIL], "bad"),
    CheckOutcome.WARN: Mark.of(words.CHECK[CheckOutcome.WARN], "warn"),
}


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
        "product_gates": _product_gates(context),
        "pages": pages,
    }


def _page(context: Context, readiness: OrgReadiness, fit: ContractFit | None, findings: list[Finding]) -> Shown:
    name, organization = context.organization_name(readiness.org), context.organizations[readiness.org]
    observation = context.observations.get(readiness.org)
    observed = None if context.unseen(readiness.org) else observation
    vendor = words.capital(words.vendor(organization.vendor))
    gaps = _rows(context, findings, frozenset({RuleOutcome.GAP}))
    told = undecided = _rows(context, findings, UNDECIDED)
    if context.brief:
        needed = [finding for finding in findings if context.needed(context.assessment.rules[finding.rule])]
        told = _rows(context, needed, UNDECIDED)[:BRIEF_ROWS]
    # Through whom it was asked: whose answer came, and whose silence, cannot be told from the requests alone.
    proxies = [safe.text(proxy, 200) for proxy in observation.proxies] if observation else []
    proxy_note = f"Asked through the proxy {words.listed(proxies, 3)}." if proxies else ""
    failed = [check for check in observed.checks if check.outcome in _SHOWN_CHECKS] if observed else []
    failed.sort(key=lambda check: (_SHOWN_CHECKS.index(check.outcome), check.severity.rank, check.id))
    checks = failed[: BRIEF_ROWS if context.brief else None]
    counted = (_checks_note(observed), _left(len(failed) - len(checks), "with findings"))
    return {
        "anchor": safe.anchor("org", readiness.org),
        "name": name,
        "subtitle": f"{vendor} · {words.capital(organization.environment)}",
        "picture": bar(readiness.score, name),
        "score": words.interval(readiness.score.interval.low, readiness.score.interval.high),
        "stage": stage_mark(readiness, context.assessment.target_gate),
        "facts": _facts(readiness, organization),
        "callout": _callout(context, readiness, name),
        "caps": tuple(words.capital(words.sentence(safe.text(cap))) for cap in readiness.score.caps),
        "gates": tuple(_gate(context, state, shared=context.brief) for state in readiness.gates),
        "open": gaps[: BRIEF_ROWS if context.brief else None],
        "open_note": _left(len(gaps) - BRIEF_ROWS, "open") if context.brief else "",
        "undecided": told,
        "undecided_note": _left(len(undecided) - len(told), "undecided"),
        "probe": _probe_facts(observed) if observed else (),
        "probe_note": " ".join(filter(None, (_probe_note(observed, readiness), proxy_note))),
        "card": _card(observed) if observed and not context.brief else {},
        "checks": tuple(_check(context, check) for check in checks),
        "checks_note": " ".join(filter(None, counted)),
        "settings": settings_here(fit, only_wrong=context.brief),
        "needs": unmet_needs(fit, limit=BRIEF_NAMES if context.brief else 60) if fit else (),
        "needs_note": _needs_note(fit),
    }


def _left(count: int, state: str) -> str:
    return f"{count:,} more {state} stand in the HTML and Markdown reports." if count > 0 else ""


def _facts(readiness: OrgReadiness, organization: Organization) -> tuple[Pair, ...]:
    score = readiness.score
    held = words.stage(readiness.stage_if_unknowns_hold) if if_unknowns_hold(readiness) else ""
    recommended = words.RECOMMENDATION[readiness.recommendation]
    return pairs(
        {
            "FHIR base URL": safe.text(organization.fhir_base_url or "none recorded", 300),
            "Observed": _observed(readiness),
            "Stage if what is undecided holds": words.capital(held),
            "Before caps": words.interval(score.uncapped.low, score.uncapped.high) if score.caps else "",
            "Complete": words.share(score.completeness),
            "Confidence": words.share(score.confidence),
            "Not applicable": words.share(score.not_applicable) if score.not_applicable else "",
            "Recommended": f"{recommended.title}: {safe.text(readiness.because, 300)}",
            "Verdict here": words.verdict(readiness.verdict, readiness.latest_verdict),
            "Contacts": "; ".join(map(_contact, organization.contacts)),
            "Note": safe.text(organization.note or ""),
        }
    )


def _contact(contact: Contact) -> str:
    side = "of ours: " if contact.side == "here" else ""
    return f"{side}{contact.told}{f' <{safe.text(contact.email)}>' if contact.email else ''}"


def _observed(readiness: OrgReadiness) -> str:
    when = safe.moment(readiness.observed_at) if readiness.observed_at else ""
    if readiness.observed in {"observed", "partial"}:
        return when or "yes"
    return f"not observed, tried {when}" if when else "not observed"


def _callout(context: Context, readiness: OrgReadiness, name: str) -> str:
    why = context.why_unseen(readiness.org)
    if readiness.observed == "not_observed":
        return (
            f"Not observed: {why}. We could not look, so nothing here says what {name} publishes or supports; "
            "what stands below rests on answers alone."
        )
    if readiness.observed == "never_probed":
        return f"Never probed: {why}. Nothing here says what {name} publishes or supports."
    if readiness.observed == "partial":
        tail = f": {safe.text(readiness.not_observed_because, 200)}" if readiness.not_observed_because else ""
        return f"{words.OBSERVED['partial'].title}{tail}. What could not be read is called not observed below."
    return ""


def _product_gates(context: Context) -> tuple[Shown, ...]:
    """What the product itself lacks at each gate, which a brief report says once for all organisations; else empty."""
    if not context.brief:
        return ()
    rows = []
    for gate in Gate:
        states = [
            state for readiness in context.assessment.readiness for state in readiness.gates if state.gate is gate
        ]
        own = {
            outcome: tuple(key for key in dict.fromkeys(chain.from_iterable(keys)) if _is_own(context, key))
            for outcome, keys in (
                ("open", (state.open for state in states)),
                ("undecided", (state.undecided for state in states)),
            )
        }
        if any(own.values()):
            rows.append(_gate(context, GateState(gate=gate, holds=False, required=0, met=0, **own), shared=False))
    return tuple(rows)


def _is_own(context: Context, key: str) -> bool:
    """Whether the finding is the product's own, and so the same for every organisation."""
    finding = context.findings.get(key)
    return finding is not None and finding.subject.scope is Scope.PRODUCT


def _gate(context: Context, state: GateState, *, shared: bool) -> Shown:
    """:param shared: whether the product's own are counted here because they are told elsewhere, once."""
    if state.holds:
        mark = Mark.of(Word("holds", words.RULE[RuleOutcome.MET].glyph), "good")
    elif state.open:
        mark = Mark.of(Word(state.in_the_way, words.RULE[RuleOutcome.GAP].glyph), "bad")
    else:
        mark = Mark.of(Word(state.in_the_way, words.RULE[RuleOutcome.UNKNOWN].glyph), "unknown")
    named, open_more = _links(context, state.open, shared=shared)
    unsure, undecided_more = _links(context, state.undecided, shared=shared)
    weak, weak_more = _links(context, [entry.key for entry in state.weak], shared=shared)
    return {
        "gate": words.GATE[state.gate].title,
        "target": state.gate is context.assessment.target_gate,
        "mark": mark,
        "met": f"{state.met} of {state.required}" if state.required else "none required",
        "open": named,
        "undecided": unsure,
        "weak": weak,
        "open_more": open_more,
        "weak_more": weak_more,
        "undecided_more": undecided_more,
    }


def _links(context: Context, keys: Sequence[str], *, shared: bool) -> tuple[tuple[Link, ...], str]:
    """Each rule once; in a brief report the worst :data:`BRIEF_NAMES`, and words that count the others."""
    own = {key for key in keys if shared and _is_own(context, key)}
    told = [key for key in keys if key not in own]
    if context.brief:
        rules = context.assessment.rules
        severity = {key: rules[rule_id].severity.rank for key in told if (rule_id := key.partition("@")[0]) in rules}
        told.sort(key=lambda key: (severity.get(key, len(Severity)), key))
    links = tuple({link.label: link for link in map(context.finding_link, told)}.values())
    shown = links[: BRIEF_NAMES if context.brief else None]
    counts = {"more": len(links) - len(shown), "of the product": len(own)}
    more = " and ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return shown, f" and {more}" if shown and more else more


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
    return f"Not observed; not answered: {words.listed(answers, 4)}." if answers else "Not observed."


def _card(observation: Observation) -> Shown:
    """What the last probe says blocks, and what to ask them, as on the card of a probe; empty if nothing."""
    card = card_of(observation)
    if not card.ask and not card.blocks:
        return {}
    return {
        "first": safe.text(card.first, 400),
        "blocks": tuple(safe.text(f"{line.text} {line.do}", 900) for line in card.blocks),
        "ask": tuple(safe.text(line.text, 900) for line in card.ask),
    }


def _check(context: Context, check: Check) -> Shown:
    evidence = [safe.text(f"{item.url} {item.pointer}".strip(), 200) for item in check.evidence if item.url]
    return {
        "mark": _CHECK_MARK[check.outcome],
        "id": safe.text(check.id, 40),
        "title": safe.name(check.title),
        "severity": words.SEVERITY[check.severity].title,
        "message": words.sentence(safe.text(check.message, 400)),
        "evidence": words.listed(evidence, 2),
        "cites": context.book.cite_all(check.references),
    }


def _probe_note(observation: Observation | None, readiness: OrgReadiness) -> str:
    if observation is None:
        looked = readiness.observed in {"observed", "partial"}
        return "The observation itself is not part of this report." if looked else ""
    took = observation.elapsed_ms
    duration = f"{words.number(took / 1000)} s" if took >= 1000 else f"{took:.0f} ms"
    return f"{words.count(len(observation.requests), 'request')} in {duration}, {words.moment(observation.started)}."


def _checks_note(observation: Observation | None) -> str:
    if observation is None or not observation.checks:
        return ""
    count = Counter(check.outcome for check in observation.checks)
    counts = [f"{count[outcome]} {words.CHECK[outcome].phrase}" for outcome in CheckOutcome if count[outcome]]
    return f"{words.count(len(observation.checks), 'check')}: {', '.join(counts)}."


def _needs_note(fit: ContractFit | None) -> str:
    if fit is None:
        return ""
    if not fit.observed:
        return "Contract fit: not observed."
    if not any(match.outcome in {"missing", "undeclared", "restricted", "not_fhir"} for match in fit.matches):
        return "The statement declares everything that the workflow contract needs."
    return ""


def _probe_facts(observation: Observation) -> tuple[Pair, ...]:
    """Terms and values of one observation, in reading order."""
    capability, smart, jwks = observation.facts.capability, observation.facts.smart, observation.facts.jwks
    facts = {"Base URL probed": safe.text(observation.target.base_url, 300)}
    facts |= _capability(capability) if capability else {"Capability statement": _absent(observation, "CAP")}
    facts |= _smart(smart) if smart else {"SMART configuration": _absent(observation, "SMART")}
    if jwks is not None:
        facts["Server's JWK Set"] = f"{'usable' if jwks.valid else 'not usable'}, {words.count(jwks.keys, 'key')}"
    return pairs(facts)


def _absent(observation: Observation, family: str) -> str:
    """Not observed, unless a check of the family read an answer and failed it: then that check's own words."""
    for check in observation.checks:
        if check.outcome is CheckOutcome.FAIL and check.id.startswith(f"{family}-"):
            return safe.text(f"none usable ({check.id}: {check.message})", 300)
    return "not observed"


def _capability(facts: CapabilityFacts) -> dict[str, str]:
    release: str = facts.fhir_release or "not stated"
    if facts.fhir_version and facts.fhir_version != release:
        release += f" ({safe.text(facts.fhir_version, 30)})"
    software = " ".join(safe.text(facts.software[key], 80) for key in ("name", "version") if facts.software.get(key))
    return {
        "FHIR release": release,
        "Software": software or "not stated",
        "Resource types declared": f"{len(facts.resources):,}",
        "Instantiates": _list(facts.instantiates),
    }


def _smart(facts: SmartFacts) -> dict[str, str]:
    return {
        "SMART configuration": "from the capability statement’s oauth-uris" if facts.source == "oauth-uris" else "",
        "Launch modes": _list(facts.launch_modes) or "none declared",
        "Capability sets": _list(facts.capability_sets) or "none complete",
        "Client types": _list(facts.client_types) or "none declared",
        "PKCE S256": {None: "not stated", True: "offered", False: "not offered"}[facts.pkce_s256],
        "Scope syntax": _scopes(facts),
    }


def _scopes(facts: SmartFacts) -> str:
    named = [label for label, state in (("v1", facts.scopes_v1), ("v2", facts.scopes_v2)) if state]
    if named:
        return " and ".join(named)
    return "not stated" if facts.scopes_v1 is None and facts.scopes_v2 is None else "neither v1 nor v2"


def _list(values: Sequence[str]) -> str:
    return words.listed([safe.text(value, 80) for value in values], _NAMED)


SECTION = Section("organizations", "Organisation by organisation", build_organizations)
