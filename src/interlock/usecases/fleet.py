"""Probing a whole directory: targets from a file, results as lines, a summary at the end, and going on after a stop."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlock.fhir.directory.listed import Base, ListedOrganization
from interlock.model import words
from interlock.model.fleet import FleetSummary
from interlock.model.observation import Target
from interlock.probe.cluster import Scheduler, run_on_cluster
from interlock.probe.fleet import ResultFile, key_of, run_fleet
from interlock.probe.fleet_lines import Line, LineWriter
from interlock.probe.tally import Digest, Tally, digest_of
from interlock.probe.transport.settings import ProbeSettings
from interlock.usecases.directories import pick, read_directory_file

__all__ = ["FleetProgress", "Scheduler", "directory_targets", "probe_fleet"]


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


@dataclass(frozen=True, slots=True)
class DirectoryTargets:
    """Targets of a directory: each base URL once, whoever shares it.

    :ivar organizations: how many organisations the targets are listed for; ``names`` are theirs.
    :ivar dropped: how many listed addresses cannot be used; ``notes`` are sentences about the file.
    """

    targets: tuple[Target, ...]
    organizations: int
    names: tuple[str, ...]
    dropped: int
    notes: tuple[str, ...]


def directory_targets(
    source: Path | None, name: str | None = None, vendor: str | None = None, limit: int | None = None
) -> DirectoryTargets:
    """Targets of a directory file (none for standard input).

    A target bears the name of the first organisation that was picked at its base, and how many others were.

    :raises InterlockError: the file cannot be read, or nothing in it fits.
    """
    directory = read_directory_file(source)
    picked = pick(directory, name, vendor)
    first: dict[Base, ListedOrganization] = {}
    sharing = Counter[Base]()
    for organization in picked:
        for base in organization.bases:
            first.setdefault(base, organization)
            sharing[base] += 1
    targets = tuple(
        Target(
            base_url=base.url,
            name=words.and_others(organization.name, sharing[base] - 1) or None,
            vendor=organization.vendor,
        )
        for base, organization in itertools.islice(first.items(), limit)
    )
    names = tuple(organization.name for organization in picked if organization.name)
    return DirectoryTargets(targets, len(picked), names, len(directory.dropped), directory.notes)


def probe_fleet(
    targets: Sequence[Target],
    settings: ProbeSettings,
    *,
    on_line: Callable[[bytes], None] | None = None,
    on_progress: Callable[[FleetProgress], None] | None = None,
    out: Path | None = None,
    resume: bool = False,
    workers: int | Scheduler = 1,
) -> FleetSummary:
    """Probe targets; each result goes as one line of JSON to ``out``, or else to ``on_line``.

    It is done in this process, in ``workers`` processes, or by the workers of a scheduler.

    With ``resume``, the results that ``out`` holds are counted and their targets left out. An interrupt ends the run
    with a summary of what there is; the caller sees it by ``interrupted``.

    :raises InterlockError: ``out`` exists and nothing is to be resumed, or cannot be written; the cluster cannot go on.
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
        lines = LineWriter()

        def report() -> None:
            if on_progress is not None:
                elapsed = time.monotonic() - started
                on_progress(FleetProgress(total, tally.done, tally.done - resumed, elapsed, dict(tally.outcomes)))

        def keep(line: Line, digest: Digest) -> None:
            if deliver is not None:
                deliver(lines.finish(line))
            tally.add(digest)
            report()

        try:
            if workers == 1:
                run_fleet(missing, settings, keep, report)
            else:
                run_on_cluster(missing, settings, keep, report, workers=workers)
        except KeyboardInterrupt:
            interrupted = True
    elapsed_s = time.monotonic() - started
    return tally.summary(targets=total, resumed=resumed, elapsed_s=elapsed_s, interrupted=interrupted)
