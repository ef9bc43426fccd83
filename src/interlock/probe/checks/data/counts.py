"""DATA: what a bounded sample of the contract's inputs showed. Counts only: no value of a patient gets here.

A missing field is no failure of the server: US Core asks it to leave out what it does not have. It is what the product
will meet.
"""

from __future__ import annotations

from collections import Counter

from interlock.fhir.sampling import alternatives, is_bare_oid
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.sample import Absence, DataFacts, InputSample, TokenFacts
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    NeedError,
    Result,
    capitalized,
    clauses,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite

_BACKEND = cite("SM-BACK", "issue-access-token")
#: Seconds (docs/requirements.md: BCK-03).
LONGEST_TOKEN_S = 300


def sample_of(probed: CheckInput) -> DataFacts:
    """What the sample showed.

    :raises NeedError: none was taken, or there were no credentials.
    """
    probed.require("sample")
    data = probed.sample
    if data.method == "none":
        reason = data.token.reason or "there are no credentials" if data.token else "no credentials"
        raise NeedError(not_observed(reason))
    return data


def sampled_inputs(probed: CheckInput) -> list[InputSample]:
    """The inputs of which resources were seen.

    :raises NeedError: there are none.
    """
    inputs = sample_of(probed).inputs
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
    needs="sample",
    rests_on=("data",),
    at="token",
    level="SHALL",
)
def token(probed: CheckInput) -> Result:
    """A refusal is a state of the registration, not necessarily a fault of the server."""
    data = sample_of(probed)
    issued = data.token
    if issued is None or issued.outcome == "given":
        raise NeedError(not_applicable("the bearer token was given by the user"))
    if issued.outcome == "not_sent":
        return not_observed(issued.reason or "no token was asked for")
    if issued.outcome == "failed":
        return not_observed(issued.reason or "the token endpoint gave no usable answer")
    if issued.error == "unsupported_grant_type":  # says nothing of the credentials (RFC 6749 section 5.2)
        raise NeedError(not_applicable("the token endpoint gives no tokens to backend clients"))
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
    needs="sample",
    rests_on=("data",),
)
def refused(probed: CheckInput) -> Result:
    """With the scopes that were granted; what the EHR withholds by policy looks the same as what it does not have."""
    asked = [sample for sample in sample_of(probed).inputs if sample.outcome in {"sampled", "empty", "refused"}]
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


#: Why a field is not there although nothing is missing: a reason stands in its place, or its values are further in.
_EXPLAINED: dict[Absence, str] = {"reason": "with a reason", "components": "in components or members"}


@check(
    "DATA-003",
    "Required fields are present in the sample",
    Severity.MEDIUM,
    cite("UC8", page="must-support.html", section="must support"),
    rows=("UC-03",),
    needs="sample",
    rests_on=("data",),
)
def required_fields(probed: CheckInput) -> Result:
    """How often the product will meet a missing field, in a sample of one page; no share of the whole.

    A reason in its place is no missing field, nor are values in components; what was entered in error does not count.
    """
    samples = [sample for sample in sampled_inputs(probed) if sample.valid]
    missing: list[tuple[int, str]] = []
    explained: list[str] = []
    for sample in samples:
        gaps: dict[tuple[int, int], list[str]] = {}
        told: dict[str, list[str]] = {}
        for path, there in sample.fields.items():
            why = sample.absent.get(path, {})
            if lacking := sample.valid - there - sum(why.get(kind, 0) for kind in _EXPLAINED):
                gaps.setdefault((lacking, why.get("other_type", 0)), []).append(path)
            if kinds := [f"{count} {_EXPLAINED[kind]}" for kind, count in why.items() if kind in _EXPLAINED]:
                told.setdefault(words.listed(kinds), []).append(path)
        for (lacking, typed), paths in gaps.items():
            note = f" ({typed} with a value of another type)" if typed else ""
            text = f"{sample.name}.{words.listed(paths)} in {lacking} of {sample.valid}{note}"
            missing.append((lacking, text))
        explained += [f"{sample.name}.{words.listed(paths)}: {reasons}" for reasons, paths in told.items()]
    more = f"; no gap: {clauses(explained, 4)}" if explained else ""
    if missing:
        worst = [text for _, text in sorted(missing, key=lambda entry: -entry[0])]
        return warned(f"Absent: {clauses(worst, 6)}{more}")
    fields = sum(len(sample.fields) for sample in samples)
    if not fields:
        return not_applicable("the contract names no required field of what was seen")
    present = f"{words.count(fields, 'required field')} {words.agree(fields, 'is', 'are')}"
    each = words.count(sum(sample.valid for sample in samples), "resource")
    return passed(f"Nothing is missing in {each}{more}" if more else f"{present} in every one of {each}")


@check(
    "DATA-004",
    "The code systems are those that the contract expects",
    Severity.MEDIUM,
    cite("R4-TERM"),
    needs="sample",
    rests_on=("data",),
)
def terminology(probed: CheckInput) -> Result:
    """Of each input whose terminology the contract names: one of its systems occurs in every resource, or not.

    A contract may name alternatives, but units are none to codes. A system that does not occur at all is said and not
    held against anybody; nor is a resource that says why it has no code, or refers to one that has it. A system named
    by an OID alone is no URI, and no client finds it by the system's own address.
    """
    samples = [sample for sample in sampled_inputs(probed) if sample.valid]
    bare = [
        f"{sample.name} {quoted(system)} in {number} of {sample.valid}"
        for sample in samples
        for system, number in sample.systems.items()
        if is_bare_oid(system)
    ]
    also = f"; systems named by a bare OID, which is no URI: {clauses(bare, 4)}" if bare else ""
    named = [sample for sample in samples if sample.terminology]
    if not named:
        if bare:
            return warned(capitalized(also.removeprefix("; ")))
        return not_applicable("the contract names no terminology of what was seen")
    elsewhere = [
        f"{sample.name} refers in {sample.referenced} of {sample.valid} to another resource, which has the code and "
        "was not read"
        for sample in named
        if sample.referenced
    ]
    also = (f"; {clauses(elsewhere, 4)}" if elsewhere else "") + also
    absent = [
        sample
        for sample in named
        if sample.referenced < sample.valid
        and not any(system in sample.systems for system in alternatives(sample.terminology))
    ]
    if absent:
        used = [f"{sample.name} uses {quoted_list(sample.systems, 3) or 'none'}" for sample in absent]
        return warned(f"None of the contract's code systems: {clauses(used, 4)}{also}")
    partly = [sample for sample in named if _with_systems(sample) + sample.uncoded + sample.referenced < sample.valid]
    if partly:
        counts = [f"{sample.name}: {_counts(sample)}" for sample in partly]
        return warned(f"Not every resource uses one of the contract's code systems: {clauses(counts, 4)}{also}")
    if bare:
        return warned(capitalized(also.removeprefix("; ")))
    if elsewhere:
        return not_observed(clauses(elsewhere, 4))
    missing = [
        f"{sample.name}: {system}" for sample in named for system in sample.terminology if system not in sample.systems
    ]
    more = f"; not met: {clauses(missing, 4)}" if missing else ""
    return passed(
        f"One of the contract's code systems is in every resource of {words.count(len(named), 'input')}{more}"
    )


def _with_systems(sample: InputSample) -> int:
    """Resources with one of the contract's systems; at least that many, of an earlier observation."""
    return max(sample.expected, *(sample.systems.get(system, 0) for system in alternatives(sample.terminology)))


def _counts(sample: InputSample) -> str:
    return words.listed(
        [f"{system} in {sample.systems.get(system, 0)} of {sample.valid}" for system in sample.terminology]
    )


@check("DATA-005", "No resource in the sample is entered in error", Severity.LOW, needs="sample", rests_on=("data",))
def entered_in_error(probed: CheckInput) -> Result:
    """Such resources stay in the record and come with a search: the product has to leave them out.

    Which element says so depends on the type: of a Condition it is ``verificationStatus``.
    """
    samples = sampled_inputs(probed)
    wrong = [f"{sample.name} {sample.void} of {sample.count}" for sample in samples if sample.void]
    if wrong:
        return warned(f"Entered in error, and not counted: {words.listed(wrong)}")
    statuses = []
    for sample in samples:
        counts = [f"{status} {number}" for status, number in Counter(sample.statuses).most_common()]
        statuses += [f"{sample.name} {words.listed(counts)}"] if counts else []
    return passed(f"Statuses: {clauses(statuses, 6)}" if statuses else "No status occurs")


@check("DATA-006", "Every input of the contract could be sampled", Severity.LOW, needs="sample", rests_on=("data",))
def everything_seen(probed: CheckInput) -> Result:
    """What a server gives only for a named patient, or not at all in a test environment, stays open."""
    data = sample_of(probed)
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
