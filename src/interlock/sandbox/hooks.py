"""A hospital as the client of a CDS service: it fires a hook with prefetched data and keeps what came back.

Source: CDS Hooks 2.0, sections "Calling a CDS Service", "Prefetch template", "Trusting CDS Clients", "CDS Service
Response". The service must listen on this computer.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from interlock.fhir.tolerant import objects_of
from interlock.sandbox import search
from interlock.sandbox.hospital import Hospital
from interlock.sandbox.organizations import Document
from interlock.sandbox.outgoing import NoAnswerError, post, require_loopback
from interlock.sandbox.replies import RefusalError

#: Signs claims and gives the compact JWT; whoever has the hospital's keys makes one.
Sign = Callable[[dict[str, Any]], str]

_TOKEN_SECONDS = 300
_INDICATORS = ("info", "warning", "critical")
_MAX_CARDS, _MAX_SUMMARY = 50, 140
_TOKEN = re.compile(r"\{\{\s*context\.([A-Za-z]\w{0,60})\s*\}\}")


@dataclass(frozen=True, slots=True)
class HookCall:
    """One hook that was fired, and what the service made of it.

    :ivar sent: the request's body.
    :ivar status: of the answer; none when there was none.
    :ivar cards: as they came, at most 50.
    :ivar problems: where the answer is not what CDS Hooks asks for, in words.
    """

    url: str
    sent: Document
    status: int | None
    cards: tuple[Document, ...]
    problems: tuple[str, ...]
    seconds: float


async def fire(
    base: str, service: str, hook: str, context: Mapping[str, Any], prefetch: Mapping[str, Document], sign: Sign
) -> HookCall:
    """Post a hook to ``service``, the whole address of one CDS service, as the hospital at ``base``.

    :param prefetch: what :func:`prefetched` found.
    :raises RefusalError: 422, the service is not on this computer.
    """
    require_loopback(service)
    now = int(time.time())
    claims = {"iss": base, "aud": service, "iat": now, "exp": now + _TOKEN_SECONDS, "jti": str(uuid.uuid4())}
    sent: Document = {"hook": hook, "hookInstance": str(uuid.uuid4()), "fhirServer": base, "context": dict(context)}
    sent |= {"prefetch": dict(prefetch)} if prefetch else {}
    headers = {"Authorization": f"Bearer {sign(claims)}", "Content-Type": "application/json"}
    began = time.monotonic()
    try:
        status, body = await post(service, json.dumps(sent).encode(), headers)
    except NoAnswerError as error:
        return HookCall(service, sent, None, (), (f"the service gave no answer: {error}",), time.monotonic() - began)
    cards, problems = _cards(status, body)
    return HookCall(service, sent, status, cards, problems, time.monotonic() - began)


def prefetched(
    hospital: Hospital, base: str, templates: Mapping[str, str], context: Mapping[str, Any]
) -> dict[str, Document]:
    """What prefetch templates find by their keys; what the hospital cannot give is left out."""
    documents = {key: _prefetched(hospital, base, template, context) for key, template in templates.items()}
    return {key: document for key, document in documents.items() if document is not None}


def _prefetched(hospital: Hospital, base: str, template: str, context: Mapping[str, Any]) -> Document | None:
    """A resource, the Bundle of a search, or none."""
    missing = [name for name in _TOKEN.findall(template) if not isinstance(context.get(name), str)]
    address = _TOKEN.sub(lambda match: str(context.get(match[1])), template)
    path, mark, query = address.partition("?")
    kind, _, identity = path.partition("/")
    if missing or "{{" in address or kind not in hospital.declared.types:
        return None
    if not mark:
        version = hospital.store.get(kind, identity)
        return version.filled(base) if version is not None and version.resource is not None else None
    try:
        result = search.search(hospital, kind, parse_qsl(query, keep_blank_values=True), base, lambda _: True)
    except RefusalError:
        return None
    return search.page(hospital, replace(result, count=search.MAX_COUNT), base, lambda _: True)


def _cards(status: int, body: bytes) -> tuple[tuple[Document, ...], tuple[str, ...]]:
    """The cards of an answer, and what is wrong with them (CDS Hooks 2.0, "CDS Service Response")."""
    if status != 200:
        return (), (f"the service answered {status}; a CDS service answers 200",)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return (), ("the answer is no JSON",)
    if not isinstance(answer, dict) or not isinstance(answer.get("cards"), list):
        return (), ("the answer has no list of cards; without advice it is empty",)
    cards = tuple(objects_of(answer, "cards", _MAX_CARDS))
    problems = [] if len(cards) == len(answer["cards"]) else ["a card is no object, or there are more than 50"]
    for number, card in enumerate(cards):
        summary, source = card.get("summary"), card.get("source")
        if not isinstance(summary, str) or not 0 < len(summary) <= _MAX_SUMMARY:
            problems.append(f"card {number} has no summary of at most {_MAX_SUMMARY} letters")
        if card.get("indicator") not in _INDICATORS:
            problems.append(f"card {number} has no indicator of {', '.join(_INDICATORS)}")
        if not isinstance(source, dict) or not isinstance(source.get("label"), str):
            problems.append(f"card {number} does not say its source")
    return cards, tuple(problems)
