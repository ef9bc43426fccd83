"""What a build server asks of a probe: findings in its formats, and thresholds."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.model import words
from interlock.model.base import CheckOutcome, Gate, Severity
from interlock.model.errors import ThresholdNotMetError
from interlock.model.observation import Observation
from interlock.report import sarif
from interlock.report.junit import to_junit
from interlock.workspace.store import Workspace

__all__ = ["check_failures", "check_stage", "check_worst", "to_junit", "to_sarif"]


def to_sarif(observations: Sequence[Observation], workspace: Workspace | None) -> str:
    """Findings for code scanning; of a workspace also how its questions and rules differ from the shipped ones."""
    if workspace is None:
        return sarif.to_sarif(observations)
    from interlock.usecases.load import load_content

    content = load_content(workspace, workspace.settings().ruleset)
    return sarif.to_sarif(observations, content.words, content.changes)


def check_failures(observations: Sequence[Observation], fail_on: Severity) -> None:
    """Hold failed checks against a severity.

    :raises ThresholdNotMetError: a check of at least that severity failed; names the first of them.
    """
    failed = [
        f"{observation.target.org or observation.target.base_url}: {check.id} ({words.SEVERITY[check.severity].phrase})"
        for observation in observations
        for check in observation.checks
        if check.outcome is CheckOutcome.FAIL and check.severity.rank <= fail_on.rank
    ]
    if failed:
        checks = f"{words.count(len(failed), 'check')} of severity {words.SEVERITY[fail_on].phrase} or worse failed"
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        raise ThresholdNotMetError(f"{checks}: {'; '.join(failed[:5])}{more}")


def check_worst(worst: Severity | None, fail_on: Severity) -> None:
    """The same for a run of which only the severest failed check is known.

    :raises ThresholdNotMetError: it is at least that severe.
    """
    if worst is not None and worst.rank <= fail_on.rank:
        severity, limit = words.SEVERITY[worst].phrase, words.SEVERITY[fail_on].phrase
        raise ThresholdNotMetError(f"checks of severity {severity} failed, and {limit} was the limit")


def check_stage(workspace: Workspace, probed: Sequence[str], wanted: Gate) -> None:
    """Hold the stages of the organisations that were probed, with what was seen now, against a gate.

    :raises ThresholdNotMetError: names every organisation that has not passed it.
    """
    from interlock.usecases.judge import judge
    from interlock.usecases.load import load_inputs

    short = [
        f"{readiness.org} ({words.stage(readiness.stage)})"
        for readiness in judge(load_inputs(workspace)).readiness
        if readiness.org in probed and (readiness.stage is None or readiness.stage.rank < wanted.rank)
    ]
    if short:
        raise ThresholdNotMetError(
            f"not at {words.GATE[wanted].phrase} yet: {words.listed(short)}", remedy="interlock gaps says why"
        )
