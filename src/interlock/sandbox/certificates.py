"""TLS certificates with faults, and the authorities that signed them, made afresh for each server.

The expired one's authority is itself valid, so a client that trusts it sees one fault only: the expiry.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LEAF_FROM = datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC)
_LEAF_UNTIL = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_AUTHORITY_FROM = datetime.datetime(2018, 1, 1, tzinfo=datetime.UTC)
_AUTHORITY_UNTIL = datetime.datetime(2068, 1, 1, tzinfo=datetime.UTC)

_NAMES = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
]


def simulated_contexts() -> tuple[dict[str, ssl.SSLContext], str]:
    """Server contexts by name, and the certificate of the authority behind the expired one as PEM.

    ``expired`` has a certificate that expired years ago; ``middlebox`` a valid one of an authority that nobody trusts,
    named like a product that inspects connections. Both name ``localhost``, ``127.0.0.1`` and ``::1``. Private keys
    exist in memory and, because OpenSSL reads files only, for a moment in a private temporary directory.
    """
    expired, authority = _issued("Interlock sandbox authority", _LEAF_UNTIL)
    middlebox, _ = _issued("Example Gateway SSL Inspection", _AUTHORITY_UNTIL)
    return {"expired": expired, "middlebox": middlebox}, authority


def _issued(authority_name: str, valid_until: datetime.datetime) -> tuple[ssl.SSLContext, str]:
    """A server context with a certificate of a new authority, and the authority's certificate as PEM."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name(authority_name)
    authority = (
        _builder(issuer, issuer, authority_key.public_key(), _AUTHORITY_FROM, _AUTHORITY_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = (
        _builder(_name("localhost"), issuer, leaf_key.public_key(), _LEAF_FROM, valid_until)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    return _context(leaf, leaf_key), authority.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    valid_from: datetime.datetime,
    valid_until: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _context(leaf: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + leaf.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory(prefix="interlock-") as folder:
        path = Path(folder) / "expired.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
