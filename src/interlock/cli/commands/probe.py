"""``interlock probe``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from interlock.cli.options import OrgOption, WorkspaceOption

if TYPE_CHECKING:
    from interlock.model.observation import Observation, Target
    from interlock.usecases.probe import ProbeSettings
    from interlock.workspace.store import Workspace


def probe(
    urls: Annotated[
        list[str] | None, typer.Argument(help="FHIR base URLs; no workspace is needed.", metavar="[URL…]")
    ] = None,
    org: OrgOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every organisation of the workspace.")] = False,
    output: Annotated[
        Literal["card", "json", "ndjson"],
        typer.Option("--format", "-f", help="A card to read, JSON, or JSON lines as they come."),
    ] = "card",
    deadline: Annotated[
        float, typer.Option("--deadline", min=0.1, max=600, help="Seconds for one target, all in all.")
    ] = 20.0,
    list_checks: Annotated[bool, typer.Option("--list-checks", help="List the checks and stop.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Look at FHIR endpoints: what they declare, how they authorise, what is off."""
    from interlock.cli.output import emit_json
    from interlock.usecases.probe import ProbeSettings

    if list_checks:
        _list_checks()
        return
    targets, place = _targets(urls or [], org, everything, workspace)
    settings = ProbeSettings(deadline_s=deadline)
    observations = _run(targets, settings, place, stream=output == "ndjson")
    if output == "json":
        data = [observation.model_dump(mode="json") for observation in observations]
        emit_json(data[0] if len(data) == 1 else data)
    elif output == "card":
        from interlock.cli.cards import show_card

        for observation in observations:
            show_card(observation)
    _check(observations)


def _targets(
    urls: list[str], org: str | None, everything: bool, workspace: Path | None
) -> tuple[tuple[Target, ...], Workspace | None]:
    from interlock.model.errors import InterlockError
    from interlock.usecases.probe import bare_targets, targets_of

    if sum((bool(urls), org is not None, everything)) != 1:
        raise InterlockError("say what to probe", remedy="one of: a URL, --org ID, --all")
    if urls:
        return bare_targets(urls), None
    from interlock.usecases.load import load_inputs, open_workspace

    place = open_workspace(workspace or Path())
    inputs = load_inputs(place)
    chosen = inputs.organizations if everything else (inputs.organization(org or ""),)
    targets = targets_of(chosen)
    if not targets:
        names = ", ".join(org.id for org in chosen) or "the workspace"
        raise InterlockError(
            f"no FHIR base URL is known for {names}", remedy="interlock org edit ID --url URL, or org add"
        )
    return targets, place


def _run(
    targets: tuple[Target, ...], settings: ProbeSettings, place: Workspace | None, *, stream: bool
) -> list[Observation]:
    import asyncio

    from interlock.cli.output import emit
    from interlock.cli.progress import ProbeProgress
    from interlock.usecases.probe import probe_targets

    order = {(target.org, target.base_url): index for index, target in enumerate(targets)}

    async def collect() -> list[Observation]:
        seen = []
        with ProbeProgress() as progress:
            async for observation in probe_targets(targets, settings, progress.on_event, place):
                seen.append(observation)
                if stream:
                    emit(observation.model_dump_json())
        return seen

    found = asyncio.run(collect())
    by_org = {target.org: index for index, target in enumerate(targets) if target.org}
    return sorted(
        found,
        key=lambda o: by_org.get(o.target.org or "", order.get((o.target.org, o.target.base_url), len(order))),
    )


def _check(observations: list[Observation]) -> None:
    from interlock.model.errors import NothingObservedError

    if observations and all(observation.outcome == "not_observed" for observation in observations):
        reasons = "; ".join(dict.fromkeys(o.reason_not_observed() or "" for o in observations))
        raise NothingObservedError(
            f"nothing could be observed: {reasons}", remedy="try again, or check the URL and the network"
        )


def _list_checks() -> None:
    from interlock.cli.output import show_table
    from interlock.usecases.probe import list_checks

    show_table(
        ["Id", "Severity", "Title", "Source"],
        [
            (check.id, check.severity.value, check.title, "; ".join(r.title for r in check.references))
            for check in list_checks()
        ],
    )
