"""Probing one target: which documents, in which order, within one deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from interlock.model.errors import InterlockError
from interlock.model.observation import Facts, Observation, RequestRecord, Target
from interlock.probe import plan
from interlock.probe.addresses import origin
from interlock.probe.assemble import base_facts, is_absent, outcome_of, tls_facts, with_advertised
from interlock.probe.certificate import presented
from interlock.probe.checks.base import CheckInput
from interlock.probe.checks.registry import internal_errors, run_checks
from interlock.probe.client import Client
from interlock.probe.conversation import Wanted, get_document
from interlock.probe.exchange import JSON_READINGS, PURPOSES, Exchange, Purpose
from interlock.probe.failures import CERTIFICATE_WORDS
from interlock.probe.settings import ProbeSettings

OnRecord = Callable[[RequestRecord], None]


@dataclass(frozen=True, slots=True)
class Probed:
    """An observation, and the JSON documents that it rests on by sha256."""

    observation: Observation
    bodies: dict[str, bytes]


async def probe_target(target: Target, client: Client, settings: ProbeSettings, on_record: OnRecord) -> Probed:
    """Probe one target. Never raises for anything about the target: what went wrong is in the observation.

    :raises InterlockError: the settings cannot work for any target (an unusable proxy).
    """
    started = datetime.now(UTC)
    clock = time.perf_counter()
    try:
        base = plan.clean_base_url(target.base_url)
    except InterlockError as error:
        return _unusable(target, started, error)
    session = _Session(base, client, settings, on_record)
    try:
        await session.run()
    except InterlockError:
        raise
    except Exception as error:
        # One target's surprise must not cost the others theirs: it is reported as this program's mistake.
        session.surprises.append(error)
    exchanges = session.exchanges
    checks = run_checks(CheckInput(base, session.facts, exchanges))
    observation = Observation(
        target=target,
        started=started,
        elapsed_ms=round((time.perf_counter() - clock) * 1000, 3),
        outcome=outcome_of(exchanges),
        facts=session.facts,
        checks=(*internal_errors(session.surprises), *checks),
        requests=tuple(record for purpose in PURPOSES if purpose in exchanges for record in exchanges[purpose].records),
    )
    return Probed(observation, documents(exchanges))


def documents(exchanges: Mapping[Purpose, Exchange]) -> dict[str, bytes]:
    """sha256 → bytes of every deciding answer that is JSON, whether or not it is the document asked for."""
    return {
        exchange.record.sha256: exchange.body
        for exchange in exchanges.values()
        if exchange.record.sha256 is not None and exchange.reading in JSON_READINGS
    }


def _unusable(target: Target, started: datetime, error: InterlockError) -> Probed:
    """The observation of a target whose address cannot be asked at all."""
    record = refusal(target.base_url[: plan.MAX_URL], str(error), "metadata")
    unasked: tuple[Purpose, ...] = ("metadata", "smart")
    exchanges = {purpose: Exchange(purpose, (record,), "failed", str(error)) for purpose in unasked}
    checks = run_checks(CheckInput("", Facts(), exchanges))
    observation = Observation(
        target=target, started=started, elapsed_ms=0.0, outcome="not_observed", checks=checks, requests=(record,)
    )
    return Probed(observation, {})


def refusal(url: str, reason: str, purpose: Purpose) -> RequestRecord:
    """The record of a request that was deliberately not sent."""
    return RequestRecord(
        method="GET", url=url, elapsed_ms=0.0, failure="refused", detail=reason, purpose=purpose, reading="failed"
    )


class _Session:
    """The requests of one target. What went unexpectedly wrong is collected, not raised.

    :ivar surprises: exceptions that are this program's mistakes; each costs only the document it happened on.
    """

    def __init__(self, base: str, client: Client, settings: ProbeSettings, on_record: OnRecord) -> None:
        self.exchanges: dict[Purpose, Exchange] = {}
        self.facts = Facts()
        self.surprises: list[Exception] = []
        self._base = base
        self._client = client
        self._settings = settings
        self._on_record = on_record
        self._private = False
        self._deadline = 0.0

    async def run(self) -> None:
        self._deadline = asyncio.get_running_loop().time() + self._settings.deadline_s
        self._private = await self._client.is_private(self._base)
        await self._together(self._get("metadata", plan.metadata_url(self._base), plan.METADATA_LADDER), self._smart())
        self.facts = base_facts(self.exchanges, self._base, await self._presented())
        smart = self.facts.smart
        if smart is None or smart.source != "well-known":
            return
        steps: list[Awaitable[None]] = []
        if smart.issuer is not None and "sso-openid-connect" in (smart.capabilities or ()):
            steps.append(self._follow("openid", plan.openid_url(smart.issuer)))
        if smart.jwks_uri is not None:
            steps.append(self._follow("jwks", smart.jwks_uri))
        await self._together(*steps)
        self.facts = with_advertised(self.facts, self.exchanges)
        openid = self.facts.openid
        if smart.jwks_uri is None and openid is not None and openid.jwks_uri is not None:
            await self._together(self._follow("jwks", openid.jwks_uri))
            self.facts = with_advertised(self.facts, self.exchanges)

    async def _presented(self) -> dict[str, Any] | None:
        """The base's certificate, when it was not accepted."""
        tls = tls_facts(self.exchanges)
        where = origin(self._base)
        if tls is None or where is None or tls.get("error") not in CERTIFICATE_WORDS:
            return None
        if self._client.uses_proxy(self._base):
            return None
        return await presented(where.host, where.port, self._deadline)

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

    async def _follow(self, purpose: Purpose, advertised: str) -> None:
        allowed = plan.follow(
            advertised, self._base, base_is_private=self._private, allow_private=self._settings.allow_private
        )
        if allowed.url is None:
            record = refusal(advertised, f"not followed: {allowed.reason}", purpose)
            self.exchanges[purpose] = Exchange(purpose, (record,), "failed", record.detail or "")
            self._on_record(record)
            return
        await self._get(purpose, allowed.url, plan.JSON_LADDER, advertised=True)

    async def _get(
        self, purpose: Purpose, url: str, ladder: tuple[plan.Rung, ...], *, advertised: bool = False
    ) -> None:
        confined = not (self._private or self._settings.allow_private)
        wanted = Wanted(
            purpose=purpose,
            url=url,
            ladder=ladder,
            deadline=self._deadline,
            retries=self._settings.retries,
            public_only=confined and advertised,
            redirect_public_only=confined,
        )
        self.exchanges[purpose] = await get_document(self._client, wanted, self._on_record)
