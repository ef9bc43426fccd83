"""The parts of a workflow contract that its second version added: what was prose before, as data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from interlock.model.base import IsoDay, Model

LaunchMode = Literal["ehr", "standalone", "backend"]
Level = Literal["patient", "user", "system"]
ChannelKind = Literal["fhir-subscription", "cds-hooks", "hl7v2", "dicomweb", "poll"]

#: How a fixed parameter and a code are written.
FIXED_QUERY, TOKEN = r"^[^=&?#\s]+=[^&?#\s]+$", r"^[^|\s]+\|[^|\s]+$"
#: One fixed parameter of every search of a need: ``category=vital-signs``.
FixedQuery = Annotated[str, Field(pattern=FIXED_QUERY)]
#: A code with its system as a search has it: ``http://loinc.org|2524-7``.
Token = Annotated[str, Field(pattern=TOKEN)]
#: SHA-256 of a contract's text as data, without its approvals.
ContractHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FieldBinding(Model):
    """The codes that the product understands in one element: a value set, or the codes themselves."""

    path: str
    value_set: str | None = None
    codes: tuple[Token, ...] = ()
    strength: Literal["required", "extensible", "preferred", "example"] = "required"


class MissingField(Model):
    """What happens when one field is missing.

    :ivar then: ``stop``: no output; ``degrade``: an output without it, marked so; ``ask``: a person is asked for it.
    :ivar says: the words that the user sees.
    """

    field: str
    then: Literal["stop", "degrade", "ask"]
    says: str | None = None


class NeedHere(Model):
    """How one organisation differs in one need; what is not said stays as the contract has it."""

    organization: str
    profile: str | None = None
    search_parameters: tuple[str, ...] | None = None
    required_fields: tuple[str, ...] | None = None
    query: tuple[FixedQuery, ...] | None = None
    code: tuple[Token, ...] | None = None


class StatusStep(Model):
    """One state of what is written: who moves it on, and to which states.

    States are codes of the type's ``status``; of a document's ``docStatus`` where one of them is (``preliminary``).
    """

    state: str
    moved_by: str | None = None
    to: tuple[str, ...] = ()


class Writing(Model):
    """How an output is written: once, over nothing newer, and with its origin (FHIR R4, http.html).

    :ivar if_none_exist: search of a conditional create: the same output is not created twice.
    :ivar if_match: updates name the version that they replace, so that nobody's edit is lost.
    :ivar provenance: a Provenance resource is written with it.
    """

    if_none_exist: str | None = None
    if_match: bool | None = None
    provenance: bool | None = None


class ReviewState(Model):
    """A state of the review, and how long an output may stay in it."""

    state: str
    within: str | None = None
    then: str | None = None


class Client(Model):
    """One registration of the product: one for each launch mode and environment."""

    name: str
    mode: LaunchMode
    environment: Literal["sandbox", "non-production", "production"]
    launch_url: str | None = None
    redirect_uris: tuple[str, ...] = ()
    jwks_url: str | None = None
    contacts: tuple[str, ...] = ()
    terms_url: str | None = None
    privacy_url: str | None = None


class Session(Model):
    """How long a session lasts, and whether it outlives the access token."""

    length: str | None = None
    refresh: Literal["none", "online", "offline"] | None = None


class Channel(Model):
    """How the product learns of an event or hands something over; data only: nothing is sent by it.

    :ivar resource, states: what it is about, and in which states it starts the behaviour.
    :ivar hook, prefetch: of CDS Hooks; prefetch by key, as ``patient=Patient/{{context.patientId}}``.
    :ivar message, direction: of HL7 v2: ``ORU^R01``, and whether it comes in or goes out.
    :ivar organizations: where it is used; empty for all.
    """

    kind: ChannelKind
    resource: str | None = None
    states: tuple[str, ...] = ()
    hook: str | None = None
    prefetch: tuple[str, ...] = ()
    message: str | None = None
    direction: Literal["in", "out"] | None = None
    delivery: Literal["at-most-once", "at-least-once", "exactly-once"] | None = None
    latency_seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    organizations: tuple[str, ...] = ()


class Safeguards(Model):
    """What has to be decided before harm: who can stop it, how long an output holds, who reads it.

    :ivar subgroups: for which groups of patients its figures are looked at apart. None of any means undecided.
    """

    off_switch: str | None = None
    output_lifetime: str | None = None
    patient_release: str | None = None
    subgroups: str | None = None


class Owner(Model):
    """Who answers for a part of the contract."""

    name: str
    role: str
    part: str | None = None


class Approval(Model):
    """Who agreed to which text of the contract, and when."""

    by: str
    role: str | None = None
    organization: str | None = None
    date: IsoDay
    hash: ContractHash
