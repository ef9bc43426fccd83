"""TLS contexts: the authorities that are trusted, and the client certificate."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import certifi

from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.probe.transport.settings import ClientCertificate, ProbeSettings


def tls_context(settings: ProbeSettings, *, identified: bool) -> ssl.SSLContext:
    """The context that verifies servers, by the system's and certifi's authorities and those of the settings.

    :param identified: it presents the settings' client certificate.
    :raises InterlockError: the file or directory holds no certificates, or the certificate or its key cannot be used.
    """
    if settings.ca_bundle is None and not identified:
        return _default_context()
    context = _new_context()
    if settings.ca_bundle is not None:
        _trust(context, settings.ca_bundle)
    if identified and settings.client_certificate is not None:
        _present(context, settings.client_certificate)
    return context


def _trust(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(
            cafile=str(path) if path.is_file() else None, capath=str(path) if path.is_dir() else None
        )
    except (OSError, ssl.SSLError, TypeError) as error:
        raise InterlockError(
            f"{path} holds no CA certificates that can be read", remedy="give a PEM file or a directory of them"
        ) from error


def _present(context: ssl.SSLContext, own: ClientCertificate) -> None:
    try:
        context.load_cert_chain(own.certificate, own.key, own.password or "")
    except (OSError, ssl.SSLError) as error:
        raise InterlockError(
            f"the client certificate {plain(own.certificate, 200)} cannot be used",
            remedy="give a PEM certificate, its private key, and the key's password when it has one",
        ) from error


def _new_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    # A certificate without subjectAltName is refused: its common name names no host (RFC 9525).
    context.hostname_checks_common_name = False
    return context


#: The context of the system's and certifi's certificates, loaded once: that takes tens of milliseconds.
_default_context = cache(_new_context)
