"""JWKS: the server's public keys (RFC 7517, RFC 7518)."""

from __future__ import annotations

from interlock.fhir.jwks import MAX_KEYS, MIN_RSA_BITS
from interlock.fhir.tolerant import objects_of
from interlock.model import words
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import Result, failed, media_type_stated, not_applicable, passed, quoted, warned
from interlock.probe.checks.sources import cite


@check(
    "JWKS-001",
    "The server's keys are published and usable",
    Severity.HIGH,
    cite("RFC 7517", "section-5"),
    rows=("KEY-01", "SSO-02"),
    rests_on=("jwks",),
    at="jwks#/keys",
    level="SHALL",
)
def published(probed: CheckInput) -> Result:
    """An object with a list of keys, at least one of them usable; keys that are not SHOULD be ignored."""
    smart = probed.facts.smart
    wanted = probed.signs_on or (smart is not None and smart.issuer is not None)
    if probed.is_absent("jwks"):
        return failed("Nothing is published at the jwks_uri; signatures cannot be verified", probed.at("jwks"))
    if answer := probed.broken("jwks"):
        unverified = f"Asked for the keys at the jwks_uri, {answer}"
        return (
            failed(f"{unverified}; ID tokens cannot be verified", probed.at("jwks"))
            if wanted
            else warned(f"{unverified}; the server claims no sign-on (sso-openid-connect) that would need a key")
        )
    probed.require("jwks")
    facts = probed.jwks
    if not (facts.keys or facts.problems or probed.signs_on):
        return warned("The key set is empty; the server claims no sign-on (sso-openid-connect) that would need a key")
    if not facts.keys:
        lacks = "has no list of keys" if facts.problems else "is empty"
        return failed(f"The key set {lacks}; signatures cannot be verified")
    unusable = [note for note in facts.problems if "cannot be used" in note]
    if len(unusable) >= facts.keys:
        return failed(f"None of {facts.keys} keys can be used: {unusable[0]}")
    return (
        warned(f"{len(unusable)} of {facts.keys} keys cannot be used: {unusable[0]}")
        if unusable
        else passed(words.count(facts.keys, "usable key"))
    )


@check(
    "JWKS-002",
    "No private key is published",
    Severity.CRITICAL,
    cite("RFC 7517", "section-9.2"),
    cite("RFC 7518", "section-6.3.2"),
    rows=("KEY-04",),
    needs="jwks",
    at="jwks#/keys",
    level="SHALL",
)
def no_private_members(probed: CheckInput) -> Result:
    """The names of the members are reported, their values never."""
    leaks = (note for note in probed.jwks.problems if "private members" in note)
    return (
        failed(f"Whoever reads the set can sign as the server: {next(leaks, 'a key publishes private members')}")
        if probed.jwks.private_members
        else passed("No private or symmetric member is published")
    )


@check(
    "JWKS-003",
    "RSA keys have 2048 bits or more",
    Severity.HIGH,
    cite("RFC 7518", "section-3.3"),
    rows=("KEY-03",),
    needs="jwks",
    at="jwks#/keys",
    level="SHALL",
)
def rsa_size(probed: CheckInput) -> Result:
    """A MUST for RS256, RS384 and RS512; measured on the modulus without leading zeros."""
    bits = probed.jwks.smallest_rsa_bits
    if bits is None:
        return not_applicable("there is no RSA key")
    return (
        failed(f"The smallest RSA key has {bits} bits; {MIN_RSA_BITS} or more MUST be used")
        if bits < MIN_RSA_BITS
        else passed(f"The smallest RSA key has {bits} bits")
    )


@check(
    "JWKS-004",
    "Key ids tell the keys apart",
    Severity.LOW,
    cite("RFC 7517", "section-4.5"),
    rows=("KEY-02",),
    needs="jwks",
    at="jwks#/keys",
    level="SHOULD",
)
def distinct_ids(probed: CheckInput) -> Result:
    """kid is optional in a server's set; distinct values SHOULD be used."""
    facts = probed.jwks
    twice = [note for note in facts.problems if "appears more than once" in note]
    if twice:
        return warned(f"{words.capital(twice[0])}; key ids SHOULD be distinct")
    return (
        warned("Some of several keys have no kid; a client has to try each of them")
        if facts.keys > 1 and len(facts.kids) < facts.keys
        else passed("Every key can be told from the others")
    )


#: Key type → algorithms that it can carry (RFC 7518 section 3.1; EdDSA of RFC 8037).
_ALGORITHMS = {"RSA": ("RS", "PS"), "EC": ("ES",), "OKP": ("EdDSA", "Ed", "ECDH"), "oct": ("HS", "A", "dir")}
_ENCRYPTION = ("RSA", "ECDH", "A", "dir", "PBES2")


@check(
    "JWKS-005",
    "Each key's algorithm fits its type",
    Severity.MEDIUM,
    cite("RFC 7518", "section-3.1"),
    rows=("KEY-02", "KEY-03"),
    needs="jwks",
    at="jwks#/keys",
)
def algorithm_fits(probed: CheckInput) -> Result:
    """An RSA key that says ES384 can verify nothing."""
    for position, key in enumerate(objects_of(probed.document("jwks"), "keys", MAX_KEYS)):
        kty, alg = key.get("kty"), key.get("alg")
        fitting = _ALGORITHMS.get(kty) if isinstance(kty, str) else None
        if fitting is None or not isinstance(alg, str) or alg.startswith(_ENCRYPTION):
            continue
        if not alg.startswith(fitting):
            return failed(f"A key of type {quoted(kty)} says {quoted(alg)}", probed.at("jwks", f"/keys/{position}/alg"))
    return passed("No key claims an algorithm of another type")


@check(
    "JWKS-006",
    "Signing and encryption keys are told apart",
    Severity.LOW,
    cite("OIDC-D", "ProviderMetadata", "section 3, Provider metadata"),
    rows=("OID-05",),
    needs="jwks",
    at="jwks#/keys",
    level="SHALL",
)
def use_of_keys(probed: CheckInput) -> Result:
    """``use`` is needed on every key only when both kinds are published."""
    uses = [key.get("use") for key in objects_of(probed.document("jwks"), "keys", MAX_KEYS)]
    if "enc" in uses and None in uses:
        return failed("Encryption keys are published, and not every key says what it is for (use)")
    return (
        warned("Only encryption keys are published; signatures cannot be verified")
        if "enc" in uses and "sig" not in uses
        else passed("What each key is for is clear")
    )


@check(
    "JWKS-007",
    "There is a key for the ID tokens' algorithm",
    Severity.MEDIUM,
    cite("SM-SCOPE", "scopes-for-requesting-identity-data"),
    rows=("SSO-02", "SSO-03"),
    needs="jwks",
    rests_on=("smart",),
    at="jwks#/keys",
    level="SHALL",
)
def rs256_key(probed: CheckInput) -> Result:
    """RS256 SHALL be supported for ID tokens, and needs an RSA key; asked of servers with sign-on."""
    if not probed.signs_on:
        return not_applicable("the server does not list sso-openid-connect")
    return (
        failed("No RSA key is published, though ID tokens SHALL be verifiable with RS256")
        if probed.jwks.smallest_rsa_bits is None
        else passed("An RSA key is published")
    )


@check(
    "JWKS-008",
    "The keys come with a JSON media type",
    Severity.LOW,
    cite("RFC 7517", "section-8.5.2"),
    rows=("KEY-01",),
    needs="jwks",
    at="jwks",
)
def media_type(probed: CheckInput) -> Result:
    """``application/jwk-set+json`` is registered for it, ``application/json`` is what most send; others are refused."""
    given = probed.media_type("jwks")
    if given == "application/json" or given.endswith("+json"):
        return passed(f"The media type is {given}")
    return warned(
        f"{media_type_stated(given)}; a client that looks at it takes application/json or application/jwk-set+json"
    )
