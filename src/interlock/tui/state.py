"""Everything the app knows, as one frozen value: a change makes a new value. No I/O, no widgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment
    from interlock.model.errors import InterlockError
    from interlock.model.finding import Contradiction
    from interlock.model.observation import Observation
    from interlock.model.organization import Organization
    from interlock.model.readiness import OrgReadiness
    from interlock.model.response import Response
    from interlock.usecases.judge import Judgement
    from interlock.usecases.load import Inputs
    from interlock.usecases.next_questions import NextQuestion, NextQuestions

#: Where an answer belongs: ``product`` or an organisation's id, and the question's id.
Key = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """One answer as it was given; ``response`` none takes an earlier answer back.

    :ivar before: the answer that was there when it was given.
    """

    scope: str
    item: str
    response: Response | None
    before: Response | None

    @property
    def key(self) -> Key:
        """The scope and the question that the answer belongs to."""
        return self.scope, self.item

    @property
    def org(self) -> str | None:
        """The organisation's id, or none for the product."""
        return None if self.scope == "product" else self.scope


@dataclass(frozen=True)
class Waiting:
    """An answer that is not on disk. ``error`` none means that it is being saved right now."""

    answer: Answer
    error: InterlockError | None = None


@dataclass(frozen=True)
class ProbeRow:
    """How far the probe of one organisation is, in this session.

    :ivar detail: the last thing that happened, for a progress line; of a cancelled one, why it stopped by itself.
    :ivar began, ended: seconds of a clock that never goes back; none until then.
    """

    state: Literal["waiting", "running", "finished", "cancelled"]
    detail: str = ""
    requests: int = 0
    began: float | None = None
    ended: float | None = None

    @property
    def under_way(self) -> bool:
        """It waits for its turn, or is being probed."""
        return self.state in {"waiting", "running"}

    def took(self, now: float) -> float | None:
        """Seconds that it took, or that it has been under way; none before it began."""
        return None if self.began is None else (now if self.ended is None else self.ended) - self.began


@dataclass(frozen=True)
class State:
    """Everything that the screens show.

    :ivar revision: counts changes of ``inputs``; ``judged`` and ``assessed`` say which revision theirs belong to.
    :ivar worth: every question without an answer with what it settles, best first; of ``ranked``'s revision.
    :ivar problem: why the workspace could not be read; what is shown is older then.
    :ivar stuck: why the newest inputs could not be judged or assessed; what is shown is older then.
    :ivar waiting: answers that are not on disk.
    :ivar disputes: answers that were not saved, because somebody else answered the same question meanwhile.
    :ivar supposed: the what-ifs of the plan, in the order in which they were marked (:mod:`interlock.tui.plan_page`).
    :ivar changed_files: files that somebody else changed since they were read.
    """

    inputs: Inputs | None = None
    judgement: Judgement | None = None
    assessment: Assessment | None = None
    revision: int = 0
    judged: int = -1
    assessed: int = -1
    worth: NextQuestions | None = None
    ranked: int = -1
    problem: InterlockError | None = None
    stuck: InterlockError | None = None
    waiting: Mapping[Key, Waiting] = field(default_factory=dict)
    disputes: Mapping[Key, InterlockError] = field(default_factory=dict)
    probes: Mapping[str, ProbeRow] = field(default_factory=dict)
    supposed: tuple[str, ...] = ()
    changed_files: tuple[str, ...] = ()

    # -- asking ---------------------------------------------------------------------------------------------------

    @property
    def unsaved(self) -> tuple[Waiting, ...]:
        """Answers whose saving failed."""
        return tuple(entry for entry in self.waiting.values() if entry.error is not None)

    @property
    def up_to_date(self) -> bool:
        """Does the assessment belong to the inputs as they are?"""
        return self.assessed == self.revision

    def organization(self, org: str) -> Organization | None:
        """An organisation by its id, or none."""
        organizations = self.inputs.organizations if self.inputs else ()
        return next((entry for entry in organizations if entry.id == org), None)

    @property
    def names(self) -> dict[str, str]:
        """Names of the organisations by id."""
        return {org.id: org.name for org in self.inputs.organizations} if self.inputs else {}

    def name_of(self, scope: str) -> str:
        """The name of a scope: the product's or an organisation's."""
        if scope == "product":
            return self.inputs.settings.product if self.inputs else "product"
        org = self.organization(scope)
        return org.name if org else scope

    def readiness_of(self, org: str) -> OrgReadiness | None:
        """Where an organisation stands by the latest judgement, or none."""
        readiness = self.judgement.readiness if self.judgement else ()
        return next((entry for entry in readiness if entry.org == org), None)

    def contradiction(self, scope: str, item: str) -> Contradiction | None:
        """The observation that contradicts this answer, if there is one."""
        contradictions = self.assessment.contradictions if self.assessment else ()
        org = None if scope == "product" else scope
        return next((entry for entry in contradictions if entry.item == item and entry.org in {org, None}), None)

    def answer_at(self, scope: str, item: str) -> Response | None:
        """The response to a question of a scope as it is now; none without one, or where the organisation is gone."""
        gone = self.inputs is None or (scope != "product" and self.organization(scope) is None)
        return None if gone or self.inputs is None else self.inputs.answers(scope).get(item)

    def is_open(self, scope: str, item: str) -> bool:
        """Is this question there, without any answer?"""
        from interlock.model.base import Status

        inputs = self.inputs
        if inputs is None or item not in inputs.content.items:
            return False
        response = inputs.answers(scope).get(item)
        return response is None or response.status is Status.UNANSWERED

    @property
    def next_question(self) -> NextQuestion | None:
        """The question without an answer that settles most; none when every question has one."""
        questions = self.worth.questions if self.worth else ()
        return next((question for question in questions if self.is_open(question.scope, question.item)), None)

    def worth_of(self, scope: str, item: str) -> NextQuestion | None:
        """What an answer to this question settles; none when it has one."""
        questions = self.worth.questions if self.worth and self.is_open(scope, item) else ()
        return next((question for question in questions if (question.scope, question.item) == (scope, item)), None)

    # -- changing -------------------------------------------------------------------------------------------------

    def loaded(self, inputs: Inputs, disputes: Mapping[Key, InterlockError]) -> State:
        """The workspace was read; answers that are not on disk yet stay as they were given."""
        for entry in self.waiting.values():
            inputs = inputs.with_response(entry.answer.scope, entry.answer.item, entry.answer.response)
        return replace(
            self, inputs=inputs, revision=self.revision + 1, problem=None, disputes=disputes, changed_files=()
        )

    def answered(self, answer: Answer) -> State:
        """An answer was given; it is not on disk yet."""
        if self.inputs is None:
            return self
        return replace(
            self,
            inputs=self.inputs.with_response(answer.scope, answer.item, answer.response),
            revision=self.revision + 1,
            waiting={**self.waiting, answer.key: Waiting(answer)},
        )

    def saved(self, answer: Answer) -> State:
        """An answer is on disk; a newer one to the same question still waits."""
        entry = self.waiting.get(answer.key)
        if entry is None or entry.answer is not answer:
            return self
        disputes = {key: error for key, error in self.disputes.items() if key != answer.key}
        return replace(self._without(answer), disputes=disputes)

    def disputed(self, answer: Answer, error: InterlockError) -> State:
        """Somebody else answered the same question meanwhile: theirs stands, as the next loading shows."""
        return replace(self._without(answer), disputes={**self.disputes, answer.key: error})

    def _without(self, answer: Answer) -> State:
        waiting = {key: entry for key, entry in self.waiting.items() if entry.answer is not answer}
        return replace(self, waiting=waiting)

    def not_saved(self, answer: Answer, error: InterlockError) -> State:
        """An answer could not be saved; it stays."""
        entry = self.waiting.get(answer.key)
        if entry is None or entry.answer is not answer:
            return self
        return replace(self, waiting={**self.waiting, answer.key: Waiting(answer, error)})

    def retrying(self) -> State:
        """Every answer that waits is being saved again."""
        return replace(self, waiting={key: Waiting(entry.answer) for key, entry in self.waiting.items()})

    def without_older(self, newer: State) -> State:
        """This state without results that there are newer ones of: what a hidden section drew must not keep them."""
        return replace(
            self,
            judgement=self.judgement if self.judgement is newer.judgement else None,
            assessment=self.assessment if self.assessment is newer.assessment else None,
            worth=self.worth if self.worth is newer.worth else None,
        )

    def observed(self, observation: Observation) -> State:
        """An organisation was observed anew."""
        org = observation.target.org
        if self.inputs is None or org is None:
            return self
        return replace(self, inputs=self.inputs.with_observation(org, observation), revision=self.revision + 1)

    @property
    def probing(self) -> bool:
        """Is any organisation being probed?"""
        return any(row.under_way for row in self.probes.values())

    def probe_started(self, orgs: Iterable[str]) -> State:
        """These organisations are being probed, beside those that are already."""
        before = self.probes if self.probing else {}
        return replace(self, probes={**before, **{org: ProbeRow("waiting", "waiting for its turn") for org in orgs}})

    def probe_left(self, orgs: Iterable[str], now: float, why: str = "") -> State:
        """The probe of these ended; what had not finished was cancelled, or stopped for this reason."""
        rows = {
            org: replace(row, state="cancelled", detail=why, ended=now)
            for org in orgs
            if (row := self.probes.get(org)) is not None and row.under_way
        }
        return replace(self, probes={**self.probes, **rows}) if rows else self
