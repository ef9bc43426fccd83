"""``interlock patterns``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli.options import OnlyOrgOption, TableOrJson, WorkspaceOption


def patterns(
    output: TableOrJson = "table",
    org: OnlyOrgOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the patterns that do not hold.")] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Show which known patterns of trouble hold here, what they usually mean, and what to do."""
    from interlock.cli.output import emit_json
    from interlock.cli.pattern_list import show_patterns
    from interlock.usecases.load import load_inputs, open_workspace
    from interlock.usecases.patterns import find_patterns

    inputs = load_inputs(open_workspace(folder))
    matches = find_patterns(inputs, org)
    if output == "json":
        emit_json([match.model_dump(mode="json") for match in matches])
    else:
        show_patterns(matches, {org.id: org.name for org in inputs.organizations}, everything=everything)
