"""Access tokens for a sample: asked for with its credentials, kept in memory, used until they end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from interlock.fhir import scopes
from interlock.model.facts import Facts, SmartFacts
from interlock.model.observation import RequestRecord
from interlock.model.sample import RefreshFacts, TokenFacts
from interlock.probe.checks.neg import OAUTH_ERRORS
from interlock.probe.transport import plan
from interlock.probe.transport.addresses import Origin, origin
from interlock.probe.transport.client import Client
from interlock.probe.transport.credentials import Credentials, Secret, is_refresh_token, is_token
from interlock.probe.transport.exchange import OnRecord, Purpose, may_carry_secrets, not_sent, without_content
from interlock.probe.transport.transfer import Ask, Reply

if TYPE_CHECKING:
    from interlock.model.contract import Need

_MAX_TOKENS = 4
#: A token that ends this soon is not used any more, seconds.
_MARGIN_S = 5.0
_PUBLIC = "a public client has no token of its own, only what it gets when somebody signs in"


@dataclass(frozen=True, slots=True)
class Base:
    """The FHIR base that a sample is taken from, after its discovery.

    :ivar deadline: of the sample, on the loop's clock.
    :ivar smart_url: address from which the SMART configuration came, none when there is none.
    """

    url: str
    facts: Facts
    deadline: float
    private_origins: frozenset[Origin]
    smart_url: str | None = None


def scope_candidates(needs: Sequence[Need], smart: SmartFacts | None) -> tuple[str, ...]:
    """Scopes to ask for, best first: reading and searching of the inputs' types, never writing.

    In the syntax that the server declares (SMART 2.2: ``.rs``; 1.0: ``.read``); in both, in turn, when it
    declares neither or both.
    """
    types = list(dict.fromkeys(need.resource for need in needs))
    version_2 = " ".join(f"system/{name}.rs" for name in types)
    version_1 = " ".join(f"system/{name}.read" for name in types)
    if smart is not None and smart.scopes_supported is not None and smart.scopes_v1 != smart.scopes_v2:
        return (version_2,) if smart.scopes_v2 else (version_1,)
    return (version_2, version_1)


class TokenSource:
    """The access tokens of a sample: kept in memory, asked for again when they end, at most a few times.

    :ivar facts: of the token endpoint's answer, none before it was asked.
    :ivar records: of the token requests; ``refreshes`` of the one that uses a refresh token.
    """

    def __init__(self, credentials: Credentials, client: Client, base: Base, needs: Sequence[Need]) -> None:
        self.facts: TokenFacts | None = None
        self.records: list[RequestRecord] = []
        self.refreshes: list[RequestRecord] = []
        self._refresh_token = credentials.refresh_token
        self._credentials = credentials
        self._client = client
        self._base = base
        self._scopes = scope_candidates(needs, base.facts.smart)
        self._token = credentials.bearer_token
        self._until = float("inf")
        self._asked = 0
        if self._token is not None:
            self.facts = TokenFacts(outcome="given")

    async def get(self, on_record: OnRecord) -> Secret | None:
        """A token that is still valid, or none; :attr:`facts` then says why."""
        if self._token is not None and asyncio.get_running_loop().time() < self._until:
            return self._token
        if self._credentials.bearer_token is not None or (self.facts is not None and self.facts.outcome != "issued"):
            return None
        self._token = None
        if not self._credentials.authenticates:
            self.facts = TokenFacts(outcome="not_sent", reason=_PUBLIC)
            return None
        address, reason = self._address("token", self.records)
        if address is None:
            self.facts = TokenFacts(outcome="not_sent", reason=reason)
            return None
        for scope in self._scopes:
            if self._asked >= _MAX_TOKENS:
                self.facts = TokenFacts(outcome="failed", reason="its tokens end before they can be used")
                return None
            self._asked += 1
            self._token, self.facts = await self._issue(address, scope, on_record)
            if self._token is not None:
                self._scopes = (scope,)
            if self.facts.error != "invalid_scope":
                break
        return self._token

    async def refresh(self, on_record: OnRecord) -> RefreshFacts | None:
        """Use the refresh token once, and drop it with all that came; none where there is none.

        The new access token is not used, a new refresh token only compared with the one that was used (RFC 6749 section
        6: it takes its place).
        """
        used, self._refresh_token = self._refresh_token, None
        if used is None:
            return None
        given = self._credentials.refresh_token is used
        address, reason = self._address("refresh", self.refreshes)
        if address is None:
            return RefreshFacts(outcome="not_sent", reason=reason, given=given)
        request = self._credentials.refresh_request(address, used)
        answer = await self._answer("refresh", address, request, (), on_record)
        replaced = answer.refresh.reveal() != used.reveal() if answer.token and answer.refresh else None
        return RefreshFacts(**dict(answer.facts), given=given, replaced=replaced)

    def _address(self, purpose: Purpose, records: list[RequestRecord]) -> tuple[str | None, str]:
        """The address to which the credentials may be sent, or none and why they are not."""
        base, smart = self._base, self._base.facts.smart
        if smart is None or smart.token_endpoint is None:
            return None, "no token endpoint is known"
        if base.smart_url is not None and origin(base.smart_url) != origin(base.url):
            return None, "the SMART configuration came from another host than the base"
        allowed = plan.follow(smart.token_endpoint, base.url, base.private_origins)
        reason = allowed.reason
        if allowed.url is not None:
            if not may_carry_secrets(base.url) or not may_carry_secrets(allowed.url):
                reason = "it is not https"
            elif not self._credentials.may_go_to(allowed.url):
                reason = "they were not trusted to go to that host"
            else:
                return allowed.url, ""
        reason = f"credentials are not sent there: {reason}"
        records.append(not_sent(smart.token_endpoint, reason, purpose, "POST"))
        return None, reason

    async def _issue(self, address: str, scope: str, on_record: OnRecord) -> tuple[Secret | None, TokenFacts]:
        request = self._credentials.token_request(address, scope)
        token, lifetime, facts, refresh = await self._answer("token", address, request, tuple(scope.split()), on_record)
        self._refresh_token = self._refresh_token or refresh
        ends = float("inf") if lifetime is None else max(0.0, lifetime - min(_MARGIN_S, lifetime / 2))
        self._until = asyncio.get_running_loop().time() + ends
        return token, facts

    async def _answer(
        self,
        purpose: Literal["token", "refresh"],
        address: str,
        request: tuple[Secret, Mapping[str, Secret]],
        asked: tuple[str, ...],
        on_record: OnRecord,
    ) -> TokenAnswer:
        """What the token endpoint answers to a request, which is noted without a word of it."""
        form, headers = request
        base = self._base
        reply = await self._client.get(
            Ask(
                url=address,
                accept="application/json",
                deadline=base.deadline,
                purpose=purpose,
                credentials={name: value.reveal() for name, value in headers.items()},
                client_certificate=origin(address) == origin(base.url),
                method="POST",
                form=form.reveal(),
            )
        )
        answer = read_token(reply, asked)
        said = f"{answer.facts.outcome}{': ' + answer.facts.reason if answer.facts.reason else ''}"
        record = without_content(reply.record, address, "answered", said)
        (self.records if purpose == "token" else self.refreshes).append(record)
        on_record(record)
        return answer


class TokenAnswer(NamedTuple):
    """What a token endpoint answered: secrets that stay in memory, the lifetime in seconds, and what is kept of it."""

    token: Secret | None
    lifetime: int | None
    facts: TokenFacts
    refresh: Secret | None = None


def read_token(reply: Reply, asked: tuple[str, ...]) -> TokenAnswer:
    """Tokens, lifetime and facts of a token endpoint's answer (RFC 6749 sections 5.1 and 5.2).

    No text of the server is kept but a registered error code and scopes for the types that were asked for: any other
    could repeat a secret that it was sent.
    """
    record, status = reply.record, reply.record.status
    if reply.failure is not None or status is None:
        reason = without_content(record, record.url, "failed").detail
        return TokenAnswer(None, None, TokenFacts(outcome="failed", reason=reason, asked=asked))
    value = reply.json()
    body: Mapping[str, Any] = value if isinstance(value, dict) else {}
    if not 200 <= status < 300:
        error = body.get("error")
        known = error if isinstance(error, str) and error in OAUTH_ERRORS else None
        reason = f"HTTP {status}" + (f", {known}" if known else "" if body else ", and no OAuth error")
        refused = 400 <= status < 500 and status != 429
        outcome: Literal["refused", "failed"] = "refused" if refused else "failed"
        facts = TokenFacts(outcome=outcome, status=status, error=known, reason=reason, asked=asked)
        return TokenAnswer(None, None, facts)
    text, kind = body.get("access_token"), body.get("token_type")
    if not isinstance(text, str) or not is_token(text) or not isinstance(kind, str) or kind.lower() != "bearer":
        problem = "no bearer token in it" if body else "no JSON object"
        facts = TokenFacts(outcome="failed", status=status, reason=f"HTTP {status}, {problem}", asked=asked)
        return TokenAnswer(None, None, facts)
    seconds, scope, refresh = (body.get(name) for name in ("expires_in", "scope", "refresh_token"))
    lifetime = seconds if type(seconds) is int and 0 <= seconds < 10**9 else None
    types = {parsed.type for scope_text in asked if (parsed := scopes.parse(scope_text)) is not None} | {"*"}
    listed = dict.fromkeys(scope.split()[:500]) if isinstance(scope, str) else ()
    facts = TokenFacts(
        outcome="issued",
        status=status,
        lifetime_s=lifetime,
        scope_stated=isinstance(scope, str),
        asked=asked,
        granted=tuple(scope_text for scope_text in listed if _is_listed(scope_text, types)),
        no_store="no-store" in record.headers.get("cache-control", "").lower(),
        refresh_issued=isinstance(refresh, str),
    )
    kept = Secret(refresh) if isinstance(refresh, str) and is_refresh_token(refresh) else None
    return TokenAnswer(Secret(text), lifetime, facts, kept)


def _is_listed(text: str, types: set[str]) -> bool:
    """Whether a scope is for a type that was asked for, without a query: nothing in it is the server's own word."""
    parsed = scopes.parse(text)
    return parsed is not None and parsed.type in types and not parsed.constraint
