"""The keys that simulated organisations sign ID tokens with, and their rotation. They are public by design.

They vouch for invented people on loopback and for nothing else. A shipped organisation's are derived from a fixed text,
the same on every machine, so that two probes of it see the same JWK Set; any other organisation's are made when they
are first needed.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

Algorithm = Literal["RS256", "ES384"]
#: Both algorithms of the shipped provider's document; RS256 is the one that SMART App Launch 2.2 requires.
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES384")
#: How long a key stays in the JWK Set after it was replaced, in seconds (OpenID Connect Core 1.0 section 10.1.1).
RETIRED_SECONDS = 3_600.0
_EXPONENT = 65_537
#: Distance from a number that is derived from a text to the prime after it, for p and q of each key in turn.
_DISTANCES: dict[str, tuple[tuple[int, int], ...]] = {"riverside": ((482, 52), (1282, 1046), (2112, 1350))}


@dataclass(slots=True)
class _Ring:
    """One organisation's keys, the newest first; the ones after it are told with the time when they go."""

    number: int = 0
    current: dict[Algorithm, RSAKey | ECKey] = field(default_factory=dict)
    retired: list[tuple[float, RSAKey | ECKey]] = field(default_factory=list)


class SigningKeys:
    """Every organisation's signing keys, made when they are first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rings: dict[str, _Ring] = {}

    def rotate(self, organization: str, now: float) -> None:
        """Sign with new keys from now on; the old ones stay in the JWK Set for an hour."""
        with self._lock:
            ring = self._ring(organization)
            ring.retired = [(now + RETIRED_SECONDS, key) for key in ring.current.values()] + ring.retired[:6]
            _renew(ring, organization)

    def jwks(self, organization: str, now: float) -> dict[str, Any]:
        """The public keys as a JWK Set (RFC 7517 section 5): those in use, then those that were replaced lately."""
        with self._lock:
            ring = self._ring(organization)
            keys = [*ring.current.values(), *(key for until, key in ring.retired if until > now)]
            return {"keys": [key.as_dict(private=False) for key in keys]}

    def sign(self, organization: str, claims: dict[str, Any], algorithm: Algorithm) -> str:
        """A compact JWS of these claims, with the ``kid`` of the key in use."""
        from joserfc import jwt  # 100 ms that only a sign-in needs

        with self._lock:
            key = self._ring(organization).current[algorithm]
        return jwt.encode({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[algorithm])

    def _ring(self, organization: str) -> _Ring:
        ring = self._rings.setdefault(organization, _Ring())
        if not ring.current:
            _renew(ring, organization)
        return ring


def _renew(ring: _Ring, organization: str) -> None:
    from joserfc.jwk import ECKey, RSAKey

    ring.number += 1
    text = f"interlock sandbox {organization} signing key {ring.number}, published"
    suffix = f"-{ring.number}" if ring.number > 1 else ""
    rsa_key, ec_key = _rsa_key(organization, ring.number, text), published_ec_key(text)
    ring.current = {
        "RS256": RSAKey.import_key(
            rsa_key, {"kid": f"{organization}-sim-2026-rsa{suffix}", "use": "sig", "alg": "RS256"}
        ),
        "ES384": ECKey.import_key(ec_key, {"kid": f"{organization}-sim-2026-ec{suffix}", "use": "sig", "alg": "ES384"}),
    }


def published_ec_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A P-384 key pair that is derived from a text, the same on every machine; it protects nothing."""
    # Half of a 384-bit digest is below the order of P-384, as a private value must be.
    return ec.derive_private_key(int.from_bytes(hashlib.sha384(text.encode()).digest(), "big") >> 1, ec.SECP384R1())


def _rsa_key(organization: str, number: int, text: str) -> rsa.RSAPrivateKey:
    known = _DISTANCES.get(organization, ())
    if number > len(known):
        return rsa.generate_private_key(_EXPONENT, 2_048)
    p, q = (_start(f"{text}, {half}") + more for half, more in zip("pq", known[number - 1], strict=True))
    private = rsa.rsa_recover_private_exponent(_EXPONENT, p, q)
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    dmp1, dmq1, iqmp = rsa.rsa_crt_dmp1(private, p), rsa.rsa_crt_dmq1(private, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, private, dmp1, dmq1, iqmp, public).private_key()


def _start(text: str) -> int:
    """An odd number of 1,024 bits, its two highest ones set, derived from a text."""
    digests = b"".join(hashlib.sha512(f"{text} {part}".encode()).digest() for part in range(2))
    return int.from_bytes(digests, "big") | 3 << 1_022 | 1
