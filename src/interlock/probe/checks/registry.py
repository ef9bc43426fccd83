"""All checks, and running them: each is isolated, so a mistake in one never hides another's finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from interlock.documents.redaction import redacted
from interlock.documents.text import plain
from interlock.model.base import CheckOutcome, Severity
from interlock.model.observation import Check
from interlock.probe.checks import (
    bulk,
    cap,
    cap_content,
    cds,
    contract_needs,
    cors,
    data,
    drift,
    invariants,
    jwks,
    neg,
    net,
    net_manners,
    oidc,
    smart,
    smart_claims,
    smart_details,
    tls,
    udap,
)
from interlock.probe.checks.base import CheckInput, CheckSpec, Family, Needs, Result, unmet

#: Families in the order in which they are shown. A family may be spread over several modules.
_MODULES = (net, tls, net_manners, cap, invariants, cap_content, smart, smart_claims, smart_details)
_LATER_MODULES = (oidc, jwks, cors, udap, bulk, cds, neg, data, drift)


def _families() -> Iterator[Family]:
    yield from (module.FAMILY for module in _MODULES)
    yield from contract_needs.FAMILIES
    yield from (module.FAMILY for module in _LATER_MODULES)


_JUDGEMENT = " (our judgement; no specification asks for it)"
_INFORMED_JUDGEMENT = " (our judgement)"
_FINDINGS = frozenset({CheckOutcome.WARN, CheckOutcome.FAIL})


@cache
def list_checks() -> tuple[CheckSpec, ...]:
    """Every registered check: families in order, by number within one.

    :raises ValueError: two checks have the same id (a programming mistake, found by the tests).
    """
    specs = [spec for family in _families() for spec in family.checks]
    ids = [spec.id for spec in specs]
    if len(ids) != len(set(ids)):
        raise ValueError(f"check ids are not unique: {sorted({one for one in ids if ids.count(one) > 1})}")
    families = list(dict.fromkeys(spec.family for spec in specs))
    return tuple(sorted(specs, key=lambda spec: (families.index(spec.family), spec.id)))


def run_checks(seen: CheckInput) -> tuple[Check, ...]:
    """Every check's result, in the order of :func:`list_checks`."""
    found: list[Any] = [None] * len(list_checks())
    for needs, members in _by_needs():
        _run(needs, members, seen, found)
    return tuple(found)


def compare_contract(seen: CheckInput) -> dict[str, Check]:
    """The results of the checks that need a workflow contract, by id."""
    return _only("contract", seen)


def compare_earlier(seen: CheckInput) -> dict[str, Check]:
    """The results of the checks that need an earlier observation, by id."""
    return _only("drift", seen)


def _only(needs: Needs, seen: CheckInput) -> dict[str, Check]:
    found: list[Check | None] = [None] * len(list_checks())
    _run(needs, dict(_by_needs())[needs], seen, found)
    return {check.id: check for check in found if check is not None}


def _run(needs: Needs | None, members: _Placed, seen: CheckInput, found: list[Any]) -> None:
    """Put the results of the checks that need the same into their places."""
    try:
        lacking = unmet(seen, needs) if needs is not None else None
    except Exception as error:
        lacking = _mistake(error)
    if lacking is not None and not lacking.evidence:
        for place, check in _made_alike(needs, lacking):
            found[place] = check
        return
    for place, spec in members:
        result = lacking
        if result is None:
            try:
                result = spec.run(seen)
            except Exception as error:
                result = _mistake(error)
        found[place] = _made(spec, result) if result.evidence else _made_before(spec, result)


_Placed = tuple[tuple[int, CheckSpec], ...]


@cache
def _by_needs() -> tuple[tuple[Needs | None, _Placed], ...]:
    """The checks with their places in the list, by what they need."""
    groups: dict[Needs | None, list[tuple[int, CheckSpec]]] = {}
    for place, spec in enumerate(list_checks()):
        groups.setdefault(spec.needs, []).append((place, spec))
    return tuple((needs, tuple(members)) for needs, members in groups.items())


@lru_cache(maxsize=256)
def _made_alike(needs: Needs | None, result: Result) -> tuple[tuple[int, Check], ...]:
    """One result for every check of a group. Without evidence it is the same for most targets: "no contract"."""
    return tuple((place, _made(spec, result)) for place, spec in dict(_by_needs())[needs])


def _mistake(error: Exception) -> Result:
    return Result(CheckOutcome.ERROR, f"The check itself went wrong: {_described(error)}")


def _made(spec: CheckSpec, result: Result) -> Check:
    outcome, message, evidence = result
    if spec.level == "judgement" and outcome in _FINDINGS:
        message += _INFORMED_JUDGEMENT if spec.references else _JUDGEMENT
    return Check.complete(
        {
            "id": spec.id,
            "title": spec.title,
            "outcome": outcome,
            "severity": spec.severity,
            "message": message,
            "evidence": evidence,
            "references": spec.references,
        }
    )


#: Results without a place are the same for most targets: "no contract", "not asked for".
_made_before = lru_cache(maxsize=1024)(_made)


def internal_errors(errors: Sequence[Exception]) -> tuple[Check, ...]:
    """The one check that stands for mistakes of this program while it probed a target; none without mistakes."""
    if not errors:
        return ()
    return (
        Check(
            id="NET-000",
            title="The probe itself ran without an internal error",
            outcome=CheckOutcome.ERROR,
            severity=Severity.MEDIUM,
            message=f"The probe itself went wrong: {'; '.join(map(_described, errors[:3]))}",
        ),
    )


def _described(error: Exception) -> str:
    return plain(redacted(f"{type(error).__name__}: {error}"), 200)
