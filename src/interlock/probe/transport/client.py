"""Guarded requests over aiohttp: bounded in time, bytes and redirects, with every request recorded.

No cookies, no authentication, no automatic redirects, and a resolver of our own, so that an address which was judged
is the address that gets connected to. A private address is contacted when the origin of the request is among those that
the user allows; whatever a server advertises or redirects to is judged in the same way.
"""

from __future__ import annotations

import asyncio
import logging
import urllib.request
from base64 import b64encode
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache, partial
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
from interlock.probe.transport.connections import (
    ANYTHING,
    PUBLIC,
    PUBLIC_OR_PRIVATE,
    Pools,
    Resolver,
    refusal,
)
from interlock.probe.transport.failures import Failure, RequestFailed, classify
from interlock.probe.transport.hosts import MAX_HOLD_S, HostLimits, HostMemory, asked_to_wait
from interlock.probe.transport.http import aiohttp
from interlock.probe.transport.plan import MAX_URL, is_patient_data
from interlock.probe.transport.settings import ProbeSettings
from interlock.probe.transport.tls import tls_context
from interlock.probe.transport.transfer import Ask, Reply, Transfer

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Stands in an address for characters that no address holds (:func:`~interlock.model.text.plain`).
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"

#: Statuses that a proxy gives in its own name as well: policy, unknown name, no connection, no answer in time.
_DOUBTFUL = frozenset({403, 404, 410, 502, 503, 504})
#: The proxy asks for credentials of its own (RFC 9110 section 15.5.8).
_PROXY_AUTHENTICATION = 407
#: Failures on the way to the server, where the proxy is a part of the way.
_ON_THE_WAY = frozenset({"connect", "tls", "timeout", "reset", "truncated", "protocol"})

_logger = logging.getLogger(__name__)


class Client:
    """Shares connections and name lookups among all targets of one run. An asynchronous context manager.

    :ivar memory: knowledge of the hosts so far.
    :ivar limits: the hosts' queues, for connections that are no request, too.
    """

    def __init__(self, settings: ProbeSettings) -> None:
        self._settings = settings
        self.memory = HostMemory()
        self.limits = HostLimits(settings.per_host, settings.rate)
        #: Made when they are first needed: most of a short probe's time would go into them.
        self._context = cache(partial(tls_context, settings))
        self._proxies = urllib.request.getproxies()
        for proxy in (settings.proxy, *self._proxies.values()):
            _remember_credentials(proxy or "")

    async def __aenter__(self) -> Client:
        # The resolver's parts belong to the running loop, so it is not made earlier.
        self._resolver = Resolver()
        self._pools = Pools(self._resolver, self._settings.max_bytes)
        identified = self._settings.client_certificate is not None
        if identified or self._settings.ca_bundle is not None:
            self._context(identified=identified)  # unusable certificates are reported before any request
        return self

    async def __aexit__(self, *error: object) -> None:
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
        urls = [ask.url]
        while True:
            reply = await self._once(urls[-1], ask)
            target = redirect_target(urls[-1], reply) if ask.redirects and ask.method != "POST" else None
            if target is None:
                break
            problem = await self._redirect_problem(urls, target, ask.deadline)
            if problem is not None:
                refused = reply.record.but(failure="redirect", detail=problem)
                reply = Reply((refused,), b"", Failure("redirect", problem), reply.notes)
                break
            records.append(_kept(reply.record.but(reading="redirect", detail=f"redirects to {plain(target, 200)}")))
            urls.append(target)
        asked = asked_to_wait(reply.status, reply.record.headers)
        if asked is not None and (where := origin(urls[-1])) is not None:
            self.limits.hold(where.host, min(asked, MAX_HOLD_S))
        kept = (*records, _kept(reply.record))
        return reply if kept == reply.records else replace(reply, records=kept)

    async def _redirect_problem(self, urls: Sequence[str], target: str, deadline: float) -> str | None:
        """Why a redirect from the last of the addresses asked so far is not followed, or none."""
        here, there = origin(urls[-1]), origin(target)
        if there is None or _UNREADABLE in target or len(target) > MAX_URL:
            return f"redirects to “{plain(target, 120)}”, which is no http address"
        if has_userinfo(target):
            return f"redirects to {there.host} with credentials in the address"
        if here is not None and here.scheme == "https" and there.scheme == "http":
            return f"redirects from https to http ({plain(target, 120)})"
        if is_patient_data(target):
            return f"redirects to patient data ({plain(target, 120)}), which a probe must not read"
        if target in urls:
            return f"redirects in a circle ({plain(target, 120)})"
        if len(urls) > MAX_REDIRECTS:
            return f"redirects more than {MAX_REDIRECTS} times"
        try:
            if self.proxy_of(target) is None:
                await self._judged(there, deadline)
            else:
                self._judge_name(there)
        except RequestFailed as refused:
            return f"redirects to where it may not lead: {refused.failure.detail}"
        except (OSError, TimeoutError):
            return None  # the request to it will fail, and say why
        return None

    async def _once(self, url: str, ask: Ask) -> Reply:
        """The reply to a single request, without its redirects."""
        transfer = Transfer(url, ask, self._settings)
        proxy = self.proxy_of(url)
        failure = None
        try:
            async with asyncio.timeout_at(ask.deadline) as limit:
                if asyncio.get_running_loop().time() >= ask.deadline:
                    raise RequestFailed("timeout", transfer.late())
                async with self.limits.slot(transfer.host, ask.deadline):
                    with self._session(url, ask, proxy) as session:
                        await transfer.run(session, proxy, self._headers(url, ask))
        except Exception as error:
            if limit.expired():
                failure = Failure("timeout", transfer.late())
            else:
                failure = classify(
                    error, transfer.host, transfer.phase, connect_timeout_s=self._settings.connect_timeout_s
                )
                if failure is None:
                    raise
        reply = transfer.reply(failure)
        return reply if proxy is None else _through_proxy(reply, proxy)

    def _headers(self, url: str, ask: Ask) -> dict[str, str]:
        headers = {"Accept": ask.accept, "Accept-Encoding": "gzip, deflate", "User-Agent": self._settings.user_agent}
        if ask.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if ask.credentials and origin(url) == origin(ask.url):
            headers.update(ask.credentials)
        return headers

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

    def _session(self, url: str, ask: Ask, proxy: str | None) -> AbstractContextManager[aiohttp.ClientSession]:
        """The session for a request: of the address's origin, of the proxy in between, with a certificate or without.

        :raises InterlockError: the proxy cannot be used.
        :raises RequestFailed: the address cannot be asked, or the proxy is not to be asked for it.
        """
        where = origin(url)
        if where is None:
            raise RequestFailed("protocol", f"the address cannot be asked: {plain(url, 120)}")
        if proxy is not None:
            if origin(proxy) is None:
                raise InterlockError(
                    f"the proxy cannot be used: {plain(proxy.rpartition('@')[2], 100)}",
                    remedy="set HTTPS_PROXY to an http:// address, or NO_PROXY to the host that is probed",
                )
            self._judge_name(where)
        own = self._settings.client_certificate if ask.client_certificate and where == origin(ask.url) else None
        identified = own is not None and (own.origins is None or where in own.origins)
        secured = where.scheme == "https" or (proxy is not None and proxy.startswith("https:"))
        context = self._context(identified=identified) if secured else None
        return self._pools.session(
            (where, proxy, identified), self._kinds(where) if proxy is None else ANYTHING, context
        )


def _kept(record: RequestRecord) -> RequestRecord:
    """The record without secrets, logged: a server may redirect to an address with a token, or repeat our headers."""
    said = {"url": record.url, "detail": record.detail or "", "content_type": record.content_type or ""}
    clean = {name: redacted_url(without_secrets_in_use(text)) for name, text in said.items()}
    headers = {name: redacted_url(without_secrets_in_use(text)) for name, text in record.headers.items()}
    if (clean, headers) != (said, record.headers):
        record = record.but(**{name: text or None for name, text in clean.items()}, headers=headers)
    if _logger.isEnabledFor(logging.INFO):
        shown = {"method", "url", "status", "elapsed_ms", "bytes", "failure", "purpose", "proxy"}
        _logger.info("request", extra={"fields": record.model_dump(include=shown, exclude_none=True)})
    return record


def _remember_credentials(proxy: str) -> None:
    """Remember a proxy's user and password as secrets, so that no record keeps them when the proxy repeats them."""
    named, at, _ = proxy.rpartition("://")[2].rpartition("@")
    user, _, password = named.partition(":")
    if at:
        pair = f"{unquote(user)}:{unquote(password)}"
        for secret in (unquote(user), unquote(password), b64encode(pair.encode()).decode()):
            remember_secret(secret)


def redirect_target(url: str, reply: Reply) -> str | None:
    """The address that a reply redirects to, or none."""
    location = reply.record.headers.get("location")
    if reply.failure is not None or reply.record.status not in _REDIRECTS or not location:
        return None
    try:
        return urljoin(url, location.strip()).partition("#")[0]
    except ValueError:
        return location


def _through_proxy(reply: Reply, proxy: str) -> Reply:
    """A request's reply with the proxy named, and a failure when the answer cannot be ascribed to the server.

    Inside a tunnel (https) the server itself answers. Over plain http the proxy speaks instead of the server, and
    refuses, misses and times out with the statuses that servers use (RFC 9110 sections 7.6 and 15): whose answer that
    was, nobody can tell, so it is none of the server's. ``proxy`` is the address that the request was asked through;
    its credentials are left out.
    """
    where, failure = origin(proxy), reply.failure
    if where is None or reply.record.failure == "refused":
        return reply
    host = f"[{where.host}]" if ":" in where.host else where.host
    name = f"{where.scheme}://{host}:{where.port}"
    record = reply.record.but(proxy=name)
    if failure is None:
        failure = _doubt(record)
        if failure is None:
            return replace(reply, records=(record,))
        # Without a status: no check, today's or tomorrow's, can take it for an answer of the server.
        record = record.but(status=None, sha256=None, reading="failed")
    elif failure.word == "dns":  # the server's name is looked up by the proxy, not here
        failure = Failure("connect", f"the name of the proxy {name} does not resolve")
    elif failure.word in _ON_THE_WAY:
        failure = Failure(failure.word, f"{failure.detail} (asked through the proxy {name})", failure.tls)
    record = record.but(failure=failure.word, detail=failure.detail)
    return Reply((record,), b"", failure, () if failure.status is not None else reply.notes)


def _doubt(record: RequestRecord) -> Failure | None:
    """Why an answer is not taken for the server's; none when it is."""
    where = origin(record.url)
    if where is None or where.scheme == "https":
        return None
    if record.status == _PROXY_AUTHENTICATION:
        said = f"the proxy {record.proxy} asks for credentials (HTTP 407); {where.host} was not asked"
    elif record.status in _DOUBTFUL:
        said = (
            f"HTTP {record.status} came through the proxy {record.proxy}; whether the proxy or {where.host} answered "
            "cannot be told"
        )
    else:
        return None
    return Failure("connect", said, status=record.status)
