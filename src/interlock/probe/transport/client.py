"""Guarded requests over aiohttp: bounded in time, bytes and redirects, with every request recorded.

No cookies, no authentication, no automatic redirects, and a resolver of our own, so that an address which was judged
is the address that gets connected to. A private address is contacted when the origin of the request is among those that
the user allows; whatever a server advertises or redirects to is judged in the same way.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urljoin

from interlock.documents.redaction import remember_secret, without_secrets_in_use
from interlock.model.address_secrets import redacted_url
from interlock.model.errors import InterlockError
from interlock.model.observation import RequestRecord
from interlock.model.text import plain
from interlock.probe.transport.addresses import (
    Kind,
    Origin,
    has_userinfo,
    is_internal_name,
    is_loopback_host,
    kind_of_host,
    origin,
)
from interlock.probe.transport.content import NotJsonError, decode_text, parse_json
from interlock.probe.transport.failures import Failure, RequestFailed, classify
from interlock.probe.transport.negotiation import HostMemory
from interlock.probe.transport.plan import MAX_URL, is_patient_data
from interlock.probe.transport.politeness import MAX_HOLD_S, HostLimits, HostQuietError, asked_to_wait
from interlock.probe.transport.pools import Pools
from interlock.probe.transport.proxied import through_proxy
from interlock.probe.transport.resolver import ANYTHING, PUBLIC, PUBLIC_OR_PRIVATE, Resolver, refusal
from interlock.probe.transport.settings import ProbeSettings
from interlock.probe.transport.transfer import Ask, Connection, Transfer
from interlock.probe.transport.verification import identified_context, tls_context

MAX_REDIRECTS = 5
#: Stands in an address for characters that no address holds (:func:`~interlock.model.text.plain`).
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's reply to one request, redirects followed, or why none came.

    :ivar records: every request that was sent, in order; the last decides.
    :ivar body: decoded bytes of the last answer; empty when it failed.
    :ivar failure: why there is no reply, or none.
    :ivar notes: oddities of the transfer.
    """

    records: tuple[RequestRecord, ...]
    body: bytes = b""
    failure: Failure | None = None
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> int | None:
        """The HTTP status that came, even where a proxy may have given it; none when no answer came."""
        status = self.records[-1].status
        return self.failure.status if status is None and self.failure is not None else status

    def json(self) -> Any:
        """The JSON value of the body, or none."""
        try:
            return parse_json(decode_text(self.body, self.records[-1].content_type or "").text)
        except NotJsonError:
            return None


class Client:
    """Shares connections and name lookups among all targets of one run. An asynchronous context manager.

    :ivar memory: knowledge of the hosts so far.
    :ivar limits: the hosts' queues, for connections that are no request, too.
    """

    def __init__(self, settings: ProbeSettings) -> None:
        self._settings = settings
        self.memory = HostMemory()
        self.limits = HostLimits(settings.per_host, settings.rate)
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._proxies = urllib.request.getproxies() if settings.trust_env else {}
        self._goes_direct = settings.proxy is None and not self._proxies
        for proxy in (settings.proxy, *self._proxies.values()):
            _remember_credentials(proxy or "")

    async def __aenter__(self) -> Client:
        # The resolver's parts belong to the running loop, so it is not made earlier.
        self._resolver = Resolver()
        self._pools = Pools(self._resolver, self._settings.max_bytes)
        if self._settings.client_certificate is not None:
            self._context(identified=True)  # an unusable certificate is reported before any request
        elif self._settings.verify is not None or self._settings.ca_bundle is not None:
            self._context(identified=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pools.close()
        await self._resolver.close()

    async def address_of(self, where: Origin, deadline: float) -> str | None:
        """The address of an origin for a connection that is no request; none when it may not be contacted."""
        try:
            return await self._judged(where, deadline)
        except (RequestFailed, OSError, TimeoutError):
            return None

    async def _judged(self, where: Origin, deadline: float) -> str:
        """The first address that a connection to an origin may use.

        :raises RequestFailed: it has none.
        :raises OSError: its name does not resolve.
        :raises TimeoutError: not in time.
        """
        limit = asyncio.get_running_loop().time() + self._settings.connect_timeout_s
        async with asyncio.timeout_at(min(deadline, limit)):
            return (await self._resolver.usable(where.host, self._kinds(where)))[0][1]

    def _kinds(self, where: Origin) -> frozenset[Kind]:
        return PUBLIC_OR_PRIVATE if where in self._settings.private_origins else PUBLIC

    def _judge_name(self, where: Origin) -> None:
        """Judge a name that a proxy is to resolve, as far as its spelling tells: its address is never seen here.

        :raises RequestFailed: it is not contacted.
        """
        kind = kind_of_host(where.host) or ("private" if is_internal_name(where.host) else "public")
        if kind not in self._kinds(where):
            raise refusal(where.host, kind)

    async def get(self, ask: Ask) -> Reply:
        """Send a request and follow its redirects, at most :data:`MAX_REDIRECTS`.

        Never raises for anything that a network or a server does. A redirect that is not followed (from https to http,
        in a circle, too many, into a private network) fails with ``redirect`` on the record of the answer that asked.
        Every record names the proxy that it went through; an answer that may be the proxy's own fails with ``connect``.
        Whoever asks for a pause gets it, a proxy too.
        """
        records: list[RequestRecord] = []
        visited = {ask.url}
        url = ask.url

        def keep(raw: RequestRecord) -> None:
            record = _without_secrets(raw)
            records.append(record)
            _log(record)

        while True:
            headers = self._headers(ask, url)
            record, body, failure, notes = await self._once(url, headers, ask)
            if not self._goes_direct and (proxy := self.proxy_of(url)) is not None:
                record, failure = through_proxy(record, failure, proxy)
                if failure is not None and failure.status is not None:
                    body, notes = b"", ()
            location = record.headers.get("location")
            stays = not ask.redirects or ask.method == "POST"
            if failure is not None or stays or record.status not in {301, 302, 303, 307, 308} or not location:
                keep(record)
                reply = Reply(tuple(records), body, failure, notes)
                asked = asked_to_wait(reply.status, record.headers)
                if asked is not None and (where := origin(url)) is not None:
                    self.limits.hold(where.host, min(asked, MAX_HOLD_S))
                return reply
            target = _redirect_target(url, location)
            problem = await self._redirect_problem(url, target, visited, ask, len(records))
            if problem is not None:
                failure = Failure("redirect", problem)
                keep(record.model_copy(update={"failure": "redirect", "detail": problem}))
                return Reply(tuple(records), b"", failure, notes)
            keep(record.model_copy(update={"reading": "redirect", "detail": f"redirects to {plain(target, 200)}"}))
            visited.add(target)
            url = target

    def _headers(self, ask: Ask, url: str) -> dict[str, str]:
        headers = {
            "Accept": ask.accept,
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": self._settings.user_agent,
        }
        if ask.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if ask.credentials and origin(url) == origin(ask.url):
            headers.update(ask.credentials)
        return headers

    async def _redirect_problem(self, url: str, target: str, visited: set[str], ask: Ask, followed: int) -> str | None:
        """Why a redirect is not followed, or none."""
        here, there = origin(url), origin(target)
        if there is None or _UNREADABLE in target or len(target) > MAX_URL:
            return f"redirects to “{plain(target, 120)}”, which is no http address"
        if has_userinfo(target):
            return f"redirects to {there.host} with credentials in the address"
        if here is not None and here.scheme == "https" and there.scheme == "http":
            return f"redirects from https to http ({plain(target, 120)})"
        if is_patient_data(target):
            return f"redirects to patient data ({plain(target, 120)}), which a probe must not read"
        if target in visited:
            return f"redirects in a circle ({plain(target, 120)})"
        if followed >= MAX_REDIRECTS:
            return f"redirects more than {MAX_REDIRECTS} times"
        try:
            if self.proxy_of(target) is None:
                await self._judged(there, ask.deadline)
            else:
                self._judge_name(there)
        except RequestFailed as refused:
            return f"redirects to where it may not lead: {refused.failure.detail}"
        except (OSError, TimeoutError):
            return None  # the request to it will fail, and say why
        return None

    async def _once(
        self, url: str, headers: dict[str, str], ask: Ask
    ) -> tuple[RequestRecord, bytes, Failure | None, tuple[str, ...]]:
        """Send a single request, without its redirects: its record, body, failure and notes."""
        transfer = Transfer(url, ask, self._settings)
        host = transfer.host
        if asyncio.get_running_loop().time() >= ask.deadline:
            failure = Failure("timeout", transfer.late())
            return transfer.record(failure), b"", failure, ()
        try:
            async with asyncio.timeout_at(ask.deadline) as limit, self.limits.slot(host, ask.deadline):
                transfer.begin()
                identified = ask.client_certificate and origin(url) == origin(ask.url) and self._may_identify(url)
                with self._connection(url, identified=identified) as connection:
                    await transfer.run(connection, headers)
        except HostQuietError as quiet:
            waits = f"not sent: {plain(host, 100)} asked to be left alone for {quiet.seconds:.0f} s more"
            return transfer.record(Failure("timeout", waits)), b"", Failure("timeout", waits), ()
        except Exception as error:
            if limit.expired():
                failure = Failure("timeout", transfer.late())
            else:
                classified = classify(error, host, transfer.phase, connect_timeout_s=self._settings.connect_timeout_s)
                if classified is None:
                    raise
                failure = classified
            return transfer.record(failure), b"", failure, tuple(transfer.notes)
        return transfer.record(None), transfer.body, None, tuple(transfer.notes)

    @property
    def trusted_authorities(self) -> int:
        """How many certificate authorities this machine trusts; a directory of them is loaded when it is needed."""
        return int(self._context(identified=False).cert_store_stats()["x509_ca"])

    def proxy_of(self, url: str) -> str | None:
        """The proxy that a URL is asked through, with its credentials if it has any; none when asked directly."""
        where = origin(url)
        if where is None or is_loopback_host(where.host):
            return None
        if self._settings.proxy is not None:
            return self._settings.proxy
        if not self._proxies:
            return None
        if urllib.request.proxy_bypass(f"{where.host}:{where.port}"):
            return None
        named = self._proxies.get(where.scheme) or self._proxies.get("all")
        return f"http://{named}" if named and "://" not in named else named

    def _may_identify(self, url: str) -> bool:
        """Whether there is a client certificate, and it may be presented at a URL."""
        own = self._settings.client_certificate
        return own is not None and (own.origins is None or origin(url) in own.origins)

    @contextmanager
    def _connection(self, url: str, *, identified: bool) -> Iterator[Connection]:
        """Where a request to a URL goes out: the session of its origin, and the proxy in between.

        :raises InterlockError: the proxy cannot be used.
        :raises RequestFailed: the proxy is not to be asked for it.
        """
        where = origin(url)
        if where is None:
            raise RequestFailed("protocol", f"the address cannot be asked: {plain(url, 120)}")
        proxy = self.proxy_of(url)
        if proxy is not None and origin(proxy) is None:
            raise InterlockError(
                f"the proxy cannot be used: {plain(proxy.rpartition('@')[2], 100)}",
                remedy="set HTTPS_PROXY to an http:// address, or NO_PROXY to the host that is probed",
            )
        secured = where.scheme == "https" or (proxy is not None and proxy.startswith("https:"))
        context = self._context(identified=identified) if secured else None
        if proxy is not None:
            self._judge_name(where)
        kinds = self._kinds(where) if proxy is None else ANYTHING
        with self._pools.session((where, proxy, identified), kinds, context) as session:
            yield Connection(session, proxy)

    def _context(self, *, identified: bool) -> ssl.SSLContext:
        """The TLS context, made when it is first needed: most of a short probe's time would go into it."""
        if identified not in self._contexts:
            settings = self._settings
            self._contexts[identified] = (
                identified_context(settings) if identified else tls_context(settings.verify, settings.ca_bundle)
            )
        return self._contexts[identified]


def _without_secrets(record: RequestRecord) -> RequestRecord:
    """The record without secrets: a server may redirect to an address with a token, or repeat a header it was sent."""
    said = {"url": record.url, "detail": record.detail or "", "content_type": record.content_type or ""}
    clean = {name: redacted_url(without_secrets_in_use(text)) for name, text in said.items()}
    headers = {name: redacted_url(without_secrets_in_use(text)) for name, text in record.headers.items()}
    if (clean, headers) == (said, record.headers):
        return record
    return record.model_copy(update={name: text or None for name, text in clean.items()} | {"headers": headers})


def _remember_credentials(proxy: str) -> None:
    """Remember a proxy's user and password as secrets, so that no record keeps them when the proxy repeats them."""
    named, at, _ = proxy.rpartition("://")[2].rpartition("@")
    user, _, password = named.partition(":")
    if at:
        pair = f"{unquote(user)}:{unquote(password)}"
        for secret in (unquote(user), unquote(password), b64encode(pair.encode()).decode()):
            remember_secret(secret)


def _log(record: RequestRecord) -> None:
    if _logger.isEnabledFor(logging.INFO):
        kept = {"method", "url", "status", "elapsed_ms", "bytes", "failure", "purpose", "proxy"}
        _logger.info("request", extra={"fields": record.model_dump(include=kept, exclude_none=True)})


def _redirect_target(url: str, location: str) -> str:
    try:
        return urljoin(url, location.strip()).partition("#")[0]
    except ValueError:
        return location
