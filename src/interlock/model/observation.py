"""What a probe saw: facts, checks and the requests they rest on. Published as JSON, schema version 1."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from interlock.model.base import CheckOutcome, Model, Moment, Reference, Severity
from interlock.model.card import Card
from interlock.model.facts import Facts
from interlock.model.text import plain


class CheckEvidence(Model):
    """Where in which document: an address and a JSON pointer (RFC 6901)."""

    url: str
    pointer: str = ""


class Check(Model):
    """One check's result. ``message`` is one sentence; server-chosen text in it is already bounded, not escaped."""

    id: str
    title: str
    outcome: CheckOutcome
    severity: Severity
    message: str
    evidence: tuple[CheckEvidence, ...] = ()
    references: tuple[Reference, ...] = ()

    @field_validator("id")
    @classmethod
    def _of_today(cls, value: str) -> str:
        """The family ``NEG`` was ``AUTH`` in observations before December 2026 (docs/ids.md)."""
        return f"NEG{value.removeprefix('AUTH')}" if value.startswith("AUTH-") else value


class RequestRecord(Model):
    """One request that was sent.

    :ivar failure: a short machine word: ``dns`` ``connect`` ``tls`` ``timeout`` ``reset`` ``truncated`` ``too_large``
        ``redirect`` ``protocol``, or ``refused`` for an address that was advertised and deliberately not contacted.
    :ivar bytes: size of the body after content decoding; ``sha256`` is of the same bytes.
    :ivar purpose: what was asked for: ``metadata`` ``smart`` ``smart-root`` ``openid`` ``jwks`` ``udap`` and others.
    :ivar accept: the Accept header that was sent.
    :ivar reading: what the answer turned out to be (``document``, ``html``, ``xml``, ``operation_outcome``, …).
    :ivar headers: the response headers that checks read, lower-case names.
    :ivar proxy: origin of the proxy that it went through, without credentials; none when it went straight.
    """

    method: str
    url: str
    status: int | None = None
    elapsed_ms: float
    bytes: int = 0
    sha256: str | None = None
    content_type: str | None = None
    failure: str | None = None
    detail: str | None = None
    purpose: str | None = None
    accept: str | None = None
    reading: str | None = None
    headers: dict[str, str] = {}
    proxy: str | None = None


class Target(Model):
    """What was probed: the base URL as given, and the organisation's id where there is one.

    :ivar name: what a directory calls the organisation; ``vendor`` is who publishes the endpoint, as listed there.
    """

    base_url: str
    org: str | None = None
    name: str | None = None
    vendor: str | None = None


ObservationOutcome = Literal["observed", "partial", "not_observed"]


class Brought(Model):
    """How an observation came here that was made elsewhere: nothing proves who made it.

    :ivar by: who handed it over, as told; none when nobody said.
    :ivar sha256: of the whole file that it came in.
    """

    by: str | None = None
    at: Moment
    sha256: str


class Observation(Model):
    """One probe of one target; immutable once written. Times are UTC, durations in milliseconds.

    :ivar vantage: the name of the place that it was seen from, where somebody gave it one; else whoever probed knows.
    :ivar brought: how it came here, when it was made elsewhere.
    :ivar card: its checks and facts sorted for a reader, where it is shown; it is not stored.
    """

    schema_version: Literal["1"] = "1"
    target: Target
    vantage: str | None = Field(default=None, exclude_if=lambda vantage: vantage is None)
    started: Moment
    elapsed_ms: float
    outcome: ObservationOutcome
    facts: Facts = Facts.trusted()
    checks: tuple[Check, ...] = ()
    requests: tuple[RequestRecord, ...] = ()
    brought: Brought | None = Field(default=None, exclude_if=lambda brought: brought is None)
    card: Card | None = Field(default=None, exclude_if=lambda card: card is None)

    @property
    def smart_absent(self) -> bool:
        """Whether the server positively said that there is no SMART configuration under the base."""
        asked = [request for request in self.requests if request.purpose == "smart"]
        missed = any(check.id == "SMART-001" and check.outcome is CheckOutcome.FAIL for check in self.checks)
        return missed or (bool(asked) and asked[-1].reading == "absent")

    @property
    def origin_told(self) -> str:
        """From where it was seen and how it came here, as a phrase; nothing where nobody said."""
        vantage = plain(self.vantage, 80) if self.vantage else ""
        if self.brought is None:
            return vantage
        by = plain(self.brought.by, 80) if self.brought.by else "somebody who is not named"
        came = f"handed over by {by} on {self.brought.at:%Y-%m-%d}; nothing proves who made it"
        return f"{vantage}, {came}" if vantage else came

    @property
    def proxies(self) -> tuple[str, ...]:
        """The proxies that requests went through, without credentials, each once."""
        return tuple(dict.fromkeys(request.proxy for request in self.requests if request.proxy))

    def reason_not_observed(self) -> str | None:
        """The first request's failure in words, or none when something was observed.

        A certificate that was looked at says more than the first objection of the handshake.
        """
        if self.outcome != "not_observed":
            return None
        for request in self.requests:
            if request.failure == "tls" and self.facts.tls is not None and self.facts.tls.message:
                return self.facts.tls.message
            if request.failure:
                return request.detail or request.failure
            if request.status is not None and request.status >= 400:
                return f"HTTP {request.status} from {request.url}"
            if request.detail and request.reading not in {None, "document", "redirect"}:
                return request.detail
        return "nothing was received"
