"""What a bounded sample of patient data showed: counts, statuses and code systems, never a patient's value."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model

#: How a probe identified itself: ``public`` by a client id and a refresh token, without a secret; ``none`` when it had
#: no credentials.
AccessMethod = Literal["private_key_jwt", "client_secret_basic", "bearer_token", "public", "none"]
#: ``refused``: 401 or 403. ``rejected``: another 4xx, the question is not allowed. ``failed``: no usable answer.
SampleOutcome = Literal["sampled", "empty", "refused", "rejected", "failed", "not_asked"]
#: Why a required field is not there: a reason is stated in its place; its values stand in components or in the members
#: of a panel; the value is of another type of the same choice; or there is nothing at all.
Absence = Literal["reason", "components", "other_type", "nothing"]
#: Where the link to the next page leads; it is never followed. ``plain_http``: to this host, but not over https.
NextLink = Literal["here", "another_host", "plain_http", "relative", "unreadable"]


class InputSample(Model):
    """The sample of one input of the contract.

    :ivar category: the category that was asked for: fixed by the input's profile, or demanded by the server.
    :ivar status: the HTTP status that decided, none when no answer came.
    :ivar filters: names of the parameters by which the search was narrowed.
    :ivar seen: resources of the type that came and were looked at, no more than were asked for.
    :ivar others: parameter → resources among these that have another value of it: another patient's, another category.
    :ivar unnamed: resources among these that name no patient at all, where one was asked for.
    :ivar unrepeated: parameters that the answer's self link leaves out or changes: by that the server did not use them.
    :ivar page: most resources that a page held, each of which was asked to hold at most 20.
    :ivar total: how many there are as the server says, none when it does not.
    :ivar unreached: how many more there are by the server's own total, to which no next link leads.
    :ivar outcomes: severity and code of what the answer itself reports among its results: ``warning suppressed``.
    :ivar next_links: where links to a next page lead.
    :ivar count: resources that are what was asked for; all numbers below count among these.
    :ivar void: resources that say of themselves that they were entered in error.
    :ivar fields: required field → resources that have it, among those that are not void.
    :ivar absent: required field → why it is not there → resources, among those that are not void.
    :ivar statuses: status code of FHIR → resources that have it; a word that is none of FHIR's counts as ``other``.
    :ivar systems: code system's URI → resources that use it, among those that are not void.
    :ivar terminology: the code systems that the contract expects.
    :ivar expected: resources that use at least one of these, among those that are not void; units stand for no code.
    :ivar uncoded: resources without one that say why they have no code, among those that are not void.
    :ivar referenced: resources without one that refer to another resource, which has the code: a medication.
    :ivar reason: in our own words why nothing was seen, or to which narrower search the server answered.
    """

    resource: str
    category: str | None = None
    optional: bool = False
    outcome: SampleOutcome
    status: int | None = None
    filters: tuple[str, ...] = ()
    seen: int = 0
    others: dict[str, int] = {}
    unnamed: int = 0
    unrepeated: tuple[str, ...] = ()
    page: int = 0
    total: int | None = None
    unreached: int = 0
    outcomes: tuple[str, ...] = ()
    next_links: tuple[NextLink, ...] = ()
    count: int = 0
    void: int = 0
    fields: dict[str, int] = {}
    absent: dict[str, dict[Absence, int]] = {}
    statuses: dict[str, int] = {}
    systems: dict[str, int] = {}
    terminology: tuple[str, ...] = ()
    expected: int = 0
    uncoded: int = 0
    referenced: int = 0
    reason: str | None = None

    @property
    def valid(self) -> int:
        """Resources that count: those that were not entered in error."""
        return self.count - self.void

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
    :ivar no_store: the answer forbids to store it; ``refresh_issued``: a refresh token came with it, and was dropped.
    """

    outcome: Literal["issued", "given", "refused", "failed", "not_sent"]
    status: int | None = None
    error: str | None = None
    lifetime_s: int | None = None
    scope_stated: bool | None = None
    asked: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    reason: str | None = None
    no_store: bool | None = None
    refresh_issued: bool | None = None


class RefreshFacts(TokenFacts):
    """What the token endpoint made of a refresh token, which was used once; nothing that came is kept or used.

    :ivar given: the user gave it; else it came with the token of the sample.
    :ivar replaced: a new refresh token came, so that the one that was used is spent; none where none came.
    """

    given: bool = False
    replaced: bool | None = None


class IntrospectionFacts(Model):
    """What introspection said of the token that the client had just been issued; active probes only.

    :ivar client: whose token ``client_id`` says that it is; none where it says nothing.
    """

    outcome: Literal["answered", "refused", "failed", "not_sent"]
    status: int | None = None
    active: bool | None = None
    scope_stated: bool | None = None
    expiry_stated: bool | None = None
    client: Literal["ours", "another"] | None = None
    reason: str | None = None


class DataFacts(Model):
    """A sample of what the contract reads: one entry for each of its inputs, in its order."""

    method: AccessMethod
    token: TokenFacts | None = None
    introspection: IntrospectionFacts | None = None
    refresh: RefreshFacts | None = None
    inputs: tuple[InputSample, ...] = ()
    requests: int = 0
