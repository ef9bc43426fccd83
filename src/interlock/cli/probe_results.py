"""Running a probe of a few targets: its progress, its results in the format asked for, its exit code."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.cli.output import console, emit, save, say
from interlock.documents.visible import to_json, visible_json
from interlock.model import words
from interlock.model.base import Gate, Severity
from interlock.model.card_making import card_of
from interlock.model.errors import InterlockError, NothingObservedError
from interlock.model.observation import Observation, Target
from interlock.model.text import plain
from interlock.usecases.probe import ProbeEvent, ProbeSettings, check_failures, probe_targets

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from interlock.usecases.observations import Comparer
    from interlock.workspace.store import Workspace


class ProbeProgress:
    """Shows the events that :meth:`on_event` is given, until it is closed."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def close(self) -> None:
        """Leave the display as it stands; later events start a new one below."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = None
        self._tasks.clear()

    def _start(self) -> Progress | None:
        """The live display, started by the first event; none where nobody watches."""
        if self._progress is None and sys.stderr.isatty():
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                SpinnerColumn(finished_text="•"),
                TextColumn("{task.fields[name]}", markup=False),
                TextColumn("{task.fields[state]}", markup=False, style="dim"),
                TimeElapsedColumn(),
                console=console(stderr=True),
            )
            self._progress.start()
        return self._progress

    def on_event(self, event: ProbeEvent) -> None:
        """Show one event."""
        name = plain(event.target.org or event.target.base_url, 60)
        if event.kind == "finished" and event.observation is not None:
            state = words.OBSERVED[event.observation.outcome].phrase
            reason = event.observation.reason_not_observed()
            self._show(name, state + (f": {plain(reason, 120)}" if reason else ""), finished=True)
        elif event.kind == "request":
            self._show(name, plain(event.detail or "", 80), finished=False)
        elif event.kind == "started":
            self._show(name, "connecting", finished=False)

    def _show(self, name: str, state: str, *, finished: bool) -> None:
        progress = self._start()
        if progress is None:
            if finished:
                sys.stderr.write(f"  {name}: {state}\n")
            return
        if name not in self._tasks:
            self._tasks[name] = progress.add_task("", total=1, name=name, state=state)
        progress.update(self._tasks[name], state=state, completed=1 if finished else 0)


def watch(
    targets: tuple[Target, ...],
    settings: ProbeSettings,
    comparer: Comparer | None,
    out: Path | None,
    *,
    stream: bool,
) -> list[Observation]:
    """Probe with progress on stderr; observations in the order of the targets. With ``stream``, lines as they come."""
    order = {target.org or target.base_url: index for index, target in enumerate(targets)}
    lines: list[str] = []

    async def collect() -> list[Observation]:
        collected = []
        with closing(ProbeProgress()) as progress:
            async for observation in probe_targets(targets, settings, progress.on_event, comparer):
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
        key=lambda observation: order.get(observation.target.org or observation.target.base_url, len(order)),
    )


def report(
    observations: Sequence[Observation],
    output: str,
    out: Path | None,
    workspace: Workspace | None,
    *,
    details: bool = False,
) -> None:
    """Show observations in one of the formats, on stdout or in a file; ``workspace`` is the one they belong to.

    :param details: the card shows the whole inventory too.
    """
    if output == "ndjson":
        return
    if output == "table":
        if out is not None:
            raise InterlockError("a table is for reading", remedy="choose another --format for --output")
        from interlock.cli.cards import show_observations

        show_observations(observations, details=details)
        return
    if output == "mail":
        text = "\n\n".join(mail for observation in observations if (mail := card_of(observation).mail))
        if not text:
            say("There is nothing to ask them.")
            return
    elif output == "json":
        cards = [observation.but(card=card_of(observation)) for observation in observations]
        data = [observation.model_dump(mode="json") for observation in cards]
        text = to_json(data[0] if len(data) == 1 else data)
    else:
        from interlock.usecases.observations import to_junit, to_sarif

        text = to_sarif(observations, workspace) if output == "sarif" else to_junit(observations)
    if out is None:
        emit(text)
    else:
        save(out, text)


def thresholds(
    observations: Sequence[Observation], workspace: Workspace | None, fail_on: str | None, min_stage: str | None
) -> None:
    """End with the right code.

    :raises NothingObservedError: nothing was seen at all.
    :raises ThresholdNotMetError: a check failed, or an organisation's stage falls short.
    """
    if observations and all(observation.outcome == "not_observed" for observation in observations):
        # Why is on this stream already, a line for each target.
        subject = "nothing" if len(observations) == 1 else f"none of {len(observations)} targets"
        raise NothingObservedError(
            f"{subject} could be observed", remedy="try again, or check the URL, the network and the proxy"
        )
    if fail_on is not None:
        check_failures(observations, Severity(fail_on))
    if min_stage is not None and workspace is not None:
        from interlock.usecases.score import check_stage

        check_stage(workspace, [observation.target.org for observation in observations], Gate(min_stage))
