"""What the checks of reading share: what the polite sign-in showed of what it read, and searches answered otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from interlock.rehearse.pages import visible_text
from interlock.rehearse.records import canary, records
from interlock.rehearse.stage import Row, Stage, Visit, is_search, judged
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import fhir_json

NO_READ = "nothing was read in the polite sign-in"
NO_SEARCH = "the product did not search in the polite sign-in, or showed nothing of what it found"
NO_OBSERVATION = "the polite sign-in showed no observation"

_MATCH = {"mode": "match"}

Answer = Callable[[Exchange], Response | None]


def searched(stage: Stage) -> bool:
    """Whether the polite page shows something that came from a search."""
    visit = stage.visits[stage.a]
    kinds = {record["resourceType"] for record in records(stage.a)} - {"Patient"}
    asked = {request.path.rpartition("/fhir/")[2] for request in visit.of("resource")}
    return any(shows_kind(stage, kind) for kind in kinds & asked)


def finds_observations(stage: Stage) -> bool:
    """Whether the polite page shows an observation."""
    return shows_kind(stage, "Observation")


def shows_kind(stage: Stage, kind: str) -> bool:
    """Whether the polite page shows a record of a type."""
    return stage.visits[stage.a].page.shows(canary(stage.a, "p1", kind))


def searches(stage: Stage, make: Answer) -> Any:
    """Let searches at A answer something else, as a context."""
    return stage.answers(stage.a, "resource", lambda exchange: make(exchange) if is_search(exchange) else None)


#: Why two pages are not compared.
UNSTEADY = "the page says something else each time that it is opened, so no difference tells anything"


def unsteady(stage: Stage) -> bool:
    """Whether the polite page, opened again, says something else."""
    return visible_text(stage.visit(stage.a).page) != visible_text(stage.visits[stage.a].page)


def nothing_found(exchange: Exchange) -> Response:
    """The answer to a search that finds nothing."""
    link = [{"relation": "self", "url": exchange.address}]
    return fhir_json({"resourceType": "Bundle", "type": "searchset", "total": 0, "link": link})


def each_answer(
    stage: Stage, answers: Mapping[str, Answer], problem_of: Callable[[Visit], str], well: str = ""
) -> list[Row]:
    """A row for each answer that stands in the place of every search at A, by the page that it leads to.

    :param well: what is said of a page without a problem; by default what it is.
    """
    rows = []
    for subject, make in answers.items():
        with searches(stage, make):
            visit = stage.visit(stage.a)
        rows.append(judged(problem_of(visit), well or visit.page.told, visit.asked, subject=subject))
    return rows


def changing(stage: Stage, kind: str, change: Callable[[dict[str, Any]], Any], record_id: str = "p1") -> Any:
    """Let records of patient 1 at A say something else wherever they are read, as a context.

    :param record_id: the record, or what ids of all of them begin with.
    """

    def edit(_: Exchange, document: dict[str, Any]) -> None:
        for record in (document, *(entry.get("resource") or {} for entry in document.get("entry") or [])):
            if record.get("resourceType") == kind and str(record.get("id")).startswith(record_id):
                change(record)

    return stage.edits(stage.a, ("resource",), edit)


def finding_more(stage: Stage, *extra: dict[str, Any], links: tuple[tuple[str, str], ...] = ()) -> Any:
    """Let searches at A find something more, or lead somewhere, as a context."""

    def edit(exchange: Exchange, document: dict[str, Any]) -> None:
        if document.get("resourceType") != "Bundle" or not is_search(exchange):
            return
        entries = [
            {
                "fullUrl": f"{exchange.base}/{record['resourceType']}/{record['id']}",
                "resource": record,
                "search": _MATCH,
            }
            for record in extra
            if record["resourceType"] == exchange.path
        ]
        document["entry"] = [*document.get("entry", []), *entries]
        added = [{"relation": name, "url": url.replace("{path}", exchange.path)} for name, url in links]
        kept = [link for link in document.get("link", []) if not added or link["relation"] != "next"]
        document["link"] = kept + added

    return stage.edits(stage.a, ("resource",), edit)
