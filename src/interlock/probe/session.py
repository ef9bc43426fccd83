"""Probing a target: which documents, in which order, all within its deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from interlock.documents.redaction import secrets_in_use, without_secrets_in_use
from interlock.model.address_secrets import may_hold_secrets, redacted_url
from interlock.model.errors import InterlockError
from interlock.model.facts import Facts, SmartFacts, TlsFacts
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.probe.active import ask_token_endpoint, count_without_token, read_without_token
from interlock.probe.assemble import (
    access_facts,
    base_facts,
    cors_facts,
    is_absent,
    outcome_of,
    tls_facts,
    with_advertised,
)
from interlock.probe.checks.base import CheckInput
from interlock.probe.checks.registry import internal_errors, run_checks
from interlock.probe.conversation import get_document
from interlock.probe.transport import plan
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.client import Client
from interlock.probe.transport.exchange import PURPOSES, Exchange, OnRecord, Purpose, not_sent
from interlock.probe.transport.failures import CERTIFICATE_WORDS
from interlock.probe.transport.settings import ProbeSettings, SamplePlan
from interlock.probe.transport.tls import Inspection, inspect
from interlock.probe.transport.tls_facts import explained
from interlock.probe.transport.transfer import Ask


async def probe_target(
    target: Target, client: Client, settings: ProbeSettings, on_record: OnRecord
) -> tuple[Observation, dict[str, bytes]]:
    """Probe a target: its observation, and the JSON documents that it rests on by sha256.

    Never raises for anything about the target: problems are in the observation.

    What the client's memory knows of the host is used and added to.

    :raises InterlockError: the settings cannot work for any target (an unusable proxy).
    """
    started = datetime.now(UTC)
    clock = time.perf_counter()
    try:
        base = plan.clean_base_url(target.base_url)
    except InterlockError as error:
        return _unusable(target, started, error), {}
    deadline = asyncio.get_running_loop().time() + settings.deadline_s
    session = _Session(base, client, settings, on_record, deadline)
    try:
        await session.run(settings.samples.get(target.org or ""))
    except InterlockError:
        raise
    except Exception as error:
        # A surprise about this target must cost no other its observation: it is reported as this program's mistake.
        session.surprises.append(error)
    exchanges = session.exchanges
    given = CheckInput(
        base,
        session.facts,
        exchanges,
        active=settings.active,
        strict=settings.strict,
        user_agent=settings.user_agent,
    )
    checks = run_checks(given)
    observation = Observation.trusted(
        target=target,
        started=started,
        elapsed_ms=round((time.perf_counter() - clock) * 1000, 3),
        outcome=outcome_of(exchanges),
        facts=session.facts,
        checks=(*internal_errors(session.surprises), *checks),
        requests=tuple(record for purpose in PURPOSES if purpose in exchanges for record in exchanges[purpose].records),
    )
    sources = [exchange.body for exchange in exchanges.values()]
    if observation.facts.tls is not None:
        sources.append(observation.facts.tls.model_dump_json().encode())
    if secrets_in_use() or any(may_hold_secrets(source) for source in sources):
        observation = _without_secrets(observation)
    # Only documents that were asked for are kept: others may be a patient's.
    bodies = {
        exchange.record.sha256: exchange.body
        for exchange in exchanges.values()
        if exchange.record.sha256 is not None and exchange.reading == "document"
    }
    return observation, bodies


def _without_secrets(observation: Observation) -> Observation:
    """The observation without secrets: a server's documents may hold some in addresses, or repeat ours.

    Secrets are taken out at the end, because addresses are followed as they are. It takes as long as a whole probe of a
    server on this machine, so it is left out where no received byte can belong to a secret (:func:`may_hold_secrets`).
    """
    text = observation.model_dump_json()
    clean = redacted_url(without_secrets_in_use(text))
    return observation if clean == text else Observation.model_validate_json(clean)


def _unusable(target: Target, started: datetime, error: InterlockError) -> Observation:
    """The observation of a target whose address cannot be asked at all."""
    record = not_sent(target.base_url, str(error), "metadata", "GET")
    unasked: tuple[Purpose, ...] = ("metadata", "smart")
    exchanges = {purpose: Exchange(purpose, (record,), "failed", str(error)) for purpose in unasked}
    checks = run_checks(CheckInput("", Facts(), exchanges))
    observation = Observation(
        target=target, started=started, elapsed_ms=0.0, outcome="not_observed", checks=checks, requests=(record,)
    )
    return _without_secrets(observation)


@dataclass(slots=True)
class _Session:
    """The requests of a target, until a deadline (the loop's clock). This program's mistakes are collected, not raised.

    :ivar surprises: exceptions that are this program's mistakes; each costs only the document it happened on.
    """

    _base: str
    _client: Client
    _settings: ProbeSettings
    _on_record: OnRecord
    _deadline: float
    exchanges: dict[Purpose, Exchange] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts.trusted)
    surprises: list[Exception] = field(default_factory=list)
    _inspection: Inspection | None = None

    async def run(self, sample: SamplePlan | None) -> None:
        """Ask for everything: first the base's own documents, then the documents that they advertise."""
        settings = self._settings
        steps: list[Awaitable[None]] = [self._metadata(), self._smart()]
        if settings.thorough:
            steps += [
                self._inspect(versions=True),
                self._get("udap", f"{self._base}/.well-known/udap", plan.JSON_LADDER[:1]),
            ]
        if settings.cds_services is not None:
            steps.append(self._get("cds", plan.cds_url(settings.cds_services), plan.JSON_LADDER[:1]))
        await self._together(*steps)
        if settings.thorough and is_absent(self.exchanges, "metadata"):
            await self._together(self._deeper())
        if settings.origin is not None:
            await self._together(self._with_origin(settings.origin))
        tls = await self._tls()
        self.facts = base_facts(self.exchanges, self._base, tls, settings.origin)
        await self._advertised()
        if settings.origin is not None and settings.active:
            await self._together(*self._preflights(settings.origin))
            cors = cors_facts(self.exchanges, settings.origin)
            self.facts = self.facts.model_copy(update={"cors": cors})
        if settings.active:
            await self._together(self._safe_negatives())
            security = access_facts(self.exchanges, self._base, self.facts.smart)
            self.facts = self.facts.model_copy(update={"security": security})
        if sample is not None:
            await self._take_sample(sample)

    async def _safe_negatives(self) -> None:
        """Send what is to be refused: an unknown grant to the token endpoint, a read and a count without a token."""
        endpoint = self.facts.smart.token_endpoint if self.facts.smart is not None else None
        if endpoint is not None and (url := self._followed("token-negative", endpoint, "POST")) is not None:
            refused = await ask_token_endpoint(self._client, url, self._deadline, self._on_record)
            self.exchanges["token-negative"] = refused
        read = await read_without_token(self._client, self._base, self.facts, self._deadline, self._on_record)
        if read is not None:
            self.exchanges["anonymous-read"] = read
        count = await count_without_token(self._client, self._base, self.facts, self._deadline, self._on_record)
        if count is not None:
            self.exchanges["anonymous-count"] = count

    async def _take_sample(self, sample: SamplePlan) -> None:
        """Take a sample with credentials; it has as much time again as the discovery before it."""
        from interlock.probe.sample import take_sample  # 8 ms of a probe's start that samples alone need
        from interlock.probe.tokens import Base

        base = Base(
            self._base,
            self.facts,
            asyncio.get_running_loop().time() + self._settings.deadline_s,
            self._settings.private_origins,
            self.exchanges["smart"].url if self._has("smart") else None,
        )
        try:
            facts, exchanges = await take_sample(
                self._client, base, sample, self._on_record, active=self._settings.active
            )
        except InterlockError:
            raise
        except Exception as error:  # its message could hold a secret or a patient's value
            self.surprises.append(RuntimeError(f"the sample went wrong ({type(error).__name__})"))
            return
        self.facts = self.facts.model_copy(update={"data": facts})
        self.exchanges |= exchanges

    @property
    def _host(self) -> str:
        where = origin(self._base)
        return where.host if where is not None else ""

    async def _metadata(self) -> None:
        memory = self._client.memory
        await self._get("metadata", plan.metadata_url(self._base), memory.order(self._host, plan.METADATA_LADDER))
        memory.learn(self._host, self.exchanges["metadata"], plan.METADATA_LADDER)

    async def _advertised(self) -> None:
        """Get what the SMART configuration advertises: OpenID discovery, keys, and, if thorough, brands."""
        smart = self.facts.smart
        if smart is None or smart.source != "well-known":
            return
        steps: list[Awaitable[None]] = []
        if smart.issuer is not None and "sso-openid-connect" in (smart.capabilities or ()):
            steps.append(self._follow("openid", plan.openid_url(smart.issuer)))
        if smart.jwks_uri is not None:
            steps.append(self._follow("jwks", smart.jwks_uri))
        if smart.user_access_brand_bundle is not None and self._settings.thorough:
            steps.append(self._follow("brands", smart.user_access_brand_bundle))
        if not steps:
            return
        await self._together(*steps)
        self.facts = with_advertised(self.facts, self.exchanges, self._base)
        openid = self.facts.openid
        if smart.jwks_uri is None and openid is not None and openid.jwks_uri is not None:
            await self._together(self._follow("jwks", openid.jwks_uri))
            self.facts = with_advertised(self.facts, self.exchanges, self._base)

    async def _deeper(self) -> None:
        """Look for the statement a path segment deeper: people copy an address without its last part."""
        tried: tuple[RequestRecord, ...] = ()
        for base in plan.deeper_bases(self._base):
            await self._get("deeper", plan.metadata_url(base), plan.METADATA_LADDER[1:2])
            exchange = self.exchanges["deeper"]
            self.exchanges["deeper"] = replace(exchange, records=(*tried, *exchange.records))
            tried = self.exchanges["deeper"].records
            if exchange.reading == "document":
                return

    async def _with_origin(self, origin_sent: str) -> None:
        """Ask as a browser does, with an origin, for the discovery documents that were answered without."""
        headers = {"Origin": origin_sent}
        if self._has("smart"):
            await self._get("cors-smart", plan.smart_url(self._base), plan.JSON_LADDER[:1], headers)
        if self._has("metadata"):
            ladder = self._client.memory.order(self._host, plan.METADATA_LADDER)
            await self._get("cors-metadata", plan.metadata_url(self._base), ladder[:1], headers)

    def _preflights(self, sent: str) -> list[Awaitable[None]]:
        """Requests of a browser before it sends a token request, a FHIR request or a call of the authorization page."""
        smart = self.facts.smart or SmartFacts()
        preflights: list[tuple[Purpose, str | None, str, str]] = [
            ("cors-fhir", self._base, "GET", "authorization"),
            ("cors-token", smart.token_endpoint, "POST", "content-type"),
            ("cors-authorize", smart.authorization_endpoint, "GET", "content-type"),
        ]
        asking = {"Origin": sent}
        return [
            self._follow(
                purpose,
                address,
                asking | {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": header},
                method="OPTIONS",
            )
            for purpose, address, method, header in preflights
            if address is not None
        ]

    def _has(self, purpose: Purpose) -> bool:
        exchange = self.exchanges.get(purpose)
        return exchange is not None and exchange.reading == "document"

    async def _tls(self) -> TlsFacts | None:
        """Facts of the base's TLS: from the requests, from an inspection, or from both."""
        tls = tls_facts(self.exchanges)
        rejected = tls is not None and tls.verified is False and tls.error in CERTIFICATE_WORDS
        if rejected and self._inspection is None:
            await self._inspect(versions=False)
        look = self._inspection
        if look is None or not look.chain:
            return tls
        explainable = (tls or TlsFacts()).model_copy(
            update={"chain": look.chain, "negotiated": look.negotiated, "versions": look.versions or {}}
        )
        shared = rejected and explainable.error == "untrusted_issuer"
        shared = shared and self._client.memory.shares_issuer(self._host, look.chain[-1].issuer)
        return explained(explainable, trusted_here=self._client.trusted_authorities, shared_issuer=shared)

    async def _inspect(self, *, versions: bool) -> None:
        where = origin(self._base)
        if where is None or where.scheme != "https" or self._client.proxy_of(self._base) is not None:
            return

        async def look() -> Inspection:
            address = await self._client.address_of(where, self._deadline)
            if address is None:
                return Inspection()
            return await inspect(
                where.host,
                address,
                where.port,
                self._deadline,
                lambda: self._client.limits.slot(where.host, self._deadline),
                connect_timeout_s=self._settings.connect_timeout_s,
                versions=versions,
            )

        self._inspection = await self._client.memory.inspect_once(where.host, where.port, look, versions=versions)

    async def _together(self, *steps: Awaitable[None]) -> None:
        for result in await asyncio.gather(*steps, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, InterlockError):
                self.surprises.append(result)
            elif isinstance(result, BaseException):
                raise result

    async def _smart(self) -> None:
        await self._get("smart", plan.smart_url(self._base), plan.JSON_LADDER)
        root = plan.smart_root_url(self._base)
        if root is not None and is_absent(self.exchanges, "smart"):
            await self._get("smart-root", root, plan.JSON_LADDER[:1])

    def _followed(self, purpose: Purpose, advertised: str, method: str = "GET") -> str | None:
        """The address to ask for what a document advertises; none, and told so, when it may not be contacted."""
        allowed = plan.follow(advertised, self._base, self._settings.private_origins)
        if allowed.url is None:
            record = not_sent(advertised, f"not followed: {allowed.reason}", purpose, method)
            self.exchanges[purpose] = Exchange(purpose, (record,), "failed", record.detail or "")
            self._on_record(record)
        return allowed.url

    async def _follow(
        self,
        purpose: Purpose,
        advertised: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: Literal["GET", "OPTIONS"] = "GET",
    ) -> None:
        url = self._followed(purpose, advertised)
        if url is not None:
            await self._get(purpose, url, plan.JSON_LADDER, headers, method=method)

    async def _get(
        self,
        purpose: Purpose,
        url: str,
        ladder: Sequence[plan.Rung],
        headers: Mapping[str, str] | None = None,
        *,
        method: Literal["GET", "OPTIONS"] = "GET",
    ) -> None:
        own = origin(url) == origin(self._base)
        ask = Ask(url, "", self._deadline, purpose, headers, client_certificate=own, method=method)
        retries = self._settings.retries if method == "GET" else 0
        self.exchanges[purpose] = await get_document(self._client, ask, ladder, retries, self._on_record)
