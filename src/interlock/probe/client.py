"""Guarded GET over httpx: bounded in time, bytes and redirects, with every request recorded.

The transport is httpx-aiohttp's, driven directly: no cookies, no authentication, no automatic redirects, and a resolver
of our own, so that an address which was judged is the address that gets connected to.
"""

from __future__ import annotations

import asyncio
import ssl
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from urllib.parse import urljoin

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from interlock.documents.text import plain
from interlock.model.errors import InterlockError
from interlock.model.observation import RequestRecord
from interlock.probe.addresses import is_loopback_host, is_public, literal, origin
from interlock.probe.failures import Failure, RequestFailed, classify
from interlock.probe.plan import is_patient_data
from interlock.probe.resolver import Resolver
from interlock.probe.settings import ProbeSettings
from interlock.probe.transfer import Ask, Transfer

MAX_REDIRECTS = 5
_MAX_HEADER_LINE = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What one GET came to, redirects followed.

    :ivar records: every request that was sent, in order; the last one decides.
    :ivar body: decoded bytes of the last answer; empty when it failed.
    :ivar failure: why there is no answer, or none.
    :ivar notes: what was odd about the transfer.
    """

    records: tuple[RequestRecord, ...]
    body: bytes = b""
    failure: Failure | None = None
    notes: tuple[str, ...] = ()


class Client:
    """Shares connections and name lookups among all targets of one run. An asynchronous context manager."""

    def __init__(self, settings: ProbeSettings) -> None:
        self._settings = settings
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._transports: dict[str | None, AiohttpTransport] = {}
        self._proxies = urllib.request.getproxies() if settings.trust_env else {}

    async def __aenter__(self) -> Client:
        # The resolver's parts belong to the running loop, so it is not made earlier.
        self._resolver = Resolver()
        self._tls = tls_context(self._settings.verify)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        await self._resolver.close()

    async def is_private(self, url: str) -> bool:
        """Whether a URL's host is loopback or has any address of a private network. An unknown name is not."""
        where = origin(url)
        if where is None:
            return False
        address = literal(where.host)
        if address is not None:
            return not is_public(address)
        if is_loopback_host(where.host):
            return True
        if self._proxy(url) is not None:
            return False
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._settings.connect_timeout_s):
                return not all(map(is_public, await self._resolver.addresses(where.host)))
        return False

    async def get(self, ask: Ask, on_record: Callable[[RequestRecord], None] | None = None) -> Answer:
        """Send one GET and follow its redirects, at most :data:`MAX_REDIRECTS`.

        Never raises for anything that a network or a server does. A redirect that is not followed (from https to http,
        in a circle, too many, into a private network) fails with ``redirect`` on the record of the answer that asked.
        """
        records: list[RequestRecord] = []
        visited = {ask.url}
        url, public_only = ask.url, ask.public_only

        def keep(record: RequestRecord) -> None:
            records.append(record)
            if on_record is not None:
                on_record(record)

        while True:
            headers = self._headers(ask, url)
            record, body, failure, notes = await self._once(url, headers, ask, public_only)
            location = record.headers.get("location")
            if failure is not None or record.status not in {301, 302, 303, 307, 308} or not location:
                keep(record)
                return Answer(tuple(records), body, failure, notes)
            target = _redirect_target(url, location)
            problem = await self._redirect_problem(url, target, visited, ask, len(records))
            if problem is not None:
                failure = Failure("redirect", problem)
                keep(record.model_copy(update={"failure": "redirect", "detail": problem}))
                return Answer(tuple(records), b"", failure, notes)
            keep(record.model_copy(update={"reading": "redirect", "detail": f"redirects to {plain(target, 200)}"}))
            visited.add(target)
            url, public_only = target, ask.public_only or ask.redirect_public_only

    def _headers(self, ask: Ask, url: str) -> dict[str, str]:
        headers = {
            "Accept": ask.accept,
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": self._settings.user_agent,
        }
        if ask.credentials and origin(url) == origin(ask.url):
            headers.update(ask.credentials)
        return headers

    async def _redirect_problem(self, url: str, target: str, visited: set[str], ask: Ask, followed: int) -> str | None:
        """Why a redirect is not followed, or none."""
        here, there = origin(url), origin(target)
        if there is None:
            return f"redirects to “{plain(target, 120)}”, which is no http address"
        if "@" in target.partition("://")[2].partition("/")[0]:
            return f"redirects to {there.host} with credentials in the address"
        if here is not None and here.scheme == "https" and there.scheme == "http":
            return f"redirects from https to http ({plain(target, 120)})"
        if is_patient_data(target):
            return f"redirects to patient data ({plain(target, 120)}), which a probe must not read"
        if target in visited:
            return f"redirects in a circle ({plain(target, 120)})"
        if followed >= MAX_REDIRECTS:
            return f"redirects more than {MAX_REDIRECTS} times"
        if (ask.public_only or ask.redirect_public_only) and await self._leads_inside(target, ask.deadline):
            return f"redirects into a private network ({there.host})"
        return None

    async def _leads_inside(self, url: str, deadline: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                return await self.is_private(url)
        return False

    async def _once(
        self, url: str, headers: dict[str, str], ask: Ask, public_only: bool
    ) -> tuple[RequestRecord, bytes, Failure | None, tuple[str, ...]]:
        """One request: its record, body, failure and notes."""
        transfer = Transfer(url, ask, self._settings)
        host = transfer.host
        if asyncio.get_running_loop().time() >= ask.deadline:
            failure = Failure("timeout", transfer.late())
            return transfer.record(failure), b"", failure, ()
        try:
            async with asyncio.timeout_at(ask.deadline) as limit, self._slot(host):
                transfer.begin()
                if public_only and await self.is_private(url):
                    raise RequestFailed("refused", f"{plain(host, 100)} is in a private network; it was not contacted")
                await transfer.run(self._transport(url), headers)
        except Exception as error:
            if limit.expired():
                failure = Failure("timeout", transfer.late())
            else:
                found = classify(error, host, transfer.phase, connect_timeout_s=self._settings.connect_timeout_s)
                if found is None:
                    raise
                failure = found
            return transfer.record(failure), b"", failure, tuple(transfer.notes)
        return transfer.record(None), transfer.body, None, tuple(transfer.notes)

    def uses_proxy(self, url: str) -> bool:
        """Whether requests to a URL go through a proxy, so that nothing may be sent to its host directly."""
        return self._proxy(url) is not None

    def _slot(self, host: str) -> asyncio.Semaphore:
        slot = self._hosts.get(host)
        if slot is None:
            slot = self._hosts[host] = asyncio.Semaphore(self._settings.per_host)
        return slot

    def _proxy(self, url: str) -> str | None:
        where = origin(url)
        if where is None or not self._proxies or is_loopback_host(where.host):
            return None
        if urllib.request.proxy_bypass(f"{where.host}:{where.port}"):
            return None
        named = self._proxies.get(where.scheme) or self._proxies.get("all")
        return f"http://{named}" if named and "://" not in named else named

    def _transport(self, url: str) -> AiohttpTransport:
        proxy = self._proxy(url)
        if proxy not in self._transports:
            if proxy is not None and origin(proxy) is None:
                raise InterlockError(
                    f"the proxy in the environment cannot be used: {plain(proxy.rpartition('@')[2], 100)}",
                    remedy="set HTTPS_PROXY to an http:// address, or NO_PROXY to the host that is probed",
                )
            named = httpx.Proxy(proxy) if proxy else None
            self._transports[proxy] = AiohttpTransport(verify=self._tls, proxy=named, client=self._session)
        return self._transports[proxy]

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver, use_dns_cache=False, ssl=self._tls, limit=0, keepalive_timeout=5
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_MAX_HEADER_LINE,
            max_field_size=_MAX_HEADER_LINE,
        )


def _redirect_target(url: str, location: str) -> str:
    try:
        return urljoin(url, location.strip()).partition("#")[0]
    except ValueError:
        return location


def tls_context(verify: ssl.SSLContext | str | Path | None) -> ssl.SSLContext:
    """The context that verifies servers: the one given, one from CA certificates, or the system's and certifi's.

    :raises InterlockError: the file or directory holds no certificates.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is None:
        return _default_context()
    path = Path(verify)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(
            cafile=str(path) if path.is_file() else None, capath=str(path) if path.is_dir() else None
        )
    except (OSError, ssl.SSLError, TypeError) as error:
        raise InterlockError(
            f"{path} holds no CA certificates that can be read", remedy="give a PEM file or a directory of them"
        ) from error
    return context


@cache
def _default_context() -> ssl.SSLContext:
    """Loading two sets of certificates takes tens of milliseconds; the result is never changed."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context
