"""``interlock answer``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from interlock.cli.options import WorkspaceOption
from interlock.cli.output import say
from interlock.model import words
from interlock.model.base import Evidence, Status
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import Response
from interlock.usecases.answer import choose_answer, make_response, record_answer, said, scope_of
from interlock.usecases.judge import judge
from interlock.usecases.load import load_inputs, open_workspace


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
    link: Annotated[str | None, typer.Option("--link", help="Where the evidence is.")] = None,
    keep: Annotated[
        Literal["mine", "theirs"] | None,
        typer.Option("--keep", help="Where somebody else answered meanwhile: whose answer stays."),
    ] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Answer one question and save it at once."""
    workspace = open_workspace(folder)
    inputs = load_inputs(workspace)
    if keep is not None:
        if value is not None or status is not None:
            raise InterlockError("--keep takes an answer that is there", remedy="leave the value and --status out")
        chosen = choose_answer(workspace, inputs.content, item, org, keep)
        say(f"Kept: {said(chosen.response)}{_was(chosen.response, chosen.before)}.")
        return
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
        link=link,
    )
    earlier = inputs.answers(scope).get(item)
    saved = record_answer(workspace, inputs.content, item, response, org, before=earlier)
    if saved.recovered:
        say(f"Also saved, from an earlier attempt: {words.listed(saved.recovered)}")
    for kept in saved.settled:
        change = kept.change()
        dropped = said(change.response) if change else str(kept.response)
        say(f"Your earlier answer that stood against somebody else's is dropped: {dropped}")
    before, after = judge(inputs), judge(inputs.with_response(scope, item, response))
    low, high = after.product_score.interval.low, after.product_score.interval.high
    moved = low - before.product_score.interval.low
    say(f"Saved{_was(response, earlier)}. Product: {low:.0f} verified, {high:.0f} at best ({moved:+.0f}).")


def _was(now: Response | None, before: Response | None) -> str:
    return "" if before is None or (now is not None and now.said == before.said) else f" (it was {said(before)})"
