"""What a bounded sample of patient data showed: counts, statuses and code systems, never a patient's value."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model

#: How a probe identified itself; ``none`` when it had no credentials.
AccessMethod = Literal["private_key_jwt", "client_secret_basic", "bearer_token", "none"]
#: ``refused``: 401 or 403. ``rejected``: another 4xx, the question is not allowed. ``failed``: no usable answer.
SampleOutcome = Literal["sampled", "empty", "refused", "rejected", "failed", "not_asked"]


class InputSample(Model):
    """The sample of one input of the contract.

    :ivar category: the category that was asked for: fixed by the input's profile, or demanded by the server.
    :ivar status: the HTTP status that decided, none when no answer came.
    :ivar count: resources that were looked at; all other numbers count among these.
    :ivar fields: required field → resources that have it.
    :ivar statuses: status code of FHIR → resources that have it; a word that is none of FHIR's counts as ``other``.
    :ivar systems: code system's URI → resources that use it.
    :ivar terminology: the code systems that the contract expects.
    :ivar reason: in our own words why nothing was seen, or to which narrower search the server answered.
    """

    resource: str
    category: str | None = None
    optional: bool = False
    outcome: SampleOutcome
    status: int | None = None
    count: int = 0
    fields: dict[str, int] = {}
    statuses: dict[str, int] = {}
    systems: dict[str, int] = {}
    terminology: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def name(self) -> str:
        """``Observation (laboratory)``."""
        return f"{self.resource} ({self.category})" if self.category else self.resource


class TokenFacts(Model):
    """What the token endpoint made of the credentials; the token itself is nowhere.

    :ivar outcome: ``given`` is a bearer token from the user, which no endpoint issued.
    :ivar status: HTTP status of the last token request.
    :ivar error: the OAuth error code (RFC 6749 section 5.2), when it is a registered one.
    :ivar lifetime_s: ``expires_in``, seconds.
    :ivar scope_stated: the answer says which scopes were granted (SMART 2.2: required).
    :ivar granted: the resource scopes that were granted, as far as they are of SMART's form.
    """

    outcome: Literal["issued", "given", "refused", "failed", "not_sent"]
    status: int | None = None
    error: str | None = None
    lifetime_s: int | None = None
    scope_stated: bool | None = None
    asked: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    reason: str | None = None


class DataFacts(Model):
    """A sample of what the contract reads: one entry for each of its inputs, in its order."""

    method: AccessMethod
    token: TokenFacts | None = None
    inputs: tuple[InputSample, ...] = ()
    requests: int = 0
