"""The frozen base of every model, the vocabulary's enumerations and the two ways of naming a source."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from interlock.model.address_secrets import refuse_secrets
from interlock.model.text import RESERVED_NAMES

#: An address of the web that holds no secret.
Address = Annotated[str, AfterValidator(refuse_secrets)]


def _no_reserved_name(name: str) -> str:
    if name in RESERVED_NAMES:
        raise ValueError(f"{name!r} is a device on Windows, and no file there can have this name; choose another")
    return name


#: Identifiers that appear in file names and node ids: organisations, milestones, settings.
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"), AfterValidator(_no_reserved_name)]

#: The first and last year of any date in a workspace: far from where calendars end, so that plans can reckon with them.
FIRST_YEAR, LAST_YEAR = 1990, 2200


def within_years(day: date) -> date:
    """The same date or time, if it is in a year that plans can reckon with.

    :raises ValueError: it is not.
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"dates are from {FIRST_YEAR} to {LAST_YEAR}")
    return day


#: A day and a moment with bounds.
Day = Annotated[date, AfterValidator(within_years)]
Moment = Annotated[datetime, AfterValidator(within_years)]


def _iso_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _iso_day(text: str) -> str:
    within_years(date.fromisoformat(text))
    return text


#: A date as text, in ISO 8601: of any year, and of those that a person may give.
IsoDate = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_iso_date)]
IsoDay = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_iso_day)]


class Model(BaseModel):
    """A frozen value: equal content is equal, unknown keys are errors, nothing does I/O."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        serialize_by_alias=True,
        ser_json_inf_nan="null",
        defer_build=True,  # a command builds the validators of the models that it reads, and no others
    )

    @classmethod
    def trusted(cls, **values: Any) -> Self:
        """The model of values that are valid already, by field name: nothing is checked or converted.

        A probe of a large directory builds millions of these. Probing 300 endpoints takes 0.49 s of processor time this
        way and 0.66 s with ``model_construct`` (the row of ``make bench``), hence the writes to pydantic's own slots.
        What is concluded at hundreds of organisations is made so too: 20,000 findings in 0.04 s and not in 0.17 s.
        """
        defaults, make = _fields(cls)
        made: Self = make(defaults | values)
        return made

    def but(self, **values: Any) -> Self:
        """The same with other values of some fields, which are not checked."""
        return self.model_copy(update=values)

    def __getstate__(self) -> dict[Any, Any]:
        """What another process is sent; which fields are set is said once for all models that are alike in it."""
        return super().__getstate__() | {"__pydantic_fields_set__": same_names(self)}

    def sharing_names(self) -> Self:
        """The same, which shares the names of its fields that are set with all models that have the same ones set."""
        _put_names(self, same_names(self))
        return self


#: Names of fields that are set, each set of them once. No model that is frozen changes its own.
_NAMES: dict[frozenset[str], set[str]] = {}


def same_names(model: BaseModel) -> set[str]:
    """The names of the fields that are set: one and the same object for all models that have the same ones set."""
    return _NAMES.setdefault(frozenset(model.model_fields_set), model.model_fields_set)


_put_values, _put_names, _put_extra, _put_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


_M = TypeVar("_M", bound=Model)


def maker(model: type[_M]) -> Callable[[dict[str, Any]], _M]:
    """What makes models of every field's value, in the order of definition: valid already, and the dictionary is kept.

    A target has a hundred checks with evidence, which are made so; with everything bound beforehand one takes 0.7 µs,
    by a class method 1.8 µs (45 µs less a target).
    """
    new, names = object.__new__, set(model.model_fields)
    put_values, put_names, put_extra, put_private = _put_values, _put_names, _put_extra, _put_private

    def make(values: dict[str, Any]) -> _M:
        made = new(model)
        put_values(made, values)
        put_names(made, names)
        put_extra(made, None)
        put_private(made, None)
        return made

    return make


@cache
def _fields(model: type[_M]) -> tuple[dict[str, Any], Callable[[dict[str, Any]], _M]]:
    """Every field with its default, in the order of definition, which is that of the JSON; and what makes the model."""
    defaults = {name: field.get_default(call_default_factory=False) for name, field in model.model_fields.items()}
    return defaults, maker(model)


#: The version of the files of a workspace: this one is written; it and all earlier ones are read.
SCHEMA = 1


#: How the message about a file of a newer schema begins.
NEWER = "this was made by a newer Interlock"


def newer_than_us(version: object, ours: int = SCHEMA) -> str | None:
    """The message about a file whose schema version is newer than ``ours``; none for any other version."""
    text = str(version)
    if not text.isdecimal() or len(text) > 9 or int(text) <= ours:
        return None
    return f"{NEWER} (schema {text}; this one reads up to {ours}): update Interlock"


class Versioned(Model):
    """A file of a workspace that may say which schema it has (``schema: 1``)."""

    #: The newest schema of this kind of file.
    newest: ClassVar[int] = SCHEMA
    schema_version: Annotated[int, Field(alias="schema", ge=1, exclude=True)] = SCHEMA

    @model_validator(mode="before")
    @classmethod
    def _not_newer(cls, data: Any) -> Any:
        newer = newer_than_us(data.get("schema"), cls.newest) if isinstance(data, dict) else None
        if newer is not None:
            raise ValueError(newer)
        return data


class Status(StrEnum):
    """Status of one response."""

    ANSWERED = "answered"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    UNANSWERED = "unanswered"


class ProductKind(StrEnum):
    """What kind of product is being integrated: which questions are asked of it."""

    CHART_APP = "chart_app"
    VIEWER = "viewer"
    BACKEND_SERVICE = "backend_service"
    PATIENT_APP = "patient_app"
    STAFF_APP = "staff_app"


class CheckOutcome(StrEnum):
    """Outcome of one probe check. ``not_observed`` says nothing about the server."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NOT_OBSERVED = "not_observed"
    ERROR = "error"


class RuleOutcome(StrEnum):
    """Outcome of one rule for one subject, three-valued plus applicability and error."""

    MET = "met"
    GAP = "gap"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"


class Severity(StrEnum):
    """Severity of a rule or check; :attr:`weight` is the score's weight."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def weight(self) -> float:
        """Score weight, dimensionless (docs/scoring.md)."""
        return _SEVERITY_WEIGHTS[self]

    @property
    def rank(self) -> int:
        """0 for critical … 3 for low: sorts the worst first."""
        return _RANKS[self]


_SEVERITY_WEIGHTS = {Severity.CRITICAL: 10.0, Severity.HIGH: 7.5, Severity.MEDIUM: 5.0, Severity.LOW: 2.5}


class GapClass(StrEnum):
    """The kind of obstacle that an open rule is."""

    PRODUCT_BLOCKER = "product_blocker"
    INTEGRATION_BLOCKER = "integration_blocker"
    GAP = "gap"
    ADVICE = "advice"


class Gate(StrEnum):
    """The four gates, in order."""

    DESIGN = "design"
    SANDBOX = "sandbox"
    PILOT = "pilot"
    PRODUCTION = "production"

    @property
    def rank(self) -> int:
        """0 for design … 3 for production."""
        return _RANKS[self]


class Scope(StrEnum):
    """Where a question or rule stands: once, once a vendor, or once an organisation."""

    PRODUCT = "product"
    VENDOR = "vendor"
    ORG = "org"


class Evidence(StrEnum):
    """How well a fact is supported; :attr:`factor` is the score's evidence factor."""

    ASSERTED = "asserted"
    DOCUMENTED = "documented"
    OBSERVED = "observed"

    @property
    def factor(self) -> float:
        """Evidence factor, dimensionless (docs/scoring.md)."""
        return {Evidence.ASSERTED: 0.5, Evidence.DOCUMENTED: 0.75, Evidence.OBSERVED: 1.0}[self]

    @property
    def rank(self) -> int:
        """0 for asserted … 2 for observed."""
        return _RANKS[self]

    @property
    def weaker(self) -> Evidence:
        """One grade less; asserted stays asserted."""
        return tuple(Evidence)[max(0, self.rank - 1)]


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    DOCUMENT = "document"
    TEST_REPORT = "test_report"
    AGREEMENT = "agreement"
    CONFIGURATION = "configuration"
    RECORDING = "recording"
    TICKET = "ticket"


class TaskState(StrEnum):
    """How far a routine task has come."""

    NOT_BEGUN = "not_begun"
    BEGUN = "begun"
    DONE = "done"


class VerdictValue(StrEnum):
    """The five verdicts, in the order in which they are decided (statements S04 to S08)."""

    PRODUCT_FIRST = "product_first"
    PROVE_OUTSIDE_EHR = "prove_outside_ehr"
    DEFINE_CONTRACT = "define_contract"
    MAP_AUTH = "map_auth"
    INTEGRATE = "integrate"

    @property
    def rank(self) -> int:
        """0 for product_first … 4 for integrate."""
        return _RANKS[self]


class Recommendation(StrEnum):
    """What to do at one organisation now."""

    START = "start"
    WAIT_FOR = "wait_for"
    MAP_FIRST = "map_first"
    NOT_YET = "not_yet"
    COULD_NOT_LOOK = "could_not_look"


#: Places in the order of definition; a table, because ranks are looked up for every finding.
_RANKS: dict[StrEnum, int] = {
    member: rank for enumeration in (Severity, Gate, VerdictValue, Evidence) for rank, member in enumerate(enumeration)
}


class Owner(StrEnum):
    """Who does the work."""

    US = "us"
    VENDOR = "vendor"
    ORG = "org"


class Grade(StrEnum):
    """How good the source of a number is; a judgement is always labelled one. ``history``: the team's own tasks."""

    REGULATION = "regulation"
    VENDOR = "vendor"
    LITERATURE = "literature"
    HISTORY = "history"
    JUDGEMENT = "judgement"


class Reference(Model):
    """A citation shown to the reader: a title with section, and an absolute address."""

    title: str
    url: Address
