"""Certificates and schemes: what is wrong there, and what may only be missing here."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from probe_documents import smart, statement
from probe_loopback import Loopback, Reply, as_json, redirect

from interlock.content.rulesets import load_ruleset
from interlock.documents.resources import data_dir
from interlock.judge.evaluate import evaluate
from interlock.judge.variables import RuleInputs
from interlock.model.errors import InterlockError
from interlock.model.facts import TlsFacts
from interlock.model.finding import Finding
from interlock.model.observation import Check, Observation, Target
from interlock.model.organization import Organization
from interlock.probe.transport.settings import ProbeSettings
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

PAST = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


def context_of(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def observe(base: str, bundle: Path | None, *allowed: str) -> Observation:
    (observation,) = probe_sync([Target(base_url=base)], ProbeSettings(deadline_s=5, ca_bundle=bundle), allowed=allowed)
    return observation


def check(observation: Observation, check_id: str) -> Check:
    return next(check for check in observation.checks if check.id == check_id)


def test_trusted_certificate(serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path) -> None:
    server = serve(context_of(authority.issue_cert("localhost")))
    observation = observe(server.base, bundle)
    assert observation.outcome == "observed"
    assert observation.facts.tls == TlsFacts(verified=True)
    assert check(observation, "NET-003").outcome == "pass"
    assert check(observation, "NET-005").outcome == "pass"


def self_signed(directory: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(PAST)
        .not_valid_after(datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "self.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize(
    ("fault", "word", "outcome"),
    [
        ("expired", "expired", "fail"),
        ("self-signed", "self_signed", "fail"),
        ("other host", "hostname_mismatch", "fail"),
        ("unknown authority", "untrusted_issuer", "warn"),
    ],
)
def test_certificate_faults_are_told_apart(
    serve: Callable[..., Loopback],
    authority: trustme.CA,
    bundle: Path,
    tmp_path: Path,
    fault: str,
    word: str,
    outcome: str,
) -> None:
    contexts: dict[str, Callable[[], ssl.SSLContext]] = {
        "expired": lambda: context_of(
            authority.issue_cert("localhost", not_before=PAST, not_after=PAST + datetime.timedelta(days=30))
        ),
        "self-signed": lambda: self_signed(tmp_path),
        "other host": lambda: context_of(authority.issue_cert("ehr.example.org")),
        "unknown authority": lambda: context_of(trustme.CA().issue_cert("localhost")),
    }
    server = serve(contexts[fault]())
    observation = observe(server.base, bundle)
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"tls"}, observation.checks[0]
    assert observation.facts.tls is not None
    assert observation.facts.tls.verified is False
    assert observation.facts.tls.error == word
    assert observation.facts.capability is None and observation.facts.smart is None
    assert observation.facts.tls.leaf is not None
    assert observation.facts.tls.leaf.days_left < 0 or fault != "expired"
    assert "presented: for" in check(observation, "NET-003").message
    assert check(observation, "NET-003").outcome == outcome
    assert check(observation, "NET-002").outcome == "pass"
    assert check(observation, "CAP-001").outcome == "not_observed"
    assert not server.requests


def test_expiry_is_found_behind_an_unknown_authority(
    serve: Callable[..., Loopback], authority: trustme.CA, bundle: Path
) -> None:
    """OpenSSL objects to the authority first; the certificate's own dates say what is wrong there."""
    leaf = trustme.CA().issue_cert("localhost", not_before=PAST, not_after=PAST + datetime.timedelta(days=30))
    observation = observe(serve(context_of(leaf)).base, bundle)
    assert observation.facts.tls is not None
    assert observation.facts.tls.error == "expired"
    assert observation.facts.tls.leaf is not None
    assert observation.facts.tls.leaf.not_after.startswith("2001-01-31")
    assert observation.facts.tls.leaf.names == ("localhost",)
    assert check(observation, "NET-003").outcome == "fail"
    assert "expired on 31 Jan 2001" in check(observation, "NET-003").message
    assert "has expired" in (observation.reason_not_observed() or "")


def test_plain_http_on_an_https_address(loopback: Loopback) -> None:
    base = loopback.serve(as_json(statement()), as_json(smart())).replace("http://", "https://")
    observation = observe(base, None)
    assert observation.outcome == "not_observed"
    assert {record.failure for record in observation.requests} == {"tls"}
    assert observation.facts.tls is not None
    assert observation.facts.tls.error == "not_tls"
    assert check(observation, "NET-003").outcome == "not_observed"
    assert check(observation, "NET-009").outcome == "fail"
    (finding,) = protected(observation)
    assert (finding.outcome, finding.message) == (
        "gap",
        "Acme: the FHIR address is not https or does not speak TLS, its certificate is not valid, or the token address "
        "is not https",
    )


def test_a_port_that_says_nothing_decides_nothing_about_tls() -> None:
    (finding,) = protected(observe("https://127.0.0.1:9/fhir", None))
    assert finding.outcome == "unknown"


def protected(observation: Observation) -> tuple[Finding, ...]:
    """What PRB-003 concludes of an observation alone."""
    core = load_ruleset(data_dir("rulesets") / "core")
    rule = next(rule for rule in core.rules if rule.id == "PRB-003").model_copy(update={"depends_on": ()})
    acme = Organization.model_validate(
        {"id": "acme", "name": "Acme", "vendor": "epic", "fhir_base_url": observation.target.base_url}
    )
    only = core.model_copy(update={"rules": (rule,), "tasks": ()})
    return evaluate(only, RuleInputs(organizations=(acme,), observations={"acme": observation}))


def test_redirect_from_https_to_http_is_not_followed(
    serve: Callable[..., Loopback], loopback: Loopback, authority: trustme.CA, bundle: Path
) -> None:
    loopback.serve(as_json(statement()))
    server = serve(context_of(authority.issue_cert("localhost")))
    server.serve(redirect(f"{loopback.base}/metadata"))
    observation = observe(server.base, bundle)
    assert observation.outcome == "partial"
    assert observation.facts.capability is None
    assert observation.requests[0].failure == "redirect"
    assert "from https to http" in (observation.requests[0].detail or "")
    assert check(observation, "NET-006").outcome == "fail"
    assert not loopback.requests


def test_http_base_that_leads_to_https(
    serve: Callable[..., Loopback], loopback: Loopback, authority: trustme.CA, bundle: Path
) -> None:
    server = serve(context_of(authority.issue_cert("localhost")))
    loopback.serve(redirect(f"{server.base}/metadata", 301), Reply(b"", 404))
    observation = observe(loopback.base, bundle, server.origin)
    assert observation.outcome == "observed"
    assert check(observation, "NET-006").outcome == "warn"


def test_ca_bundle_that_holds_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(InterlockError, match="no CA certificates"):
            observe("https://localhost/fhir", path)
