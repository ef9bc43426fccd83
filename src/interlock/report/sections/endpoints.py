"""What an organisation's endpoints showed when they were last observed, in words; or why nothing was observed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.facts import CapabilityFacts, SmartFacts
from interlock.model.language import N_, _
from interlock.model.observation import Check, Observation
from interlock.model.readiness import OrgReadiness
from interlock.report import safe
from interlock.report.elements import Marks, Pair, Shown, pairs
from interlock.report.sections.context import Context

#: Values of one fact that are named.
_NAMED = 8
SHOWN_CHECKS = (CheckOutcome.FAIL, CheckOutcome.WARN)
CHECK_MARK = Marks(
    {
        CheckOutcome.FAIL: (words.CHECK[CheckOutcome.FAIL], "bad"),
        CheckOutcome.WARN: (words.CHECK[CheckOutcome.WARN], "warn"),
    }
)


def failed_checks(observation: Observation | None) -> list[Check]:
    """Checks of an observation that failed or warned, failures first, then the worst."""
    failed = [check for check in observation.checks if check.outcome in SHOWN_CHECKS] if observation else []
    return sorted(failed, key=lambda check: (SHOWN_CHECKS.index(check.outcome), check.severity.rank, check.id))


def when_observed(readiness: OrgReadiness) -> str:
    """When its endpoints were observed, or when that was tried."""
    when = safe.moment(readiness.observed_at) if readiness.observed_at else ""
    if readiness.observed in {"observed", "partial"}:
        return when or _("yes")
    return _("not observed, tried %(when)s", when=when) if when else _("not observed")


def callout(context: Context, readiness: OrgReadiness, name: str) -> str:
    """What a reader has to know first where not all was observed; else empty."""
    why = context.why_unseen(readiness.org)
    if readiness.observed == "not_observed":
        return _(
            "Not observed: %(why)s. We could not look, so nothing here says what %(name)s publishes "
            "or supports; what stands below rests on answers alone.",
            why=why,
            name=name,
        )
    if readiness.observed == "never_probed":
        return _("Never probed: %(why)s. Nothing here says what %(name)s publishes or supports.", why=why, name=name)
    if readiness.observed == "partial":
        tail = f": {safe.text(readiness.not_observed_because, 200)}" if readiness.not_observed_because else ""
        return _(
            "%(observed)s%(tail)s. What could not be read is called not observed below.",
            observed=words.OBSERVED["partial"].title,
            tail=tail,
        )
    return ""


def probe_note(observation: Observation | None, readiness: OrgReadiness) -> str:
    """How many requests, how long and when; or that the observation is not at hand."""
    if observation is None:
        looked = readiness.observed in {"observed", "partial"}
        return _("The observation itself is not part of this report.") if looked else ""
    took = observation.elapsed_ms
    duration = f"{words.number(took / 1000)} s" if took >= 1000 else _("%(took)s ms", took=f"{took:.0f}")
    return words.counted(
        len(observation.requests),
        "%(number)s request in %(duration)s, %(started)s.",
        "%(number)s requests in %(duration)s, %(started)s.",
        duration=duration,
        started=words.moment(observation.started),
    )


def probe_facts(observation: Observation) -> tuple[Pair, ...]:
    """Terms and values of one observation, in reading order."""
    capability, smart, jwks = observation.facts.capability, observation.facts.smart, observation.facts.jwks
    facts = {_("Base URL probed"): safe.text(observation.target.base_url, 300)}
    facts |= _capability(capability) if capability else {_("Capability statement"): _absent(observation, "CAP")}
    facts |= _smart(smart) if smart else {_("SMART configuration"): _absent(observation, "SMART")}
    if jwks is not None:
        usable = N_("usable, %(keys)s") if jwks.valid else N_("not usable, %(keys)s")
        facts[_("Server's JWK Set")] = _(usable, keys=words.count(jwks.keys, "key"))
    return pairs(facts)


def _absent(observation: Observation, family: str) -> str:
    """Not observed, unless a check of the family read an answer and failed it: then that check's own words."""
    for check in observation.checks:
        if check.outcome is CheckOutcome.FAIL and check.id.startswith(f"{family}-"):
            return safe.text(_("none usable (%(id)s: %(message)s)", id=check.id, message=check.message), 300)
    return _("not observed")


def _capability(facts: CapabilityFacts) -> dict[str, str]:
    release: str = facts.fhir_release or _("not stated")
    if facts.fhir_version and facts.fhir_version != release:
        release += f" ({safe.text(facts.fhir_version, 30)})"
    software = " ".join(safe.text(facts.software[key], 80) for key in ("name", "version") if facts.software.get(key))
    return {
        _("FHIR release"): release,
        _("Software"): software or _("not stated"),
        _("Resource types declared"): f"{len(facts.resources):,}",
        _("Instantiates"): _list(facts.instantiates),
    }


def _smart(facts: SmartFacts) -> dict[str, str]:
    return {
        _("SMART configuration"): _("from the capability statement’s oauth-uris")
        if facts.source == "oauth-uris"
        else "",
        _("Launch modes"): _list(facts.launch_modes) or _("none declared"),
        _("Capability sets"): _list(facts.capability_sets) or _("none complete"),
        _("Client types"): _list(facts.client_types) or _("none declared"),
        _("PKCE S256"): {None: _("not stated"), True: _("offered"), False: _("not offered")}[facts.pkce_s256],
        _("Scope syntax"): _scopes(facts),
    }


def _scopes(facts: SmartFacts) -> str:
    named = [label for label, state in (("v1", facts.scopes_v1), ("v2", facts.scopes_v2)) if state]
    if named:
        return " and ".join(named)
    return _("not stated") if facts.scopes_v1 is None and facts.scopes_v2 is None else _("neither v1 nor v2")


def _list(values: Sequence[str]) -> str:
    return words.listed([safe.text(value, 80) for value in values], _NAMED)


def checks_note(observation: Observation | None) -> str:
    """How the checks came out, counted."""
    if observation is None or not observation.checks:
        return ""
    count = Counter(check.outcome for check in observation.checks)
    counts = [f"{count[outcome]} {words.CHECK[outcome].phrase}" for outcome in CheckOutcome if count[outcome]]
    return f"{words.count(len(observation.checks), 'check')}: {', '.join(counts)}."


def check_row(context: Context, check: Check) -> Shown:
    """One check with what it saw and where."""
    evidence = [safe.text(f"{item.url} {item.pointer}".strip(), 200) for item in check.evidence if item.url]
    return {
        "mark": CHECK_MARK[check.outcome],
        "id": safe.text(check.id, 40),
        "title": safe.name(check.title),
        "severity": words.SEVERITY[check.severity].title,
        "message": words.sentence(safe.text(check.message, 400)),
        "evidence": words.listed(evidence, 2),
        "cites": context.book.cite_all(check.references),
    }
