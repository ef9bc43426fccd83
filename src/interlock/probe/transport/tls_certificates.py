"""Certificates as facts. Kept apart because its library takes a while to import, and a plain probe does without it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from interlock.model.facts import Certificate
from interlock.model.text import plain

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

_MAX_NAMES = 10
MAX_CHAIN = 10


def read_chain(presented: Iterable[bytes], now: datetime) -> tuple[Certificate, ...]:
    """The certificates (DER) in the order presented, at most :data:`MAX_CHAIN`; an unreadable one ends the chain."""
    chain = []
    for certificate in list(presented)[:MAX_CHAIN]:
        read = describe(certificate, now)
        if read is None:
            break
        chain.append(read)
    return tuple(chain)


def describe(certificate: bytes, now: datetime) -> Certificate | None:
    """Facts of a DER certificate at a moment; none when it cannot be parsed."""
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        kind, bits = _key(parsed)
        names = _extension(parsed, x509.SubjectAlternativeName) or ()
        constraints = _extension(parsed, x509.BasicConstraints)
        access = _extension(parsed, x509.AuthorityInformationAccess) or ()
        return Certificate(
            subject=_common_name(parsed.subject),
            issuer=_common_name(parsed.issuer),
            names=tuple(plain(name.value, 120) for name in list(names)[:_MAX_NAMES]),
            not_before=parsed.not_valid_before_utc.isoformat(),
            not_after=parsed.not_valid_after_utc.isoformat(),
            days_left=(parsed.not_valid_after_utc - now).days,
            days_valid=(parsed.not_valid_after_utc - parsed.not_valid_before_utc).days,
            self_signed=parsed.subject == parsed.issuer,
            key=kind,
            key_bits=bits,
            signature=parsed.signature_hash_algorithm.name if parsed.signature_hash_algorithm else None,
            authority=constraints is not None and constraints.ca,
            # Where its issuer's is to be had (RFC 5280 section 4.2.2.1, caIssuers).
            names_its_issuer=any(entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS for entry in access),
        )
    except Exception:
        # Parsers of certificates fail in many ways on a stranger's bytes; an unreadable certificate is no observation.
        return None


def _common_name(name: x509.Name) -> str:
    attributes = name.get_attributes_for_oid(NameOID.COMMON_NAME) or list(name)
    return plain(attributes[0].value, 120) if attributes else ""


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _key(certificate: x509.Certificate) -> tuple[str, int | None]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}", key.curve.key_size
    return type(key).__name__.strip("_").removesuffix("PublicKey"), None
