"""Bulk export: kick-off, status, files, and forgetting them.

Source: Bulk Data Access 2.0.0, export.html. A job is done once its status was asked for twice, so that every client has
to wait at least once; what it holds was true when it was kicked off.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime

from starlette.responses import Response

from interlock.sandbox.hospital import Export, Hospital
from interlock.sandbox.matching import span, target_of
from interlock.sandbox.parameters import paths_of, reach
from interlock.sandbox.replies import RefusalError, plain_json
from interlock.sandbox.store import Version, instant
from interlock.sandbox.visit import ID, Visit

MAX_EXPORTS = 5
_POLLS = 1
_FORMATS = ("application/fhir+ndjson", "application/ndjson", "ndjson")
_KNOWN = ("_outputFormat", "_since", "_type")
#: Operation's name at its type, or at the system.
_NAMES = {"Group": ("export", "group-export"), "Patient": ("export", "patient-export"), "": ("export",)}


def answer(visit: Visit, segments: list[str]) -> Response:
    """Whatever has a dollar sign and ``export`` in its address."""
    method = visit.exchange.request.method
    match method, segments:
        case "GET" | "POST", ["$export"]:
            return _kick_off(visit, "", None)
        case "GET" | "POST", ["Patient", "$export"]:
            return _kick_off(visit, "Patient", None)
        case "GET" | "POST", ["Group", identity, "$export"] if ID.fullmatch(identity):
            return _kick_off(visit, "Group", identity)
        case "GET", ["$export-status", name]:
            return _status(visit, name)
        case "DELETE", ["$export-status", name]:
            _job(visit, name)
            del visit.hospital.exports[name]
            return Response(status_code=202)
        case "GET", ["$export-file", name, file]:
            return _file(visit, name, file)
    raise RefusalError(404, "not-supported", "no such operation is declared")


def compartment(hospital: Hospital, patients: frozenset[str], base: str) -> list[Version]:
    """What refers to these patients (``Patient/1``) as its patient or subject, the patients themselves left out."""
    versions: list[Version] = []
    for version in hospital.store.all():
        references = (
            target_of(value, base)
            for path in paths_of(version.kind, "patient")
            for value in reach(version.content, path)
        )
        if version.kind not in ("Patient", "Group") and any(reference in patients for reference in references):
            versions.append(version)
    return versions


def _kick_off(visit: Visit, kind: str, identity: str | None) -> Response:
    visit.demand(kind or "*", "read")
    hospital = visit.hospital
    declared = hospital.declared.types.get(kind)
    offered = hospital.declared.operations | (declared.operations if declared else frozenset())
    if not offered & set(_NAMES[kind]):
        raise RefusalError(404, "not-supported", f"the statement declares no $export{f' of {kind}' if kind else ''}")
    asked = visit.exchange.request.query_params
    since, types = _asked(visit)
    if any(job.owner == visit.grant.client and job.polls_left for job in hospital.exports.values()):
        raise RefusalError(429, "throttled", "an export of this client is still running", {"Retry-After": "1"})
    patients = _patients(visit, kind, identity)
    lines: dict[str, list[bytes]] = {}
    for version in [*patients, *compartment(hospital, frozenset(item.address for item in patients), visit.base)]:
        if (not types or version.kind in types) and (not since or version.updated >= since) and visit.sees(version):
            line = json.dumps(version.filled(visit.base), ensure_ascii=False, separators=(",", ":"))
            lines.setdefault(version.kind, []).append(line.encode(errors="replace"))
    name = secrets.token_urlsafe(18)
    request = visit.exchange.address + (f"?{asked}" if asked else "")
    files = {
        f"{name_of_type}.ndjson": b"\n".join(resources) + b"\n" for name_of_type, resources in sorted(lines.items())
    }
    hospital.exports[name] = Export(request, visit.grant.client, instant(datetime.now(UTC)), files, _POLLS)
    if len(hospital.exports) > MAX_EXPORTS:
        del hospital.exports[next(iter(hospital.exports))]
    return Response(status_code=202, headers={"Content-Location": f"{visit.base}/$export-status/{name}"})


def _asked(visit: Visit) -> tuple[str, frozenset[str]]:
    """``_since`` as an instant, and ``_type``.

    :raises RefusalError: 400, another parameter or format, or one that cannot be read.
    """
    asked = visit.exchange.request.query_params
    unknown = [name for name in asked if name not in _KNOWN]
    if unknown and "handling=lenient" not in visit.exchange.request.headers.get("prefer", ""):
        raise RefusalError(
            400, "not-supported", f"this export takes {', '.join(_KNOWN)}, not {', '.join(unknown)[:200]}"
        )
    if asked.get("_outputFormat", _FORMATS[0]).replace(" ", "+") not in _FORMATS:
        raise RefusalError(400, "not-supported", f"_outputFormat is one of {', '.join(_FORMATS)}")
    moment = span(asked["_since"]) if "_since" in asked else None
    if "_since" in asked and moment is None:
        raise RefusalError(400, "invalid", "_since is an instant, such as 2026-10-04T06:00:00Z")
    types = frozenset(part for text in asked.getlist("_type") for part in text.split(",") if part)
    missing = sorted(types - visit.hospital.declared.types.keys())
    if missing:
        raise RefusalError(
            400, "not-supported", f"_type names what this server does not have: {', '.join(missing)[:200]}"
        )
    return (instant(moment[0]) if moment else ""), types


def _patients(visit: Visit, kind: str, identity: str | None) -> list[Version]:
    store = visit.hospital.store
    if identity is None:
        return store.of("Patient")
    group = visit.known(kind, identity)
    members = {target_of(value, visit.base) for value in reach(group.content, "member.entity")}
    return [patient for patient in store.of("Patient") if patient.address in members]


def _job(visit: Visit, name: str) -> Export:
    job = visit.hospital.exports.get(name)
    if job is None or job.owner != visit.grant.client:
        raise RefusalError(404, "not-found", "there is no such export of this client")
    return job


def _status(visit: Visit, name: str) -> Response:
    job = _job(visit, name)
    if job.polls_left:
        job.polls_left -= 1
        return Response(status_code=202, headers={"Retry-After": "1", "X-Progress": "collecting"})
    manifest = {
        "transactionTime": job.started,
        "request": job.request,
        "requiresAccessToken": True,
        "output": [
            {
                "type": file.removesuffix(".ndjson"),
                "url": f"{visit.base}/$export-file/{name}/{file}",
                "count": body.count(b"\n"),
            }
            for file, body in job.files.items()
        ],
        "error": [],
    }
    return plain_json(manifest, headers={"Expires": "0"})


def _file(visit: Visit, name: str, file: str) -> Response:
    body = _job(visit, name).files.get(file)
    if body is None:
        raise RefusalError(404, "not-found", "there is no such file of this export")
    visit.demand(file.removesuffix(".ndjson"), "read")
    return Response(body, 200, {"Content-Type": _FORMATS[0]})
