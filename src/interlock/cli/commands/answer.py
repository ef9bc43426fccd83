"""``interlock answer``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from interlock.cli.options import AuthorOption, WorkspaceOption
from interlock.cli.output import say, say_paragraph
from interlock.model import words
from interlock.model.base import Evidence, EvidenceKind, Status
from interlock.model.errors import InterlockError
from interlock.model.finding import NO_CONTRACT, UNDECIDED
from interlock.model.questionnaire import Item
from interlock.model.response import Response
from interlock.model.text import plain
from interlock.usecases.answer import (
    choose_answer,
    confirmed,
    may_confirm,
    record_answer,
    said,
    scope_of,
    settle_on,
)
from interlock.usecases.author import author_of
from interlock.usecases.evidence import Piece, evidence_record
from interlock.usecases.judge import asked as asked_at
from interlock.usecases.judge import judge
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.revise import Given, revised

if TYPE_CHECKING:
    from interlock.model.readiness import Interval
    from interlock.usecases.judge import Judgement
    from interlock.workspace.responses import Saved
    from interlock.workspace.store import Workspace


def answer(
    item: Annotated[str, typer.Argument(help="The question's id, like auth.jwks_hosting.", metavar="ITEM")],
    value: Annotated[
        str | None,
        typer.Argument(
            help="An offered option (several: with commas), yes or no, a number, a date, a URL or text.",
            metavar="VALUE",
        ),
    ] = None,
    orgs: Annotated[
        list[str] | None,
        typer.Option("--org", help="The organisation that is asked about; several with --confirm.", metavar="ID"),
    ] = None,
    status: Annotated[
        Literal["answered", "unknown", "not_applicable", "unanswered"] | None,
        typer.Option("--status", help="By default answered; unanswered removes the answer."),
    ] = None,
    evidence: Annotated[
        Literal["asserted", "documented", "observed"] | None,
        typer.Option("--evidence", help="What supports the answer; by default asserted."),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="A note for the report.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why it is not applicable.")] = None,
    author: AuthorOption = None,
    assign: Annotated[
        str | None, typer.Option("--assign", help="Who owes an answer or its evidence; '' for nobody.", metavar="NAME")
    ] = None,
    due: Annotated[
        str | None, typer.Option("--due", help="By when, as 2026-12-14; '' for no day.", metavar="DAY")
    ] = None,
    attach: Annotated[
        EvidenceKind | None, typer.Option("--attach", help="Add evidence of this kind, with --link, --file or --title.")
    ] = None,
    link: Annotated[
        str | None, typer.Option("--link", help="Where the evidence is; without --attach, the first piece's.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="Its file, by the path in the workspace.", metavar="FILE")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="What the evidence is called.")] = None,
    reviewer: Annotated[str | None, typer.Option("--reviewer", help="Who reviewed it.", metavar="NAME")] = None,
    evidence_date: Annotated[
        str | None, typer.Option("--evidence-date", help="The day that it is of.", metavar="DAY")
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option("--valid-until", help="The last day on which it counts.", metavar="DAY")
    ] = None,
    independent: Annotated[
        bool, typer.Option("--independent", help="Made by somebody who does not work on the product.")
    ] = False,
    detach: Annotated[
        int | None, typer.Option("--detach", help="Remove a piece of evidence, by its number from 1.", metavar="N")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Take the product's proposal as the organisations' own answer.")
    ] = False,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="With --confirm: at every organisation that has not answered.")
    ] = False,
    keep: Annotated[
        str | None,
        typer.Option("--keep", help="Of several answers the one that stays: mine, theirs, or its author's name."),
    ] = None,
    folder: WorkspaceOption = None,
) -> None:
    """Answer one question and save it at once."""
    workspace = open_workspace(folder)
    inputs = load_inputs(workspace)
    asked = inputs.content.item(item)
    piece = Piece(attach, title, link, file, reviewer, independent, evidence_date, valid_until)
    if attach is None and (wanting := _without_kind(piece)) is not None:
        raise InterlockError(f"{wanting} is of a piece of evidence", remedy="say which kind with --attach KIND")
    if confirm or everywhere:
        if not confirm or value is not None or status is not None or keep is not None:
            raise InterlockError("--confirm takes the answer that is proposed", remedy="leave value and status out")
        _confirm(workspace, inputs, asked, orgs or (), everywhere, author_of(author))
        return
    if len(orgs or ()) > 1:
        raise InterlockError("an answer is about one organisation", remedy="name one; --confirm takes several")
    org = orgs[0] if orgs else None
    if keep is not None:
        if value is not None or status is not None:
            raise InterlockError("--keep takes an answer that is there", remedy="leave the value and --status out")
        _keep(workspace, inputs, asked, org, keep)
        return
    if value is not None and status not in (None, "answered"):
        raise InterlockError(f"a value and --status {status} exclude each other", remedy="give one of the two")
    scope = scope_of(asked, org)
    if org is not None:
        inputs.organization(org)
    earlier = inputs.answers(scope).get(item)
    given = Given(
        value=value,
        status=Status(status) if status else None,
        evidence=Evidence(evidence) if evidence else None,
        reason=reason,
        note=note,
        link=link if attach is None else None,
        attach=evidence_record(piece, workspace.root, inputs.today) if attach is not None else None,
        detach=detach,
        assign=assign,
        due=due,
    )
    response = revised(asked, earlier, given, author_of(author))
    saved = record_answer(workspace, inputs.content, item, response, org, before=earlier)
    _say_side_effects(saved)
    before, after = judge(inputs), judge(inputs.with_response(scope, item, response))
    earned, now = (_score(judged, org) for judged in (before, after))
    low, high, moved = now.low, now.high, now.low - earned.low
    about = plain(inputs.organization(org).name, 80) if org is not None else "Product"
    say(f"Saved{_was(response, earlier)}. {about}: {low:.0f} verified, {high:.0f} at best ({round(moved):+d}).")
    if inputs.unwritten and any(
        finding.outcome in UNDECIDED and NO_CONTRACT in (finding.detail or "")
        for finding in after.findings
        if after.rules[finding.rule].measures == item and finding.subject.id in ("", org)
    ):
        say_paragraph(inputs.unwritten)
    left = len(earlier.documents) if earlier is not None and (response is None or not response.documents) else 0
    if left and detach is None:
        pieces = words.count(left, "piece", "pieces")
        say(f"{pieces} of evidence for the earlier answer {words.agree(left, 'is', 'are')} no longer attached.")


def _score(judged: Judgement, org: str | None) -> Interval:
    """The score of what was answered about: the product, or one organisation."""
    of_org = next((readiness.score for readiness in judged.readiness if readiness.org == org), None)
    return (of_org or judged.product_score).interval


def _without_kind(piece: Piece) -> str | None:
    """The first option that only a piece of evidence takes, where none is attached."""
    options = {
        "--file": piece.file,
        "--title": piece.title,
        "--reviewer": piece.reviewer,
        "--evidence-date": piece.date,
        "--valid-until": piece.valid_until,
        "--independent": piece.independent or None,
    }
    return next((name for name, given in options.items() if given is not None), None)


def _say_side_effects(saved: Saved) -> None:
    if saved.recovered:
        say(f"Also saved, from an earlier attempt: {words.listed(saved.recovered)}")
    for kept in saved.settled:
        change = kept.change()
        dropped = said(change.response) if change else str(kept.response)
        say(f"Your earlier answer that stood against somebody else's is dropped: {dropped}")


def _keep(workspace: Workspace, inputs: Inputs, item: Item, org: str | None, keep: str) -> None:
    """Decide between several answers: one that could not be saved and the file's, or those of several authors."""
    if keep in {"mine", "theirs"}:
        chosen = choose_answer(workspace, inputs.content, item.id, org, cast(Literal["mine", "theirs"], keep))
        say(f"Kept: {said(chosen.response)}{_was(chosen.response, chosen.before)}.")
        return
    earlier = inputs.answers(scope_of(item, org)).get(item.id)
    settled = settle_on(earlier, item.id, keep)
    _say_side_effects(record_answer(workspace, inputs.content, item.id, settled, org, before=earlier))
    dropped = [said(answer) for answer in earlier.answers if answer.by != settled.by] if earlier else []
    say(f"Kept: {said(settled)}. No longer in the file: {'; '.join(dropped)}.")


def _confirm(
    workspace: Workspace, inputs: Inputs, item: Item, orgs: Sequence[str], everywhere: bool, author: str
) -> None:
    """Write what is proposed as the organisations' own answer."""
    if everywhere == bool(orgs):
        raise InterlockError("it is not said where the proposal holds", remedy="name --org ID, or say --everywhere")
    named = orgs or [
        org.id
        for org in inputs.organizations
        if item in asked_at(inputs, org.id) and may_confirm(inputs.answers(org.id).get(item.id))
    ]
    changes = confirmed(inputs, item, named, author)
    if changes:
        _say_side_effects(workspace.save_responses(changes))
        where = words.listed([change.scope for change in changes], limit=20)
        say(f"Confirmed {said(inputs.product.get(item.id))} at {where}.")
    done = {change.scope for change in changes}
    if others := [org.id for org in inputs.organizations if everywhere and org.id not in done]:
        say(f"As it was, because it has an answer or is not asked there: {words.listed(others, limit=20)}.")
    elif not changes:
        say("Nothing to confirm: that is the answer there already.")


def _was(now: Response | None, before: Response | None) -> str:
    same = before is None or (now is not None and (now.by, now.said) == (before.by, before.said))
    return "" if same else f" (it was {said(before)})"
