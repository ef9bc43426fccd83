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
#: When a certificate that expired did so.
EXPIRED = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_AUTHORITY_FROM = datetime.datetime(2018, 1, 1, tzinfo=datetime.UTC)
_AUTHORITY_UNTIL = datetime.datetime(2068, 1, 1, tzinfo=datetime.UTC)

_NAMES: list[x509.GeneralName] = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
]
#: What an authority of this computer alone may vouch for.
_LOCAL: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")), x509.DNSName("localhost")]


def simulated_contexts() -> tuple[dict[str, ssl.SSLContext], str]:
    """Server contexts by name, and the certificate of the authority behind the expired one as PEM.

    ``expired`` has a certificate that expired years ago; ``middlebox`` a valid one of an authority that nobody trusts,
    named like a product that inspects connections. Both name ``localhost``, ``127.0.0.1`` and ``::1``. Private keys
    exist in memory and, because OpenSSL reads files only, for a moment in a private temporary directory.
    """
    authority, gateway = Authority("Interlock sandbox authority"), Authority("Example Gateway SSL Inspection")
    contexts = {"expired": authority.server(_NAMES, EXPIRED), "middlebox": gateway.server(_NAMES, _AUTHORITY_UNTIL)}
    return contexts, authority.pem


class Authority:
    """An authority that signs certificates of servers.

    :ivar pem: its own certificate.
    """

    def __init__(self, name: str, key: ec.EllipticCurvePrivateKey | None = None, *, local: bool = False) -> None:
        """Make one; ``local`` keeps it from vouching for anything but this computer."""
        self._key = key or ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        builder = (
            _builder(self._name, self._name, self._key.public_key(), _AUTHORITY_FROM, _AUTHORITY_UNTIL)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
        )
        if local:
            builder = builder.add_extension(x509.NameConstraints(_LOCAL, None), critical=True)
        self.pem = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")

    def server(self, names: list[x509.GeneralName], until: datetime.datetime | None = None) -> ssl.SSLContext:
        """A context with a certificate for these names, by default of a month around today."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        leaf = (
            _builder(
                _name("localhost"),
                self._name,
                key.public_key(),
                _LEAF_FROM if until is not None else now - day,
                until or now + 30 * day,
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return _context(leaf, key)


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
