"""What a host's TLS shows: the chain, its names and keys, the versions offered, and whose matter a failure is."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from probe_loopback import Loopback, redirect

from interlock.model.facts import Certificate, TlsFacts
from interlock.model.observation import Check, Observation, Target
from interlock.probe.transport.addresses import Origin, origin
from interlock.probe.transport.client import Client
from interlock.probe.transport.hosts import HostMemory
from interlock.probe.transport.settings import ClientCertificate, ProbeSettings
from interlock.probe.transport.tls import Inspection, can_try, inspect
from interlock.probe.transport.tls_facts import explained
from interlock.probe.transport.transfer import Ask
from typed_targets import probe_sync, typed

pytestmark = pytest.mark.fast

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def context_of(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def only(context: ssl.SSLContext, low: ssl.TLSVersion, high: ssl.TLSVersion) -> ssl.SSLContext:
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = low, high
    return context


def observe(base: str, bundle: Path, **changes: object) -> Observation:
    settings = ProbeSettings(deadline_s=5, ca_bundle=bundle, thorough=True, **changes)  # type: ignore[arg-type]
    (observation,) = probe_sync([Target(base_url=base)], settings)
    return observation


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def check(observation: Observation, check_id: str) -> Check:
    return next(check for check in observation.checks if check.id == check_id)


def outcomes(observation: Observation, *numbers: int) -> list[str]:
    return [check(observation, f"NET-{number:03d}").outcome.value for number in numbers]


def test_a_good_host(serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path) -> None:
    observation = observe(serve(context_of(authority.issue_cert("localhost"))).base, bundle)
    tls = observation.facts.tls
    assert tls is not None and tls.leaf is not None
    assert tls.verified is True and tls.cause is None
    assert tls.leaf.names == ("localhost",)
    assert tls.leaf.days_left > 300 and not tls.leaf.self_signed and not tls.leaf.authority
    assert tls.negotiated == "TLSv1.3"
    assert tls.versions == {"TLSv1": "refused", "TLSv1.1": "refused", "TLSv1.2": "offered", "TLSv1.3": "offered"}
    assert outcomes(observation, *range(9, 19)) == ["pass"] * 10


def test_a_quick_probe_leaves_the_host_alone(
    serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path
) -> None:
    server = serve(context_of(authority.issue_cert("localhost")))
    (observation,) = probe_sync([Target(base_url=server.base)], ProbeSettings(deadline_s=5, ca_bundle=bundle))
    assert observation.facts.tls == TlsFacts(verified=True)
    assert outcomes(observation, 10, 16) == ["not_observed", "not_observed"]
    assert len(observation.requests) == 2


@pytest.mark.parametrize(
    ("low", "high", "offered", "findings"),
    [
        (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, {"TLSv1"}, ["fail", "fail", "warn"]),
        (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, {"TLSv1", "TLSv1.1", "TLSv1.2"}, ["fail", "pass", "warn"]),
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, {"TLSv1.2"}, ["pass", "pass", "warn"]),
        (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3, {"TLSv1.3"}, ["pass", "warn", "pass"]),
    ],
    ids=["1.0 only", "1.0 to 1.2", "1.2 only", "1.3 only"],
)
def test_versions(
    serve: Callable[..., Loopback],
    authority: trustme.CA,
    bundle: Path,
    low: ssl.TLSVersion,
    high: ssl.TLSVersion,
    offered: set[str],
    findings: list[str],
) -> None:
    server = serve(only(context_of(authority.issue_cert("localhost")), low, high))
    observation = observe(server.base, bundle)
    tls = observation.facts.tls
    assert tls is not None
    assert {name for name, offer in tls.versions.items() if offer == "offered"} == offered
    assert {offer for name, offer in tls.versions.items() if name not in offered} == {"refused"}
    assert outcomes(observation, 16, 17, 18) == findings
    if offered == {"TLSv1"}:  # the documents cannot be had with this machine's usual settings, and the door is named
        assert observation.outcome == "not_observed"
        assert check(observation, "NET-009").outcome == "warn"
        assert tls.leaf is not None


def test_what_this_machine_cannot_try_is_not_called_refused(
    serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock.probe.transport.tls.can_try", lambda version: version not in {"TLSv1", "TLSv1.1"})
    observation = observe(serve(context_of(authority.issue_cert("localhost"))).base, bundle)
    assert observation.facts.tls is not None
    assert observation.facts.tls.versions["TLSv1"] == "cannot_tell"
    assert check(observation, "NET-016").outcome == "not_observed"


def test_the_self_test_agrees_with_a_real_handshake() -> None:
    assert can_try("TLSv1.2") and can_try("TLSv1.3")
    assert can_try("TLSv1") == ssl.HAS_TLSv1


async def test_a_port_without_tls_and_a_silent_one(loopback: Loopback) -> None:
    loop = asyncio.get_running_loop()
    plain = await inspect("localhost", "127.0.0.1", loopback.port, loop.time() + 2, contextlib.nullcontext)
    assert plain.chain == () and set((plain.versions or {}).values()) == {"cannot_tell"}
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        inspection = await inspect("127.0.0.1", "127.0.0.1", port, loop.time() + 0.3, contextlib.nullcontext)
    assert inspection.chain == () and set((inspection.versions or {}).values()) == {"cannot_tell"}


@pytest.mark.parametrize(
    ("fault", "error", "cause", "findings"),
    [
        ("expired", "expired", "server", {10: "fail", 11: "pass", 12: "pass"}),
        ("wrong host", "hostname_mismatch", "server", {10: "pass", 11: "fail", 12: "pass"}),
        ("no alternative name", "hostname_mismatch", "server", {10: "pass", 11: "fail", 12: "pass"}),
        ("self-signed", "self_signed", "server", {11: "pass", 12: "fail"}),
        ("missing intermediate", "untrusted_issuer", "cannot_tell", {11: "pass", 13: "warn"}),
        ("missing intermediate that is named", "untrusted_issuer", "server", {11: "pass", 13: "fail"}),
        ("private authority", "untrusted_issuer", "cannot_tell", {11: "pass", 12: "pass", 13: "warn"}),
        ("small key", "other", "cannot_tell", {14: "fail"}),
    ],
)
def test_bad_certificates(
    serve: Callable[..., Loopback],
    authority: trustme.CA,
    bundle: Path,
    tmp_path: Path,
    fault: str,
    error: str,
    cause: str,
    findings: dict[int, str],
) -> None:
    observation = observe(serve(bad_context(fault, authority, tmp_path)).base, bundle)
    tls = observation.facts.tls
    assert tls is not None
    assert observation.outcome == "not_observed"
    if fault != "small key":  # which objection OpenSSL has to one first depends on its build
        assert (tls.verified, tls.error, tls.cause) == (False, error, cause), tls
    assert {number: outcomes(observation, number)[0] for number in findings} == findings
    assert check(observation, "CAP-001").outcome == "not_observed"
    if fault == "no alternative name":  # the common name is the host's, and does not count (RFC 9525 section 2)
        assert tls.leaf is not None and (tls.leaf.subject, tls.leaf.names) == ("localhost", ())
        for number in (3, 11):
            assert "no subjectAltName" in check(observation, f"NET-{number:03}").message


def bad_context(fault: str, authority: trustme.CA, directory: Path) -> ssl.SSLContext:
    if fault == "expired":
        return context_of(authority.issue_cert("localhost", not_before=NOW - 90 * DAY, not_after=NOW - 30 * DAY))
    if fault == "wrong host":
        return context_of(authority.issue_cert("ehr.example.org", "*.example.org"))
    if fault == "no alternative name":
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
        path = signed(directory, key, builder("localhost", key.public_key(), issuer.subject, names=()), authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context
    if fault == "self-signed":
        return own_context(directory, "localhost")
    if fault == "small key":
        return own_context(directory, "localhost", key=rsa.generate_private_key(public_exponent=65537, key_size=1024))
    if fault == "private authority":
        other = trustme.CA()
        context = context_of(other.issue_cert("localhost"))
        return context
    intermediate = authority.create_child_ca()
    if fault == "missing intermediate":
        leaf = intermediate.issue_cert("localhost")
        path = directory / "leaf.pem"
        path.write_bytes(leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes())
    else:
        path = named_issuer(intermediate, directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def named_issuer(intermediate: trustme.CA, directory: Path) -> Path:
    """A leaf of an intermediate authority that says, as public ones do, where that authority's certificate is."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.load_pem_x509_certificate(intermediate.cert_pem.bytes())
    access = x509.AccessDescription(
        x509.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example/i.crt")
    )
    leaf = builder("localhost", key.public_key(), issuer.subject)
    return signed(
        directory, key, leaf.add_extension(x509.AuthorityInformationAccess([access]), critical=False), intermediate
    )


def signed(
    directory: Path, key: ec.EllipticCurvePrivateKey, leaf: x509.CertificateBuilder, authority: trustme.CA
) -> Path:
    own = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    return written(directory, key, leaf.sign(own, hashes.SHA256()))  # type: ignore[arg-type]


def own_context(
    directory: Path, name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None
) -> ssl.SSLContext:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    path = written(directory, key, builder(name, key.public_key(), subject).sign(key, hashes.SHA256()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(path)
    return context


def builder(
    name: str,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    issuer: x509.Name,
    names: Sequence[str] | None = None,
) -> x509.CertificateBuilder:
    """A certificate of a name; ``names`` are its alternative ones, by default the name alone."""
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 100 * DAY)
    )
    alternative = [x509.DNSName(alternative_name) for alternative_name in ((name,) if names is None else names)]
    return made.add_extension(x509.SubjectAlternativeName(alternative), critical=False) if alternative else made


def written(
    directory: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, certificate: x509.Certificate
) -> Path:
    path = directory / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_certificate_that_expires_soon(serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path) -> None:
    observation = observe(serve(context_of(authority.issue_cert("localhost", not_after=NOW + 10 * DAY))).base, bundle)
    assert check(observation, "NET-003").outcome == "pass"
    assert check(observation, "NET-010").outcome == "warn"
    assert "expires in 9 days" in check(observation, "NET-010").message


def test_the_length_of_a_certificates_life_is_recorded(
    serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path
) -> None:
    issued = authority.issue_cert("localhost", not_before=NOW - 37 * DAY, not_after=NOW + 10 * DAY)
    tls = observe(serve(context_of(issued)).base, bundle).facts.tls
    assert tls is not None and tls.leaf is not None
    assert (tls.leaf.days_left, tls.leaf.days_valid) == (9, 47)


def test_a_ca_bundle_is_trusted_besides_the_others(
    serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path
) -> None:
    server = serve(context_of(authority.issue_cert("localhost")))
    (observation,) = probe_sync([Target(base_url=server.base)], ProbeSettings(deadline_s=5, ca_bundle=bundle))
    assert observation.outcome == "observed"


def test_a_client_certificate_opens_the_door(
    serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path, tmp_path: Path
) -> None:
    context = context_of(authority.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    server = serve(only(context, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    without = observe(server.base, bundle)
    assert without.outcome == "not_observed"
    own = authority.issue_cert("client.example.org")
    path = tmp_path / "client.pem"
    path.write_bytes(own.private_key_pem.bytes() + b"".join(pem.bytes() for pem in own.cert_chain_pems))
    identified = observe(server.base, bundle, client_certificate=ClientCertificate(path))
    assert identified.outcome == "observed"
    bound = ClientCertificate(path, origins=frozenset(filter(None, [origin(server.base)])))
    assert observe(server.base, bundle, client_certificate=bound).outcome == "observed"
    elsewhere = ClientCertificate(path, origins=frozenset({Origin("https", "localhost", 1)}))
    assert observe(server.base, bundle, client_certificate=elsewhere).outcome == "not_observed"
    assert "password" not in repr(ClientCertificate(path, password="secret"))
    assert "secret" not in repr(ProbeSettings(client_certificate=ClientCertificate(path, password="secret")))


def test_a_client_certificate_is_not_carried_to_another_host(
    serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path, tmp_path: Path
) -> None:
    demanding = context_of(authority.issue_cert("localhost"))
    demanding.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(demanding)
    other = serve(only(demanding, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    first = serve(context_of(authority.issue_cert("localhost")))
    first.serve(redirect(f"{other.base}/metadata"))
    path = tmp_path / "client.pem"
    own = authority.issue_cert("client.example.org")
    path.write_bytes(own.private_key_pem.bytes() + b"".join(pem.bytes() for pem in own.cert_chain_pems))
    settings = ProbeSettings(deadline_s=5, ca_bundle=bundle, client_certificate=ClientCertificate(path))
    allowed = [other.origin]
    direct, led = (
        probe_sync([Target(base_url=server.base)], settings, allowed=allowed)[0] for server in (other, first)
    )
    assert direct.facts.capability is not None
    assert led.facts.capability is None
    assert next(record.status for record in led.requests if record.purpose == "metadata") == 302


def certificate(subject: str = "ehr.example.org", issuer: str = "Some CA", **changes: object) -> Certificate:
    fields: dict[str, object] = {
        "subject": subject,
        "issuer": issuer,
        "names": (subject,),
        "not_before": "2026-01-01T00:00:00+00:00",
        "not_after": "2027-01-01T00:00:00+00:00",
        "days_left": 90,
        "self_signed": subject == issuer,
        "key": "RSA 2048",
        "key_bits": 2048,
        "signature": "sha256",
    }
    return Certificate.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("chain", "error", "trusted", "shared", "cause"),
    [
        ((certificate(),), "untrusted_issuer", 0, False, "here"),
        ((certificate(issuer="Zscaler Intermediate Root CA"),), "untrusted_issuer", 150, False, "here"),
        ((certificate(),), "untrusted_issuer", 150, True, "here"),
        ((certificate(), certificate("Some CA", "Root")), "untrusted_issuer", 150, False, "cannot_tell"),
        ((certificate(days_left=-3),), "untrusted_issuer", 150, False, "server"),
        ((certificate(),), "not_yet_valid", 150, False, "cannot_tell"),
    ],
)
def test_whose_matter_it_is(chain: tuple[Certificate, ...], error: str, trusted: int, shared: bool, cause: str) -> None:
    tls = TlsFacts(verified=False, error=error, message="the certificate was not accepted", chain=chain)
    assert explained(tls, trusted_here=trusted, shared_issuer=shared).cause == cause


def test_one_issuer_at_hosts_of_different_owners_is_a_middlebox() -> None:
    memory = HostMemory()
    assert not memory.shares_issuer("fhir.one.example", "Unknown CA")
    assert not memory.shares_issuer("auth.one.example", "Unknown CA")
    assert memory.shares_issuer("ehr.two.test", "Unknown CA")


async def test_a_host_is_looked_at_once_however_many_targets_it_has() -> None:
    memory = HostMemory(limit=2)
    looks = []

    async def look() -> Inspection:
        looks.append(1)
        await asyncio.sleep(0)
        return Inspection(chain=(certificate(),))

    inspection = await asyncio.gather(*(memory.inspect_once("h", 443, look, versions=True) for _ in range(20)))
    assert len(looks) == 1 and len({id(each) for each in inspection}) == 1
    for name in ("a", "b", "c"):
        await memory.inspect_once(name, 443, look, versions=True)
    await memory.inspect_once("h", 443, look, versions=True)  # forgotten: the memory is bounded
    assert len(looks) == 5


async def test_a_server_that_never_says_goodbye_keeps_no_connection(authority: trustme.CA, bundle: Path) -> None:
    """It announces the end, and neither reads the farewell of TLS (RFC 8446 section 6.1) nor sends its own."""
    context = context_of(authority.issue_cert("localhost"))
    asked, over = threading.Event(), threading.Event()

    def answer_and_keep_silent(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
            asked.set()
            over.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer_and_keep_silent, args=[listener])
        server.start()
        try:
            url = f"https://localhost:{listener.getsockname()[1]}/"
            loop = asyncio.get_running_loop()
            async with Client(typed(ProbeSettings(ca_bundle=bundle), url)) as client:
                answer = await client.get(Ask(url=url, accept="*/*", deadline=loop.time() + 5))
            await asyncio.sleep(0)
            assert answer.body == b"{}" and asked.is_set()
            sockets = [entry for entry in gc.get_objects() if isinstance(entry, socket.socket)]
            assert not [entry for entry in sockets if _peer(entry) == listener.getsockname()]
        finally:
            over.set()
            server.join()


def _peer(connection: socket.socket) -> object:
    try:
        return connection.getpeername()
    except OSError:
        return None
