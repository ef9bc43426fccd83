"""Recording one answer: validated against its question, saved at once, nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from interlock.content.answer import MAX_TEXT, parse_answer
from interlock.model.address_secrets import REMEDY, SECRET_FOUND
from interlock.model.base import Evidence, Scope, Status
from interlock.model.errors import InterlockError
from interlock.model.evidence import MAX_NAME, EvidenceRecord
from interlock.model.questionnaire import Item
from interlock.model.response import Response
from interlock.model.text import forbidden, plain, wrong_with_line
from interlock.usecases.load import Content, Inputs
from interlock.workspace.journal import Change
from interlock.workspace.responses import DisputedError, Saved, said
from interlock.workspace.store import Workspace

__all__ = [
    "DisputedError",
    "Raw",
    "choose_answer",
    "confirmed",
    "make_response",
    "may_confirm",
    "proposal_at",
    "record_answer",
    "said",
    "scope_of",
    "settle_on",
]

Raw = str | bool | int | Sequence[str]


def scope_of(item: Item, org: str | None) -> str:
    """The responses file that an answer belongs to: ``product`` or the organisation's id.

    :raises InterlockError: an organisation's question without an organisation, or the reverse.
    """
    if item.scope is Scope.ORG and org is None and not item.proposable:
        raise InterlockError(f"{item.id} is asked for each organisation", remedy="name one with --org")
    if item.scope is not Scope.ORG and org is not None:
        raise InterlockError(f"{item.id} is asked once for the product", remedy="leave --org out")
    return org or "product"


def make_response(
    item: Item,
    raw: Raw | None,
    *,
    status: Status = Status.ANSWERED,
    evidence: Evidence = Evidence.ASSERTED,
    note: str | None = None,
    reason: str | None = None,
    link: str | None = None,
    documents: Sequence[EvidenceRecord] = (),
    by: str | None = None,
    assignee: str | None = None,
    due: str | None = None,
    others: Sequence[Response] = (),
    now: datetime | None = None,
) -> Response | None:
    """A validated response; none for ``unanswered`` with nothing said beside it.

    :param link: where the first piece of evidence is; the others are in ``documents``, whose first one it replaces.
    :raises InterlockError: the value is not offered, or the status does not fit the question.
    """
    for name, person in (("author", by), ("assignee", assignee)):
        if person is not None and (wrong_name := wrong_with_line(person, MAX_NAME)) is not None:
            raise InterlockError(f"{item.id}: the {name} {wrong_name}", remedy="give a name on one line")
    for name, text in {"note": note, "reason": reason, "evidence link": link}.items():
        if len(text or "") > MAX_TEXT:
            raise InterlockError(
                f"{item.id}: the {name} is {len(text or ''):,} characters long, more than {MAX_TEXT:,}",
                remedy="shorten it",
            )
        wrong = forbidden(text or "")
        if wrong is not None:
            raise InterlockError(f"{item.id}: the {name} holds {wrong.description}", remedy="write it again without it")
    at = (now or datetime.now(UTC)).replace(microsecond=0)
    # What was entered beside the value stays with every status: it is often why the answer is what it is.
    fields: dict[str, object] = {
        "status": status,
        "evidence": evidence,
        "note": note,
        "documents": _with_link(documents, link),
        "by": by,
        "at": at,
        "assignee": assignee,
        "due": due,
        "others": tuple(others),
    }
    if status is Status.UNANSWERED and not (note or link or documents or assignee or due):
        return None
    if status is Status.NOT_APPLICABLE:
        if item.na == "never":
            raise InterlockError(f"{item.id} always applies", remedy="answer it, or say unknown")
        if not (reason or "").strip():
            raise InterlockError(f"{item.id}: not applicable needs a reason", remedy="give one with --reason")
        fields["reason"] = reason
    if status is Status.ANSWERED:
        if raw is None:
            raise InterlockError(f"{item.id}: no value was given", remedy="give one, or say --status unknown")
        fields["value"] = parse_answer(item, raw)
    try:
        return Response.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        remedy = REMEDY if first["type"] == SECRET_FOUND else None
        message = plain(first["msg"].removeprefix("Value error, "))
        raise InterlockError(f"{item.id}: {message}", remedy=remedy) from error


def _with_link(documents: Sequence[EvidenceRecord], link: str | None) -> list[dict[str, object]]:
    """The evidence as the model reads it, with this link in its first piece."""
    records = [record.model_dump(exclude_none=True) for record in documents]
    first: dict[str, object] = {"link": link} if link else {}
    if not records:
        return [first] if first else []
    kept = {key: value for key, value in records[0].items() if key != "link"} | first
    return [kept, *records[1:]] if {"link", "title", "file"} & kept.keys() else records[1:]


def record_answer(
    workspace: Workspace,
    content: Content,
    item_id: str,
    response: Response | None,
    org: str | None,
    *,
    before: Response | None,
) -> Saved:
    """Save one response (``None`` removes it).

    :param before: what whoever answers had read there.
    :raises InterlockError: unknown question, wrong scope, unknown organisation.
    :raises DisputedError: somebody else answered meanwhile; theirs stays, and this one is kept beside it.
    :raises WorkspaceError: it could not be saved; the answer is kept for the next save and the message says where.
    """
    scope = scope_of(content.item(item_id), org)
    if org is not None and not workspace.has(f"orgs/{org}.yaml"):
        raise InterlockError(f"there is no organisation {plain(org, 80)!r}", remedy="interlock org list shows them")
    return workspace.save_response(scope, item_id, response, before=before)


def choose_answer(
    workspace: Workspace, content: Content, item_id: str, org: str | None, keep: Literal["mine", "theirs"]
) -> Change:
    """Decide between one's own answer and somebody else's; returns what the file holds now, and held before.

    :raises InterlockError: unknown question, wrong scope.
    :raises WorkspaceError: there is nothing to decide, or it could not be saved.
    """
    return workspace.choose(scope_of(content.item(item_id), org), item_id, keep)


def settle_on(response: Response | None, item_id: str, author: str) -> Response:
    """The answer of one of several authors, alone; who owes something stays.

    :param author: his name, or a part of it that no other's has.
    :raises InterlockError: there is nothing to settle, nobody of that name answered, or several did.
    """
    if response is None or not response.others:
        raise InterlockError(f"there is one answer to {item_id} at most", remedy="answer it as usual")
    wanted = author.casefold()
    named = [(answer, (answer.by or "").casefold()) for answer in response.answers]
    matches = [answer for answer, name in named if name == wanted] or [
        answer for answer, name in named if wanted in name
    ]
    if len(matches) != 1:
        known = "; ".join(plain(answer.by or "somebody who is not named", 80) for answer in response.answers)
        count = f"{len(matches)} of those" if matches else "nobody"
        raise InterlockError(
            f"{count} who answered {item_id} {'are' if matches else 'is'} called {plain(author, 80)!r}",
            remedy=f"it was answered by: {known}",
        )
    return matches[0].but(assignee=response.assignee, due=response.due)


def confirmed(inputs: Inputs, item: Item, orgs: Sequence[str], by: str) -> list[Change]:
    """The product's proposal as each organisation's own answer; where it is the same already, nothing changes.

    :param orgs: the organisations where it holds.
    :raises InterlockError: there is no proposal, no such organisation, or it answered otherwise.
    """
    proposal = inputs.product.get(item.id)
    if not item.proposable:
        asked = "for each organisation" if item.scope is Scope.ORG else "once for the product"
        raise InterlockError(f"{item.id} is asked {asked}: nothing is proposed for all of them", remedy="answer it")
    if proposal is None or proposal.agreed_status not in {Status.ANSWERED, Status.NOT_APPLICABLE}:
        raise InterlockError(
            f"nothing is proposed for {item.id}", remedy=f"propose an answer: interlock answer {item.id} VALUE"
        )
    at = datetime.now(UTC).replace(microsecond=0)
    changes = []
    for org in orgs:
        inputs.organization(org)
        own = inputs.answers(org).get(item.id)
        if own is not None and (own.agreed_status, own.value) == (proposal.status, proposal.value):
            continue
        if own is not None and not may_confirm(own):
            raise InterlockError(
                f"{org} answered {item.id} otherwise: {said(own)}; proposed is {said(proposal)}",
                remedy=f"leave {org} out, or answer it there: interlock answer {item.id} VALUE --org {org}",
            )
        note = own.note if own is not None and own.note else proposal.note
        response = proposal.but(by=by, at=at, note=note, assignee=None, due=None, others=())
        changes.append(Change(org, item.id, response, own))
    return changes


def may_confirm(own: Response | None) -> bool:
    """Whether an organisation has no answer of its own yet."""
    return own is None or (not own.others and own.status in {Status.UNANSWERED, Status.UNKNOWN})


def proposal_at(inputs: Inputs, scope: str, item: Item) -> Response | None:
    """What is proposed for every organisation where one of them is asked, and has not answered; none otherwise."""
    proposal = inputs.product.get(item.id)
    own = inputs.answers(scope).get(item.id)
    if scope == "product" or not item.proposable or proposal is None or proposal.agreed_status is not Status.ANSWERED:
        return None
    return proposal if may_confirm(own) else None
