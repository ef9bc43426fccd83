"""How the product is registered at the simulated hospitals: as its file says, or as it registered itself (RFC 7591).

Secrets and keys that a hospital gives are the same on every machine, and protect invented people alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from interlock.model.product import ClientKind, Product, ProductClient
from interlock.probe.transport.addresses import is_loopback_host
from interlock.sandbox.clients import Client, GrantType, Method
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import plain_json
from interlock.sandbox.signing import published_ec_key

#: How a client of each kind proves itself; the first is what the product is told.
METHODS: Mapping[ClientKind, tuple[Method, ...]] = {
    "public": ("none",),
    "confidential-symmetric": ("client_secret_basic", "client_secret_post"),
    "confidential-asymmetric": ("private_key_jwt",),
}
#: Variables by which programs are told of an authority: ours, OpenSSL's and Python's, of requests, and of Node.js.
TRUSTING = ("SIM_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
#: What a client that can keep a secret may do besides signing people in.
_BACKEND: tuple[GrantType, ...] = ("client_credentials",)


def registered_for_jobs(product: Product, client: ProductClient) -> Client | None:
    """The registration of its own that the product has for work without a user, by its file."""
    backend = client.backend
    if backend is None:
        return None
    asymmetric = backend.client == "confidential-asymmetric"
    return Client(
        id=backend.client_id,
        name="The product, without a user",
        methods=METHODS[backend.client],
        secret="" if asymmetric else client_secret(_alone(client)),
        jwks={"keys": [client_jwk(_alone(client))]} if asymmetric and product.jwks_url is None else None,
        jwks_uri=product.jwks_url if asymmetric else None,
        grant_types=_BACKEND,
    )


def registered(product: Product, client: ProductClient) -> Client:
    """The product as one hospital has it registered by its file."""
    asymmetric = client.client == "confidential-asymmetric"
    works_alone = client.client != "public" and client.backend is None
    return Client(
        id=client.client_id,
        name="The product",
        redirect_uris=(client.redirect_uri,),
        launch_uris=(product.launch_at(client),),
        methods=METHODS[client.client],
        secret=client_secret(client.id) if client.client == "confidential-symmetric" else "",
        jwks={"keys": [client_jwk(client.id)]} if asymmetric and product.jwks_url is None else None,
        jwks_uri=product.jwks_url if asymmetric else None,
        grant_types=("authorization_code", "refresh_token", *(_BACKEND if works_alone else ())),
    )


def adopted(product: Product, client: ProductClient, known: Iterable[Client]) -> tuple[ProductClient, Client] | None:
    """The newest of the clients that the product registered at a hospital itself; none where it has not yet.

    Its launches begin where ``product.yaml`` says, whatever it registered.
    """
    own = [client for client in known if client.redirect_uris and "authorization_code" in client.grant_types]
    if not own:
        return None
    kind = next(kind for kind, methods in METHODS.items() if own[-1].methods[0] in methods)
    launched = replace(own[-1], launch_uris=(product.launch_at(client),))
    told = {"client_id": launched.id, "redirect_uri": launched.redirect_uris[0], "client": kind}
    return client.but(**told), launched


def elsewhere(product: Product, exchange: Exchange) -> Response | None:
    """A refusal of a registration whose redirect addresses are neither on this machine nor the product's own origin.

    What else is wrong with one is told by the hospital's own endpoint (RFC 7591 section 3.2.2).
    """
    try:
        asked = json.loads(exchange.body).get("redirect_uris", [])
        hosts = [(urlsplit(address).hostname or "", urlsplit(address).netloc) for address in asked]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    own = urlsplit(product.launch_url).netloc
    if all(is_loopback_host(host) or netloc == own for host, netloc in hosts):
        return None
    words = "a rehearsal sends codes to this machine, or to the product's own origin, and nowhere else"
    exchange.note(f"a registration was refused: {words}")
    return plain_json({"error": "invalid_redirect_uri", "error_description": words}, 400)


def told(product: Product, client: ProductClient, iss: str) -> dict[str, str]:
    """What the product has to know of one hospital, by name."""
    known = {"iss": iss, "client_id": client.client_id, "redirect_uri": client.redirect_uri}
    known |= _proof(product, client.client, client.id, given=product.registration != "dynamic")
    if any(endpoint.secret_header for endpoint in product.endpoints):
        known["call_secret"] = call_secret(client.id)
    if client.backend is not None:
        alone = {"client_id": client.backend.client_id} | _proof(product, client.backend.client, _alone(client))
        known |= {f"backend_{name}": value for name, value in alone.items()}
    return {name: value for name, value in known.items() if value}


def _proof(product: Product, kind: ClientKind, name: str, *, given: bool = True) -> dict[str, str]:
    """How a client proves itself, and with what a hospital gave it, if it did."""
    known: dict[str, str] = {"auth_method": METHODS[kind][0]}
    if given and kind == "confidential-symmetric":
        known["client_secret"] = client_secret(name)
    if given and kind == "confidential-asymmetric" and product.jwks_url is None:
        known["private_jwk"] = json.dumps(client_jwk(name, private=True), separators=(",", ":"))
    return known


def _alone(client: ProductClient) -> str:
    return f"{client.id}-jobs"


def environment(product: Product, base: Callable[[str], str]) -> dict[str, str]:
    """The same of every hospital as variables: ``SIM_ALDER_ISS``, ``SIM_ALDER_CLIENT_ID`` and so on."""
    variables = {"SIM_ORGANIZATIONS": " ".join(client.id for client in product.organizations)}
    for client in product.organizations:
        name = f"SIM_{client.id.upper().replace('-', '_')}"
        known = told(product, client, base(client.id))
        variables |= {f"{name}_{key.upper()}": value for key, value in known.items()}
    return variables


def client_secret(org: str) -> str:
    """The secret that a simulated hospital gives: the same on every machine, it protects nothing."""
    return f"sim-{hashlib.sha256(f'interlock rehearsal {org} client secret, published'.encode()).hexdigest()[:40]}"


def call_secret(org: str) -> str:
    """The secret with which a simulated hospital calls the product: the same on every machine, it protects nothing."""
    return client_secret(f"{org} calls")


def client_jwk(org: str, *, private: bool = False) -> dict[str, Any]:
    """The key that a simulated hospital gives, P-384: the same on every machine, it protects nothing."""
    from joserfc.jwk import ECKey  # 100 ms that only a client with keys needs

    key = published_ec_key(f"interlock rehearsal {org} client key, published")
    named = ECKey.import_key(key, {"kid": f"sim-{org}", "use": "sig", "alg": "ES384"})
    return dict(named.as_dict(private=private))
