"""``interlock observe``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption


def observe(
    org_id: Annotated[str, typer.Argument(help="The organisation's id.", metavar="ORG")],
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Check the stored documents anew, without contacting anybody.")
    ] = False,
    output: TableOrJson = "table",
    workspace: WorkspaceOption = None,
) -> None:
    """Show what the last probe of an organisation saw."""
    from interlock.cli.cards import show_card
    from interlock.cli.output import emit_json
    from interlock.model.errors import InterlockError
    from interlock.usecases.load import load_inputs, open_workspace

    place = open_workspace(workspace or Path())
    inputs = load_inputs(place)
    org = inputs.organization(org_id)
    observation = inputs.observations.get(org.id)
    if observation is None:
        raise InterlockError(f"{org.name} was never probed", remedy=f"interlock probe --org {org.id}")
    if recheck:
        from interlock.usecases.probe import recheck_observation

        observation = recheck_observation(place, observation)
    if output == "json":
        emit_json(observation)
    else:
        show_card(observation, name=org.name)
