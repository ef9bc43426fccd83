"""The organisations whose EHR a product integrates with, and the workspace's own settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from interlock.model.base import Gate, Model, Slug

#: Name of an environment variable; secrets are never written into a workspace.
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


class OrganizationAuth(Model):
    """Where credentials are found: names of environment variables only."""

    client_id_env: EnvName | None = None
    client_secret_env: EnvName | None = None
    private_key_env: EnvName | None = None
    bearer_token_env: EnvName | None = None


class Organization(Model):
    """One organisation at one environment.

    ``fhir_base_url`` has no trailing slash (FHIR R4 http.html#root). ``sandbox://ID`` names a simulated organisation of
    the embedded sandbox, which is started for as long as a probe needs it.
    """

    id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    vendor: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "other"
    environment: Literal["sandbox", "non-production", "production"] = "non-production"
    fhir_base_url: str | None = None
    auth: OrganizationAuth = OrganizationAuth()
    overrides: dict[str, bool | int | float | str | list[str]] = {}
    note: str | None = None

    @field_validator("fhir_base_url")
    @classmethod
    def _absolute_http_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not url.lower().startswith(("http://", "https://", "sandbox://")):
            raise ValueError(f"{url!r} has no scheme; write https://{url.lstrip('/')}")
        return url.rstrip("/")


class Settings(Model):
    """``interlock.yaml``: what this workspace assesses, and with which content."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    product: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = None
    profile: Literal["core", "full"] = "core"
    ruleset: str = "core"
    ruleset_version: str | None = None
    questionnaire_version: str | None = None
    target_gate: Gate = Gate.PILOT
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 20260101
    start: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    capacity: dict[Literal["us", "vendor", "org"], Annotated[float, Field(gt=0)]] = {}
