"""DATA: what a bounded sample of the contract's inputs showed. Counts only: no value of a patient gets here.

A missing field is no failure of the server: US Core asks it to leave out what it does not have. It is what the product
will meet.
"""

from __future__ import annotations

from collections import Counter

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.sample import DataFacts, InputSample, TokenFacts
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
    Result,
    clauses,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

_BACKEND = cite("SM-BACK", "issue-access-token")
#: Seconds (docs/requirements.md: BCK-03).
LONGEST_TOKEN_S = 300


def _data(probed: CheckInput) -> DataFacts:
    """What the sample showed.

    :raises NeedError: no sample was taken.
    """
    data = probed.facts.data
    if data is None:
        raise NeedError(not_applicable("looked at with credentials and --sample only"))
    if data.method == "none":
        reason = data.token.reason or "there are no credentials" if data.token else "no credentials"
        raise NeedError(not_observed(reason))
    return data


def _sampled(probed: CheckInput) -> list[InputSample]:
    """The inputs of which resources were seen.

    :raises NeedError: there are none.
    """
    inputs = _data(probed).inputs
    sampled = [sample for sample in inputs if sample.outcome == "sampled"]
    if not sampled:
        reasons = list(dict.fromkeys(sample.reason or sample.outcome for sample in inputs))
        why = f"no resource was seen: {clauses(reasons, 3)}" if reasons else "nothing was asked for"
        raise NeedError(not_observed(why))
    return sampled


@check(
    "DATA-001",
    "The token endpoint issues a token for the organisation's credentials",
    Severity.HIGH,
    _BACKEND,
    cite("RFC 6749", "section-5.1", "section 5.1, Successful response"),
    rows=("BCK-01", "BCK-03", "OAU-05"),
    rests_on=("data",),
    at="token",
    level="SHALL",
)
def token(probed: CheckInput) -> Result:
    """A refusal is a state of the registration, not necessarily a fault of the server."""
    data = _data(probed)
    issued = data.token
    if issued is None or issued.outcome == "given":
        raise NeedError(not_applicable("the bearer token was given by the user"))
    if issued.outcome == "not_sent":
        return not_observed(issued.reason or "no token was asked for")
    if issued.outcome == "failed":
        return not_observed(issued.reason or "the token endpoint gave no usable answer")
    if issued.outcome == "refused":
        return failed(f"{data.method} was refused: {issued.reason}")
    if oddity := _oddity(issued):
        return warned(f"A token was issued; {oddity}")
    scopes = f" for {words.count(len(issued.granted), 'scope')}" if issued.granted else ""
    return passed(f"A token was issued with {data.method}{scopes}, valid for {issued.lifetime_s} s")


def _oddity(token: TokenFacts) -> str:
    """What is unusual about an answer with a token, or nothing."""
    stated = {"expires_in": token.lifetime_s is not None, "scope": token.scope_stated}
    if not all(stated.values()):
        return f"the answer lacks {words.listed([name for name in stated if not stated[name]])}, which SMART requires"
    if token.lifetime_s is not None and token.lifetime_s > LONGEST_TOKEN_S:
        return f"it lives for {token.lifetime_s} s, longer than the {LONGEST_TOKEN_S} s that SMART recommends"
    return ""


@check(
    "DATA-002",
    "No resource that the contract reads is refused",
    Severity.HIGH,
    cite("SM-BACK", "enforce-authorization"),
    rows=("BCK-05", "UC-06"),
    rests_on=("data",),
)
def refused(probed: CheckInput) -> Result:
    """With the scopes that were granted; what the EHR withholds by policy looks the same as what it does not have."""
    asked = [sample for sample in _data(probed).inputs if sample.outcome in {"sampled", "empty", "refused"}]
    if not asked:
        return not_observed("no resource was asked for with a token")
    shut = [sample for sample in asked if sample.outcome == "refused"]
    hard = [sample for sample in shut if not sample.optional]
    names = words.listed([f"{sample.name} (HTTP {sample.status})" for sample in hard or shut])
    if hard:
        return failed(f"Refused: {names}")
    return (
        warned(f"Refused, and optional: {names}") if shut else passed(f"{words.count(len(asked), 'input')} may be read")
    )


@check(
    "DATA-003",
    "Required fields are present in the sample",
    Severity.MEDIUM,
    cite("UC8", page="must-support.html", section="must support"),
    rows=("UC-03",),
    rests_on=("data",),
)
def required_fields(probed: CheckInput) -> Result:
    """How often the product will meet a missing field, in a sample of one page; no share of the whole."""
    samples = _sampled(probed)
    missing = [
        (sample.count - there, f"{sample.name}.{path} in {sample.count - there} of {sample.count}")
        for sample in samples
        for path, there in sample.fields.items()
        if there < sample.count
    ]
    if missing:
        worst = [text for _, text in sorted(missing, key=lambda entry: -entry[0])]
        return warned(f"Absent: {clauses(worst, 6)}")
    fields = sum(len(sample.fields) for sample in samples)
    if not fields:
        return not_applicable("the contract names no required field of what was seen")
    present = f"{words.count(fields, 'required field')} {words.agree(fields, 'is', 'are')}"
    return passed(f"{present} in every one of {words.count(sum(sample.count for sample in samples), 'resource')}")


@check("DATA-004", "The code systems are those that the contract expects", Severity.MEDIUM, rests_on=("data",))
def terminology(probed: CheckInput) -> Result:
    """Of each input whose terminology the contract names: one of its systems occurs in every resource, or not.

    A contract may name alternatives, so a system that does not occur at all is said and not held against anybody.
    """
    samples = _sampled(probed)
    named = [sample for sample in samples if sample.terminology]
    if not named:
        return not_applicable("the contract names no terminology of what was seen")
    absent = [sample for sample in named if not any(system in sample.systems for system in sample.terminology)]
    if absent:
        used = [f"{sample.name} uses {quoted_list(sample.systems, 3) or 'none'}" for sample in absent]
        return warned(f"None of the contract's code systems: {clauses(used, 4)}")
    partly = [
        sample for sample in named if max(sample.systems.get(system, 0) for system in sample.terminology) < sample.count
    ]
    if partly:
        counts = [f"{sample.name}: {_counts(sample)}" for sample in partly]
        return warned(f"Not every resource uses one of the contract's code systems: {clauses(counts, 4)}")
    missing = [
        f"{sample.name}: {system}" for sample in named for system in sample.terminology if system not in sample.systems
    ]
    more = f"; not met: {clauses(missing, 4)}" if missing else ""
    return passed(
        f"One of the contract's code systems is in every resource of {words.count(len(named), 'input')}{more}"
    )


def _counts(sample: InputSample) -> str:
    return words.listed(
        [f"{system} in {sample.systems.get(system, 0)} of {sample.count}" for system in sample.terminology]
    )


@check("DATA-005", "No resource in the sample is entered in error", Severity.LOW, rests_on=("data",))
def entered_in_error(probed: CheckInput) -> Result:
    """Such resources stay in the record and come with a search: the product has to leave them out."""
    samples = _sampled(probed)
    wrong = [sample for sample in samples if "entered-in-error" in sample.statuses]
    if wrong:
        counts = [f"{sample.name} {sample.statuses['entered-in-error']} of {sample.count}" for sample in wrong]
        return warned(f"Entered in error: {words.listed(counts)}")
    totals = sum((Counter(sample.statuses) for sample in samples), Counter[str]())
    statuses = [f"{status} {number}" for status, number in totals.most_common()]
    return passed(f"Statuses: {words.listed(statuses, 6)}" if statuses else "No status occurs")


@check("DATA-006", "Every input of the contract could be sampled", Severity.LOW, rests_on=("data",))
def everything_seen(probed: CheckInput) -> Result:
    """What a server gives only for a named patient, or not at all in a test environment, stays open."""
    data = _data(probed)
    unsampled = [
        f"{sample.name} ({sample.reason})"
        for sample in data.inputs
        if sample.outcome in {"empty", "rejected", "failed"}
    ]
    if unsampled:
        return warned(f"Nothing was seen of {clauses(unsampled)}")
    sampled = [sample for sample in data.inputs if sample.outcome == "sampled"]
    if not sampled:
        return not_observed("nothing was sampled")
    narrowed = [f"{sample.name} ({sample.reason})" for sample in sampled if sample.reason]
    more = f"; in part only: {clauses(narrowed)}" if narrowed else ""
    return passed(f"{words.count(len(sampled), 'input')} {words.agree(len(sampled), 'was', 'were')} seen{more}")
