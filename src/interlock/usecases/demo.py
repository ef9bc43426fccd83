"""The main job on the embedded sandbox: workspace, probe, score, report, skeletons."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from interlock.documents.resources import data_dir
from interlock.model.assessment import Assessment
from interlock.model.errors import InterlockError, Location, WorkspaceError
from interlock.usecases.assess import assess
from interlock.usecases.contract import export_contract
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs
from interlock.usecases.observations import Comparer
from interlock.usecases.pdf import PdfProcess
from interlock.usecases.probe import ProbeEvent, ProbeSettings, probe_targets, targets_of
from interlock.usecases.rehearsal_outcome import summary
from interlock.usecases.rehearse import Permission, rehearse_product
from interlock.usecases.report import FORMATS, write_report
from interlock.workspace.store import PRODUCT_FILE, SETTINGS_FILE, Workspace

#: A file that marks a folder as made by the demo, which may therefore be made again.
MARKER = ".interlock-demo"


@dataclass(frozen=True)
class DemoResult:
    """What the demo made. ``skipped`` says which report formats could not be made, and why."""

    workspace: Workspace
    assessment: Assessment
    reports: tuple[Path, ...]
    skeletons: tuple[Path, ...]
    skipped: tuple[tuple[str, InterlockError], ...]


def run_demo(
    directory: Path,
    *,
    today: date,
    template: str = "sepsis",
    fresh: bool = False,
    rehearse: bool = False,
    pdf_process: PdfProcess | None = None,
    on_event: Callable[[ProbeEvent], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> DemoResult:
    """Make the sample workspace, unless an earlier demo is there, and do the whole job on it.

    :param fresh: start over even if an earlier demo is there; what was entered into it is lost.
    :param rehearse: rehearse a small application of ours too, two of whose endpoints are broken on purpose.
    :param on_step: told what happens next, in words.
    :raises WorkspaceError: ``directory`` holds something that the demo did not make.
    """
    say = on_step or (lambda _text: None)
    skipped: list[tuple[str, InterlockError]] = []
    say("Preparing the sample workspace")
    workspace = demo_workspace(directory, template, fresh=fresh)
    say("Probing the simulated organisations")
    targets = targets_of(load_inputs(workspace).organizations)
    comparer = Comparer(workspace, [target.org for target in targets])

    async def probe_all() -> None:
        async for _ in probe_targets(targets, ProbeSettings(), on_event, comparer):
            pass

    asyncio.run(probe_all())
    if rehearse:
        say("Rehearsing a small application, two of whose endpoints are broken on purpose")
        try:
            say(f"  {rehearsed(workspace)}")
        except InterlockError as error:  # a port that is taken, say: the rest of the demo goes on
            say(f"  Not rehearsed: {error}")
    say("Scoring")
    inputs = load_inputs(workspace)
    assessment = assess(inputs, today=today)
    say("Writing the report and the contract skeletons")
    reports = write_report(
        assessment,
        inputs,
        workspace.output(workspace.root / "reports"),
        FORMATS,
        pdf_process=pdf_process,
        on_skipped=lambda name, error: skipped.append((name, error)),
    )
    folder = workspace.output(workspace.root / "reports" / "contract")
    skeletons = tuple(skeleton.path for skeleton in export_contract(inputs, folder, today=today))
    return DemoResult(workspace, assessment, reports, skeletons, tuple(skipped))


def rehearsed(workspace: Workspace) -> str:
    """Rehearse the sample application from a workspace; what held and what broke, in a line.

    :raises InterlockError: the application or the hospitals cannot stand: a port is taken.
    """
    if not workspace.has(PRODUCT_FILE):
        workspace.write(PRODUCT_FILE, (data_dir("samples") / "rehearsal" / PRODUCT_FILE).read_bytes())
    return summary(rehearse_product(workspace, permission=Permission(start=True), any_port=True))


def demo_workspace(directory: Path, template: str, *, fresh: bool) -> Workspace:
    """The demo's workspace: an earlier one with everything that was entered into it, or a new one.

    :param fresh: throw an earlier demo away and start over.
    :raises WorkspaceError: the folder is not empty and was not made by the demo.
    """
    if directory.exists() and any(directory.iterdir()):
        if not (directory / MARKER).exists() or not (directory / SETTINGS_FILE).exists():
            raise WorkspaceError(
                "this folder is not a demo, so it is left alone",
                location=Location(file=str(directory)),
                remedy="choose another with: interlock demo -o DIR",
            )
        if not fresh:
            return Workspace(directory)
        shutil.rmtree(directory)
    workspace = initialize(directory, template)
    workspace.write(MARKER, b"Made by: interlock demo. interlock demo --fresh replaces this folder.\n")
    return workspace
