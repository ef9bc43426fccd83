"""The app's jobs that take long, run in worker threads; heavy imports happen here, so that the app opens at once."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from interlock.model.errors import InterlockError, NothingObservedError, ThresholdNotMetError
from interlock.model.text import plain

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment
    from interlock.model.observation import Observation
    from interlock.model.organization import Organization
    from interlock.model.plan import Plan, WhatIf
    from interlock.model.product import Product
    from interlock.model.rehearsal import ProductObservation, RehearsalCheck, RehearsalResult
    from interlock.tui.state import Answer, Key
    from interlock.usecases.judge import Judgement
    from interlock.usecases.load import Content, Inputs
    from interlock.usecases.next_questions import NextQuestions
    from interlock.usecases.plan import Changes
    from interlock.usecases.probe import ProbeEvent
    from interlock.usecases.report import Format
    from interlock.workspace.store import Workspace

_P = ParamSpec("_P")
_T = TypeVar("_T")
Fingerprint = dict[str, tuple[int, int]]


class Read(NamedTuple):
    """A workspace as it was read, and which answers of ours stand against somebody else's."""

    inputs: Inputs
    files: Fingerprint
    disputes: Mapping[Key, InterlockError]


def readable(error: Exception) -> InterlockError:
    """An error for a person to read; an error that nobody foresaw is told as a defect of ours, and the app goes on."""
    if isinstance(error, InterlockError):
        return error
    reason = plain(error, 200) or "no further words"
    return InterlockError(
        f"this went wrong unexpectedly ({type(error).__name__}: {reason})",
        remedy="it is a defect of Interlock: please report it; what is saved is safe",
    )


async def in_thread(job: Callable[_P, _T], *arguments: _P.args, **options: _P.kwargs) -> _T:
    """Run a job in a thread, and give what it gives.

    :raises InterlockError: it failed; an error that nobody foresaw is told as a defect of ours.
    """
    try:
        return await asyncio.to_thread(job, *arguments, **options)
    except Exception as error:
        raise readable(error) from error


#: Questions whose order is kept: more than anybody answers at one sitting.
_MANY = 1_000
#: What a workspace is read from, as glob patterns below its folder.
_READ = (
    "interlock.yaml",
    "contract.yaml",
    "product.yaml",
    "hazards.yaml",
    "tasks.yaml",
    "orgs/*.y*ml",
    "responses/*.y*ml",
    "observations/*/*.json",
    "questionnaires/*.y*ml",
    "rulesets/**/*.y*ml",
)


def fingerprint(root: Path) -> Fingerprint:
    """Modification time (ns) and size (bytes) of every file that a workspace is read from, by relative name."""
    files: Fingerprint = {}
    for pattern in _READ:
        if (root / pattern.partition("/")[0]).is_symlink():
            continue  # it may lead anywhere; whoever reads it says so
        for path in root.glob(pattern):
            try:
                stat = path.stat()
            except OSError:
                continue  # it went away while we looked; the next look says so
            files[path.relative_to(root).as_posix()] = (stat.st_mtime_ns, stat.st_size)
    return files


def load(workspace: Workspace) -> Read:
    """Read the workspace.

    :raises InterlockError: a file is broken; with file, line and remedy.
    """
    from interlock.usecases.load import load_inputs

    files = fingerprint(workspace.root)
    inputs = load_inputs(workspace)
    for observation in inputs.observations.values():  # these stay, unlike those of a command
        for check in observation.checks:
            for model in (check, *check.references):
                model.sharing_names()
    return Read(inputs, files, workspace.disputes())


def judged(inputs: Inputs) -> Judgement:
    """Findings and scores."""
    from interlock.usecases.judge import judge

    return judge(inputs)


def ranked(inputs: Inputs) -> NextQuestions:
    """Every question without an answer, what settles most first."""
    from interlock.usecases.next_questions import next_questions

    return next_questions(inputs, limit=_MANY)


def assessed(inputs: Inputs) -> Assessment:
    """The whole assessment, plan included."""
    from interlock.usecases.assess import assess

    return assess(inputs, today=date.today())


def planned(inputs: Inputs) -> Assessment:
    """The whole assessment without what :func:`whole` adds: what is left travels between processes."""
    assessment = assessed(inputs)
    return assessment if date.today() != inputs.today else assessment.but(**dict.fromkeys(_JUDGED, ()))


#: What an assessment has of its inputs and their judgement: most of its bytes.
_JUDGED = ("organizations", "contract", "rules", "findings", "fit", "readiness")


def whole(planned: Assessment, inputs: Inputs, judgement: Judgement) -> Assessment:
    """The assessment of :func:`planned`, with the very objects that the app has already.

    :param judgement: that of the inputs.
    """
    if planned.as_of != inputs.today.isoformat():
        return planned  # the day has changed since the workspace was read, and with it what evidence holds
    return planned.but(
        organizations=inputs.organizations,
        contract=inputs.contract,
        rules=dict(judgement.rules),
        findings=judgement.findings,
        fit=tuple(inputs.fits.values()),
        readiness=judgement.readiness,
    )


def since_last(workspace: Workspace, now: Assessment) -> tuple[str, ...]:
    """What moved since the last milestone, one sentence each."""
    from interlock.usecases.milestone import since_last

    return since_last(workspace, now)


def recorded(workspace: Workspace, content: Content, answer: Answer) -> tuple[str, ...]:
    """Save an answer; returns what an earlier session could not save and went in with it.

    :raises DisputedError: somebody else answered meanwhile; theirs stays, and this one is kept beside it.
    """
    from interlock.usecases.answer import record_answer

    return record_answer(workspace, content, answer.item, answer.response, answer.org, before=answer.before).recovered


def record_all(workspace: Workspace, content: Content, answers: Sequence[Answer]) -> tuple[InterlockError, ...]:
    """Save answers one after the other; returns an error for each that could not be saved.

    After a failure the rest counts as not saved too, for it would fail alike.
    """
    from interlock.usecases.answer import DisputedError

    for index, answer in enumerate(answers):
        try:
            recorded(workspace, content, answer)
        except DisputedError:
            continue  # theirs stays, and ours is kept beside it
        except Exception as cause:
            return (readable(cause),) * (len(answers) - index)
    return ()


def supposed(inputs: Inputs, assessment: Assessment, changes: Changes) -> WhatIf:
    """The plan's dates before and after what is supposed.

    :raises InterlockError: the plan does not have something of it.
    """
    from interlock.usecases.plan import what_if

    return what_if(inputs, assessment, changes, today=date.today(), runs=assessment.plan.runs)


def chances(inputs: Inputs, day: date) -> Plan:
    """The plan with how likely everything, and each organisation, is through by a day."""
    from interlock.usecases.assess import assess

    return assess(inputs, today=date.today(), by=day).plan


def probe(
    organizations: Sequence[Organization],
    workspace: Workspace,
    *,
    on_event: Callable[[ProbeEvent], object],
    on_observation: Callable[[Observation], object],
    wanted: Callable[[str], bool],
) -> None:
    """Probe organisations and save what is seen; one that is no longer wanted, by its id, is left at once.

    It has an event loop of its own: parsing a large statement never makes the screen wait.

    :raises InterlockError: there is nothing to probe, or an observation cannot be saved.
    """
    from interlock.usecases.observations import Comparer
    from interlock.usecases.probe import ProbeSettings, probe_targets, targets_of
    from interlock.usecases.trust import trusted_origins

    async def collect() -> None:
        settings = ProbeSettings(private_origins=trusted_origins(workspace))
        comparer = Comparer(workspace, [organization.id for organization in organizations])
        keep = lambda target: target.org is None or wanted(target.org)  # noqa: E731
        async for observation in probe_targets(targets_of(organizations), settings, on_event, comparer, keep):
            on_observation(observation)

    async def run() -> None:
        task = asyncio.create_task(collect())
        while not (await asyncio.wait({task}, timeout=0.1))[0]:
            if not any(wanted(organization.id) for organization in organizations):
                task.cancel()
                await asyncio.wait({task})
                return
        task.result()

    asyncio.run(run())


class Rehearsable(NamedTuple):
    """The product as it can be rehearsed, and what its latest rehearsal came to.

    :ivar product: what ``product.yaml`` says; none where there is none.
    :ivar refused: it names a start command that is not allowed.
    :ivar checks: the checks that are built, by id.
    :ivar came_to: ``18 of 24 checks held; 3 broke``; empty without a rehearsal.
    :ivar impolite: why next to nothing was looked at.
    """

    product: Product | None
    refused: bool
    checks: Mapping[str, RehearsalCheck]
    came_to: str = ""
    impolite: InterlockError | None = None


def rehearsable(workspace: Workspace, latest: ProductObservation | None) -> Rehearsable:
    """What there is to rehearse, and what the latest rehearsal came to.

    :raises DocumentError: ``product.yaml``, or the record of what is allowed, is broken.
    """
    from interlock.usecases.rehearsal_checks import catalogue
    from interlock.usecases.rehearsal_outcome import require_held, summary
    from interlock.usecases.trust import new_commands

    product, impolite = workspace.product(), None
    if latest is not None:
        try:
            require_held(latest)
        except NothingObservedError as error:
            impolite = error
        except ThresholdNotMetError:
            pass  # that something broke stands in its rows
    return Rehearsable(
        product,
        bool(new_commands(workspace)),
        {check.id: check for check in catalogue()},
        summary(latest) if latest is not None else "",
        impolite,
    )


def rehearse(
    workspace: Workspace,
    *,
    on_result: Callable[[RehearsalResult], None],
    stop: Callable[[], bool],
    in_browser: bool,
) -> ProductObservation:
    """Rehearse the product, and keep what was seen unless it was stopped.

    :param in_browser: who asks looks through a browser, and may start no program here.
    :raises InterlockError: there is no product, it is not there, or it may not be started.
    """
    from interlock.usecases.rehearse import product_of, rehearse_product

    if in_browser and product_of(workspace).start is not None:
        raise InterlockError("no program is started from a browser", remedy=NO_START)
    return rehearse_product(workspace, on_result=on_result, stop=stop)


#: What to do where a program would have to be started from a browser.
NO_START = "run interlock rehearse in a terminal; or start the product yourself and leave start out of product.yaml"


class Exported(NamedTuple):
    """Files that were written, and what else there is to look at: formats that could not be made, edited files."""

    written: tuple[Path, ...] = ()
    skipped: tuple[tuple[str, InterlockError], ...] = ()


def export(
    assessment: Assessment,
    inputs: Inputs,
    directory: Path,
    formats: Sequence[Format],
    on_step: Callable[[str], object],
    sections: Sequence[str] | None = None,
) -> Exported:
    """Write the report one format after the other, with these sections alone if they are given.

    :raises WorkspaceError: the folder cannot be written.
    """
    from interlock.usecases.report import write_report

    if "pdf" in formats:
        _let_processes_start()
    written: list[Path] = []
    skipped: list[tuple[str, InterlockError]] = []
    for name in formats:
        on_step(name)
        written += write_report(
            assessment,
            inputs,
            directory,
            (name,),
            sections=sections,
            on_skipped=lambda fmt, error: skipped.append((fmt, error)),
        )
    return Exported(tuple(dict.fromkeys(written)), tuple(skipped))  # a PDF brings the page that HTML writes too


def _let_processes_start() -> None:
    """Start what multiprocessing needs before its first process (the PDF is made in one of its own).

    While the app runs, stderr is a stand-in whose file descriptor is -1, which multiprocessing would pass on and fail.
    """
    from multiprocessing import resource_tracker

    from interlock.documents.processes import import_only_what_is_installed

    import_only_what_is_installed()
    if sys.__stderr__ is not None:
        with contextlib.redirect_stderr(sys.__stderr__):
            resource_tracker.ensure_running()
