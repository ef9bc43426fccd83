"""Answers that documents bring, set beside ours: what is new, the same or different, and saved whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from interlock.content.answer import MAX_TEXT
from interlock.content.visibility import hidden
from interlock.model import words
from interlock.model.base import Evidence, Status
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.forms import ChangeKind, FormChange, FormImport, StoredAnswer, Take
from interlock.model.questionnaire import Item, Response
from interlock.usecases.load import Inputs
from interlock.usecases.questions import Asked
from interlock.workspace.journal import Change
from interlock.workspace.responses import Saved
from interlock.workspace.store import Workspace

#: Files of one import.
MAX_FILES = 2_000
#: By how much the day may be ahead where somebody answers: time zones reach from UTC-12 to UTC+14.
_AHEAD = timedelta(hours=14)

Key = tuple[str, str]


class FormsRefusedError(InterlockError):
    """Nothing was imported: ``problems`` holds every reason, each with file and where in it."""

    def __init__(self, problems: Sequence[DocumentError]) -> None:
        count = words.count(len(problems), "problem")
        super().__init__(f"nothing was imported: {count}", remedy="correct the documents, or leave these answers out")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Brought:
    """An answer that a document brings.

    :ivar where: the document and the place in it.
    :ivar own_word: its author says it of his own organisation, so where ours differs somebody has to settle it.
    """

    response: Response
    where: Location
    own_word: bool = False


@dataclass
class Reading:
    """What was read of the documents so far.

    :ivar org: whose answers these are, where a document does not say.
    :ivar by: who answered, where a document does not say.
    :ivar now: the time of answers that bring none.
    :ivar answers: by scope and question.
    :ivar covered: scopes and questions of the documents' forms.
    """

    org: str | None
    any_version: bool
    now: datetime
    by: str | None = None
    answers: dict[Key, Brought] = field(default_factory=dict)
    covered: dict[Key, None] = field(default_factory=dict)
    problems: list[DocumentError] = field(default_factory=list)
    remarks: dict[str, None] = field(default_factory=dict)

    def add(self, scope: str, item: Item, brought: Brought) -> None:
        """Take one answer.

        :raises DocumentError: another one of these documents answers the question otherwise.
        """
        earlier = self.answers.setdefault((scope, item.id), brought)
        if earlier.response.said != brought.response.said:
            message = f"{item.id} is answered otherwise in {earlier.where.file}"
            raise DocumentError(message, location=brought.where, remedy="keep one")

    def check_time(self, time: datetime, where: Location) -> None:
        """Make sure that nobody answered tomorrow.

        :raises DocumentError: the time is in the future everywhere on earth.
        """
        if time.astimezone(UTC).replace(tzinfo=None) > self.now.astimezone(UTC).replace(tzinfo=None) + _AHEAD:
            day = words.iso_day(time.date().isoformat())
            raise DocumentError(f"the {day} is in the future", location=where, remedy="write the day of the answer")


def start(
    inputs: Inputs,
    files: Sequence[Path],
    *,
    org: str | None = None,
    any_version: bool = False,
    by: str | None = None,
    now: datetime | None = None,
) -> Reading:
    """Nothing read yet.

    :raises InterlockError: there is no such organisation, or too many files.
    """
    if org is not None:
        inputs.organization(org)
    if len(files) > MAX_FILES:
        raise InterlockError(f"more than {MAX_FILES:,} files", remedy="import them in several goes")
    return Reading(org, any_version, (now or datetime.now(UTC)).replace(microsecond=0), by)


def compare(inputs: Inputs, files: Sequence[Path], reading: Reading, *, take: Take | None, dry_run: bool) -> FormImport:
    """What saving these answers would change.

    :param take: whose answer stays where an organisation's own word differs from what is stored.
    :raises FormsRefusedError: an answer cannot be taken, with all reasons.
    """
    told: list[FormChange] = []
    for (scope, item_id), brought in reading.answers.items():
        before = inputs.answers(scope).get(item_id)
        try:
            kind, after = _settled(before, brought, take)
        except DocumentError as error:
            reading.problems.append(error)
            continue
        had_evidence = before is not None and (before.evidence is not Evidence.ASSERTED or bool(before.documents))
        if kind == "changed" and had_evidence and after.evidence is Evidence.ASSERTED and not after.documents:
            reading.remarks[f"{item_id} has another answer, and the document brings no evidence for it"] = None
        told.append(
            FormChange(
                scope=scope,
                item=item_id,
                text=inputs.content.items[item_id].text,
                kind=kind,
                before=before,
                theirs=brought.response,
                after=after,
            )
        )
    if reading.problems:
        raise FormsRefusedError(reading.problems)
    told = list(_with_hidden(inputs, told))
    return FormImport(
        files=tuple(str(path) for path in files),
        dry_run=dry_run,
        changes=tuple(change for change in told if _is_written(change)),
        others=tuple(change for change in told if not _is_written(change)),
        unsettled=sum(change.kind == "differs" for change in told) if take is None else 0,
        unchanged=sum(change.kind == "same" for change in told),
        kept=tuple(
            StoredAnswer(scope=scope, item=item)
            for scope, item in reading.covered
            if (scope, item) not in reading.answers and item in inputs.answers(scope)
        ),
        remarks=tuple(reading.remarks),
    )


def _is_written(change: FormChange) -> bool:
    return change.kind in {"new", "changed", "confirmed"}


def _with_hidden(inputs: Inputs, told: Sequence[FormChange]) -> Iterator[FormChange]:
    """The changes, each with whether its question is asked once all of them are saved."""
    answers = {scope: dict(inputs.answers(scope)) for scope in ("product", *(change.scope for change in told))}
    for change in filter(_is_written, told):
        answers[change.scope][change.item] = change.after
    after = replace(inputs, product=answers["product"], by_org=answers)
    not_asked = {scope: hidden(after.visible(scope)) for scope in answers}
    return (change.model_copy(update={"hidden": change.item in not_asked[change.scope]}) for change in told)


def _settled(stored: Response | None, brought: Brought, take: Take | None) -> tuple[ChangeKind, Response]:
    """How an answer compares with the stored one, and what is stored then.

    :raises DocumentError: what is noted on both sides is too long for one answer.
    """
    theirs = brought.response
    if stored is None:
        return "new", theirs
    if not brought.own_word:
        return ("same", stored) if stored.said == theirs.said else ("changed", theirs)
    if (stored.status, stored.value) == (theirs.status, theirs.value):
        if stored.by is not None:
            return "same", stored
        note = _notes(stored, theirs, brought.where)
        return "confirmed", stored.model_copy(update={"by": theirs.by, "at": theirs.at, "note": note})
    is_open = stored.status in {Status.UNANSWERED, Status.UNKNOWN}
    corrects = stored.by == theirs.by and stored.at is not None and theirs.at is not None and stored.at <= theirs.at
    if is_open or corrects or take == "theirs":
        after = theirs.model_copy(update={"note": _notes(stored, theirs, brought.where)})
        return ("new" if stored.status is Status.UNANSWERED else "changed"), after
    return "differs", stored


def _notes(stored: Response, theirs: Response, where: Location) -> str | None:
    """What is noted on both sides: a note of ours stays when the answer beside it is theirs."""
    notes = dict.fromkeys(note for note in (stored.note, theirs.note) if note)
    joined = "\n".join(notes)
    if len(joined) > MAX_TEXT:
        raise DocumentError(
            f"with what is noted already this comment is longer than {MAX_TEXT:,} characters",
            location=where,
            remedy="shorten one of them",
        )
    return joined or None


def apply_import(workspace: Workspace, planned: FormImport) -> Saved:
    """Save the changes: all of them or none.

    :raises InterlockError: an organisation's own word differs from what is stored, and nobody has settled it.
    :raises WorkspaceError: the folder is locked, read-only or full, or somebody else answered one meanwhile.
    """
    if planned.unsettled:
        differ = words.agree(planned.unsettled, "answer differs", "answers differ")
        raise InterlockError(
            f"nothing was imported: {planned.unsettled} {differ} from what is stored",
            remedy="settle them: --take theirs stores what the documents say, --take ours keeps what is stored",
        )
    changes = [Change(change.scope, change.item, change.after, change.before) for change in planned.changes]
    return workspace.save_responses(changes) if changes else Saved()


def answer_words(item: Item, response: Response | None) -> str:
    """A response as one line: the answer, and what stands beside it."""
    if response is None:
        return "no answer"
    parts = [Asked("", "", item, response).shown_answer()]
    if response.status is Status.NOT_APPLICABLE:
        parts[0] += f": {response.reason}"
    if response.evidence is not Evidence.ASSERTED:
        parts.append(words.EVIDENCE[response.evidence].phrase)
    if response.link:
        parts.append(f"evidence {response.link}")
    if response.note:
        parts.append(f"note: {response.note}")
    return "; ".join(parts)
