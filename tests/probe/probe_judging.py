"""Documents judged by the checks without a network: what a server answered, purpose by purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from interlock.fhir.capability import tolerate
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.facts import Facts, TlsFacts
from interlock.model.observation import Check, RequestRecord
from interlock.probe.assemble import base_facts, with_advertised
from interlock.probe.checks.base import CheckInput
from interlock.probe.checks.registry import run_checks
from interlock.probe.reading import read_reply
from interlock.probe.transport.exchange import Exchange, Purpose

BASE = "https://ehr.example.org/fhir"


def answered(purpose: Purpose, document: Any, **record: Any) -> Exchange:
    """An exchange that brought a document; none is a 404."""
    fields: dict[str, Any] = {
        "method": "GET",
        "url": f"{BASE}/{purpose}",
        "elapsed_ms": 1,
        "status": 404 if document is None else 200,
        "content_type": "application/json",
        "accept": "application/fhir+json",
        "reading": "absent" if document is None else "document",
        "purpose": purpose,
    }
    record = RequestRecord.model_validate(fields | record)
    if document is None:
        return Exchange(purpose, (record,), "absent", "the server has nothing there (HTTP 404)")
    read_as = tolerate(document) if purpose in {"metadata", "cors-metadata"} else document
    return Exchange(purpose, (record,), "document", "a document", document=read_as)


def read(purpose: Purpose, status: int, content_type: str, body: bytes, **record: Any) -> Exchange:
    """An exchange whose answer is read as the probe reads it."""
    answer = read_reply(purpose, status, content_type, body)
    record = RequestRecord.model_validate(
        {
            "method": "GET",
            "url": f"{BASE}/{purpose}",
            "elapsed_ms": 1,
            "status": status,
            "content_type": content_type,
            "purpose": purpose,
            "reading": answer.reading,
        }
        | record
    )
    return Exchange(
        purpose, (record,), answer.reading, answer.detail, answer.document, body, answer.notes, answer.slips
    )


def failed(purpose: Purpose, word: str, detail: str) -> Exchange:
    """An exchange without an answer."""
    record = RequestRecord(
        method="GET", url=f"{BASE}/{purpose}", elapsed_ms=1, failure=word, detail=detail, purpose=purpose
    )
    return Exchange(purpose, (record,), "failed", detail)


def judged(
    exchanges: Mapping[Purpose, Exchange],
    *,
    base: str = BASE,
    tls: TlsFacts | None = None,
    origin: str | None = None,
    contract: WorkflowContract | None = None,
    fit: ContractFit | None = None,
    active: bool = False,
) -> dict[str, Check]:
    """Every check by id."""
    facts: Facts = with_advertised(base_facts(exchanges, base, tls, origin), exchanges, base)
    return {check.id: check for check in run_checks(CheckInput(base, facts, exchanges, contract, fit, active))}


def documents(**given: Any) -> dict[Purpose, Exchange]:
    """Exchanges of documents by purpose; a hyphen in a purpose is written as an underscore."""
    return {
        purpose: replace(answered(purpose, document), purpose=purpose)
        for name, document in given.items()
        if (purpose := _purpose(name))
    }


def _purpose(name: str) -> Purpose:
    return name.replace("_", "-")  # type: ignore[return-value]
