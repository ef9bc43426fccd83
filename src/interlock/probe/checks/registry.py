"""All checks, and running them: each is isolated, so a mistake in one never hides another's finding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import import_module
from itertools import groupby
from operator import attrgetter
from pkgutil import walk_packages

from interlock.documents.redaction import redacted
from interlock.model.base import CheckOutcome, Severity, maker
from interlock.model.observation import Check, CheckEvidence
from interlock.model.text import plain
from interlock.probe import checks
from interlock.probe.checks.base import CHECKS, CheckInput, CheckSpec, Needs
from interlock.probe.checks.results import NeedError, Result, clauses, not_observed

#: Every family, in the order in which they are shown, and what it is about.
FAMILIES = {
    "NET": "reachability, TLS, redirects, manners",
    "CAP": "the capability statement, and what the contract needs of it",
    "USC": "US Core and certification, as the documents declare them",
    "SMART": "the SMART configuration, and what the contract needs of it",
    "BRAND": "the brands under which patients know the organisation",
    "OIDC": "the identity provider's discovery document",
    "JWKS": "the server's public keys",
    "CORS": "cross-origin requests of a client in a browser",
    "UDAP": "registration and authentication with certificates",
    "BULK": "export of many patients' data, as declared",
    "CDS": "the product's own CDS Hooks discovery",
    "NEG": "safe negatives, sent by an active probe only",
    "TOKEN": "how the user's own client is treated, by an active probe with a sample",
    "DATA": "a bounded sample of what the contract reads",
    "DRIFT": "what changed since the last snapshot",
}


_PASS = CheckOutcome.PASS
_FINDINGS = frozenset({CheckOutcome.WARN, CheckOutcome.FAIL})


@cache
def list_checks() -> tuple[CheckSpec, ...]:
    """Every registered check: families in order, by number within one."""
    for module in walk_packages(checks.__path__, f"{checks.__name__}."):
        import_module(module.name)
    families = list(FAMILIES)
    return tuple(sorted(CHECKS.values(), key=lambda spec: (families.index(spec.family), spec.id)))


@cache
def _together() -> tuple[tuple[Needs | None, tuple[CheckSpec, ...]], ...]:
    """Every check, those in a row that need the same at once."""
    return tuple((needs, tuple(specs)) for needs, specs in groupby(list_checks(), attrgetter("needs")))


def run_checks(probed: CheckInput, needs: Needs | None = None) -> tuple[Check, ...]:
    """Every check's result in the order of :func:`list_checks`, or of those that need one thing (a contract)."""
    judged: list[Check] = []
    for needed, specs in _together():
        if needs is not None and needed != needs:
            continue
        if (lacking := probed.lacking[needed]) is None:
            judged += [_judged(spec, probed) for spec in specs]
        else:
            judged += (_alike if lacking.evidence else _alike_anywhere)(specs, lacking)
    return tuple(judged)


def _judged(spec: CheckSpec, probed: CheckInput) -> Check:
    try:
        outcome, message, evidence = spec.run(probed)
        if outcome is _PASS and not spec.rests_on <= probed.seen:
            outcome, message, evidence = not_observed("what this would rest on was not seen")
        if not evidence and spec.at is not None:
            evidence = (probed.at(*spec.at),)
    except NeedError as error:
        outcome, message, evidence = error.args[0]
    except Exception as error:
        outcome, message, evidence = CheckOutcome.ERROR, f"The check itself went wrong: {_described(error)}", ()
    if outcome in _FINDINGS and spec.level == "judgement":
        message += " (our judgement)" if spec.references else " (our judgement; no specification asks for it)"
    return (_check if evidence else _check_anywhere)(spec, outcome, message, evidence)


_make = maker(Check)


def _check(spec: CheckSpec, outcome: CheckOutcome, message: str, evidence: tuple[CheckEvidence, ...]) -> Check:
    return _make(
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


def _alike(specs: tuple[CheckSpec, ...], result: Result) -> list[Check]:
    return [_check(spec, *result) for spec in specs]


#: "No contract" and "not asked for" are the same for most targets. Making them once, and each piece of evidence once
#: (``CheckInput.at``), takes 0.3 ms less a target, of the 1.6 ms of processor time that probing costs.
_check_anywhere, _alike_anywhere = lru_cache(maxsize=1024)(_check), lru_cache(maxsize=256)(_alike)


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
