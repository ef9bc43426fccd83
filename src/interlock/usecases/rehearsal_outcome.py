"""What a rehearsal comes to: in a sentence, as an exit, and for build servers."""

from __future__ import annotations

from collections import Counter

from interlock.model.base import CheckOutcome
from interlock.model.errors import NothingObservedError, ThresholdNotMetError
from interlock.model.observation import Check, Observation, Target
from interlock.model.rehearsal import ProductObservation, RehearsalOutcome, worst
from interlock.model.text import plain
from interlock.model.words import listed, rehearsed
from interlock.usecases.rehearsal_checks import catalogue
from interlock.workspace.store import PRODUCT_FILE

_CHECK_OUTCOMES = {
    RehearsalOutcome.HELD: CheckOutcome.PASS,
    RehearsalOutcome.BROKE: CheckOutcome.FAIL,
    RehearsalOutcome.INCONCLUSIVE: CheckOutcome.WARN,
    RehearsalOutcome.NOT_APPLICABLE: CheckOutcome.NOT_APPLICABLE,
}


def summary(observation: ProductObservation) -> str:
    """``18 of 24 checks held; 3 broke; 3 need you``: checks, each counted once over its rows."""
    return rehearsed(Counter(observation.outcomes.values()))


def require_held(observation: ProductObservation) -> None:
    """Hold a rehearsal against what was asked: that nothing breaks.

    :raises NothingObservedError: a polite launch did not hold, so that next to nothing was looked at.
    :raises ThresholdNotMetError: something broke.
    """
    if not observation.polite:
        first = next((row for row in observation.results if row.outcome is not RehearsalOutcome.HELD), None)
        raise NothingObservedError(
            f"a polite launch did not show its patient: {first.seen if first else observation.stopped}",
            remedy="compare what your product knows with interlock rehearse --write-env FILE; where a script makes its "
            "pages: interlock rehearse --driver chromium",
        )
    broke = [check for check, outcome in observation.outcomes.items() if outcome is RehearsalOutcome.BROKE]
    if broke:
        raise ThresholdNotMetError(f"broke: {listed(broke, 6)}", remedy=f"interlock rehearse --explain {broke[0]}")


def as_checks(observation: ProductObservation) -> Observation:
    """The same as checks of one target, a check each, for build servers."""
    about = {check.id: check for check in catalogue()}
    checks = []
    for name in observation.outcomes:
        rows = [row for row in observation.results if row.id == name]
        outcome = worst(row.outcome for row in rows)
        told = [(row.subject or row.organization, row.seen) for row in rows if row.outcome is outcome]
        said = "; ".join(f"{where}: {shown}" if where else shown for where, shown in told)
        checks.append(
            Check(
                id=name,
                title=rows[0].title,
                outcome=_CHECK_OUTCOMES.get(outcome, CheckOutcome.NOT_OBSERVED),
                severity=min((row.severity for row in rows if row.outcome is outcome), key=lambda level: level.rank),
                message=plain(said, 1_000),
                references=about[name].references if name in about else (),
            )
        )
    return Observation(
        target=Target(base_url=observation.app.launch_url),
        started=observation.started,
        elapsed_ms=observation.elapsed_ms,
        outcome="observed" if observation.polite else "partial",
        checks=tuple(checks),
    )


def to_sarif(observation: ProductObservation) -> str:
    """What broke as findings for code scanning, at the product's file."""
    from interlock.report import sarif  # only a build server asks for it

    return sarif.to_sarif([as_checks(observation)], what="rehearse", file=PRODUCT_FILE)


def to_junit(observation: ProductObservation) -> str:
    """The checks as test cases, for a build server."""
    from interlock.report import junit

    return junit.to_junit([as_checks(observation)], command="rehearse")
