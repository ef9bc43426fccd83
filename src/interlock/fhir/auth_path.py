"""The effective auth path of each launch mode, worked out from a SMART configuration (SMART App Launch 2.2).

Sources: CPB-01 launch modes, FLD-03 to FLD-07 and FLD-19 fields, SET-T backend services, SCO-01 and SCO-02 scopes.
"""

from __future__ import annotations

from typing import Literal

from interlock.model import words
from interlock.model.auth_path import AuthPath, Mode
from interlock.model.facts import SmartFacts

MODES: tuple[Mode, ...] = ("ehr", "standalone", "backend")
_CONTEXTS = ("patient", "encounter")
_SECRETS = ("client_secret_basic", "client_secret_post")


def auth_paths(smart: SmartFacts | None, *, absent: bool = False, why: str = "") -> tuple[AuthPath, ...]:
    """One path a launch mode. ``absent``: the configuration is positively not there; ``why``: it was not seen."""
    if smart is None:
        reason = "the server publishes no SMART configuration" if absent else why or "it was not observed"
        return tuple(AuthPath(mode=mode, state="cannot_tell", reason=reason) for mode in MODES)
    if smart.source == "oauth-uris":
        reason = "only the statement's oauth-uris name endpoints; launch modes, scopes and PKCE are unknown"
        return tuple(AuthPath(mode=mode, state="cannot_tell", reason=reason) for mode in MODES)
    return (_launch("ehr", smart), _launch("standalone", smart), _backend(smart))


def _launch(mode: Literal["ehr", "standalone"], smart: SmartFacts) -> AuthPath:
    if smart.capabilities is None:
        return AuthPath(mode=mode, state="cannot_tell", reason="the capabilities are not listed")
    if f"launch-{mode}" not in smart.capabilities:
        return AuthPath(mode=mode, state="not_offered", reason=f"launch-{mode} is not among the capabilities")
    missing = [name for name in ("authorization_endpoint", "token_endpoint") if getattr(smart, name) is None]
    if missing:
        reason = f"launch-{mode} is listed without {words.listed(missing)}"
        return AuthPath(mode=mode, state="cannot_tell", reason=reason)
    grants = smart.grant_types_supported
    if grants is not None and "authorization_code" not in grants:
        reason = f"launch-{mode} is listed, but authorization_code is not among the grant types"
        return AuthPath(mode=mode, state="cannot_tell", reason=reason)
    authentication = _authentication(smart)
    algorithms = smart.token_endpoint_auth_signing_alg_values_supported or ()
    return AuthPath(
        mode=mode,
        state="possible",
        reason=f"launch-{mode} is listed with its endpoints",
        scopes=_scopes(smart),
        pkce=_pkce(smart),
        client_authentication=authentication,
        algorithms=algorithms if "private_key_jwt" in authentication else (),
        context=tuple(kind for kind in _CONTEXTS if f"context-{mode}-{kind}" in smart.capabilities),
        open_questions=_open_questions(smart, launch=True),
    )


def _backend(smart: SmartFacts) -> AuthPath:
    """``client_credentials`` with a client that signs; a pattern of the specification, no capability set."""
    grants = smart.grant_types_supported
    if grants is None:
        return AuthPath(mode="backend", state="cannot_tell", reason="the grant types are not listed")
    if "client_credentials" not in grants:
        return AuthPath(mode="backend", state="not_offered", reason="client_credentials is not among the grant types")
    if smart.token_endpoint is None:
        return AuthPath(mode="backend", state="cannot_tell", reason="no token_endpoint is given")
    methods = smart.token_endpoint_auth_methods_supported
    signs = "private_key_jwt" in (methods or ()) or "client-confidential-asymmetric" in (smart.capabilities or ())
    if not signs:
        known = methods is not None and smart.capabilities is not None
        reason = "client_credentials is listed, but no client that signs with a key"
        return AuthPath(mode="backend", state="not_offered" if known else "cannot_tell", reason=reason)
    return AuthPath(
        mode="backend",
        state="possible",
        reason="client_credentials is listed with clients that sign with a key",
        scopes=_scopes(smart),
        client_authentication=("private_key_jwt",),
        algorithms=smart.token_endpoint_auth_signing_alg_values_supported or (),
        open_questions=_open_questions(smart, launch=False),
    )


def _authentication(smart: SmartFacts) -> tuple[str, ...]:
    """How a client of a launch may authenticate: by the capabilities, in the words of the token endpoint's methods."""
    capabilities = smart.capabilities or ()
    methods = smart.token_endpoint_auth_methods_supported
    methods_of_client = ["public"] if "client-public" in capabilities else []
    if "client-confidential-asymmetric" in capabilities or "private_key_jwt" in (methods or ()):
        methods_of_client.append("private_key_jwt")
    secrets = [method for method in _SECRETS if method in (methods or ())]
    if "client-confidential-symmetric" in capabilities:
        secrets = secrets or ["client secret"]
    return (*methods_of_client, *secrets)


def _scopes(smart: SmartFacts) -> tuple[Literal["v1", "v2"], ...]:
    v1: tuple[Literal["v1"], ...] = ("v1",) if smart.scopes_v1 else ()
    return (*v1, "v2") if smart.scopes_v2 else v1


def _pkce(smart: SmartFacts) -> Literal["S256", "S256 beside plain", "without S256", "undeclared"]:
    methods = smart.code_challenge_methods_supported
    if methods is None:
        return "undeclared"
    if "S256" not in methods:
        return "without S256"
    return "S256 beside plain" if "plain" in methods else "S256"


def _open_questions(smart: SmartFacts, *, launch: bool) -> tuple[str, ...]:
    questions = []
    if smart.scopes_supported is None:
        questions.append("which scopes are granted: none are listed")
    elif launch and not smart.scopes_v2 and "permission-v2" in (smart.capabilities or ()):
        listed = "v1 scopes are listed" if smart.scopes_v1 else "no resource scope is listed"
        questions.append(f"which scope syntax works: permission-v2 is claimed, {listed}")
    elif not launch and smart.lacks_system_scopes:
        questions.append("which system/ scopes are granted: none are listed")
    elif not launch and not (smart.scopes_v1 or smart.scopes_v2):
        questions.append("which scopes for data are granted: none are listed")
    if launch and smart.code_challenge_methods_supported is None:
        questions.append("whether PKCE is supported: it is not declared")
    if smart.token_endpoint_auth_methods_supported is None:
        questions.append("which authentication methods the token endpoint takes: they are not listed")
    return tuple(questions)
