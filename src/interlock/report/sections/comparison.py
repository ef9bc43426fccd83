"""Each area with its strongest and weakest point; and organisations compared: what is the same, and what differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from interlock.model import words
from interlock.model.base import Evidence, RuleOutcome, Scope, Severity
from interlock.model.contract import ContractFit
from interlock.model.facts import Facts
from interlock.model.finding import Finding, is_requirement
from interlock.model.language import N_, _
from interlock.model.rule import Rule
from interlock.report import safe
from interlock.report.elements import Link, Shown
from interlock.report.sections.context import BLOCKERS, UNDECIDED, Context, Section
from interlock.report.sections.fit import need_name
from interlock.report.sections.summary import question

#: Names of organisations in a cell, and rows that a brief report has of needs and of settings.
_NAMED, _BRIEF_ROWS = 3, 8
#: Needs that a row names.
_NEEDS = 8
#: Kinds of needs that are compared: launch modes and releases have rows of their own.
_KINDS = {
    **dict.fromkeys(
        ("resource", "interaction", "search_parameter", "operation", "profile", "condition"), N_("Needed:")
    ),
    "scope": N_("Scope"),
}
#: First words of an answer that only the one before it makes sense of.
_BUILDS_ON = "As before"


def build_comparison(context: Context) -> Shown:
    """The scorecard, and a row for each thing in which organisations may differ, those in which they do first."""
    rows = [row for row in _rows(context) if row["known"]] if len(context.organizations) > 1 else []
    differ = [row for row in rows if not row["same"]]
    same = [row for row in rows if row["same"]]
    return {
        "areas": tuple(_area(context, number, *area) for number, area in enumerate(by_area(context).items(), start=1)),
        "differ": tuple(differ),
        "same": () if context.brief else tuple(same),
        "same_in_words": _in_words(same) if context.brief else "",
        "alone": "" if rows else _("One organisation or none: there is nothing to compare."),
    }


def _in_words(rows: Sequence[Shown]) -> str:
    """What is the same, as a sentence."""
    said = [f"{row['term']}: {row['says'] or row['values'][0]['value']}" for row in rows]
    return words.sentence(_("The same wherever it was observed or set: %(said)s", said="; ".join(said))) if said else ""


# -- scorecard ------------------------------------------------------------------------------------------------------


def by_area(context: Context) -> dict[str, list[tuple[Rule, Finding]]]:
    """Areas that have a requirement, in order, each with its requirements and what was found of them."""
    rules = context.assessment.rules
    areas = {rule_id: words.area(rule_id) for rule_id, rule in rules.items() if is_requirement(rule)}
    by_area: dict[str, list[tuple[Rule, Finding]]] = defaultdict(list)
    for finding in context.assessment.findings:
        if finding.outcome is not RuleOutcome.NOT_APPLICABLE and finding.rule in areas:
            by_area[areas[finding.rule]].append((rules[finding.rule], finding))
    return {area: by_area[area] for area in (*words.AREA.values(), _(words.OTHER_AREA)) if area in by_area}


def _area(context: Context, number: int, area: str, judged: Sequence[tuple[Rule, Finding]]) -> Shown:
    """How many of an area hold, the strongest point and the weakest."""
    outcomes = Counter(finding.outcome for _rule, finding in judged)
    met = [pair for pair in judged if pair[1].outcome is RuleOutcome.MET]
    undecided = sum(outcomes[outcome] for outcome in UNDECIDED)
    counted = {"met": len(met), "open": outcomes[RuleOutcome.GAP], "undecided": undecided}
    strongest = max(met, key=_strength, default=None)
    weakest = max(judged, key=_weakness)
    return {
        "area": area,
        "counted": ", ".join(f"{of:,} {name}" for name, of in counted.items() if of),
        "rules": Link(label=_("rules"), anchor=context.leads("statements", f"area-{number}")),
        "strongest": _holds(context, *strongest) if strongest else _("Nothing is met yet."),
        "weakest": _lacks(context, *weakest),
        "strongest_at": context.rests_at(strongest[1]) if strongest else "",
        "weakest_at": context.rests_at(weakest[1]),
    }


def _strength(pair: tuple[Rule, Finding]) -> tuple[int, int, float]:
    """Sorts what is met: by evidence, then by how much it matters."""
    rule, finding = pair
    return (finding.evidence.rank if finding.evidence else -1), -rule.severity.rank, finding.value or 0.0


def _weakness(pair: tuple[Rule, Finding]) -> tuple[int, bool, int, float]:
    """Sorts everything: gaps before what is undecided before what is met by least, blockers and the severe first."""
    rule, finding = pair
    order = 2 if finding.outcome is RuleOutcome.GAP else 1 if finding.outcome in UNDECIDED else 0
    worst = len(Severity) - rule.severity.rank
    if order:
        return order, rule.gap_class in BLOCKERS, worst, 0.0
    return order, False, -(finding.evidence or Evidence.ASSERTED).rank, -(finding.value or 0.0)


def _holds(context: Context, rule: Rule, finding: Finding) -> str:
    """A point that holds: the question with its answer, or what is not the case, and by what evidence."""
    by = words.HELD[finding.evidence or Evidence.ASSERTED]
    answer = next(iter(context.answers_read(finding)), None)
    if answer is None:
        return _(
            "%(where)sNot the case, %(by)s: “%(rule)s”.",
            where=_where(context, finding),
            by=by,
            rule=safe.name(rule.title),
        )
    best = finding.value == 1.0 and answer.said.startswith(_BUILDS_ON)
    said = _("the best answer that there is") if best else safe.text(answer.said, 120).removesuffix(".")
    return f"{_where(context, finding)}{safe.text(answer.text, 160)} {words.capital(said)}, {by}."


def _lacks(context: Context, rule: Rule, finding: Finding) -> str:
    """A point that is open, undecided, or met by least."""
    if finding.outcome is RuleOutcome.GAP:
        return f"{_where(context, finding)}{words.sentence(safe.name(rule.title))}"
    if finding.outcome in UNDECIDED:
        return _("%(where)sNot known: %(question)s", where=_where(context, finding), question=question(rule))
    return _("Nothing is open. Held by least: %(holds)s", holds=_holds(context, rule, finding))


def _where(context: Context, finding: Finding) -> str:
    label = context.subject_link(finding.subject).label
    return "" if finding.subject.scope is Scope.PRODUCT else f"{label}: "


# -- comparison -----------------------------------------------------------------------------------------------------


def _rows(context: Context) -> Iterator[Shown]:
    """What was seen of each organisation, the needs of the contract there, and its settings."""
    for term, said in _seen(context).items():
        yield _row(context, term, said)
    fits = {fit.org: fit for fit in context.assessment.fit}
    yield from _needs(context, fits)
    yield from _settings(context, fits)


def _seen(context: Context) -> dict[str, dict[str, str]]:
    """Terms of what its endpoints showed → organisation → value."""
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for org in context.organizations:
        observation = context.observations.get(org)
        facts = None if observation is None or context.unseen(org) else observation.facts
        for term, value in _facts(facts).items():
            values[term][org] = value
    return values


def _facts(facts: Facts | None) -> dict[str, str]:
    capability, smart = (facts.capability, facts.smart) if facts else (None, None)
    scopes = [name for name, listed in (("v1", smart.scopes_v1), ("v2", smart.scopes_v2)) if listed] if smart else []
    unseen = words.FIT["not_observed"].phrase
    pkce = {None: _("not stated"), True: _("offered"), False: _("not offered")}
    return {
        _("FHIR release"): (capability.fhir_release or _("not stated")) if capability else unseen,
        _("Launch modes"): _listed(smart.launch_modes, _("none declared")) if smart else unseen,
        _("Client types"): _listed(smart.client_types, _("none declared")) if smart else unseen,
        _("Scope syntax"): (words.listed(scopes) or _("not stated")) if smart else unseen,
        _("PKCE S256"): pkce[smart.pkce_s256] if smart else unseen,
    }


def _listed(values: Sequence[str], nothing: str) -> str:
    return words.listed([safe.text(value, 60) for value in values], 6) or nothing


def _needs(context: Context, fits: Mapping[str, ContractFit]) -> Iterator[Shown]:
    """How many needs all statements declare, then those that one at least does not: alike in all of them in one row."""
    said: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for org, fit in fits.items():
        for match in fit.matches:
            if match.kind in _KINDS:
                said[_(_KINDS[match.kind]), need_name(match)].setdefault(org, words.FIT[match.outcome].phrase)
    supported, everywhere = words.FIT["supported"].phrase, 0
    alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = defaultdict(list)
    for (kind, need), by_org in said.items():
        if set(by_org.values()) - {words.FIT["not_observed"].phrase} == {supported}:
            everywhere += 1
        else:
            alike[kind, tuple(by_org.items())].append(need)
    if said:
        same = not (context.brief and alike)
        says = _("%(number)s declared wherever a statement was read.", number=words.number(everywhere))
        if not same:
            says = _(
                "%(number)s declared wherever a statement was read, %(rest)s not: see the section on fit.",
                number=words.number(everywhere),
                rest=words.number(len(said) - everywhere),
            )
        term = words.counted(len(said), "%(number)s need of the contract", "%(number)s needs of the contract")
        yield {"term": term, "known": True, "same": same, "values": (), "says": says}
    if context.brief:
        return
    for (kind, outcomes), needs in alike.items():
        yield _row(context, f"{kind} {_by_resource(needs)}", dict(outcomes))


def _by_resource(needs: Sequence[str]) -> str:
    """``Condition (read, search), offline_access``: needs of one resource behind its name."""
    details: dict[str, list[str]] = defaultdict(list)
    for need in needs:
        resource, _, detail = need.partition(": ")
        details[resource] += [detail] if detail else []
    named = [f"{name} ({', '.join(of)})" if of else name for name, of in details.items()]
    return words.listed(named, _NEEDS)


def _settings(context: Context, fits: Mapping[str, ContractFit]) -> Iterator[Shown]:
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for org, fit in fits.items():
        for match in fit.settings:
            value = match.value if match.outcome == "own" else match.default
            told = safe.text(value or "", 100).strip('[]"').replace('"', "")
            default = _("%(told)s by default", told=told) if match.outcome == "defaulted" else told
            odd = match.outcome not in {"own", "default", "defaulted"}
            said[match.name][org] = words.SETTING[match.outcome].phrase if odd or not told else default
    rows = [_row(context, _("Setting %(name)s", name=safe.text(name, 60)), by_org) for name, by_org in said.items()]
    differ = [safe.text(name, 60) for name, row in zip(said, rows, strict=True) if not row["same"]]
    if not context.brief or len(differ) < 2:
        yield from rows
        return
    yield from (row for row in rows if row["same"])  # the contract's own section has each organisation's values
    says = _("Each organisation’s stand with the contract: %(differ)s.", differ=words.listed(differ, _BRIEF_ROWS))
    yield {"term": words.count(len(differ), "setting"), "known": True, "same": False, "values": (), "says": says}


def _row(context: Context, term: str, by_org: Mapping[str, str]) -> Shown:
    """One thing: each value with the organisations that have it, the most frequent first, what nobody saw last."""
    groups: dict[str, list[str]] = defaultdict(list)
    for org, value in by_org.items():
        groups[value].append(org)
    unseen = words.FIT["not_observed"].phrase
    order = sorted(groups, key=lambda value: (value == unseen, -len(groups[value]), value))
    known = [value for value in order if value != unseen]
    told = known if context.brief else order  # who was not observed, the section on what all rests on says
    return {
        "term": term,
        "known": bool(known),
        "same": len(known) == 1,
        "values": tuple({"value": value, "where": _who(context, groups[value])} for value in told),
        "says": "",
    }


def _who(context: Context, orgs: Sequence[str]) -> tuple[Link, ...]:
    if len(orgs) > _NAMED or len(orgs) == len(context.organizations):
        return (Link(label=context.how_many(len(orgs)), anchor=context.leads("organizations")),)
    return tuple(map(context.organization_link, orgs))


SECTION = Section("comparison", "Area by area, and organisations compared", build_comparison)
