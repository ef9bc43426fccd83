"""A JWK Set as facts (RFC 7517, RFC 7518): what is public of each key, which is never used.

A key that cannot be used does not void the set (RFC 7517 section 5); a private member does, because whoever reads the
set can then sign as its owner.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from interlock.fhir.tolerant import MAX_CODE, MAX_TEXT, Problems, kind_of, objects_at, shown, text_at
from interlock.model.facts import JwksFacts

MIN_RSA_BITS = 2048
MAX_KEYS = 200
_MAX_MEMBER = 8192
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")

#: Private members of RSA, EC and OKP keys (RFC 7518 sections 6.2.2 and 6.3.2); ``k`` is the whole of an ``oct`` key.
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


_CURVES = {"P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}
_OKP_SIZES = {"Ed25519": 32, "X25519": 32, "Ed448": 57, "X448": 56}


def parse(document: object) -> JwksFacts:
    """Facts of a JWK Set. Never raises.

    ``valid`` means: an object with a ``keys`` list, at least one key that can be used, and no private member anywhere.
    """
    problems = Problems()
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        problem = "has no list of keys" if isinstance(document, dict) else f"is {kind_of(document)}, not an object"
        problems.add(f"the document {problem}")
        return JwksFacts.trusted(valid=False, problems=problems.notes())
    reader = _Reader(problems)
    for position, key in enumerate(objects_at(document, "keys", problems, MAX_KEYS)):
        reader.add(position, key)
    return JwksFacts.trusted(
        valid=reader.usable > 0 and not reader.private,
        keys=len(document["keys"]),
        kids=tuple(reader.kids),
        algorithms=tuple(reader.algorithms),
        smallest_rsa_bits=reader.smallest_rsa_bits,
        private_members=reader.private,
        problems=problems.notes(),
        limits=problems.limits(),
    )


class _Reader:
    """Reads key after key."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._identities: set[tuple[str, str]] = set()
        self.kids: dict[str, None] = {}
        self.algorithms: dict[str, None] = {}
        self.smallest_rsa_bits: int | None = None
        self.private = False
        self.usable = 0

    def add(self, position: int, key: dict[str, Any]) -> None:
        kid = text_at(key, "kid", self._problems, MAX_TEXT)
        name = f"key {shown(kid)}" if kid else f"key number {position + 1}"
        kty = text_at(key, "kty", self._problems, MAX_CODE)
        if kid is not None:
            self.kids[kid] = None
            if (kid, kty or "") in self._identities:
                self._problems.add(f"{name} appears more than once")
            self._identities.add((kid, kty or ""))
        if algorithm := text_at(key, "alg", self._problems, MAX_CODE):
            self.algorithms[algorithm] = None
        leaked = sorted(PRIVATE_MEMBERS & key.keys()) + (["k"] if kty == "oct" and "k" in key else [])
        if leaked:
            self.private = True
            self._problems.add(f"{name} publishes private members: {', '.join(leaked)}")
        if fault := self._fault(kty, key):
            self._problems.add(f"{name} cannot be used: {fault}")
        else:
            self.usable += 1

    def _fault(self, kty: str | None, key: dict[str, Any]) -> str | None:
        """Why a key cannot be used, or none."""
        if kty is None:
            return _kty_fault(key)
        if kty == "RSA":
            return self._rsa_fault(key)
        if kty == "EC":
            return _ec_fault(key)
        if kty == "OKP":
            curve = key.get("crv")
            size = _OKP_SIZES.get(curve) if isinstance(curve, str) else None
            octets = _octets(key.get("x"))
            return None if size and octets is not None and len(octets) == size else "its crv and x do not fit"
        return "it is symmetric" if kty == "oct" else f"its kty {shown(kty)} is unknown"

    def _rsa_fault(self, key: dict[str, Any]) -> str | None:
        modulus, exponent = _octets(key.get("n")), _octets(key.get("e"))
        if modulus is None or exponent is None:
            return "its n or e is not base64url"
        n, e = int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")
        bits = n.bit_length()
        if self.smallest_rsa_bits is None or bits < self.smallest_rsa_bits:
            self.smallest_rsa_bits = bits
        if bits < MIN_RSA_BITS:
            return f"its RSA modulus has {bits} bits, fewer than {MIN_RSA_BITS}"
        return None if n % 2 and e % 2 and e > 1 else "its n or e is no RSA value"


def _kty_fault(key: dict[str, Any]) -> str:
    """What is in the place of a kind of key."""
    if (sent := key.get("kty")) is None:
        return "it has no kty"
    if not isinstance(sent, str):
        return f"its kty is {kind_of(sent)}, not a string"
    return f"its kty has {len(sent):,} characters, as no kind of key" if sent.strip() else "its kty is empty"


def _ec_fault(key: dict[str, Any]) -> str | None:
    from cryptography.hazmat.primitives.asymmetric import ec  # only a set with such a key needs it

    name = key.get("crv")
    if not isinstance(name, str) or name not in _CURVES:
        return f"its curve {shown(name)} is unknown"
    curve: ec.EllipticCurve = getattr(ec, _CURVES[name])()
    x, y = _octets(key.get("x")), _octets(key.get("y"))
    size = (curve.key_size + 7) // 8
    if x is None or y is None or len(x) != size or len(y) != size:
        return f"its x and y are not {size} octets of base64url each"
    try:
        ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve).public_key()
    except ValueError:
        return "its point is not on its curve"
    return None


def _octets(value: object) -> bytes | None:
    """Octets of a base64url value without padding (RFC 7515 section 2), or none."""
    if not isinstance(value, str) or len(value) > _MAX_MEMBER or not _BASE64URL.fullmatch(value.rstrip("=")):
        return None
    try:
        return base64.urlsafe_b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        return None
