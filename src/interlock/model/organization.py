"""The organisations whose EHR a product integrates with, and the workspace's own settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from interlock.model.address_secrets import refuse_secrets
from interlock.model.base import Day, Gate, IsoDay, Model, ProductKind, Slug, Versioned
from interlock.model.branding import Branding
from interlock.model.evidence import Person
from interlock.model.text import plain

#: Name of an environment variable; secrets are never written into a workspace.
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


#: Other words that people write for the vendors that a pack exists for.
_SAME_VENDOR = {"athena": "athenahealth", "cerner": "oracle", "oracle-health": "oracle"}


class OrganizationAuth(Model):
    """Where credentials are found: names of environment variables only.

    :ivar key_id_env: holds the private key's ``kid``, for a key that does not carry its own (PEM).
    :ivar refresh_token_env: holds a refresh token, best a test user's: an active probe with a sample spends it.
    """

    client_id_env: EnvName | None = None
    client_secret_env: EnvName | None = None
    private_key_env: EnvName | None = None
    key_id_env: EnvName | None = None
    bearer_token_env: EnvName | None = None
    refresh_token_env: EnvName | None = None


class AccessWindows(Model):
    """When a shared test environment is ours, as the organisation states it (S41): it opens every ``every_days``
    working days and stays open for ``open_days``."""

    every_days: Annotated[float, Field(gt=0, le=260)]
    open_days: Annotated[float, Field(gt=0, le=260)]

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> AccessWindows:
        if self.open_days > self.every_days:
            raise ValueError("a window cannot stay open for longer than the time until the next one")
        return self


class Freeze(Model):
    """Days on which nothing changes in production: ``from`` and ``to`` belong to it. No ``org`` means everywhere."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    org: Slug | None = None
    reason: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Freeze:
        if not self.first <= self.last:
            raise ValueError("a freeze ends on or after the day on which it starts")
        return self


class Contact(Model):
    """Whom to turn to about one organisation: ``there`` one of its own people, ``here`` who of ours sees to it."""

    name: Person
    role: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s<>]+@[^@\s<>]+$")] | None = None
    side: Literal["there", "here"] = "there"

    @property
    def told(self) -> str:
        """``Dana Whitfield, interface analyst``."""
        return ", ".join(filter(None, (plain(self.name, 60), plain(self.role or "", 60))))


class Organization(Model):
    """One organisation at one environment.

    ``fhir_base_url`` has no trailing slash (FHIR R4 http.html#root). ``sandbox://ID`` names a simulated organisation of
    the embedded sandbox, which is started for as long as a probe needs it. ``overrides`` are its values of the
    contract's settings; what is of another type than the contract says is kept, and told.
    """

    id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    vendor: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "other"
    environment: Literal["sandbox", "non-production", "production"] = "non-production"
    fhir_base_url: str | None = None
    auth: OrganizationAuth = OrganizationAuth()
    overrides: dict[str, JsonValue] = {}
    access_windows: AccessWindows | None = None
    contacts: Annotated[tuple[Contact, ...], Field(max_length=100)] = ()
    note: str | None = None

    def contact(self, side: Literal["there", "here"]) -> Contact | None:
        """The first contact on one side."""
        return next((contact for contact in self.contacts if contact.side == side), None)

    @field_validator("vendor")
    @classmethod
    def _one_name_a_vendor(cls, vendor: str) -> str:
        return _SAME_VENDOR.get(vendor, vendor)

    @field_validator("fhir_base_url")
    @classmethod
    def _absolute_http_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        refuse_secrets(url if "://" in url else f"https://{url}")
        if not url.lower().startswith(("http://", "https://", "sandbox://")):
            raise ValueError(f"{url!r} has no scheme; write https://{url.lstrip('/')}")
        return url.partition("#")[0].partition("?")[0].rstrip("/")  # a base has neither; a key could hide there


class Settings(Versioned):
    """``interlock.yaml``: what this workspace assesses, with which content, and what its plan reckons with.

    :ivar kind: the kind of product: what does not apply to it is not asked; without one everything is.
    :ivar capacity: persons of each owner who work at the same time; nobody queues for an owner without a number.
    :ivar holidays: days that are not worked although they are Monday to Friday.
    :ivar freezes: change freezes of the organisations.
    :ivar branding: how its reports look.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    product: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = None
    kind: ProductKind | None = None
    profile: Literal["core", "full"] = "core"
    ruleset: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)?$", max_length=96)] = "core"
    ruleset_version: str | None = None
    questionnaire_version: str | None = None
    target_gate: Gate = Gate.PILOT
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 20260101
    start: IsoDay | None = None
    capacity: dict[Literal["us", "vendor", "org"], Annotated[float, Field(gt=0, le=1000)]] = {}
    holidays: Annotated[tuple[Day, ...], Field(max_length=1000)] = ()
    freezes: Annotated[tuple[Freeze, ...], Field(max_length=1000)] = ()
    branding: Branding = Branding()
