"""Discovery: the capability statement, the SMART and OpenID documents, the JWK Set."""

from __future__ import annotations

import hashlib

from starlette.responses import Response

from interlock.sandbox import alterations
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.faults import Stage, names_at
from interlock.sandbox.organizations import Document
from interlock.sandbox.replies import fhir_json, names_json, negotiate, outcome, plain_json

_STYLE = {
    "color_background": "#ffffff",
    "color_error": "#9e2d2d",
    "color_highlight": "#69b5ce",
    "color_modal_backdrop": "",
    "color_success": "#498e49",
    "color_text": "#1b2733",
    "dim_border_radius": "6px",
    "dim_font_size": "13px",
    "dim_spacing_size": "20px",
    "font_family_body": "Georgia, Times, 'Times New Roman', serif",
    "font_family_heading": "'HelveticaNeue-Light', Helvetica, Arial, 'Lucida Grande', sans-serif;",
}


def statement(exchange: Exchange) -> Response:
    """``GET [base]/metadata``, negotiated; its ETag changes with the content (FHIR R4 http.html#capabilities)."""
    document = exchange.organization.metadata
    if document is None:
        return outcome(404, "not-found", "this address has no capability statement")
    media_type = negotiate(exchange.request, exchange.organization.release)
    if media_type is None:
        return not_acceptable(exchange)
    response = fhir_json(_finished(exchange, document), media_type)
    response.headers["ETag"] = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()[:16]}"'
    response.headers["Vary"] = "Accept"
    if exchange.request.headers.get("if-none-match") == response.headers["ETag"]:
        return Response(status_code=304, headers={"ETag": response.headers["ETag"]})
    return response


def smart(exchange: Exchange) -> Response:
    """The SMART configuration as ``application/json``, whatever ``Accept`` says (SMART App Launch 2.2, Conformance)."""
    return _public_json(exchange, exchange.organization.smart, "this server has no SMART configuration")


def openid(exchange: Exchange) -> Response:
    """The OpenID provider's metadata (OpenID Connect Discovery 1.0, section 4)."""
    return _public_json(exchange, exchange.organization.openid, "this server is not an OpenID provider")


def jwks(exchange: Exchange) -> Response:
    """The server's public keys (RFC 7517 section 5): its own document, or the keys that sign its ID tokens."""
    document = exchange.organization.jwks
    if document is None and exchange.organization.openid is not None:
        document = exchange.state.keys.jwks(exchange.organization.id, exchange.state.ledger.clock())
    return _public_json(exchange, document, "this server publishes no keys")


def style(exchange: Exchange) -> Response:
    """The colours of the EHR around a launched application (SMART 2.2, "Styling": ``smart_style_url``)."""
    return _public_json(exchange, dict(_STYLE), "this server has no style")


def not_acceptable(exchange: Exchange) -> Response:
    """406, saying which formats there are."""
    wanted = exchange.request.query_params.get("_format") or exchange.request.headers.get("accept", "")
    told = "another FHIR version" if names_json(wanted) or "fhirversion" in wanted.lower() else "another format"
    return outcome(406, "not-supported", f"{told} was asked for; this server answers application/fhir+json")


def _public_json(exchange: Exchange, document: Document | None, otherwise: str) -> Response:
    if document is None:
        return outcome(404, "not-found", otherwise)
    return plain_json(_finished(exchange, document), headers={"Cache-Control": "max-age=300"})


def _finished(exchange: Exchange, document: Document) -> Document:
    """The document with addresses filled in and the faults of its stage applied, in order."""
    finished = exchange.fill(document)
    for name in names_at(Stage.DOCUMENT, exchange.faults):
        finished = alterations.ALTERATIONS[name](exchange, finished)
    return finished
