"""Keys, sign-on and signed metadata that nobody should trust: each is judged, none is used, none is fetched."""

from __future__ import annotations

import base64
import json
from typing import Any

from hostile_servers.behaviours import Behaviour
from hostile_servers.serving import CONFIGURATION, SMART, Answer, document, reply

_JWKS = "/keys"
_OPENID = "/.well-known/openid-configuration"
_UDAP = "/fhir/.well-known/udap"


def _octets(number: int, length: int | None = None) -> str:
    size = length or max(1, (number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(number.to_bytes(size, "big")).rstrip(b"=").decode()


_N = _octets((1 << 2047) | 1)
_GOOD = {"kty": "RSA", "kid": "good", "n": _N, "e": "AQAB", "alg": "RS384", "use": "sig"}


def _set(name: str, keys: Any, *, valid: bool, check: tuple[str, str] | None = None) -> Behaviour:
    return _answer(name, document({"keys": keys}), valid=valid, check=check)


def _answer(name: str, answer: Answer, *, valid: bool, check: tuple[str, str] | None = None) -> Behaviour:
    return Behaviour(
        f"keys: {name}",
        {CONFIGURATION: document(SMART | {"jwks_uri": f"ORIGIN{_JWKS}"}), _JWKS: answer},
        outcome="observed",
        endings={"jwks": "document"},
        present=("jwks",),
        checks=dict([check]) if check else {},
        also=lambda observation: (
            (observation.facts.jwks is not None and observation.facts.jwks.valid is valid)
            or f"{observation.facts.jwks}"
        ),
    )


def _key(name: str, key: dict[str, Any], *, valid: bool = False, check: tuple[str, str] | None = None) -> Behaviour:
    return _set(name, [key], valid=valid, check=check)


def _no_set(name: str, answer: Answer, word: str) -> Behaviour:
    return Behaviour(
        f"keys: {name}",
        {CONFIGURATION: document(SMART | {"jwks_uri": f"ORIGIN{_JWKS}"}), _JWKS: answer},
        outcome="observed",
        endings={"jwks": word},
        missing=("jwks",),
    )


_PRIVATE_FAILS = ("JWKS-002", "fail")

_KEYS = [
    _set("a good one", [_GOOD], valid=True, check=("JWKS-001", "pass")),
    _set("none", [], valid=False, check=("JWKS-001", "warn")),
    _set("an object", {"0": _GOOD}, valid=False),
    _set("a text", "keys", valid=False),
    _set("null", None, valid=False),
    _set("texts and numbers", ["a", 1, None, [], True], valid=False),
    _set("100,000 of them", [{"kty": "RSA"}] * 100_000, valid=False),
    _set("2,000 good ones", [_GOOD | {"kid": str(n)} for n in range(2_000)], valid=True),
    _key("a private exponent", _GOOD | {"d": "AQAB"}, check=_PRIVATE_FAILS),
    _key("a private prime", _GOOD | {"p": "AQAB"}, check=_PRIVATE_FAILS),
    _key("private members of the wrong type", _GOOD | {"d": None, "q": [], "oth": {}}, check=_PRIVATE_FAILS),
    _set(
        "a private key beside a good one", [_GOOD, _GOOD | {"kid": "b", "d": "AQAB"}], valid=False, check=_PRIVATE_FAILS
    ),
    _key("a shared secret", {"kty": "oct", "kid": "a", "k": "c2VjcmV0"}, check=_PRIVATE_FAILS),
    _key("a shared secret without its value", {"kty": "oct", "kid": "a"}),
    _set("one id twice", [_GOOD, _GOOD], valid=True, check=("JWKS-004", "warn")),
    _key("an id of a million letters", _GOOD | {"kid": "k" * 1_000_000}, valid=True),
    _key("an id that is a number", _GOOD | {"kid": 7}, valid=True),
    _key("an id of escapes", _GOOD | {"kid": "\u001b]52;c;eA==\u0007\u202e"}, valid=True),
    _key("exponent 1", _GOOD | {"e": _octets(1)}),
    _key("exponent 0", _GOOD | {"e": _octets(0)}),
    _key("exponent 2", _GOOD | {"e": _octets(2)}),
    _key("an exponent of 8,000 letters", _GOOD | {"e": "A" * 8_000 + "Q"}),
    _key("no exponent", {name: value for name, value in _GOOD.items() if name != "e"}),
    _key("a modulus of no length", _GOOD | {"n": ""}),
    _key("a modulus of zero", _GOOD | {"n": _octets(0, 256)}),
    _key("a modulus of one", _GOOD | {"n": _octets(1)}),
    _key("an even modulus", _GOOD | {"n": _octets(1 << 2047)}),
    _key("a modulus of 512 bits", _GOOD | {"n": _octets((1 << 511) | 1)}, check=("JWKS-003", "fail")),
    _key("a modulus of 40,000 bits", _GOOD | {"n": _octets((1 << 39_999) | 1)}, valid=True),
    _key("a modulus of a million letters", _GOOD | {"n": "A" * 1_000_000}),
    _key("a modulus in another alphabet", _GOOD | {"n": "+/=="}),
    _key("a modulus with line feeds", _GOOD | {"n": _N[:50] + "\n" + _N[50:]}),
    _key("a modulus that is a number", _GOOD | {"n": 65537}),
    _key("a modulus that is a list", _GOOD | {"n": [1, 2]}),
    _key("a point that is not on its curve", {"kty": "EC", "crv": "P-384", "x": _octets(1, 48), "y": _octets(1, 48)}),
    _key("a point at nought", {"kty": "EC", "crv": "P-256", "x": _octets(0, 32), "y": _octets(0, 32)}),
    _key("a point beyond its field", {"kty": "EC", "crv": "P-256", "x": _octets(2**256 - 1), "y": _octets(1, 32)}),
    _key("a point of a million letters", {"kty": "EC", "crv": "P-256", "x": "A" * 1_000_000, "y": "A"}),
    _key("a curve that nobody knows", {"kty": "EC", "crv": "P-000", "x": "AA", "y": "AA"}),
    _key("a curve that is an object", {"kty": "EC", "crv": {"name": "P-256"}, "x": "AA", "y": "AA"}),
    _key("a key of Edwards's of the wrong size", {"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
    _key("a type that nobody knows", {"kty": "\u202eASR", "n": _N, "e": "AQAB"}),
    _key("a type that is a list", _GOOD | {"kty": ["RSA"]}),
    _key("no type", {"n": _N, "e": "AQAB"}),
    _key("algorithm none", _GOOD | {"alg": "none"}, valid=True, check=("JWKS-005", "fail")),
    _key("an algorithm for shared secrets", _GOOD | {"alg": "HS256"}, valid=True, check=("JWKS-005", "fail")),
    _key("an algorithm that is a list", _GOOD | {"alg": ["RS384"]}, valid=True),
    _key("a use that nobody knows", _GOOD | {"use": {"a": 1}, "key_ops": "sign"}, valid=True),
    _key("certificates at a victim", _GOOD | {"x5u": "http://VICTIM/x", "jku": "http://127.0.0.2:PORT/"}, valid=True),
    _key("certificates that are none", _GOOD | {"x5c": ["AAAA", "%%%", 7, None], "x5t": []}, valid=True),
    _key("100,000 certificates", _GOOD | {"x5c": ["MII="] * 100_000}, valid=True),
    _answer("a set within a set", document({"keys": [{"keys": [_GOOD]}]}), valid=False),
    _answer(
        "a set and 100,000 other members",
        document({"keys": [_GOOD]} | {f"x{n}": 0 for n in range(100_000)}),
        valid=True,
    ),
    _no_set("a key without a set", document(_GOOD), "unrelated"),
    _no_set("PEM", reply("-----BEGIN PUBLIC KEY-----\nAAAA\n", "200 OK", "application/x-pem-file"), "not_json"),
    _no_set("a certificate", reply(b"\x30\x82\x01\x0a" + bytes(200), "200 OK", "application/pkix-cert"), "not_json"),
    _no_set("a JWT", reply("eyJhbGciOiJub25lIn0.e30.", "200 OK", "application/jwt"), "not_json"),
    _no_set("a login page", reply("<html><title>Sign in</title>", "200 OK", "text/html"), "html"),
    _no_set("a list", document([_GOOD]), "not_an_object"),
    _no_set("8 MB of empty keys", reply(b'{"keys":[' + b"{}," * 700_000 + b"{}]}"), "not_json"),
]

_SIGNS_ON = SMART | {"issuer": "ORIGIN", "capabilities": [*SMART["capabilities"], "sso-openid-connect"]}
_PROVIDER = {
    "issuer": "ORIGIN",
    "authorization_endpoint": "ORIGIN/authorize",
    "token_endpoint": "ORIGIN/token",
    "jwks_uri": f"ORIGIN{_JWKS}",
    "response_types_supported": ["code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


def _openid(name: str, provider: dict[str, Any], *checks: tuple[str, str], jwks: str = "document") -> Behaviour:
    return Behaviour(
        f"sign-on: {name}",
        {CONFIGURATION: document(_SIGNS_ON), _OPENID: document(provider), _JWKS: document({"keys": [_GOOD]})},
        outcome="observed",
        endings={"openid": "document", "jwks": jwks},
        present=("openid",),
        checks=dict(checks),
    )


_OPENIDS = [
    _openid("as it should be", _PROVIDER, ("OIDC-003", "pass")),
    _openid("another issuer", _PROVIDER | {"issuer": "https://victim.test"}, ("OIDC-003", "fail")),
    _openid("the issuer with a slash more", _PROVIDER | {"issuer": "ORIGIN/"}, ("OIDC-003", "fail")),
    _openid("the issuer in capitals", _PROVIDER | {"issuer": "HTTP://HOST:PORT"}, ("OIDC-003", "fail")),
    _openid(
        "the issuer with a letter that looks the same", _PROVIDER | {"issuer": "ORIGIN\u200b"}, ("OIDC-003", "fail")
    ),
    _openid("an issuer that is an object", _PROVIDER | {"issuer": {"a": "ORIGIN"}}),
    _openid("no issuer", {k: v for k, v in _PROVIDER.items() if k != "issuer"}),
    _openid(
        "signatures by none", _PROVIDER | {"id_token_signing_alg_values_supported": ["none"]}, ("OIDC-005", "fail")
    ),
    _openid(
        "100,000 algorithms", _PROVIDER | {"id_token_signing_alg_values_supported": [f"a{n}" for n in range(100_000)]}
    ),
    _openid("endpoints that are numbers", _PROVIDER | {"token_endpoint": 1, "authorization_endpoint": 2}),
    _openid("keys at a victim", _PROVIDER | {"jwks_uri": "https://127.0.0.2:PORT/keys"}, jwks="refused"),
    _openid("keys in a file", _PROVIDER | {"jwks_uri": "file:///etc/passwd"}, jwks="refused"),
    _openid("keys that are a list of addresses", _PROVIDER | {"jwks_uri": ["ORIGIN/keys"]}, jwks="None"),
    _openid(
        "a victim for everything else",
        _PROVIDER
        | dict.fromkeys(
            ("userinfo_endpoint", "check_session_iframe", "end_session_endpoint", "op_policy_uri"), "http://VICTIM/x"
        ),
    ),
]


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _udap(name: str, signed: Any) -> Behaviour:
    body = {"udap_versions_supported": ["1"], "udap_profiles_supported": ["udap_dcr"], "signed_metadata": signed}
    return Behaviour(
        f"signed: {name}",
        {_UDAP: document(body)},
        outcome="observed",
        endings={"udap": "document"},
        present=("udap",),
        also=lambda observation: (
            not (
                observation.facts.udap and observation.facts.udap.signed and not observation.facts.udap.signed_problems
            )
        ),
    )


_HEAD, _CLAIMS = {"alg": "RS256", "x5c": ["AAAA"]}, {"iss": "BASE", "sub": "BASE", "iat": 1, "exp": 2}

_SIGNED = [
    _udap("a word", "signed"),
    _udap("a number", 7),
    _udap("three dots", "..."),
    _udap("two dots", ".."),
    _udap("a thousand dots", "." * 1000),
    _udap("no base64", "%%%.???.!!!"),
    _udap("no JSON", "AAAA.AAAA.AAAA"),
    _udap("a million letters", "a" * 1_000_000),
    _udap("algorithm none", f"{_part(_HEAD | {'alg': 'none'})}.{_part(_CLAIMS)}."),
    _udap("an algorithm that is a list", f"{_part(_HEAD | {'alg': ['RS256']})}.{_part(_CLAIMS)}.AA"),
    _udap("claims that are a list", f"{_part(_HEAD)}.{_part([_CLAIMS])}.AA"),
    _udap("a header that is a text", f"{_part('x')}.{_part(_CLAIMS)}.AA"),
    _udap("times beyond all clocks", f"{_part(_HEAD)}.{_part(_CLAIMS | {'exp': 10**300, 'iat': -(10**300)})}.AA"),
    _udap("times that are texts", f"{_part(_HEAD)}.{_part(_CLAIMS | {'exp': 'tomorrow', 'iat': None})}.AA"),
    _udap(
        "times that are no numbers", f"{_part(_HEAD)}.{_part(_CLAIMS | {'exp': float('nan'), 'iat': float('inf')})}.AA"
    ),
    _udap("times of 4,000 digits", f"{_part(_HEAD)}.{_part(_CLAIMS | {'exp': int('9' * 4000)})}.AA"),
    _udap(
        "claims nested 30,000 deep",
        "AA." + base64.urlsafe_b64encode(b"[" * 30_000 + b"]" * 30_000).decode().rstrip("=") + ".AA",
    ),
    _udap(
        "a header nested 30,000 deep",
        base64.urlsafe_b64encode(b'{"a":' * 10_000).decode().rstrip("=") + f".{_part(_CLAIMS)}.AA",
    ),
    _udap("an issuer at a victim", f"{_part(_HEAD)}.{_part(_CLAIMS | {'iss': 'http://127.0.0.2'})}.AA"),
    _udap(
        "certificates at a victim",
        f"{_part({'alg': 'RS256', 'x5u': 'http://127.0.0.2', 'jku': 'http://127.0.0.2'})}.{_part(_CLAIMS)}.AA",
    ),
    _udap("10,000 certificates", f"{_part(_HEAD | {'x5c': ['AAAA'] * 10_000})}.{_part(_CLAIMS)}.AA"),
]

ROWS = (*_KEYS, *_OPENIDS, *_SIGNED)
