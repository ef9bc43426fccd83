"""What a server presented when its certificate was not accepted: read from a handshake that verifies and sends nothing.

OpenSSL names the first thing that it objects to. A certificate that has expired and whose authority is unknown here is
reported as the latter; only the certificate itself tells the two apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from interlock.documents.text import plain

_MAX_NAMES = 10


async def presented(host: str, port: int, deadline: float) -> dict[str, Any] | None:
    """Facts of the leaf certificate that a server presents, or none when it presents none in time.

    ``subject``, ``issuer`` (common names), ``names`` (at most ten subject alternative names), ``not_before``,
    ``not_after`` (ISO 8601, UTC), ``days_left`` (whole days, negative once expired), ``self_signed``, ``key``
    (``RSA 2048``, ``EC secp256r1``) and ``signature`` (hash name). Nothing is sent but the handshake.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw: bytes | None = None
    try:
        async with asyncio.timeout_at(deadline):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
            try:
                raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return None
    return describe(raw, datetime.now(UTC)) if raw else None


def describe(certificate: bytes, now: datetime) -> dict[str, Any] | None:
    """Facts of a DER certificate at a moment; none when it cannot be parsed."""
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        return {
            "subject": _common_name(parsed.subject),
            "issuer": _common_name(parsed.issuer),
            "names": _names(parsed),
            "not_before": parsed.not_valid_before_utc.isoformat(),
            "not_after": parsed.not_valid_after_utc.isoformat(),
            "days_left": (parsed.not_valid_after_utc - now).days,
            "self_signed": parsed.subject == parsed.issuer,
            "key": _key(parsed),
            "signature": parsed.signature_hash_algorithm.name if parsed.signature_hash_algorithm else None,
        }
    except Exception:
        # Parsers of certificates fail in many ways on what a stranger made; an unreadable one is no observation.
        return None


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME) or list(name)
    return plain(found[0].value, 120) if found else ""


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [plain(name.value, 120) for name in list(extension.value)[:_MAX_NAMES]]


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.strip("_").removesuffix("PublicKey")
