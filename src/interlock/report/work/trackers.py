"""Work items as files that GitHub, Jira and Azure Boards import, each as CSV and as JSON.

What each tracker takes: GitHub issues are made through its REST API (``POST /repos/{owner}/{repo}/issues`` with title,
body and labels; blockers through the issue's ``dependencies/blocked_by``). Jira's importer reads CSV with one column a
label and a link column, and JSON with a list of links. Azure Boards imports at most 1,000 work items a CSV file and no
links; its REST API takes JSON Patch documents, and links of the type ``System.LinkTypes.Dependency``.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from interlock.documents.visible import to_json
from interlock.model.base import Severity
from interlock.report.work.items import WorkItem, as_html, as_markdown, as_text, quiet

Tracker = Literal["github", "jira", "azure"]
Kind = Literal["csv", "json"]
TITLE_LIMIT = 250  # Jira's Summary and Azure's Title hold 255 characters, GitHub's title 256
AZURE_TAG_SEPARATOR = "; "
#: Rows that Azure Boards imports from one CSV file.
AZURE_CSV_LIMIT = 1000
#: Priorities by severity; routine tasks have none.
_JIRA_PRIORITY = {
    Severity.CRITICAL: "Highest", Severity.HIGH: "High", Severity.MEDIUM: "Medium", Severity.LOW: "Low", None: "Medium",
}  # fmt: skip
_AZURE_PRIORITY = {Severity.CRITICAL: 1, Severity.HIGH: 2, Severity.MEDIUM: 3, Severity.LOW: 4, None: 3}
#: A cell that starts like this is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(items: Sequence[WorkItem], tracker: Tracker, kind: Kind) -> str:
    """The items as one file's text, ending in one line feed."""
    return _WRITERS[tracker, kind](items)


def cell(value: object) -> str:
    """A CSV cell that no spreadsheet reads as a formula (OWASP, CSV Injection)."""
    written = str(value)
    return "'" + written if written.startswith(_FORMULA) else written


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)  # RFC 4180, section 2
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def _title(item: WorkItem) -> str:
    title = quiet(item.title)
    return title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1] + "…"


def _github_csv(items: Sequence[WorkItem]) -> str:
    head = ("id", "title", "body", "labels", "blocked_by")
    return _csv(head, ((i.id, _title(i), as_markdown(i), ",".join(i.labels), ",".join(i.blocked_by)) for i in items))


def _github_json(items: Sequence[WorkItem]) -> str:
    return to_json(
        [
            {
                "id": item.id,
                "issue": {"title": _title(item), "body": as_markdown(item), "labels": list(item.labels)},
                "blocked_by": list(item.blocked_by),
            }
            for item in items
        ]
    )


def _jira_csv(items: Sequence[WorkItem]) -> str:
    numbers = {item.id: number for number, item in enumerate(items, start=1)}
    blocks: dict[str, list[int]] = defaultdict(list)
    for item in items:
        for key in item.blocked_by:
            blocks[key].append(numbers[item.id])
    labels = max((len(item.labels) for item in items), default=0)
    links = max(map(len, blocks.values()), default=0)
    head = ["Issue ID", "Issue Type", "Summary", "Description", "Priority", "External issue ID"]
    head += ["Labels"] * labels + ["Outward issue link (Blocks)"] * links
    rows = (
        (
            *(numbers[item.id], "Task", _title(item), as_text(item), _JIRA_PRIORITY[item.severity], item.id),
            *(*map(_label, item.labels), *[""] * (labels - len(item.labels))),
            *(*blocks[item.id], *[""] * (links - len(blocks[item.id]))),
        )
        for item in items
    )
    return _csv(head, rows)


def _jira_json(items: Sequence[WorkItem]) -> str:
    issues = [
        {
            "externalId": item.id,
            "issueType": "Task",
            "summary": _title(item),
            "description": as_text(item),
            "priority": _JIRA_PRIORITY[item.severity],
            "labels": [_label(name) for name in item.labels],
        }
        for item in items
    ]
    links = [{"name": "Blocks", "sourceId": key, "destinationId": item.id} for item in items for key in item.blocked_by]
    return to_json({"projects": [{"name": "Interlock", "key": "LOCK", "issues": issues}], "links": links})


def _tags(item: WorkItem) -> str:
    return AZURE_TAG_SEPARATOR.join(map(_label, item.labels))


def _label(name: str) -> str:
    return name.replace(":", "-")


def _azure_csv(items: Sequence[WorkItem]) -> str:
    head = ("Work Item Type", "Title", "Description", "Priority", "Tags")
    return _csv(head, (("Issue", _title(i), as_html(i), _AZURE_PRIORITY[i.severity], _tags(i)) for i in items))


def _azure_json(items: Sequence[WorkItem]) -> str:
    def patch(item: WorkItem) -> list[dict[str, Any]]:
        fields = {
            "System.Title": _title(item),
            "System.Description": as_html(item),
            "System.Tags": _tags(item),
            "Microsoft.VSTS.Common.Priority": _AZURE_PRIORITY[item.severity],
        }
        return [{"op": "add", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]

    links = [
        {"source": item.id, "target": key, "rel": "System.LinkTypes.Dependency-Reverse"}
        for item in items
        for key in item.blocked_by
    ]
    return to_json({"work_items": [{"id": i.id, "type": "Issue", "patch": patch(i)} for i in items], "links": links})


_WRITERS: dict[tuple[Tracker, Kind], Callable[[Sequence[WorkItem]], str]] = {
    ("github", "csv"): _github_csv,
    ("github", "json"): _github_json,
    ("jira", "csv"): _jira_csv,
    ("jira", "json"): _jira_json,
    ("azure", "csv"): _azure_csv,
    ("azure", "json"): _azure_json,
}
