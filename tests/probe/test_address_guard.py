"""Which addresses are contacted: judged where the connection is made, whatever a name server or a server says.

The victims are listeners on loopback that must see no connection; what stands for a name server is a table.
"""

from __future__ import annotations

import ast
import asyncio
import ipaddress
import pickle
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_documents import smart, statement
from probe_loopback import Loopback, as_json, redirect

import interlock
from interlock.model.observation import Target
from interlock.probe.transport.addresses import Address, Kind, Origin, is_internal_name, kind_of, literal, origin
from interlock.probe.transport.client import Client
from interlock.probe.transport.connections import ANYTHING, PUBLIC, PUBLIC_OR_PRIVATE, Gate, Resolver
from interlock.probe.transport.failures import RequestFailed
from interlock.probe.transport.settings import ProbeSettings
from interlock.probe.transport.transfer import Ask, Reply
from tiers import rounds
from typed_targets import observe, probe_sync, typed

PUBLIC_ADDRESS = "93.184.216.34"
#: As far as a probe goes without credentials.
FAR = ProbeSettings(deadline_s=5, active=True, origin="https://app.example", thorough=True)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str] | Callable[[], list[str]]]:
    """What names resolve to; a function is asked each time. Everything else goes to the real resolver."""
    table: dict[str, list[str] | Callable[[], list[str]]] = {}
    real = socket.getaddrinfo

    def reply(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in table:
            return real(host, *arguments, **named)
        known = table[host]
        rows = known() if callable(known) else known
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 0)) for text in rows
        ]

    monkeypatch.setattr(socket, "getaddrinfo", reply)
    return table


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Addresses that sockets were connected to; those beyond loopback are refused there, and nothing is sent."""
    tried: list[str] = []
    real = asyncio.SelectorEventLoop.sock_connect

    async def sock_connect(self: Any, sock: socket.socket, address: Any) -> None:
        tried.append(address[0])
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise ConnectionRefusedError(111, "refused by the test")
        await real(self, sock, address)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", sock_connect)
    yield tried


async def get(url: str, *allowed: str, **options: Any) -> Reply:
    allowing = typed(ProbeSettings(connect_timeout_s=options.pop("connect_timeout_s", 1.0)), *allowed)
    async with Client(allowing) as client:
        return await client.get(Ask(url, "*/*", asyncio.get_running_loop().time() + 3, **options))


def word(reply: Reply) -> str | None:
    return reply.failure.word if reply.failure is not None else None


# -- the list ----------------------------------------------------------------------------------------------------------

#: Written down apart from the product's list, from the registries: what is in no way public.
SPECIAL = {
    "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 ::1/128 fc00::/7 ::ffff:10.0.0.0/104",
    "never": (
        "0.0.0.0/8 169.254.0.0/16 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 198.18.0.0/15 "
        "192.88.99.0/24 224.0.0.0/4 240.0.0.0/4 ::/128 fe80::/10 fec0::/10 ff00::/8 100::/64 2001::/32 2001:2::/48 "
        "2001:10::/28 2001:db8::/32 64:ff9b:1::/48 3fff::/20 5f00::/16 ::ffff:169.254.0.0/112 "
        "64:ff9b::a00:0/104 64:ff9b::7f00:0/104 64:ff9b::a9fe:0/112 2002:a00::/24 2002:7f00::/24 2002:a9fe::/32 "
        "fd00:ec2::254/128 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32 fd20:ce::254/128"
    ),
}
NETWORKS = [(ipaddress.ip_network(text), kind) for kind, texts in SPECIAL.items() for text in texts.split()]
#: More special than the network around them.
INNER = {ipaddress.ip_network(text) for text in ("fd00:ec2::/32", "fd20:ce::/64", "fd00:c1::/64", "fd00:42::/64")}


def addresses() -> st.SearchStrategy[Address]:
    """Addresses of both versions, often of a special network or at its edge, often an IPv4 one inside an IPv6 one."""
    edges = [
        network.network_address + offset
        for network, _ in NETWORKS
        for offset in (-1, 0, 1, network.num_addresses - 1, network.num_addresses)
        if 0 <= int(network.network_address) + offset < 2**network.max_prefixlen
    ]
    inside = st.one_of(st.ip_addresses(network=network) for network, _ in NETWORKS)
    anywhere = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), inside, st.sampled_from(edges))
    shells = ("::ffff:0:0", "64:ff9b::", "::", "2606:4700::5efe:0:0", "2606:4700::200:5efe:0:0")
    embedded = st.builds(
        lambda shell, inner: ipaddress.IPv6Address(int(ipaddress.ip_address(shell)) | inner),
        st.sampled_from(shells),
        st.integers(0, 2**32 - 1) | st.ip_addresses(v=4).map(int),
    )
    tunnel = st.ip_addresses(v=4).map(lambda inner: ipaddress.IPv6Address((0x2002 << 112) | (int(inner) << 80)))
    return st.one_of(anywhere, embedded, tunnel)


@settings(max_examples=rounds(300, 5_000))
@given(addresses())
def test_only_what_is_global_is_public(address: Address) -> None:
    """Against the standard library's tables, the IPv4 address within taken for itself."""
    kind = kind_of(address)
    plain: Address = getattr(address, "ipv4_mapped", None) or address
    if plain in ipaddress.ip_network("64:ff9b::/96"):
        plain = ipaddress.IPv4Address(int(plain) & 0xFFFF_FFFF)
    if kind == "public":
        assert plain.is_global
        assert not (plain.is_multicast or plain.is_reserved or plain.is_link_local or plain.is_unspecified)
        assert not (plain.is_loopback or plain.is_private) and getattr(plain, "teredo", None) is None
        assert getattr(plain, "sixtofour", None) is None or plain.sixtofour.is_global  # type: ignore[union-attr]
    elif kind == "private":
        assert plain.is_private and not (plain.is_link_local or plain.is_unspecified or plain.is_multicast)


@settings(max_examples=rounds(300, 5_000))
@given(addresses())
def test_the_special_networks_are_what_they_are(address: Address) -> None:
    """Against a list of its own: no special address is public, and none that is never contacted is private."""
    kinds = {kind for network, kind in NETWORKS if address in network}
    if "never" in kinds or any(address in network for network in INNER):
        assert kind_of(address) == "never"
    elif kinds:
        assert kind_of(address) == "private"


@settings(max_examples=rounds(300, 5_000))
@given(st.ip_addresses(v=4) | st.one_of(st.ip_addresses(network=net) for net, _ in NETWORKS if net.version == 4))
def test_an_ipv4_address_hides_in_no_ipv6_one(inner: ipaddress.IPv4Address) -> None:
    kind, number = kind_of(inner), int(inner)
    assert kind_of(ipaddress.IPv6Address((0xFFFF << 32) | number)) == kind
    public_or_never = "public" if kind == "public" else "never"
    for shell in ("64:ff9b::", "2606:4700::5efe:0:0", "2606:4700::200:5efe:0:0"):
        assert kind_of(ipaddress.IPv6Address(int(ipaddress.ip_address(shell)) | number)) == public_or_never
    assert kind_of(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))) == public_or_never
    for shell in ("::", "::ffff:0:0:0", "64:ff9b:1::", "2001::"):
        address = ipaddress.IPv6Address(int(ipaddress.ip_address(shell)) | number)
        assert kind_of(address) == "never" or address.is_loopback


@pytest.mark.parametrize("text", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::5db8:d822"])
def test_ordinary_servers_are_public(text: str) -> None:
    assert kind_of(ipaddress.ip_address(text)) == "public"


@settings(max_examples=rounds(100, 3_000))
@given(st.lists(addresses(), max_size=5), st.sampled_from([PUBLIC, PUBLIC_OR_PRIVATE, ANYTHING]))
def test_what_a_connection_is_given(rows: list[Address], kinds: frozenset[Kind]) -> None:
    """Whatever a name server answers: only what is allowed, and nothing else besides anything public."""
    families = {4: socket.AF_INET, 6: socket.AF_INET6}
    reply = [(families[row.version], socket.SOCK_STREAM, 6, "", (str(row), 0)) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *arguments, **named: reply)
        try:
            given_out = [text for _, text in asyncio.run(Resolver().usable("ehr.example", kinds))]
        except (RequestFailed, socket.gaierror) as refused:
            assert not any(kind_of(row) in kinds for row in rows)
            assert isinstance(refused, RequestFailed) is bool(rows)
            return
    public = [str(row) for row in rows if kind_of(row) == "public"]
    assert set(given_out) == set(public or [str(row) for row in rows if kind_of(row) in kinds])


# -- spellings ---------------------------------------------------------------------------------------------------------

LOOPBACK_SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0X7F.1",
    "127.0.0.1.",
    "１２７.０.０.１",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "ｌｏｃａｌｈｏｓｔ",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[::127.0.0.1]",
    "[::1%25lo]",
    "[::1%lo]",
    "[fe80::1%25lo]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "0.0.0.0",
    "0",
    "[::]",
    "127.0.0.1%00.example.com",
    "127.0.0.1\\@example.com",
    "example.com@127.0.0.1",
]


@pytest.fixture
async def open_name_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The system's own resolver for spellings of addresses; other names are loopback, as a hostile server says."""
    real = socket.getaddrinfo

    def reply(host: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(host, str) and literal(host) is not None:
            return real(str(literal(host)), *arguments, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", reply)
    yield


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
async def test_no_spelling_of_this_machine_is_contacted(
    loopback: Loopback, connected: list[str], open_name_server: None, host: str
) -> None:
    there = f"http://{host}:{loopback.port}/secret"
    loopback.routes["/from"] = redirect(there.encode().decode("latin-1"))
    reply = await get(there)
    assert word(reply) in {"refused", "protocol", "dns"}, reply.failure
    assert connected == [] and loopback.requests == []
    led = await get(f"http://127.0.0.1:{loopback.port}/from", f"http://127.0.0.1:{loopback.port}")
    # The allowed origin itself is no new place: only its own spelling leads back to it.
    assert not loopback.asked("/secret") or origin(f"http://{host}:{loopback.port}") == origin(loopback.origin)
    assert word(led) in {"redirect", "refused", "protocol", "dns", None}


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, ipaddress.IPv4Address]:
    """An IPv4 address in one to four numbers, each decimal, octal or hexadecimal (inet_aton)."""
    address = draw(st.ip_addresses(v=4) | st.sampled_from(["127.0.0.1", "169.254.169.254", "10.0.0.1"]))
    octets = list(ipaddress.IPv4Address(address).packed)
    parts = draw(st.integers(1, 4))
    numbers = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :])]
    forms = draw(st.lists(st.sampled_from(["{}", "0{:o}", "0x{:x}", "0X{:X}", "0x0{:x}"]), min_size=4, max_size=4))
    text = ".".join(form.format(number) for form, number in zip(forms, numbers, strict=False))
    return text + draw(st.sampled_from(["", "."])), ipaddress.IPv4Address(address)


@settings(max_examples=rounds(200, 5_000))
@given(spelled())
def test_every_spelling_is_the_same_address(case: tuple[str, ipaddress.IPv4Address]) -> None:
    text, address = case
    assert literal(text) == address
    where = origin(f"http://{text}:8080/x")
    assert where is not None and literal(where.host) == address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("0x0a000001", "10.0.0.1"),
        ("012.1", "10.0.0.1"),
        ("2852039166", "169.254.169.254"),
        ("169.254.169.254.", "169.254.169.254"),
        ("[fe80::1%eth0]", "fe80::1"),
        ("1.2.3", "1.2.0.3"),
        ("example.com", None),
        ("1.2.3.4.5", None),
        ("0x.example", None),
        ("256.256.256.256", None),
        ("127.0.0.1%00.example.com", None),
        ("93.184.216.34%eth0", None),
        ("", None),
    ],
)
def test_the_address_that_a_host_is_written_as(host: str, address: str | None) -> None:
    assert literal(host) == (ipaddress.ip_address(address) if address is not None else None)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "allowed", "contacted", "says"),
    [
        (["127.0.0.1"], False, [], "private network"),
        (["10.0.0.5", "192.168.0.1", "fd12::1"], False, [], "private network"),
        (["127.0.0.1"], True, ["127.0.0.1"], None),
        # One public address does not open the door to the private ones, allowed or not.
        ([PUBLIC_ADDRESS, "127.0.0.1"], False, [PUBLIC_ADDRESS], "refuses connections"),
        (["127.0.0.1", PUBLIC_ADDRESS], True, [PUBLIC_ADDRESS], "refuses connections"),
        (["169.254.169.254"], False, [], "metadata"),
        (["169.254.169.254"], True, [], "metadata"),
        (["169.254.169.254", "127.0.0.1"], True, ["127.0.0.1"], None),
        (["fd00:ec2::254"], True, [], "metadata"),
        (["fe80::1%eth0"], True, [], "metadata"),
        (["0.0.0.0", "::"], True, [], "metadata"),
        (["::ffff:127.0.0.1"], False, [], "private network"),
        ([], True, [], "could not be resolved"),
    ],
)
async def test_a_name_is_judged_by_all_its_addresses(
    loopback: Loopback,
    names: dict[str, Any],
    connected: list[str],
    rows: list[str],
    allowed: bool,
    contacted: list[str],
    says: str | None,
) -> None:
    names["ehr.example"] = rows
    url = f"http://ehr.example:{loopback.port}/fhir"
    reply = await get(url, *([url] if allowed else []))
    assert connected == contacted
    assert len(loopback.requests) == (says is None)
    if says is not None:
        assert reply.failure is not None and says in reply.failure.detail


async def test_a_name_server_that_changes_its_mind_gains_nothing(
    loopback: Loopback, names: dict[str, Any], connected: list[str]
) -> None:
    """Public when it is first asked, loopback the second time: what was judged is what is connected to."""
    answers = [[PUBLIC_ADDRESS], ["127.0.0.1"], ["127.0.0.1"]]
    names["rebinding.example"] = lambda: answers.pop(0)
    url = f"http://rebinding.example:{loopback.port}/x"
    async with Client(ProbeSettings()) as client:
        assert await client.address_of(origin(url) or Origin("", "", 0), asyncio.get_running_loop().time() + 1)
        for _ in range(3):
            await client.get(Ask(url, "*/*", asyncio.get_running_loop().time() + 3))
    assert set(connected) == {PUBLIC_ADDRESS} and loopback.requests == []


async def test_the_second_answer_is_judged_as_the_first(
    loopback: Loopback, names: dict[str, Any], connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without the memory of names: each connection judges what it connects to."""
    answers = [[PUBLIC_ADDRESS], ["127.0.0.1"]]
    names["rebinding.example"] = lambda: answers.pop(0)
    url = f"http://rebinding.example:{loopback.port}/x"
    first, second = [await get(url), await get(url)]
    assert connected == [PUBLIC_ADDRESS] and loopback.requests == []
    assert (word(first), word(second)) == ("connect", "refused")


@pytest.mark.parametrize("fault", ["slow", "temporary", "gone"])
async def test_a_name_that_is_not_known_is_not_contacted(
    loopback: Loopback, names: dict[str, Any], connected: list[str], fault: str
) -> None:
    """A resolver that fails or does not answer: neither the request nor a redirect there goes anywhere."""
    answering = asyncio.Event()
    loop = asyncio.get_running_loop()

    def resolve() -> list[str]:
        if fault == "temporary":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")
        if fault == "gone":
            raise socket.gaierror(socket.EAI_NONAME, "Unknown")
        asyncio.run_coroutine_threadsafe(answering.wait(), loop).result()
        return ["127.0.0.1"]

    names["unknown.example"] = resolve
    url = f"http://unknown.example:{loopback.port}/x"
    loopback.routes["/from"] = redirect(url)
    direct = await get(url, connect_timeout_s=0.1)
    led = await get(f"{loopback.origin}/from", loopback.origin, connect_timeout_s=0.1)
    answering.set()
    assert word(direct) == word(led) == ("timeout" if fault == "slow" else "dns")
    assert loopback.asked("/x") == [] and set(connected) <= {"127.0.0.1"}


async def test_local_names_are_this_machine_or_nothing(names: dict[str, Any], connected: list[str]) -> None:
    """Credentials may go to localhost over plain http, so no name server may say that it is somebody else."""
    names["ehr.localhost"] = names["localhost"] = [PUBLIC_ADDRESS]
    for host in ("ehr.localhost", "localhost"):
        assert word(await get(f"http://{host}:9/x", f"http://{host}:9")) == "dns"
    assert connected == []


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("ehr.example", "ehr.example"),
        ("EHR.Example", "ehr.example"),
        ("ehr.example.", "ehr.example."),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a_b.example", "a_b.example"),
        ("[0:0:0:0:0:FFFF:127.0.0.1]", None),
        ("127.0.0.1", None),
    ],
)
async def test_ordinary_spellings_are_read_in_one_way(
    loopback: Loopback, names: dict[str, Any], host: str, asked: str | None
) -> None:
    if asked is not None:
        names[asked] = ["127.0.0.1"]
    url = f"http://{host}:{loopback.port}/x"
    assert (await get(url, url)).records[0].status == 404


@pytest.mark.parametrize("authority", ["user:pw@ehr.example", "user@ehr.example", "@ehr.example", ":@ehr.example"])
async def test_no_request_carries_credentials_of_its_address(
    loopback: Loopback, names: dict[str, Any], authority: str
) -> None:
    names["ehr.example"] = ["127.0.0.1"]
    url = f"http://{authority}:{loopback.port}/x"
    reply = await get(url, url)
    assert word(reply) == "protocol" and loopback.requests == []
    assert reply.failure is not None and "user" not in reply.failure.detail


# -- who may be led where ----------------------------------------------------------------------------------------------


async def test_redirects_do_not_lead_into_a_private_network(loopback: Loopback) -> None:
    """Not even from a private server: what was allowed is its origin alone, not its neighbours."""
    other = Loopback()
    try:
        other.routes["/b"] = as_json({"secret": 1})
        for target in (f"{other.origin}/b", f"http://localhost:{other.port}/b", f"http://127.1:{other.port}/b"):
            loopback.routes["/a"] = redirect(target)
            reply = await get(f"{loopback.origin}/a", loopback.origin)
            assert word(reply) == "redirect" and "private network" in (reply.failure.detail if reply.failure else "")
            assert len(reply.records) == 1
        assert other.requests == []
        loopback.routes["/a"] = redirect(f"{other.origin}/b")
        assert (await get(f"{loopback.origin}/a", loopback.origin, other.origin)).failure is None
    finally:
        other.close()


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1:70/_x",
        "data:application/json,{}",
        "javascript:alert(1)",
        "//[::1",
        "http://user:pw@ehr.example/x",
        "http://@ehr.example/x",
        "http://ehr.example:0/x",
        "http://ehr.example:99999/x",
        "https:///x",
        "jar:http://127.0.0.1!/x",
        "unix:///var/run/docker.sock",
    ],
)
async def test_redirects_to_what_is_no_plain_web_address(loopback: Loopback, names: Any, target: str) -> None:
    names["ehr.example"] = ["127.0.0.1"]
    loopback.routes["/a"] = redirect(target)
    reply = await get(f"{loopback.origin}/a", loopback.origin)
    assert word(reply) == "redirect"
    assert len(loopback.requests) == 1 and "pw" not in (reply.failure.detail if reply.failure else "pw")


#: The fields by which a configuration sends the probe somewhere, each with what makes it go there.
ADVERTISED = ("jwks_uri", "issuer", "token_endpoint", "authorization_endpoint")


@pytest.mark.parametrize("field", ADVERTISED)
@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "keys.example", "127.1", "[::ffff:127.0.0.1]"])
def test_what_a_server_advertises_leads_to_no_private_address(
    loopback: Loopback, names: dict[str, Any], field: str, scheme: str, host: str
) -> None:
    """From a private base that the user typed: every document, preflight and negative goes through one judgement."""
    names["keys.example"] = ["127.0.0.1"]
    victim = Loopback()
    try:
        document = smart(**{field: f"{scheme}://{host}:{victim.port}/x"})
        document["capabilities"] = [*document.get("capabilities", ()), "sso-openid-connect"]
        base = loopback.serve(as_json(statement(), content_type="application/fhir+json"), as_json(document))
        (observation,) = probe_sync([Target(base_url=base)], FAR)
        assert observation.outcome == "observed"
        assert victim.requests == [] and victim.most_active == 0
    finally:
        victim.close()


def test_a_private_base_that_nobody_typed_is_not_contacted(loopback: Loopback, names: dict[str, Any]) -> None:
    names["ehr.example"] = ["127.0.0.1"]
    loopback.serve(as_json(statement()), as_json(smart()))
    for base in (
        loopback.base,
        f"http://ehr.example:{loopback.port}/fhir",
        f"https://ehr.example:{loopback.port}/fhir",
    ):
        (observation,) = observe([Target(base_url=base)], FAR)
        assert observation.outcome == "not_observed"
        assert observation.requests and {record.failure for record in observation.requests} == {"refused"}
        assert "private network; it was not contacted" in (observation.requests[0].detail or "")
    assert loopback.requests == [] and loopback.most_active == 0


def test_the_look_at_tls_goes_through_the_same_judgement(
    names: dict[str, Any], serve: Callable[[ssl.SSLContext], Loopback], authority: Any, connected: list[str]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("ehr.example").configure_cert(context)
    names["ehr.example"] = ["127.0.0.1", PUBLIC_ADDRESS]
    server = serve(context)
    (observation,) = observe([Target(base_url=f"https://ehr.example:{server.port}/fhir")], FAR)
    assert observation.facts.tls is None or observation.facts.tls.chain == ()
    assert set(connected) == {PUBLIC_ADDRESS} and server.most_active == 0


# -- proxies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["option", "environment"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("host", "allowed", "asked"),
    [
        ("ehr.example", False, True),
        ("10.0.0.5", False, False),
        ("10.0.0.5", True, True),
        ("012.0.0.5", False, False),
        ("[fd12::1]", False, False),
        ("169.254.169.254", True, False),
        ("2852039166", True, False),
        ("metadata.google.internal", False, False),
        ("intranet", False, False),
        ("intranet", True, True),
        ("printer.local.", False, False),
        ("93.184.216.34", False, True),
    ],
)
async def test_what_a_proxy_is_asked_for(
    loopback: Loopback,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    allowed: bool,
    asked: bool,
    scheme: str,
    named: str,
) -> None:
    """The proxy resolves names where nobody here sees it, so their writing is all there is to judge."""
    if named == "environment":
        monkeypatch.setenv(f"{scheme}_proxy", loopback.origin)
    proxy = loopback.origin if named == "option" else None
    allowing = typed(ProbeSettings(proxy=proxy), *([f"{scheme}://{host}"] if allowed else []))
    async with Client(allowing) as client:
        reply = await client.get(Ask(f"{scheme}://{host}/x", "*/*", asyncio.get_running_loop().time() + 3))
    assert bool(loopback.requests) is asked, reply.failure
    assert asked or word(reply) == "refused"


async def test_a_redirect_through_a_proxy_is_judged_too(loopback: Loopback) -> None:
    loopback.routes["http://ehr.example/x"] = redirect("http://169.254.169.254/latest/meta-data")
    async with Client(ProbeSettings(proxy=loopback.origin)) as client:
        reply = await client.get(Ask("http://ehr.example/x", "*/*", asyncio.get_running_loop().time() + 3))
    assert word(reply) == "redirect"
    assert [request.target for request in loopback.requests] == ["http://ehr.example/x"]


@pytest.mark.parametrize("name", ["localhost", "a.LOCALHOST.", "intranet", "ehr.corp", "x.home.arpa", "m.internal."])
def test_names_of_inner_networks(name: str) -> None:
    assert is_internal_name(name)
    assert not is_internal_name(f"{name.rstrip('.')}.example.org") and not is_internal_name("127.1")


# -- the parts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.1", "fe80::1", PUBLIC_ADDRESS])
def test_no_socket_is_made_for_what_is_not_allowed(text: str) -> None:
    """What is an address already bypasses the resolver; the last door is the socket."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    kind = kind_of(ipaddress.ip_address(text))
    for kinds in (PUBLIC, PUBLIC_OR_PRIVATE, ANYTHING):
        gate = Gate(Resolver(), kinds)
        info = (family, socket.SOCK_STREAM, 6, "", (text, 80))
        if kind in kinds:
            gate.socket(info).close()
        else:
            with pytest.raises(Exception, match="it was not contacted"):
                gate.socket(info)


#: What opens a connection or fetches an address, by its last name.
DOORS = {"ClientSession", "TCPConnector", "open_connection", "create_connection", "urlopen", "HTTPConnection"}
DOORS |= {"HTTPSConnection", "sock_connect", "connect_ex", "AsyncClient", "start_connection", "getaddrinfo"}
#: The modules that have one: a probe's connections, handshakes and lookups, each with the judgement before it.
KEEPERS = {"probe/transport/connections.py", "probe/transport/tls.py"}
#: A simulated hospital asks for a client's keys, and tells a subscriber or a CDS service: on this computer alone.
KEEPERS |= {"sandbox/client_keys.py", "sandbox/outgoing.py"}
#: A rehearsal asks the product that its user names, on this computer or at the one origin that was allowed and looked
#: up once; its sample application, a program of its own, asks the simulated hospitals that it was told of.
KEEPERS |= {"rehearse/gate.py", "rehearse/program.py", "rehearse/sample/asking.py", "usecases/rehearse.py"}


def test_there_is_no_other_door() -> None:
    """Whatever is fetched goes through the judgement: nothing else in the product opens a connection."""
    package = Path(interlock.__file__).parent
    doors: dict[str, set[str]] = {}
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            bases = node.bases if isinstance(node, ast.ClassDef) else []
            for part in [called, *bases]:
                name = getattr(part, "attr", getattr(part, "id", ""))
                if name in DOORS:
                    doors.setdefault(path.relative_to(package).as_posix(), set()).add(name)
    assert set(doors) == KEEPERS, doors


def test_what_is_allowed_reaches_worker_processes() -> None:
    settings = typed(ProbeSettings(), "http://127.0.0.1:8080", "https://ehr.internal")
    assert pickle.loads(pickle.dumps(settings)).private_origins == settings.private_origins
