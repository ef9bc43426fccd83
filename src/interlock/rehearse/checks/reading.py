"""How FHIR is asked: what the reads of the polite sign-ins say, how often they are made, and what they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from interlock.model.contract import Need
from interlock.model.words import listed
from interlock.rehearse.checks.base import check, each
from interlock.rehearse.checks.missing import needs_in_chart
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.stage import NOT_APPLICABLE, Row, Stage, Visit, row


@check("F01", polite=True)
def token_in_header(stage: Stage) -> list[Row]:
    """How the token travelled in the polite reads (RFC 6750 section 2)."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        reads = visit.of("resource")
        tokens = {request.token for request in reads if request.token}
        loose = [
            request for request in reads if "access_token" in request.query or tokens & set(request.query.values())
        ]
        if loose:
            return "the access token stands in an address", loose
        kept = [request for request in reads if "cookie" in request.headers]
        return ("cookies were sent to the hospital" if kept else ""), kept or reads

    return each(stage, problem, "in the Authorization header alone", needs="resource")


@check("F03", polite=True)
def polite_headers(stage: Stage) -> list[Row]:
    """What the polite reads say of themselves."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        reads = visit.of("resource")
        vague = [request for request in reads if "json" not in request.headers.get("accept", "")]
        unnamed = [request for request in reads if not request.headers.get("user-agent")]
        if vague:
            return f"it accepts {vague[0].headers.get('accept', 'nothing')!r}, and FHIR has a type of its own", vague
        return ("it names no program" if unnamed else ""), unnamed or reads

    return each(stage, problem, "the format and the program are named", needs="resource")


@check("F02", polite=True)
def from_contract(stage: Stage) -> list[Row] | Row:
    """What the polite reads ask for, against the inputs of the contract."""
    needs = needs_in_chart(stage)
    if not needs:
        return row(NOT_APPLICABLE, "there is no contract.yaml, or it names nothing that is read in the chart")

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        reads = visit.of("resource")
        beyond = [(request, unnamed_part) for request in reads if (unnamed_part := _beyond(request, needs))]
        told = listed(list(dict.fromkeys(unnamed_part for _, unnamed_part in beyond)), 6)
        return (f"the contract does not name {told}" if beyond else ""), [request for request, _ in beyond] or reads

    return each(stage, problem, "every read is one of the contract's", needs="resource")


#: Parameters that say how an answer is given, not what is looked for (FHIR R4, search: result parameters).
_HOW = frozenset(
    {"_count", "_sort", "_summary", "_elements", "_total", "_format", "_pretty", "_contained", "_maxresults"}
)
#: Who is signed in: what fhirUser names is read for the sign-in, not for the workflow.
_USERS = frozenset({"Practitioner", "PractitionerRole", "RelatedPerson", "Person"})


def _beyond(request: Asked, needs: Sequence[Need]) -> str:
    """What the contract does not name of a read; empty where it names all."""
    kind, _, rest = request.path.rpartition("/fhir/")[2].partition("/")
    ours = [need for need in needs if need.resource == kind]
    if not ours:
        return "" if kind in _USERS and rest else (kind or "a request at the base")
    way = "search" if rest in ("", "_search") else "vread" if "_history" in rest else "read"
    if rest and "$" in rest:
        name = rest.rpartition("$")[2]
        known = {operation.lstrip("$") for need in ours for operation in need.operations}
        return "" if name in known else f"{kind}/${name}"
    ways = {interaction for need in ours for interaction in need.interactions}
    if ways and way not in ways:
        return f"{way} of {kind}"
    named = {name for need in ours for name in need.search_parameters}
    if way != "search" or not named:
        return ""
    named |= {query.partition("=")[0] for need in ours for query in need.query} | _HOW
    asked = {re.split(r"[:.]", name)[0] for name in (*request.query, *request.form)}
    more = sorted(asked - named - {re.split(r"[:.]", name)[0] for name in named})
    return f"{kind}?{'&'.join(more)}" if more else ""


@check("F25", polite=True)
def budget(stage: Stage) -> list[Row] | Row:
    """How many requests one polite launch makes, against the budget in the product's file."""
    most = stage.product.requests_per_launch
    counts = {
        org: len([request for request in visit.asked if request.organization == org])
        for org, visit in stage.visits.items()
    }
    if most is None:
        made = listed([f"{count} at {org}" for org, count in counts.items()])
        seen = f"product.yaml names no requests_per_launch; the polite launches made {made}"
        return row(NOT_APPLICABLE, seen)

    def problem(visit: Visit) -> tuple[str, Iterable[Asked]]:
        count = counts[visit.org]
        return (f"{count} requests in one launch, of {most} that were agreed" if count > most else ""), visit.asked

    return each(stage, problem, f"no more than {most} requests in one launch", needs="resource")
