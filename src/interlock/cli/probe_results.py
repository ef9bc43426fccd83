"""Running a probe of a few targets, and showing what it saw."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.cli.output import emit, save
from interlock.cli.progress import ProbeProgress
from interlock.documents.visible import to_json, visible_json
from interlock.model import words
from interlock.model.base import CheckOutcome, Gate, Severity
from interlock.model.errors import InterlockError, NothingObservedError
from interlock.model.observation import Observation, Target
from interlock.usecases.probe import ProbeSettings, probe_targets

if TYPE_CHECKING:
    from interlock.usecases.drift import Comparer
    from interlock.workspace.store import Workspace


def watch(
    targets: tuple[Target, ...],
    settings: ProbeSettings,
    workspace: Workspace | None,
    out: Path | None,
    *,
    stream: bool,
    comparer: Comparer | None = None,
) -> list[Observation]:
    """Probe with progress on stderr; observations in the order of the targets. With ``stream``, lines as they come."""
    order = {(target.org, target.base_url): index for index, target in enumerate(targets)}
    by_org = {target.org: index for index, target in enumerate(targets) if target.org}
    lines: list[str] = []

    async def collect() -> list[Observation]:
        collected = []
        with ProbeProgress() as progress:
            async for observation in probe_targets(targets, settings, progress.on_event, workspace, comparer):
                collected.append(observation)
                if stream and out is None:
                    emit(visible_json(observation.model_dump_json()))
                elif stream:
                    lines.append(visible_json(observation.model_dump_json()) + "\n")
        return collected

    observations = asyncio.run(collect())
    if out is not None:
        save(out, "".join(lines))
    return sorted(
        observations,
        key=lambda o: by_org.get(o.target.org or "", order.get((o.target.org, o.target.base_url), len(order))),
    )


def report(observations: Sequence[Observation], output: str, out: Path | None, workspace: Workspace | None) -> None:
    """Show observations in one of the formats, on stdout or in a file; ``workspace`` is the one they belong to."""
    if output == "ndjson":
        return
    if output == "table":
        if out is not None:
            raise InterlockError("a table is for reading", remedy="choose another --format for --output")
        _show(observations)
        return
    text = _rendered(observations, output, workspace)
    if out is None:
        emit(text)
    else:
        save(out, text)


def _rendered(observations: Sequence[Observation], output: str, workspace: Workspace | None) -> str:
    if output == "json":
        data = [observation.model_dump(mode="json") for observation in observations]
        return to_json(data[0] if len(data) == 1 else data)
    from interlock.usecases.probe_outputs import to_junit, to_sarif

    return to_sarif(observations, workspace) if output == "sarif" else to_junit(observations)


def _show(observations: Sequence[Observation]) -> None:
    """One card, or a table when there are several."""
    if len(observations) == 1:
        from interlock.cli.cards import show_card

        show_card(observations[0], name=observations[0].target.name)
        return
    from interlock.cli.output import say, show_table

    right = {"justify": "right", "no_wrap": True}
    show_table(
        [
            ("Target", {"ratio": 2, "min_width": 18}),
            ("FHIR", {"no_wrap": True}),
            ("Fail", right),
            ("Warn", right),
            ("Stands out", {"ratio": 3}),
        ],
        map(_row, observations),
    )
    if any(observation.target.org for observation in observations):
        say("One of them: interlock observe ORG")


def _row(observation: Observation) -> tuple[str, ...]:
    capability, smart = observation.facts.capability, observation.facts.smart
    failed = [check for check in observation.checks if check.outcome is CheckOutcome.FAIL]
    warned = [check for check in observation.checks if check.outcome is CheckOutcome.WARN]
    first = min(failed, key=lambda check: check.severity.rank, default=None)
    reason = observation.reason_not_observed()
    said = (
        f"{words.OBSERVED['not_observed'].phrase}: {reason}"
        if reason
        else (f"{first.id} {first.message}" if first else "")
    )
    if observation.outcome == "partial":
        partly = words.OBSERVED["partial"].phrase
        said = f"{partly}; {said}" if said else partly
    return (
        observation.target.org or observation.target.base_url.partition("://")[2],
        (capability.fhir_release or capability.fhir_version or "?") if capability else "",
        str(len(failed)) if capability or smart else "",
        str(len(warned)) if capability or smart else "",
        said,
    )


def thresholds(
    observations: Sequence[Observation], workspace: Workspace | None, fail_on: str | None, min_stage: str | None
) -> None:
    """End with the right code.

    :raises NothingObservedError: nothing was seen at all.
    :raises ThresholdNotMetError: a check failed, or an organisation's stage falls short.
    """
    if observations and all(observation.outcome == "not_observed" for observation in observations):
        # Why is on this stream already, a line for each target (:mod:`interlock.cli.progress`).
        subject = "nothing" if len(observations) == 1 else f"none of {len(observations)} targets"
        raise NothingObservedError(
            f"{subject} could be observed", remedy="try again, or check the URL, the network and the proxy"
        )
    if fail_on is None and min_stage is None:
        return
    from interlock.usecases.probe_outputs import check_failures, check_stage

    if fail_on is not None:
        check_failures(observations, Severity(fail_on))
    if min_stage is not None and workspace is not None:
        check_stage(workspace, [o.target.org for o in observations if o.target.org], Gate(min_stage))
