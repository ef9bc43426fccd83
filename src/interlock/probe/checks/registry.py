"""All checks, and running them: each is isolated, so a mistake in one never hides another's finding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from interlock.documents.text import plain
from interlock.model.base import CheckOutcome, Severity
from interlock.model.observation import Check
from interlock.probe.checks import cap, invariants, jwks, net, oidc, smart, smart_claims
from interlock.probe.checks.base import CheckInput, CheckSpec, Result, unmet

#: Modules in the order in which their families are shown. A family may be spread over several modules.
_MODULES = (net, cap, invariants, smart, smart_claims, oidc, jwks)

_JUDGEMENT = " (our judgement; no specification asks for it)"


@cache
def list_checks() -> tuple[CheckSpec, ...]:
    """Every registered check: families in order, by number within one.

    :raises ValueError: two checks have the same id (a programming mistake, found by the tests).
    """
    specs = [spec for module in _MODULES for spec in module.FAMILY.checks]
    ids = [spec.id for spec in specs]
    if len(ids) != len(set(ids)):
        raise ValueError(f"check ids are not unique: {sorted({one for one in ids if ids.count(one) > 1})}")
    families = list(dict.fromkeys(spec.family for spec in specs))
    return tuple(sorted(specs, key=lambda spec: (families.index(spec.family), spec.id)))


def run_checks(seen: CheckInput) -> tuple[Check, ...]:
    """Every check's result, in the order of :func:`list_checks`."""
    return tuple(_check(spec, seen) for spec in list_checks())


def _check(spec: CheckSpec, seen: CheckInput) -> Check:
    try:
        result = (unmet(seen, spec.needs) if spec.needs else None) or spec.run(seen)
    except Exception as error:
        result = Result(CheckOutcome.ERROR, f"The check itself went wrong: {_described(error)}")
    message = result.message
    if spec.judgement and result.outcome in {CheckOutcome.WARN, CheckOutcome.FAIL}:
        message += _JUDGEMENT
    return Check(
        id=spec.id,
        title=spec.title,
        outcome=result.outcome,
        severity=spec.severity,
        message=message,
        evidence=result.evidence,
        references=spec.references,
    )


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
    return plain(f"{type(error).__name__}: {error}", 200)
