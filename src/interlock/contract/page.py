"""The contract as a Markdown page that a clinical owner can read and sign; undecided points say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from interlock.contract.open_parts import NEW_FAILURES
from interlock.contract.page_parts import sections
from interlock.contract.scopes import needed_scopes
from interlock.documents.markdown import escape
from interlock.model.contract import Need, WorkflowContract
from interlock.model.resolved import ResolvedContract
from interlock.model.text import plain

UNDECIDED = "*undecided*"


def workflow_page(resolved: ResolvedContract) -> Mapping[str, str]:
    """``workflow-contract.md``."""
    return {"workflow-contract.md": workflow_markdown(resolved.contract, resolved.product)}


def workflow_markdown(contract: WorkflowContract, product: str) -> str:
    """The whole page, ending in the table that is signed."""
    return "\n".join(_page(contract, product)) + "\n"


def _page(contract: WorkflowContract, product: str) -> Iterator[str]:
    yield f"# Workflow contract: {_md(product)}"
    yield ""
    yield f"{_md(contract.title)} · version {_md(contract.version)} · FHIR {contract.fhir_release}"
    yield from _event(contract)
    yield from _list(
        "Launch",
        ("Modes", ", ".join(contract.launch.modes)),
        ("Context", ", ".join(contract.launch.context)),
        ("Client", contract.launch.client),
        ("Scopes", " ".join(needed_scopes(contract))),
    )
    yield from _needs("What it reads", contract.inputs)
    yield from _needs("What it writes", contract.outputs)
    yield from _list("When the output is wrong", *_named(contract.output_is_wrong))
    known = ((name, value) for name, value in contract.failures if value or _is_asked(contract, name))
    yield from _list("Failures", *_named(known))
    yield from _list(
        "Review before the record",
        ("Required", {None: None, True: "yes", False: "no"}[contract.review.required]),
        ("Role", contract.review.role),
        ("If nobody acts", contract.review.timeout),
        ("If refused", contract.review.on_refusal),
    )
    yield from _table(
        "Configuration surface",
        ("Setting", "Surface", "Type", "Default", "Meaning"),
        (
            (
                setting.name,
                _spaced(setting.surface),
                setting.type,
                "none" if setting.default is None else str(setting.default),
                setting.description or "",
            )
            for setting in contract.organization_surface
        ),
    )
    yield from _table(
        "The product's own endpoints",
        ("Path", "Audience", "Patient data", "Authentication"),
        (
            (
                endpoint.path,
                endpoint.audience,
                "yes" if endpoint.carries_phi else "no",
                endpoint.authentication or "none",
            )
            for endpoint in contract.endpoints
        ),
    )
    yield from _table(
        "Test path",
        ("Behaviour", "Where", "Why"),
        ((entry.behaviour, entry.where, entry.why or "undecided") for entry in contract.test_path),
    )
    for section in sections(contract):
        yield from _table(*section)
    yield from ("", f"The hash of this text, for approvals: `{contract.hash}`")
    yield from _table("Agreed by", ("Organisation", "Clinical owner", "Date"), [("", "", "")])


def _is_asked(contract: WorkflowContract, failure: str) -> bool:
    """Whether a failure that nothing is said of is undecided: schema 1 does not ask about all."""
    return contract.schema_version > 1 or failure not in NEW_FAILURES


def _event(contract: WorkflowContract) -> Iterator[str]:
    event = contract.clinical_event
    if event is None:
        yield from ("", "## The clinical event", "", UNDECIDED)
        return
    yield from _list(
        "The clinical event",
        ("Trigger", event.trigger),
        ("Actor", event.actor),
        ("Setting", event.setting),
        ("States that start the behaviour", ", ".join(event.states)),
        ("Action that follows", event.action),
    )


def _needs(title: str, needs: Sequence[Need]) -> Iterator[str]:
    yield from _table(
        title,
        ("Resource", "Interactions", "Search parameters", "Required fields", "When a field is missing", "Surface"),
        (
            (
                need.resource + (f" ({need.purpose})" if need.purpose else ""),
                ", ".join(need.interactions),
                ", ".join(need.search_parameters),
                ", ".join(need.required_fields),
                need.when_missing or "undecided",
                _spaced(need.surface),
            )
            for need in needs
        ),
    )


def _named(group: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, str | None]]:
    return ((_spaced(name).capitalize(), value) for name, value in group)


def _list(title: str, *rows: tuple[str, str | None]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from (f"- **{label}:** {_md(value) if value else UNDECIDED}" for label, value in rows)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    body = ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in rows]
    if not body:
        yield "*None.*"
        return
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    yield from body


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _md(text: str) -> str:
    """Text that a file's author chose, safe in Markdown, tables included."""
    return escape(plain(text, 600))
