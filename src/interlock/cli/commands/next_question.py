"""``interlock next``."""

from __future__ import annotations

from pathlib import Path

from interlock.cli.options import OrgOption, TableOrJson, WorkspaceOption


def next_question(org: OrgOption = None, output: TableOrJson = "table", workspace: WorkspaceOption = None) -> None:
    """Show the next question to answer, with the command that answers it."""
    from interlock.cli.commands.questions import describe
    from interlock.cli.output import emit, emit_json, say
    from interlock.usecases.load import load_inputs, open_workspace
    from interlock.usecases.questions import next_question as find_next

    inputs = load_inputs(open_workspace(workspace or Path()))
    if org is not None:
        inputs.organization(org)
    asked = find_next(inputs, org)
    if output == "json":
        emit_json({"scope": asked.scope, "item": asked.item.model_dump(mode="json")} if asked else {})
    elif asked is None:
        say("Every question of this profile is answered.")
    else:
        emit(describe(asked.item))
        for_org = "" if asked.scope == "product" else f" --org {asked.scope}"
        say(f"\nAnswer it with: interlock answer {asked.item.id} VALUE{for_org}")
