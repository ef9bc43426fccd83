"""``interlock observe``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from interlock.cli.options import WorkspaceOption
from interlock.cli.probe_options import Details
from interlock.cli.probe_results import report
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation
from interlock.usecases.observations import observation_of_file, observations_of
from interlock.usecases.opening import open_workspace


def observe(
    subject: Annotated[
        str | None, typer.Argument(help="The organisation's id, or a file of one observation.", metavar="ORG|FILE")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every organisation that was probed.")] = False,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Check the stored documents anew, without contacting anybody.")
    ] = False,
    output: Annotated[
        Literal["table", "mail", "json", "sarif", "junit"],
        typer.Option(
            "--format",
            "-f",
            help="To read (table), the questions to paste into a mail, JSON, or for a build server (SARIF, JUnit).",
        ),
    ] = "table",
    details: Details = False,
    out: Annotated[
        Path | None, typer.Option("--output", "--out", "-o", help="Write to a file instead of stdout.", metavar="FILE")
    ] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Show what the last probe of an organisation saw."""
    if (subject is None) != everything:
        raise InterlockError("say what to show", remedy="one of: ORG, a file, --all")
    if subject is not None and subject.endswith(".json"):
        opened = None
        observations: tuple[Observation, ...] = (observation_of_file(Path(subject), anew=recheck),)
    else:
        opened = open_workspace(folder)
        observations = observations_of(opened, subject, anew=recheck)
    report(observations, output, out, opened, details=details)
