"""The public keys of registered clients: their JWK Sets, given or fetched from this computer, and one key of them.

Sources: SMART App Launch 2.2, client-confidential-asymmetric, "Registering a client" and "Signature Verification";
RFC 7517.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

from interlock.sandbox.clients import Client

_FETCH_SECONDS = 3.0
_MAX_BYTES = 65_536
_MAX_SETS = 100
_LOOPBACK = re.compile(r"localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1")
#: Which type of key an algorithm needs.
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC"}


class ClientKeys:
    """JWK Sets that were fetched, each kept no longer than its own ``Cache-Control`` allows."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    async def of(self, client: Client, kid: Any) -> dict[str, Any]:
        """The client's JWK Set; a kept one without this ``kid`` is fetched again.

        :raises OSError: it cannot be reached, is not on this computer, or is no JSON object; says which.
        """
        address = client.jwks_uri
        if client.jwks is not None or address is None:
            return client.jwks or {}
        until, kept = self._kept.get(address, (0.0, {}))
        if until > time.monotonic() and _with_kid(kept, kid):
            return kept
        seconds, jwks = await _fetch(address)
        if len(self._kept) >= _MAX_SETS:
            self._kept.clear()
        self._kept[address] = (time.monotonic() + seconds, jwks)
        return jwks


def loopback(address: str) -> bool:
    """Whether an address is one of this computer's own: the sandbox never asks any other."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and _LOOPBACK.fullmatch(parts.hostname or "") is not None


def only_key(jwks: dict[str, Any], kid: Any, algorithm: str) -> dict[str, Any] | None:
    """The one key with this ``kid`` and a fitting ``kty``; none when there is no such or several (SMART 2.2)."""
    wanted = _KEY_TYPES.get(algorithm[:2])
    keys = [key for key in _with_kid(jwks, kid) if key.get("kty") == wanted]
    return keys[0] if len(keys) == 1 else None


def verifies(assertion: str, key: dict[str, Any], algorithm: str) -> bool:
    """Whether this public key made the assertion's signature by this algorithm."""
    from joserfc import jwt  # 100 ms that only a client with keys needs
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    bare = {name: value for name, value in key.items() if name in ("kty", "n", "e", "crv", "x", "y")}
    try:
        imported = RSAKey.import_key(bare) if key["kty"] == "RSA" else ECKey.import_key(bare)
        jwt.decode(assertion, imported, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, RecursionError):
        return False
    return True


def _with_kid(jwks: dict[str, Any], kid: Any) -> list[dict[str, Any]]:
    keys = jwks.get("keys")
    return (
        [key for key in keys if isinstance(key, dict) and key.get("kid") == kid]
        if isinstance(keys, list) and isinstance(kid, str)
        else []
    )


async def _fetch(address: str) -> tuple[float, dict[str, Any]]:
    """A JWK Set on this computer, and the seconds for which it may be kept."""
    import aiohttp  # 150 ms that only a client with a JWK Set URL needs

    if not loopback(address):
        raise OSError("its address is not on this computer")
    body = b""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_FETCH_SECONDS), trust_env=False) as session,
            session.get(address, allow_redirects=False, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status != 200:
                raise OSError(f"its address answers {answer.status}")
            caching = answer.headers.get("cache-control", "").lower()
            async for chunk in answer.content.iter_chunked(8_192):
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise OSError(f"it is larger than {_MAX_BYTES} bytes")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise OSError("its address does not answer") from error
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OSError("it is not JSON") from error
    if not isinstance(value, dict):
        raise OSError("it is not a JSON object")
    ages = [] if "no-store" in caching or "no-cache" in caching else re.findall(r"max-age=(\d{1,7})", caching)
    return float(ages[0]) if ages else 0.0, value
