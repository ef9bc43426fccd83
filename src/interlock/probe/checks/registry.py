"""All checks, and running them: each is isolated, so a mistake in one never hides another's finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

from interlock.documents.redaction import redacted
from interlock.model.base import CheckOutcome, Severity
from interlock.model.observation import Check
from interlock.model.text import plain
from interlock.probe.checks import bulk, cap, cds, cors, data, drift, jwks, neg, net, oidc, smart, udap
from interlock.probe.checks.base import CheckInput, CheckSpec, Needs, Result, clauses, unmet

#: Every family, in the order in which they are shown.
FAMILIES = tuple(module.FAMILY for module in (net, cap, smart, oidc, jwks, cors, udap, bulk, cds, neg, data, drift))

_JUDGEMENT = " (our judgement; no specification asks for it)"
_INFORMED_JUDGEMENT = " (our judgement)"
_FINDINGS = frozenset({CheckOutcome.WARN, CheckOutcome.FAIL})


@cache
def list_checks() -> tuple[CheckSpec, ...]:
    """Every registered check: families in order, by number within one.

    :raises ValueError: two checks have the same id (a programming mistake, found by the tests).
    """
    specs = tuple(spec for family in FAMILIES for spec in sorted(family.checks, key=lambda spec: spec.id))
    repeated = [check_id for check_id, times in Counter(spec.id for spec in specs).items() if times > 1]
    if repeated:
        raise ValueError(f"check ids are not unique: {repeated}")
    return specs


def run_checks(probed: CheckInput) -> tuple[Check, ...]:
    """Every check's result, in the order of :func:`list_checks`."""
    return tuple(_judged(list_checks(), probed))


def run_checks_of(needs: Needs, probed: CheckInput) -> dict[str, Check]:
    """The results of the checks that need one thing (a contract, an earlier observation), by id."""
    return {check.id: check for check in _judged([spec for spec in list_checks() if spec.needs == needs], probed)}


def _judged(specs: Iterable[CheckSpec], probed: CheckInput) -> Iterator[Check]:
    lacking: dict[Needs | None, Result | None] = {}
    for spec in specs:
        try:
            if spec.needs not in lacking:
                lacking[spec.needs] = unmet(probed, spec.needs)
            result = lacking[spec.needs] or spec.run(probed)
        except Exception as error:
            result = Result(CheckOutcome.ERROR, f"The check itself went wrong: {_described(error)}")
        yield _check(spec, result) if result.evidence else _check_without_evidence(spec, result)


def _check(spec: CheckSpec, result: Result) -> Check:
    outcome, message, evidence = result
    if spec.level == "judgement" and outcome in _FINDINGS:
        message += _INFORMED_JUDGEMENT if spec.references else _JUDGEMENT
    return Check.trusted(
        id=spec.id,
        title=spec.title,
        outcome=outcome,
        severity=spec.severity,
        message=message,
        evidence=evidence,
        references=spec.references,
    )


#: "No contract" and "not asked for" are the same for most targets. Making them once takes 0.11 ms less a target, and
#: making each piece of evidence once (``CheckInput.at``) 0.08 ms: of the 1.6 ms of processor time that probing costs.
_check_without_evidence = lru_cache(maxsize=1024)(_check)


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
            message=f"The probe itself went wrong: {clauses([_described(error) for error in errors], 3)}",
        ),
    )


def _described(error: Exception) -> str:
    return plain(redacted(f"{type(error).__name__}: {error}"), 200)
