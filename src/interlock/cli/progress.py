"""Progress of a probe on stderr: a live display on a terminal, one line a target elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from interlock.cli.output import console
from interlock.model import words
from interlock.model.text import plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from interlock.usecases.probe import ProbeEvent


class ProbeProgress:
    """A context manager whose :meth:`on_event` may be handed to a probe."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
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
