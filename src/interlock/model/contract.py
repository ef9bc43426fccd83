"""The workflow contract: the clinical event, what is read and written, and what happens when it goes wrong."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from interlock.model.base import Model, Versioned
from interlock.model.contract_parts import (
    Approval,
    Channel,
    Client,
    FieldBinding,
    FixedQuery,
    LaunchMode,
    Level,
    MissingField,
    NeedHere,
    Owner,
    ReviewState,
    Safeguards,
    Session,
    StatusStep,
    Token,
    Writing,
)

Interaction = Literal["read", "vread", "search", "create", "update", "patch", "delete"]
Universality = Literal["universal", "per_organization"]
SettingType = Literal["boolean", "integer", "number", "string", "list", "url"]
Where = Literal["simulate", "sandbox", "live"]


class ClinicalEvent(Model):
    """S10, S13: the event, who acts, where, and the states of the trigger that start the AI behaviour."""

    trigger: str
    actor: str
    setting: str
    states: tuple[str, ...] = ()
    action: str | None = None


class Launch(Model):
    """S25, S28: how a session starts and which context it needs. ``client`` is the SMART client type."""

    modes: tuple[LaunchMode, ...] = ()
    context: tuple[Literal["patient", "encounter", "user"], ...] = ()
    client: Literal["public", "confidential-symmetric", "confidential-asymmetric"] | None = None
    browser: bool = False


class Need(Model):
    """S11, S12: one resource that the workflow reads or writes, with everything that it depends on there.

    :ivar modes: the launch modes that use it; empty for all of the contract.
    :ivar level: what its scopes are for; by default ``patient`` or ``user``, by the launch context, and ``system``.
    :ivar query: parameters that every search of it has.
    :ivar missing: what happens without one of its fields; ``when_missing`` is about all others.
    :ivar not_at: organisations at which it is not needed; ``here`` says how one differs.
    :ivar per_day: how many are read or written a day at a usual organisation.
    :ivar status_flow, writing: of an output: its states, and how it is written.
    """

    resource: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{1,63}$")]
    purpose: str | None = None
    profile: str | None = None
    interactions: tuple[Interaction, ...] = ()
    search_parameters: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    required_fields: tuple[str, ...] = ()
    terminology: tuple[str, ...] = ()
    surface: Universality = "universal"
    when_missing: str | None = None
    optional: bool = False
    organizations: tuple[str, ...] = ()
    modes: tuple[LaunchMode, ...] = ()
    level: Level | None = None
    query: tuple[FixedQuery, ...] = ()
    code: tuple[Token, ...] = ()
    binding: tuple[FieldBinding, ...] = ()
    missing: tuple[MissingField, ...] = ()
    not_at: tuple[str, ...] = ()
    here: tuple[NeedHere, ...] = ()
    per_day: Annotated[float, Field(ge=0, le=1_000_000_000)] | None = None
    status_flow: tuple[StatusStep, ...] = ()
    writing: Writing = Writing()

    def at(self, organization: str) -> Need | None:
        """The need as this organisation has it, or none where it is not needed."""
        if organization in self.not_at or (self.organizations and organization not in self.organizations):
            return None
        own = next((part for part in self.here if part.organization == organization), None)
        return self if own is None else self.but(**own.model_dump(exclude={"organization"}, exclude_none=True))


class OutputIsWrong(Model):
    """S14: the five steps when an output turns out to be wrong; none means undecided."""

    detect: str | None = None
    correct: str | None = None
    withdraw: str | None = None
    notify: str | None = None
    audit: str | None = None


class Failures(Model):
    """S35, S36, S37: behaviour of each failure; none means undecided. From ``truncated`` on, of schema 2."""

    missing_field: str | None = None
    access_denied: str | None = None
    needs_review: str | None = None
    stale: str | None = None
    duplicate: str | None = None
    ehr_unavailable: str | None = None
    truncated: str | None = None
    unknown_modifier: str | None = None
    merged_patient: str | None = None
    event_gap: str | None = None
    own_service_down: str | None = None
    too_slow: str | None = None
    write_refused: str | None = None
    write_unknown: str | None = None


#: Failures that the first schema did not ask about.
SECOND_FAILURES = tuple(Failures.model_fields)[tuple(Failures.model_fields).index("truncated") :]


class Review(Model):
    """S37: who signs before an output enters the record."""

    required: bool | None = None
    role: str | None = None
    timeout: str | None = None
    on_refusal: str | None = None
    states: tuple[ReviewState, ...] = ()


class SurfaceSetting(Model):
    """S17, S18: one setting of the per-organisation configuration surface.

    By convention ``models_enabled`` and ``workflow_steps``, both lists, say which models run and which steps are taken.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    surface: Universality
    type: SettingType
    default: bool | int | float | str | list[str] | None = None
    description: str | None = None

    @property
    def needs_value(self) -> bool:
        """Whether each organisation has to say its own: it may differ, or there is nothing to fall back on."""
        return self.surface == "per_organization" or self.default is None

    def takes(self, value: object) -> bool:
        """Whether a value is of this setting's type."""
        match self.type:
            case "boolean":
                return isinstance(value, bool)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "number":
                return isinstance(value, (int, float)) and not isinstance(value, bool)
            case "list":
                return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
            case "url":
                return isinstance(value, str) and _is_absolute(value)
            case "string":
                return isinstance(value, str)


def _is_absolute(url: str) -> bool:
    """Whether an address has a scheme and a host."""
    try:
        parts = urlsplit(url)
        return bool(parts.scheme and parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        return False


class ProductEndpoint(Model):
    """S38: one of the product's own endpoints that a clinician's browser touches."""

    path: str
    audience: str
    carries_phi: bool
    authentication: str | None = None


class TestPathEntry(Model):
    """S41 to S43: where one behaviour is tested, and why there."""

    behaviour: str
    where: Where
    why: str | None = None
    runs_per_week: Annotated[float, Field(ge=0, le=10_000)] | None = None


class WorkflowContract(Versioned):
    """``contract.yaml``: one versioned file that the team, the organisations and CI refer to."""

    newest: ClassVar[int] = 2
    version: str
    title: str
    fhir_release: Literal["DSTU2", "STU3", "R4", "R4B", "R5"] = "R4"
    clinical_event: ClinicalEvent | None = None
    launch: Launch = Launch()
    inputs: tuple[Need, ...] = ()
    outputs: tuple[Need, ...] = ()
    output_is_wrong: OutputIsWrong = OutputIsWrong()
    failures: Failures = Failures()
    review: Review = Review()
    organization_surface: tuple[SurfaceSetting, ...] = ()
    endpoints: tuple[ProductEndpoint, ...] = ()
    test_path: tuple[TestPathEntry, ...] = ()
    channels: tuple[Channel, ...] = ()
    clients: tuple[Client, ...] = ()
    session: Session = Session()
    safeguards: Safeguards = Safeguards()
    owners: tuple[Owner, ...] = ()
    approvals: tuple[Approval, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 of everything that it says apart from its approvals: what an approval is for."""
        said = self.model_dump(mode="json", exclude={"approvals"}, exclude_defaults=True)
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    def alone(self, organization: str) -> WorkflowContract:
        """The contract as one organisation may read it: its own needs, channels and approvals, and no other's name."""

        def own(needs: tuple[Need, ...]) -> tuple[Need, ...]:
            here = [here for need in needs if (here := need.at(organization)) is not None]
            return tuple(need.but(organizations=(), not_at=(), here=()) for need in here)

        approvals = tuple(entry for entry in self.approvals if entry.organization in {None, organization})
        channels = tuple(
            channel.but(organizations=())
            for channel in self.channels
            if not channel.organizations or organization in channel.organizations
        )
        return self.but(inputs=own(self.inputs), outputs=own(self.outputs), channels=channels, approvals=approvals)

    @property
    def says_nothing(self) -> bool:
        """Whether it holds no more than its name and release: nobody has decided anything in it yet."""
        bare = WorkflowContract(version=self.version, title=self.title, fhir_release=self.fhir_release)
        return self.but(schema_version=bare.schema_version) == bare


class NeedMatch(Model):
    """One need against one organisation's statement.

    ``outcome`` is ``not_observed`` when the statement was not seen: that is never "missing"; ``restricted`` when a
    scope is listed with a query only, and ``not_fhir`` when FHIR has no such name, so that no server is asked for it.
    ``kind`` says what was looked for: ``resource``, ``interaction``,
    ``search_parameter``, ``operation``, ``profile``, ``condition`` (a header under which is written: ``If-None-Exist``,
    ``If-Match``), ``launch``, ``scope``, or ``release``. ``modes`` are the launch modes that need it, empty for all of
    the contract.
    """

    direction: Literal["input", "output", "launch", "release"]
    resource: str | None
    kind: Literal[
        "resource", "interaction", "search_parameter", "operation", "profile", "condition", "launch", "scope", "release"
    ]
    name: str
    outcome: Literal["supported", "missing", "not_observed", "undeclared", "restricted", "not_fhir"]
    optional: bool = False
    note: str | None = None
    modes: tuple[LaunchMode, ...] = ()


class SettingMatch(Model):
    """One setting of the contract at one organisation, or a value in its file that no setting of the contract has.

    :ivar outcome: ``own``: its file has a value of the setting's type; ``default``: the contract's, which is the same
        everywhere; ``defaulted``: it may differ here, and there is only the default; ``missing``: there is neither;
        ``mistyped``: the value is of another type; ``unknown``: the contract has no such setting;
        ``universal``: the contract has one value for everybody, and the file sets another.
    :ivar needed: whether each organisation has to say its own.
    :ivar value, default: as the files have them, on one bounded line.
    :ivar note: what is wrong with a value, or which name was meant.
    """

    name: str
    outcome: Literal["own", "default", "defaulted", "missing", "mistyped", "unknown", "universal"]
    needed: bool = False
    value: str | None = None
    default: str | None = None
    note: str | None = None


class ContractFit(Model):
    """The whole contract against one organisation.

    :ivar settings: the contract's settings here, which no observation shows; empty when the contract has none.
    """

    org: str
    observed: bool
    matches: tuple[NeedMatch, ...]
    settings: tuple[SettingMatch, ...] = ()

    def of_mode(self, mode: LaunchMode) -> ContractFit:
        """What one launch mode needs of it, without what others need."""
        return self.but(matches=tuple(match for match in self.matches if not match.modes or mode in match.modes))

    def names(self, outcome: str, *, optional: bool = False) -> tuple[str, ...]:
        """``Resource.name`` of every match with this outcome, in contract order."""
        return tuple(
            f"{match.resource}.{match.name}" if match.resource and match.kind != "resource" else match.name
            for match in self.matches
            if match.outcome == outcome and (optional or not match.optional)
        )
