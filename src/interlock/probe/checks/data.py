"""DATA: what a bounded sample of the contract's inputs showed. Counts only: no value of a patient gets here.

A missing field is no failure of the server: US Core asks it to leave out what it does not have. It is what the product
will meet.
"""

from __future__ import annotations

from interlock.model.base import Severity
from interlock.model.sample import DataFacts, InputSample, TokenFacts
from interlock.probe.checks.base import (
    CheckInput,
    Family,
    Result,
    failed,
    listed,
    not_applicable,
    not_observed,
    passed,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.exchange import Purpose

FAMILY = Family("DATA")

_BACKEND = cite("SM-BACK", "issue-access-token")
#: Seconds (specifications: BCK-03).
LONGEST_TOKEN_S = 300


def _data(probed: CheckInput) -> DataFacts | Result:
    data = probed.facts.data
    if data is None:
        return not_applicable("looked at with credentials and --sample only")
    if data.method == "none":
        return not_observed(data.token.reason or "there are no credentials" if data.token else "no credentials")
    return data


def _sampled(probed: CheckInput) -> tuple[DataFacts, list[InputSample]] | Result:
    data = _data(probed)
    if isinstance(data, Result):
        return data
    sampled = [one for one in data.inputs if one.outcome == "sampled"]
    if sampled:
        return data, sampled
    reasons = dict.fromkeys(one.reason or one.outcome for one in data.inputs)
    return not_observed(f"no resource was seen: {'; '.join(list(reasons)[:3])}" if reasons else "nothing was asked for")


@FAMILY.check(
    1,
    "The token endpoint issues a token for the organisation's credentials",
    Severity.HIGH,
    _BACKEND,
    cite("RFC 6749", "section-5.1", "section 5.1, Successful response"),
    rows=("BCK-01", "BCK-03", "OAU-05"),
    level="SHALL",
)
def token(probed: CheckInput) -> Result:
    """A refusal is a state of the registration, not necessarily a fault of the server."""
    data = _data(probed)
    if isinstance(data, Result):
        return data
    found = data.token
    if found is None or found.outcome == "given":
        return not_applicable("the bearer token was given by the user")
    purpose: Purpose = "token"
    at = probed.at(purpose)
    if found.outcome == "not_sent":
        return not_observed(found.reason or "no token was asked for", at)
    if found.outcome == "failed":
        return not_observed(found.reason or "the token endpoint gave no usable answer", at)
    if found.outcome == "refused":
        return failed(f"{data.method} was refused: {found.reason}", at)
    odd = _odd(found)
    return warned(f"A token was issued; {odd}", at) if odd else passed(_said(data, found), at)


def _said(data: DataFacts, found: TokenFacts) -> str:
    scopes = f" for {len(found.granted)} scopes" if found.granted else ""
    return f"A token was issued with {data.method}{scopes}, valid for {found.lifetime_s} s"


def _odd(found: TokenFacts) -> str:
    missing = [
        name
        for name, there in (("expires_in", found.lifetime_s is not None), ("scope", found.scope_stated))
        if not there
    ]
    if missing:
        return f"the answer lacks {' and '.join(missing)}, which SMART requires"
    if found.lifetime_s is not None and found.lifetime_s > LONGEST_TOKEN_S:
        return f"it lives for {found.lifetime_s} s, longer than the {LONGEST_TOKEN_S} s that SMART recommends"
    return ""


@FAMILY.check(
    2,
    "No resource that the contract reads is refused",
    Severity.HIGH,
    cite("SM-BACK", "enforce-authorization"),
    rows=("BCK-05", "UC-06"),
)
def refused(probed: CheckInput) -> Result:
    """With the scopes that were granted; what the EHR withholds by policy looks the same as what it does not have."""
    data = _data(probed)
    if isinstance(data, Result):
        return data
    asked = [one for one in data.inputs if one.outcome in {"sampled", "empty", "refused"}]
    if not asked:
        return not_observed("no resource was asked for with a token")
    shut = [one for one in asked if one.outcome == "refused"]
    hard = [one for one in shut if not one.optional]
    said = ", ".join(f"{one.name} (HTTP {one.status})" for one in hard or shut)
    if hard:
        return failed(f"Refused: {said}")
    return warned(f"Refused, and optional: {said}") if shut else passed(f"{len(asked)} inputs may be read")


@FAMILY.check(
    3,
    "Required fields are present in the sample",
    Severity.MEDIUM,
    cite("UC8", page="must-support.html", section="must support"),
    rows=("UC-03",),
)
def required_fields(probed: CheckInput) -> Result:
    """How often the product will meet a missing field, in a sample of one page; no share of the whole."""
    found = _sampled(probed)
    if isinstance(found, Result):
        return found
    missing = [
        (one.count - there, f"{one.name}.{path} in {one.count - there} of {one.count}")
        for one in found[1]
        for path, there in one.fields.items()
        if there < one.count
    ]
    if missing:
        worst = [text for _, text in sorted(missing, key=lambda entry: -entry[0])]
        more = f" and {len(worst) - 6} more" if len(worst) > 6 else ""
        return warned(f"Absent: {'; '.join(worst[:6])}{more}")
    fields = sum(len(one.fields) for one in found[1])
    if not fields:
        return not_applicable("the contract names no required field of what was seen")
    return passed(f"{fields} required fields are in every one of {sum(one.count for one in found[1])} resources")


@FAMILY.check(4, "The code systems are those that the contract expects", Severity.MEDIUM)
def terminology(probed: CheckInput) -> Result:
    """Of each input whose terminology the contract names: one of its systems occurs in every resource, or not.

    A contract may name alternatives, so a system that does not occur at all is said and not held against anybody.
    """
    found = _sampled(probed)
    if isinstance(found, Result):
        return found
    named = [one for one in found[1] if one.terminology]
    if not named:
        return not_applicable("the contract names no terminology of what was seen")
    absent = [one for one in named if not any(system in one.systems for system in one.terminology)]
    if absent:
        said = "; ".join(f"{one.name} uses {listed(one.systems, 3) or 'none'}" for one in absent[:4])
        return warned(f"None of the contract's code systems: {said}")
    partly = [one for one in named if max(one.systems.get(system, 0) for system in one.terminology) < one.count]
    if partly:
        said = "; ".join(f"{one.name}: {_counts(one)}" for one in partly[:4])
        return warned(f"Not every resource uses one of the contract's code systems: {said}")
    unseen = [f"{one.name}: {system}" for one in named for system in one.terminology if system not in one.systems]
    more = f"; not met: {'; '.join(unseen[:4])}" if unseen else ""
    return passed(f"One of the contract's code systems is in every resource of {len(named)} inputs{more}")


def _counts(one: InputSample) -> str:
    return ", ".join(f"{system} in {one.systems.get(system, 0)} of {one.count}" for system in one.terminology)


@FAMILY.check(5, "No resource in the sample is entered in error", Severity.LOW)
def entered_in_error(probed: CheckInput) -> Result:
    """Such resources stay in the record and come with a search: the product has to leave them out."""
    found = _sampled(probed)
    if isinstance(found, Result):
        return found
    wrong = [one for one in found[1] if "entered-in-error" in one.statuses]
    if wrong:
        said = ", ".join(f"{one.name} {one.statuses['entered-in-error']} of {one.count}" for one in wrong)
        return warned(f"Entered in error: {said}")
    totals: dict[str, int] = {}
    for one in found[1]:
        for status, count in one.statuses.items():
            totals[status] = totals.get(status, 0) + count
    said = ", ".join(f"{status} {count}" for status, count in sorted(totals.items(), key=lambda entry: -entry[1])[:6])
    return passed(f"Statuses: {said}" if said else "No status occurs")


@FAMILY.check(6, "Every input of the contract could be sampled", Severity.LOW)
def everything_seen(probed: CheckInput) -> Result:
    """What a server gives only for a named patient, or not at all in a test environment, stays open."""
    data = _data(probed)
    if isinstance(data, Result):
        return data
    open_ = [f"{one.name} ({one.reason})" for one in data.inputs if one.outcome in {"empty", "rejected", "failed"}]
    if open_:
        return warned(f"Nothing was seen of {'; '.join(open_[:5])}")
    found = [one for one in data.inputs if one.outcome == "sampled"]
    if not found:
        return not_observed("nothing was sampled")
    narrowed = [f"{one.name} ({one.reason})" for one in found if one.reason]
    more = f"; in part only: {'; '.join(narrowed[:5])}" if narrowed else ""
    return passed(f"{len(found)} inputs were seen{more}")
