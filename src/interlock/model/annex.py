"""The evidence annex of ``report.json``: what stands beside an assessment so that each of its claims can be checked."""

from __future__ import annotations

from interlock.model.base import Model, Moment
from interlock.model.observation import Check, ObservationOutcome, RequestRecord


class Seen(Model):
    """The last observation of an organisation without the facts that were read out of it.

    :ivar origin: from where it was seen, and how it came here, where somebody said.
    :ivar requests: every request with status and hash of the body; ``checks`` have address and pointer in that body.
    """

    org: str
    started: Moment
    elapsed_ms: float
    outcome: ObservationOutcome
    origin: str = ""
    requests: tuple[RequestRecord, ...] = ()
    checks: tuple[Check, ...] = ()


class StatementJudged(Model):
    """One statement of the method's source (S01 to S50), the rules that rest on it, and how these came out."""

    id: str
    text: str
    rules: tuple[str, ...]
    outcome: str


class Note(Model):
    """A title and what there is to say."""

    title: str
    text: str


class Annex(Model):
    """What a report in HTML or Markdown has in its appendix.

    :ivar limits: what the report cannot say; ``glossary``: its words and what they mean.
    """

    seen: tuple[Seen, ...]
    statements: tuple[StatementJudged, ...]
    method: tuple[Note, ...]
    limits: tuple[str, ...]
    glossary: tuple[Note, ...]
