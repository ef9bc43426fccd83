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
from interlock.model.questionnaire import EvidenceRecord, Item, Response
from interlock.model.text import forbidden, plain
from interlock.usecases.load import Content
from interlock.workspace.journal import Change
from interlock.workspace.responses import DisputedError, Saved, said
from interlock.workspace.store import Workspace

__all__ = ["DisputedError", "Raw", "choose_answer", "make_response", "record_answer", "said", "scope_of"]

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
    now: datetime | None = None,
) -> Response | None:
    """A validated response; none for ``unanswered`` with nothing said beside it.

    :param link: where the first piece of evidence is; the others are in ``documents``, whose first one it replaces.
    :raises InterlockError: the value is not offered, or the status does not fit the question.
    """
    texts = {"note": note, "reason": reason, "evidence link": link, "author": by, "assignee": assignee}
    for name, text in texts.items():
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
    }
    if status is Status.UNANSWERED and not (note or link or documents or assignee):
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
        raise InterlockError(f"{item.id}: {plain(first['msg'])}", remedy=remedy) from error


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
