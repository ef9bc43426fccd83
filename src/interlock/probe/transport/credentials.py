"""Credentials for an organisation: where their values come from, and how they are used at a token endpoint.

A workspace names environment variables only. Their values live in memory for as long as a run takes, inside
:class:`Secret`, which shows nothing and cannot be pickled.
"""

from __future__ import annotations

import json
import os
import secrets
import time
import warnings
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import quote_plus, urlencode

from interlock.documents.redaction import remember_secret
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.sample import AccessMethod
from interlock.probe.transport.addresses import Origin, origin

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

    from interlock.model.organization import Organization

#: The service under which the operating system's keyring holds values, by the name of the variable.
KEYRING_SERVICE = "interlock"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Five minutes at most (specifications: ASY-07); a minute is left for clocks that differ.
ASSERTION_SECONDS = 240
MIN_RSA_BITS = 2048
_MAX_VALUE = 65_536

#: Looks a value up by the name of its variable, none when there is none.
Lookup = Callable[[str], str | None]


class KeyProblem(Exception):  # noqa: N818  # a sentence about a key, turned into the program's error by its caller
    """Why a private key cannot be used; holds nothing of its value."""


class Secret:
    """A value that is never shown: not by ``repr``, ``str``, ``format``, a traceback of ours, a copy or a pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value
        remember_secret(value)

    def reveal(self) -> str:
        """The value, for the code that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret would be derived from it

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is never copied or written down")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key for client assertions: RSA signs with RS384, EC on P-384 with ES384 (specifications: ASY-05)."""

    key: RSAKey | ECKey = field(repr=False)
    algorithm: str
    key_id: str = field(repr=False)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a private key is never copied or written down")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The product's credentials at an organisation: a private key, a client secret, a bearer token, or the refresh
    token of a public client.

    :ivar refresh_token: used with the client's id; a client with neither key nor secret is a public one.
    :ivar origins: where they may be sent, and nowhere else; none for a simulated organisation's published ones.
    """

    method: AccessMethod
    client_id: Secret | None = None
    client_secret: Secret | None = None
    signing_key: SigningKey | None = None
    bearer_token: Secret | None = None
    refresh_token: Secret | None = None
    origins: frozenset[Origin] | None = frozenset()

    def may_go_to(self, url: str) -> bool:
        """Whether the credentials may be sent to an address."""
        return self.origins is None or origin(url) in self.origins

    @property
    def authenticates(self) -> bool:
        """Whether the client can prove who it is; a public client cannot, and gets no token of its own."""
        return self.signing_key is not None or self.client_secret is not None

    def token_request(self, token_endpoint: str, scope: str) -> tuple[Secret, Mapping[str, Secret]]:
        """The form and the headers of a token request for client credentials, made anew for each attempt.

        RFC 6749 section 4.4.2; SMART App Launch 2.2, backend services (specifications: BCK-01, ASY-06, ASY-07, SYM-01).

        :raises ValueError: the client cannot prove who it is (RFC 6749 section 4.4: only confidential clients).
        """
        if not self.authenticates:
            raise ValueError("only a client with a key or a secret asks for a token of its own")
        return self._identified(token_endpoint, {"grant_type": "client_credentials", "scope": scope})

    def refresh_request(self, token_endpoint: str, token: Secret) -> tuple[Secret, Mapping[str, Secret]]:
        """The form and the headers that use a refresh token (RFC 6749 section 6), for all that was granted first.

        :raises ValueError: there is no client that uses it.
        """
        return self._identified(token_endpoint, {"grant_type": "refresh_token", "refresh_token": token.reveal()})

    def introspection_request(self, endpoint: str, token: Secret) -> tuple[Secret, Mapping[str, Secret]]:
        """The form and the headers that ask about a token (RFC 7662 section 2.1), authenticated as for a token.

        :raises ValueError: there is no client that asks.
        """
        return self._identified(endpoint, {"token": token.reveal()})

    def _identified(self, endpoint: str, fields: dict[str, str]) -> tuple[Secret, Mapping[str, Secret]]:
        if self.client_id is None:
            raise ValueError("a bearer token is used as it is")
        headers: dict[str, Secret] = {}
        if self.signing_key is not None:
            assertion = self._assertion(self.signing_key, self.client_id.reveal(), endpoint)
            fields |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        elif self.client_secret is not None:
            # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
            pair = f"{quote_plus(self.client_id.reveal())}:{quote_plus(self.client_secret.reveal())}"
            headers["Authorization"] = Secret(f"Basic {b64encode(pair.encode()).decode()}")
        else:
            fields |= {"client_id": self.client_id.reveal()}  # RFC 6749 section 3.2.1: a public client names itself
        return Secret(urlencode(fields)), headers

    @staticmethod
    def _assertion(signing: SigningKey, client_id: str, audience: str) -> str:
        from joserfc import jwt  # 100 ms that only a client with keys needs

        header: dict[str, Any] = {"alg": signing.algorithm, "kid": signing.key_id, "typ": "JWT"}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "exp": int(time.time()) + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(32),
        }
        return jwt.encode(header, claims, signing.key, algorithms=[signing.algorithm])


def lookup(variable: str) -> str | None:
    """The value of a variable in the environment, else in the system's keyring where its package is installed."""
    if value := os.environ.get(variable):
        return value
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        kept = keyring.get_password(KEYRING_SERVICE, variable)
    except (KeyringError, OSError, RuntimeError):
        return None  # a machine without a keyring holds nothing
    return kept if isinstance(kept, str) and kept else None


def resolve(org: Organization, find: Lookup, origins: frozenset[Origin] | None = frozenset()) -> Credentials:
    """The credentials that an organisation names: a private key, else a client secret, else a bearer token, else the
    refresh token of a public client.

    The first of them whose values are all there is used. ``origins`` are where they may be sent. A client whose file
    names a key or a secret is never taken for a public one.

    :raises InterlockError: none is named, none is complete, or a value is unusable; the message names the variable and
        the organisation, never a value.
    """
    auth = org.auth
    kinds: tuple[tuple[AccessMethod, tuple[str | None, ...]], ...] = (
        ("private_key_jwt", (auth.private_key_env, auth.client_id_env)),
        ("client_secret_basic", (auth.client_secret_env, auth.client_id_env)),
        ("bearer_token", (auth.bearer_token_env,)),
        ("public", (auth.refresh_token_env, auth.client_id_env) if _is_public(org) else (None,)),
    )
    named = [(method, variables) for method, variables in kinds if variables[0] is not None]
    missing: list[str] = []
    for method, variables in named:
        if None not in variables:
            values = {name: value for name in variables if name and (value := find(name)) is not None}
            absent = [name for name in variables if name and name not in values]
            if not absent:
                return replace(_credentials(org, method, values, find), origins=origins)
            missing += absent
    if missing:
        missing = list(dict.fromkeys(missing))
        absence = f"{words.listed(missing)} {words.agree(len(missing), 'is', 'are')} not set"
        raise InterlockError(
            f"{absence}, and {org.name} ({org.id}) names {words.agree(len(missing), 'it', 'them')} for its credentials",
            remedy=f"export the value, or store it: keyring set {KEYRING_SERVICE} {missing[0]}",
        )
    if named:
        raise InterlockError(f"{org.name} ({org.id}) names no client id", remedy="set auth.client_id_env in its file")
    raise InterlockError(
        f"{org.name} ({org.id}) names no credentials",
        remedy=f"name environment variables under auth: in orgs/{org.id}.yaml, for example private_key_env",
    )


def _credentials(org: Organization, method: AccessMethod, values: Mapping[str, str], find: Lookup) -> Credentials:
    auth = org.auth
    for name, value in values.items():
        if len(value) > _MAX_VALUE:
            raise InterlockError(f"the value of {name} for {org.id} is longer than {_MAX_VALUE:,} characters")
    if method == "bearer_token":
        token = values[auth.bearer_token_env or ""].strip()
        if not is_token(token):
            raise InterlockError(f"the value of {auth.bearer_token_env} for {org.id} is no bearer token")
        bearer = Credentials(method, bearer_token=Secret(token))
        refresh = _refresh_token(org, find) if _is_public(org) else None
        if refresh is None:
            return bearer
        named = find(auth.client_id_env) if auth.client_id_env is not None else None
        if named is None:
            raise InterlockError(
                f"{org.name} ({org.id}) gives a refresh token, and no client id that uses it",
                remedy=f"set auth.client_id_env in its file, and its value, or leave {auth.refresh_token_env} out",
            )
        return replace(bearer, client_id=Secret(named.strip()), refresh_token=refresh)
    client_id, refresh = Secret(values[auth.client_id_env or ""].strip()), _refresh_token(org, find)
    if method == "public":
        return Credentials(method, client_id, refresh_token=refresh)
    if method == "client_secret_basic":
        secret = Secret(values[auth.client_secret_env or ""])
        return Credentials(method, client_id, client_secret=secret, refresh_token=refresh)
    variable = auth.private_key_env or ""
    key_id = find(auth.key_id_env) if auth.key_id_env is not None else None
    try:
        key = signing_key(values[variable], key_id)
    except KeyProblem as problem:
        # Not chained: the libraries' messages may hold parts of the value.
        raise InterlockError(
            f"the value of {variable} for {org.name} ({org.id}) cannot sign: {problem}",
            remedy="give an RSA key of 2048 bits or more, or an EC key on P-384, as PEM, as JWK, or as a file's path",
        ) from None
    return Credentials(method, client_id, signing_key=key, refresh_token=refresh)


def _is_public(org: Organization) -> bool:
    """Whether an organisation's client has neither a key nor a secret (RFC 6749 section 2.1)."""
    return org.auth.private_key_env is None and org.auth.client_secret_env is None


def _refresh_token(org: Organization, find: Lookup) -> Secret | None:
    """The refresh token that an organisation names; none where none is named, or its variable is not set."""
    variable = org.auth.refresh_token_env
    text = ((find(variable) if variable is not None else None) or "").strip()
    if text and not is_refresh_token(text):
        raise InterlockError(f"the value of {variable} for {org.id} is no refresh token")
    return Secret(text) if text else None


def is_token(text: str) -> bool:
    """Whether a text can be sent as a bearer token: RFC 6750 section 2.1 allows visible ASCII without white space."""
    return 0 < len(text) <= _MAX_VALUE and text.isascii() and text.isprintable() and " " not in text


def is_refresh_token(text: str) -> bool:
    """Whether a text can be a refresh token: RFC 6749 appendix A.17 allows visible ASCII and spaces."""
    return 0 < len(text) <= _MAX_VALUE and text.isascii() and text.isprintable()


def signing_key(value: str, key_id: str | None = None) -> SigningKey:
    """A private key out of PEM, a JWK (or a JWK Set of a single key), or the path of a file that holds such a text.

    ``\\n`` written as two characters is read as a line feed: environment files cannot hold real ones. Without a key id
    of its own or a given id, the key's thumbprint (RFC 7638) is its id.

    :raises KeyProblem: with a sentence that holds nothing of the value.
    """
    text = value.strip()
    if not _is_key_text(text):
        text = _key_file(text)
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey, import_key

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a modulus that is too short is refused below, in our words
            loaded = import_key(_jwk(text)) if text.startswith("{") else _pem(text)
        if not isinstance(loaded, RSAKey | ECKey):
            raise KeyProblem("it is neither an RSA nor an EC key")
        if not loaded.is_private:
            raise KeyProblem("it is a public key")
        identity = key_id or loaded.kid or loaded.thumbprint()
    # joserfc and cryptography raise NotImplementedError for a kind of key that they do not know.
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        raise KeyProblem(f"it is not a usable key ({type(error).__name__})") from None
    if isinstance(loaded, RSAKey):
        if loaded.private_key is None or loaded.private_key.key_size < MIN_RSA_BITS:
            raise KeyProblem(f"its RSA modulus is shorter than {MIN_RSA_BITS} bits")
        return SigningKey(loaded, "RS384", identity)
    if loaded.curve_name != "P-384":
        raise KeyProblem("its curve is not P-384, which ES384 needs")
    return SigningKey(loaded, "ES384", identity)


def _is_key_text(text: str) -> bool:
    return text.startswith(("{", "-----BEGIN"))


def _key_file(text: str) -> str:
    path = Path(text.removeprefix("@")).expanduser()
    try:
        if "\n" in text or not path.is_file():
            raise KeyProblem("it is neither PEM, nor a JWK, nor the path of a file")
        if path.stat().st_size > _MAX_VALUE:
            raise KeyProblem("the file that it names is too large for a key")
        content = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyProblem(f"the file that it names cannot be read ({type(error).__name__})") from None
    if not _is_key_text(content):
        raise KeyProblem("the file that it names is neither PEM nor a JWK")
    return content


def _jwk(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise KeyProblem("it begins like a JWK and is not valid JSON") from None
    keys = document.get("keys")
    if isinstance(keys, list):
        signing = [key for key in keys if isinstance(key, dict) and "d" in key]
        if len(signing) != 1:
            raise KeyProblem(f"its JWK Set holds {len(signing)} private keys, and one is needed")
        return dict(signing[0])
    return dict(document)


def _pem(text: str) -> RSAKey | ECKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from joserfc.jwk import ECKey, RSAKey

    try:
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
    except TypeError:
        raise KeyProblem("its PEM is encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem("its PEM holds no private key that can be read") from None
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAKey.import_key(key)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECKey.import_key(key)
    raise KeyProblem("it is neither an RSA nor an EC key")
