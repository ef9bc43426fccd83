"""``interlock answer``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from interlock.cli.options import WorkspaceOption


def answer(
    item: Annotated[str, typer.Argument(help="The question's id, like auth.jwks_hosting.", metavar="ITEM")],
    value: Annotated[
        str | None,
        typer.Argument(help="An offered option, yes or no, a number, a date, a URL or text.", metavar="VALUE"),
    ] = None,
    org: Annotated[
        str | None, typer.Option("--org", help="The organisation that is asked about, by its id.", metavar="ID")
    ] = None,
    status: Annotated[
        Literal["answered", "unknown", "not_applicable", "unanswered"] | None,
        typer.Option("--status", help="By default answered; unanswered removes the answer."),
    ] = None,
    evidence: Annotated[
        Literal["asserted", "documented", "observed"], typer.Option("--evidence", help="What supports the answer.")
    ] = "asserted",
    note: Annotated[str | None, typer.Option("--note", help="A note for the report.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it is not applicable.")] = None,
    evidence_url: Annotated[str | None, typer.Option("--evidence-url", help="Where the evidence is.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer one question and save it at once."""
    from interlock.cli.output import say
    from interlock.model.base import Evidence, Status
    from interlock.model.errors import InterlockError
    from interlock.usecases.answer import make_response, record_answer, scope_of
    from interlock.usecases.assess import judge
    from interlock.usecases.load import load_inputs, open_workspace

    place = open_workspace(workspace or Path())
    inputs = load_inputs(place)
    if value is not None and status not in (None, "answered"):
        raise InterlockError(f"a value and --status {status} exclude each other", remedy="give one of the two")
    asked = inputs.content.item(item)
    scope = scope_of(asked, org)
    if org is not None:
        inputs.organization(org)
    response = make_response(
        asked,
        value,
        status=Status(status or "answered"),
        evidence=Evidence(evidence),
        note=note,
        reason=reason,
        evidence_url=evidence_url,
    )
    record_answer(place, inputs.content, item, response, org)
    if place.recovered:
        say(f"Also saved, from an earlier attempt: {', '.join(place.recovered)}")
    before, after = judge(inputs), judge(inputs.with_response(scope, item, response))
    low, high = after.product_score.interval.low, after.product_score.interval.high
    moved = low - before.product_score.interval.low
    say(f"Saved. Product: {low:.0f} verified, {high:.0f} at best ({moved:+.0f}).")
