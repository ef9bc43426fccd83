"""TLS contexts: the authorities that are trusted, and the client certificate."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import certifi

from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.probe.transport.settings import ProbeSettings


def tls_context(verify: ssl.SSLContext | str | Path | None, ca_bundle: Path | None = None) -> ssl.SSLContext:
    """The context that verifies servers: with given CA certificates, or with the system's and certifi's.

    ``ca_bundle`` is trusted besides the system's and certifi's certificates or those of ``verify``; a context that is
    given is left as it is.

    :raises InterlockError: the file or directory holds no certificates.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    return _new_context(verify, ca_bundle) if verify is not None or ca_bundle is not None else _default_context()


def identified_context(settings: ProbeSettings) -> ssl.SSLContext:
    """A context of its own that verifies like the others and presents the settings' client certificate.

    :raises InterlockError: the certificate or its key cannot be used, or ``verify`` is a context already.
    """
    own = settings.client_certificate
    if own is None or isinstance(settings.verify, ssl.SSLContext):
        raise InterlockError("a client certificate needs CA certificates in files, not a TLS context")
    context = _new_context(settings.verify, settings.ca_bundle)
    try:
        context.load_cert_chain(own.certificate, own.key, own.password or "")
    except (OSError, ssl.SSLError) as error:
        raise InterlockError(
            f"the client certificate {plain(own.certificate, 200)} cannot be used",
            remedy="give a PEM certificate, its private key, and the key's password when it has one",
        ) from error
    return context


def _load(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(
            cafile=str(path) if path.is_file() else None, capath=str(path) if path.is_dir() else None
        )
    except (OSError, ssl.SSLError, TypeError) as error:
        raise InterlockError(
            f"{path} holds no CA certificates that can be read", remedy="give a PEM file or a directory of them"
        ) from error


@cache
def _default_context() -> ssl.SSLContext:
    """The context of the system's and certifi's certificates, loaded once: that takes tens of milliseconds."""
    return _new_context(None, None)


def _new_context(verify: str | Path | None, ca_bundle: Path | None) -> ssl.SSLContext:
    if verify is None:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=certifi.where())
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(context, Path(verify))
    # A certificate without subjectAltName is refused: its common name names no host (RFC 9525).
    context.hostname_checks_common_name = False
    if ca_bundle is not None:
        _load(context, ca_bundle)
    return context
