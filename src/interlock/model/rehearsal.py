"""A rehearsal of the team's own product: its checks, what each one showed, and the observation that is kept of it.

Simulated hospitals launch the running product, first politely, then not. What it did is evidence of the grade
``observed``, about the product and not about any organisation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from interlock.model.base import Model, Moment, Reference, Severity, Slug
from interlock.model.rule import RuleId

#: ``RH-``, the letter of the family, and a number within it; never used again for something else.
RehearsalId = Annotated[str, Field(pattern=r"^RH-[LACTRFWSEDBG]\d{2}$")]
#: A question, and the option of it that a held check supports: ``auth.return_checks=state``; without an option the
#: question is one that the check says something about, and no option of it is settled by this alone.
OptionRef = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9_]+(=[a-z0-9_]+)?$")]
#: The option that a question is at most at when the check broke; of several options the one that falls. ``@viewer``:
#: only for rows about a viewer; ``@aud``: only for those about that parameter.
BreakRef = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9_]+=[a-z0-9_]+(@[a-z_]+)?$")]
#: What a check needs to be looked at: plain HTTP, a browser with scripts, a hook of the team, a person who judges.
Means = Literal["http", "browser", "hook", "person"]
#: What product.yaml has to name before a check can be looked at, by its key there.
Hook = Literal["sign_out", "write", "withdraw", "job", "switch_off", "log", "session_limits", "user_page"]
#: Whether hospitals had addresses of their own (127.0.0.2, 127.0.0.3 …) or shared one and had ports: browsers keep
#: cookies apart by address, not by port, so what was seen of cookies holds for this arrangement.
Layout = Literal["addresses", "ports"]

Family = Literal[
    "launch", "authorization-request", "callback", "token-request", "token-answer", "fhir", "writes", "sessions",
    "endpoints", "redirects", "backend", "logs",
]  # fmt: skip
#: The letter of each family in the ids of its checks, in the order of a rehearsal.
LETTERS: Mapping[Family, str] = {
    "launch": "L", "authorization-request": "A", "callback": "C", "token-request": "T", "token-answer": "R",
    "fhir": "F", "writes": "W", "sessions": "S", "endpoints": "E", "redirects": "D", "backend": "B", "logs": "G",
}  # fmt: skip


class RehearsalOutcome(StrEnum):
    """What one check of a rehearsal showed.

    ``not_reached``: what it builds on did not happen, so it says nothing. ``needs_hook``: the team has to add
    something, or a person to read what was seen. ``inconclusive``: two repetitions differ.
    """

    HELD = "held"
    BROKE = "broke"
    NOT_REACHED = "not_reached"
    NEEDS_HOOK = "needs_hook"
    NOT_APPLICABLE = "not_applicable"
    INCONCLUSIVE = "inconclusive"


#: From the worst to the best, for what several rows of one check come to.
WORST_FIRST = (
    RehearsalOutcome.BROKE,
    RehearsalOutcome.INCONCLUSIVE,
    RehearsalOutcome.NOT_REACHED,
    RehearsalOutcome.NEEDS_HOOK,
    RehearsalOutcome.HELD,
    RehearsalOutcome.NOT_APPLICABLE,
)


def worst(outcomes: Iterable[RehearsalOutcome]) -> RehearsalOutcome:
    """What several rows of one check come to: it held only where nothing worse was seen in any of them.

    :raises ValueError: there are none.
    """
    return min(outcomes, key=WORST_FIRST.index)


class RehearsalCheck(Model):
    """One check of the catalogue.

    :ivar does: what the simulated hospital or the browser does.
    :ivar good: what a good application does then.
    :ivar how: what it needs; with ``http`` it runs without a browser that has scripts.
    :ivar hook: what product.yaml has to name for it, by its key there; without that it is not looked at.
    :ivar turns: the questions that it says something about, with the option that it supports when it held.
    :ivar breaks: what a break says of these questions (a judgement); nothing where it could come of several causes.
    :ivar rules: the rules that these questions decide.
    :ivar judgement: no public source asks for it in these words.
    :ivar steps: the check as a sequence, one ``who → whom: what`` each; A and B are hospitals that the application
        knows, X one that it does not.
    """

    id: RehearsalId
    severity: Severity
    title: Annotated[str, Field(min_length=1, max_length=120)]
    does: str
    good: str
    how: Annotated[tuple[Means, ...], Field(min_length=1)]
    hook: Hook | None = None
    turns: tuple[OptionRef, ...] = ()
    breaks: tuple[BreakRef, ...] = ()
    rules: tuple[RuleId, ...] = ()
    references: tuple[Reference, ...] = ()
    judgement: bool = False
    steps: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _rests_on_something(self) -> Self:
        if not self.references and not self.judgement:
            raise ValueError("a check names a source, or says that it is a judgement")
        if "hook" in self.how and "http" not in self.how and self.hook is None:
            raise ValueError("a check that cannot be looked at without a hook names it: hook")
        return self

    @property
    def family(self) -> Family:
        """The family that its letter stands for."""
        return next(family for family, letter in LETTERS.items() if letter == self.id[3])

    def counts(self, outcome: RehearsalOutcome | None) -> bool:
        """Whether what it showed has to hold for an option of its to be observed.

        One that a person has to judge says nothing by itself, nor one that needs a hook and was given none.
        """
        unlooked = "hook" in self.how and outcome in (None, RehearsalOutcome.NEEDS_HOOK)
        return not unlooked and "person" not in self.how

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """``(question, option)`` of what it supports when it held."""
        pairs = (reference.partition("=") for reference in self.turns)
        return tuple((question, option) for question, _, option in pairs if option)

    def fallen(self, question: str, about: str | None) -> tuple[str, ...]:
        """The options of a question that a row breaks; ``about`` as :attr:`RehearsalResult.about`."""
        refs = (reference.partition("@") for reference in self.breaks)
        told = (name.partition("=") for name, _, only in refs if not only or only == about)
        return tuple(option for name, _, option in told if name == question)


class RehearsalFamily(Model):
    """``rulesets/rehearsal/<family>.yaml``: the checks of one family, by number."""

    family: Family
    checks: Annotated[tuple[RehearsalCheck, ...], Field(min_length=1, max_length=99)]


class RehearsalResult(Model):
    """What one check showed, at one hospital or one endpoint of the product where it looks at several.

    :ivar organization: the simulated hospital in question; none where it is about the product as a whole.
    :ivar subject: the endpoint or parameter in question, where the check has a row for each.
    :ivar about: what kind of subject it is: ``page``, ``viewer``, ``filter`` or ``data`` of an endpoint, the name of a
        parameter.
    :ivar seen: what was seen, or why nothing was, as one sentence without a full stop.
    :ivar hook: what product.yaml has to name before it is looked at.
    :ivar requests: numbers of the lines of the tape that show it.
    """

    id: RehearsalId
    outcome: RehearsalOutcome
    severity: Severity
    title: str
    organization: Slug | None = None
    subject: Annotated[str, Field(max_length=300)] | None = None
    about: Annotated[str, Field(pattern=r"^[a-z_]{1,60}$")] | None = None
    seen: Annotated[str, Field(max_length=1_000)] = ""
    hook: Hook | None = None
    requests: Annotated[tuple[int, ...], Field(max_length=50)] = ()


Pairs = tuple[tuple[str, str], ...]


class TapeLine(Model):
    """One request of the rehearsal; codes, tokens, states, secrets and cookies in it are keyed hashes.

    :ivar at: seconds since the rehearsal began.
    :ivar by: ``app`` for the application's own requests, ``browser`` for those of the rehearsal's browsers.
    :ivar where: id of the simulated hospital, ``stranger`` for the one that the application does not know, ``app`` for
        the application.
    :ivar role: what the address is for (``authorize``, ``token``, ``resource`` …); empty at the application.
    """

    number: Annotated[int, Field(ge=1)]
    at: float
    by: Literal["app", "browser"]
    where: str
    role: str = ""
    method: str
    path: str
    query: Pairs = ()
    form: Pairs = ()
    status: int | None = None
    words: tuple[str, ...] = ()


class RehearsedApp(Model):
    """What was rehearsed.

    :ivar version: what the application says of itself, or its user stated; ``version_header`` where it said so.
    :ivar commit: of the git checkout in which the start command ran; ``dirty`` with changes that are not committed,
        none where nobody looked.
    :ivar deaths: how often it ended by itself and was started again.
    """

    launch_url: str
    version: Annotated[str, Field(max_length=200)] | None = None
    version_header: Annotated[str, Field(max_length=60)] | None = None
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")] | None = None
    dirty: bool | None = None
    deaths: Annotated[int, Field(ge=0)] = 0


class ProductObservation(Model):
    """One rehearsal of the product, ``observations/product/<utc>.json``; immutable once written.

    :ivar driver: what acted as the browser: ``http``, or Chromium with its version.
    :ivar organizations: the simulated hospitals that the application knew.
    :ivar polite: whether a polite launch held; without it nothing else was tried.
    :ivar left_out: what was not looked at because no browser with scripts drove the product, why, and how to have it.
    :ivar stopped: why it ended before every check was looked at; none when it did not.
    :ivar sent: how many requests the rehearsal's browsers sent.
    """

    schema_version: Literal["1"] = "1"
    app: RehearsedApp
    started: Moment
    elapsed_ms: float
    driver: str
    layout: Layout
    organizations: tuple[Slug, ...]
    polite: bool
    left_out: str | None = None
    stopped: str | None = None
    sent: int = 0
    results: tuple[RehearsalResult, ...] = ()
    tape: tuple[TapeLine, ...] = ()

    @property
    def outcomes(self) -> dict[str, RehearsalOutcome]:
        """What each check comes to over its rows, by id, in the order of the results."""
        rows: dict[str, list[RehearsalOutcome]] = {}
        for result in self.results:
            rows.setdefault(result.id, []).append(result.outcome)
        return {check: worst(outcomes) for check, outcomes in rows.items()}

    @property
    def hooks(self) -> dict[str, int]:
        """How many checks each hook would open that product.yaml does not name, the most first."""
        missing = dict.fromkeys((row.id, row.hook) for row in self.results if row.hook is not None)
        return dict(Counter(str(hook) for _, hook in missing).most_common())

    @property
    def unnamed(self) -> ProductObservation:
        """The same without its hospitals, which a team may have named after real ones: what held and what broke."""
        bare = (row.but(organization=None, subject=None, seen="", requests=()) for row in self.results)
        return self.but(organizations=(), results=tuple(bare), tape=())

    @property
    def broken(self) -> tuple[RehearsalResult, ...]:
        """Every row that broke, worst first."""
        broke = (result for result in self.results if result.outcome is RehearsalOutcome.BROKE)
        return tuple(sorted(broke, key=lambda result: (result.severity.rank, result.id)))


class BrokenCheck(Model):
    """One row that broke, with what its check is: what we did, what the product did, and what is right.

    :ivar questions: ids of the questions of which it decides something.
    """

    result: RehearsalResult
    check: RehearsalCheck
    questions: tuple[str, ...] = ()


class SettledQuestion(Model):
    """A question of which a rehearsal said something.

    :ivar observed: the answer that it shows, in words; ``answered`` the one in the file, none where there is none.
    :ivar contradicted: they differ: the file keeps the answer, what was observed is judged.
    :ivar checks: the checks that broke; empty where all of them held.
    """

    item: str
    text: str
    observed: str
    answered: str | None
    contradicted: bool
    checks: tuple[RehearsalId, ...] = ()


class RehearsalTold(Model):
    """The latest rehearsal, as it is told: how many checks showed what, what broke, and what that settles.

    :ivar counts: number of checks by outcome, over the hospitals and endpoints that each looked at.
    :ivar hooks: how many checks each hook would open that product.yaml did not name.
    :ivar aged: it is too old, or of another version of the product, and counts one grade less.
    """

    app: RehearsedApp
    started: Moment
    driver: str
    layout: Layout
    organizations: tuple[Slug, ...]
    left_out: str | None = None
    stopped: str | None = None
    aged: bool = False
    counts: dict[RehearsalOutcome, int]
    hooks: dict[str, int] = {}
    broke: tuple[BrokenCheck, ...] = ()
    settled: tuple[SettledQuestion, ...] = ()
