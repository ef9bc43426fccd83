"""Probing a whole directory: targets from a file, results as lines, a summary at the end, and going on after a stop."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlock.model.fleet import FleetSummary
from interlock.model.observation import Target
from interlock.probe.fleet import ResultFile, key_of, run_fleet
from interlock.probe.tally import Digest, Tally, digest_of
from interlock.probe.transport.settings import ProbeSettings
from interlock.usecases.directories import pick, read_directory_file


@dataclass(frozen=True, slots=True)
class FleetProgress:
    """How far a run is.

    :ivar done: results so far, those of earlier runs included; ``fresh`` of them are of this run.
    :ivar elapsed_s: seconds since this run began.
    """

    total: int
    done: int
    fresh: int
    elapsed_s: float
    outcomes: dict[str, int]


def directory_targets(
    source: Path | None, name: str | None = None, vendor: str | None = None, limit: int | None = None
) -> tuple[tuple[Target, ...], int]:
    """Targets of a directory file (none for standard input), and how many of its entries cannot be used.

    :raises InterlockError: the file cannot be read, or nothing in it fits.
    """
    directory = read_directory_file(source)
    entries = pick(directory.entries, name, vendor)[:limit]
    targets = tuple(Target(base_url=entry.url, name=entry.name or None, vendor=entry.vendor) for entry in entries)
    return targets, len(directory.dropped)


def probe_fleet(
    targets: Sequence[Target],
    settings: ProbeSettings,
    *,
    on_line: Callable[[bytes], None] | None = None,
    on_progress: Callable[[FleetProgress], None] | None = None,
    out: Path | None = None,
    resume: bool = False,
    workers: int = 1,
) -> FleetSummary:
    """Probe targets; each result goes as one line of JSON to ``out``, or else to ``on_line``.

    With ``resume``, the results that ``out`` holds are counted and their targets left out. An interrupt ends the run
    with a summary of what there is; the caller sees it by ``interrupted``.

    :raises InterlockError: ``out`` exists and nothing is to be resumed, or cannot be written; a worker died.
    """
    started = time.monotonic()
    tally = Tally()
    interrupted = False
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(ResultFile(out, resume=resume)) if out is not None else None
        known = set()
        for observation in file.earlier() if file is not None and resume else ():
            known.add(key_of(observation.target))
            tally.add(digest_of(observation))
        resumed = tally.done
        missing = [target for target in targets if key_of(target) not in known]
        total = resumed + len(missing)
        deliver = file.write if file is not None else on_line

        def report() -> None:
            if on_progress is not None:
                elapsed = time.monotonic() - started
                on_progress(FleetProgress(total, tally.done, tally.done - resumed, elapsed, dict(tally.outcomes)))

        def keep(line: bytes, digest: Digest) -> None:
            if deliver is not None:
                deliver(line)
            tally.add(digest)
            report()

        try:
            run_fleet(missing, settings, keep, report, workers=workers)
        except KeyboardInterrupt:
            interrupted = True
    elapsed_s = time.monotonic() - started
    return tally.summary(targets=total, resumed=resumed, elapsed_s=elapsed_s, interrupted=interrupted)
