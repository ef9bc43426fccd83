"""Tokens: given for the contract's scopes to whoever proves who they are, and to nobody else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence

import pytest
from joserfc.jwk import ECKey

from conftest import NO_KEY, by_this_token, of_backend
from fhir_client import Client, NotSetUp, Organization, Resource, SignInRefused

#: Letters of the contract's interactions (SMART App Launch 2.2, scopes for requesting FHIR resources).
LETTERS = {"create": "c", "read": "r", "vread": "r", "update": "u", "patch": "u", "delete": "d", "search": "s"}


def test_backend_token_is_given(request: pytest.FixtureRequest, server: Organization) -> None:
    """A client with its key is given a token (SMART App Launch 2.2, backend services)."""
    _needs_backend(request, server)
    try:
        assert server.backend_token().value
    except NotSetUp as error:
        pytest.skip(f"{NO_KEY}{error}")


def test_scopes_are_granted(client: Client, granted_need: tuple[str, Resource]) -> None:
    """The token may do what the need takes, its Provenance too; a server may grant less than it was asked for."""
    name, need = granted_need
    if not client.token.scopes:
        pytest.skip("the scopes of a token that was given are not known")
    by_this_token(client, name)
    wanted = {need["resource"]: {LETTERS[one] for one in need.get("interactions") or []}}
    if (need.get("writing") or {}).get("provenance"):
        wanted.setdefault("Provenance", set()).add("c")
    lacking = [kind for kind, letters in wanted.items() if letters - _letters(client.token.scopes, kind)]
    if lacking and need.get("optional"):
        pytest.skip("not granted; the contract can do without")
    assert not lacking, f"not all that is needed of {', '.join(lacking)} is granted: {' '.join(client.token.scopes)}"


def _letters(scopes: Sequence[str], kind: str) -> set[str]:
    """What scopes allow with a type, whatever their level and syntax."""
    granted: set[str] = set()
    for scope in scopes:
        parts = re.fullmatch(r"(?:system|patient|user)/(\*|[A-Za-z]+)\.([a-z*]+)(\?.*)?", scope)
        if parts and parts[1] in ("*", kind):
            granted |= set({"read": "rs", "write": "cud", "*": "cruds"}.get(parts[2], parts[2]))
    return granted


def test_another_key_is_refused(server: Organization, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An assertion that the registered key did not sign gives nothing."""
    if not of_backend(client):
        pytest.skip("the token is not one of backend services: no key was used")
    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"})
    monkeypatch.setenv(server.variable("private_key"), _json(key))
    with pytest.raises(SignInRefused):
        server.backend_token()


def test_sign_in_is_offered(server: Organization, mode: str) -> None:
    """The server says where a person signs in, with PKCE, and that it launches in this way."""
    found = server.discover()
    assert found.get("authorization_endpoint"), "no authorization endpoint is named"
    assert found.get("token_endpoint"), "no token endpoint is named"
    capabilities, methods = found.get("capabilities"), found.get("code_challenge_methods_supported")
    assert not capabilities or f"launch-{mode}" in capabilities, f"launch-{mode} is not among the capabilities"
    assert not methods or "S256" in methods, "S256 is not among the code challenge methods"
    if not capabilities or not methods:
        pytest.skip("no SMART configuration lists launch modes and PKCE: ask the organisation")


def test_sign_in_sends_state_and_challenge(server: Organization, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sign-in has a state and a challenge of its own, and names this server as its audience (RFC 7636)."""
    if not server.discover().get("authorization_endpoint"):
        pytest.skip("no authorization endpoint is named: see test_sign_in_is_offered")
    monkeypatch.setenv(server.variable("client_id"), os.environ.get(server.variable("client_id")) or "a-client")
    begun = [server.authorize(mode, "https://app.invalid/callback", server.base, "a-launch") for _ in range(2)]
    assert begun[0].state != begun[1].state
    assert begun[0].verifier != begun[1].verifier
    assert all(part in begun[0].url for part in ("code_challenge_method=S256", "code_challenge=", "aud=", "state="))


def _needs_backend(request: pytest.FixtureRequest, server: Organization) -> None:
    if request.config.getoption("--token-variable"):
        pytest.skip("a token was given")
    if not server.scopes("backend"):
        pytest.skip("the contract has no backend client here")


def _json(key: ECKey) -> str:
    return json.dumps({**key.as_dict(private=True), "kid": key.thumbprint()})
