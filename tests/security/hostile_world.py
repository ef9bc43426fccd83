"""A workspace whose every free text tries something: one organisation, question, rule and observation a hostile text.

The texts go into the models without validation, as if everything that refuses them where they enter had failed: what is
tested with it is each writer's own care.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any

from hostile_text import HOSTILE

from interlock.documents.resources import data_dir
from interlock.model.assessment import Assessment
from interlock.model.base import CheckOutcome, Model, Severity
from interlock.model.contract import WorkflowContract
from interlock.model.evidence import EvidenceRecord
from interlock.model.facts import CapabilityFacts, Facts, SmartFacts
from interlock.model.observation import Check, CheckEvidence, Observation, RequestRecord, Target
from interlock.model.organization import Organization
from interlock.model.questionnaire import Item
from interlock.usecases.assess import assess
from interlock.usecases.load import Content, Inputs, load_inputs
from interlock.workspace.store import Workspace
from tiers import LONG

_KINDS = {name.partition(":")[0]: None for name in HOSTILE}
#: Every hostile text in `make test-all`; otherwise every other of each kind, in a smaller world.
TEXTS = tuple(
    text
    for kind in _KINDS
    for text in [text for name, text in HOSTILE.items() if name.startswith(f"{kind}:")][:: 1 if LONG else 2]
)
#: What the same world says where nothing tries anything: the shape that every output must keep.
CALM = tuple(f"Calm text {number}" for number in range(len(TEXTS)))
TODAY = date(2026, 3, 2)


@dataclass(frozen=True)
class World:
    """Inputs with one text after the other in every place, and what they amount to."""

    texts: tuple[str, ...]
    inputs: Inputs
    assessment: Assessment


def world_of(texts: tuple[str, ...]) -> World:
    """The world of some texts."""
    inputs = _inputs(texts)
    return World(texts, inputs, assess(inputs, today=TODAY, runs=100))


def _evidence(text: str) -> tuple[EvidenceRecord, ...]:
    return (EvidenceRecord.trusted(title=text, link=text, file=text, reviewer=text),)


def _inputs(texts: tuple[str, ...]) -> Inputs:
    given = load_inputs(Workspace(data_dir("samples") / "templates" / "sepsis"))
    supply = cycle(texts)
    organizations = tuple(
        _with(given.organizations[number % len(given.organizations)], id=f"org-{number:02}", name=text, note=text)
        for number, text in enumerate(texts)
    )
    answers = {
        name: _with(answer, note=next(supply), by=next(supply), documents=_evidence(next(supply)))
        for name, answer in given.product.items()
    }
    by_org = {
        org.id: {
            name: _with(answer, note=text, by=text, assignee=text, documents=_evidence(text))
            for name, answer in given.by_org.get(given.organizations[number % len(given.organizations)].id, {}).items()
        }
        for number, (org, text) in enumerate(zip(organizations, texts, strict=True))
    }
    assert given.contract is not None
    return replace(
        given,
        settings=_with(given.settings, name=texts[0], product=texts[1], description=texts[2]),
        content=_content(given.content, supply),
        organizations=organizations,
        product=answers,
        by_org=by_org,
        contract=_contract(given.contract, supply),
        observations={org.id: _observation(org, text) for org, text in zip(organizations, texts, strict=True)},
    )


def _with(model: Any, **values: object) -> Any:
    return model.model_copy(update=values)


def _content(content: Content, supply: Iterator[str]) -> Content:
    def renamed(item: Item) -> Item:
        options = tuple(_with(option, label=next(supply), rationale=next(supply)) for option in item.options)
        return _with(
            item,
            text=next(supply),
            help=next(supply),
            why=next(supply),
            options=options,
            items=tuple(map(renamed, item.items)),
        )

    questionnaires = tuple(
        _with(
            questionnaire, title=next(supply), description=next(supply), items=tuple(map(renamed, questionnaire.items))
        )
        for questionnaire in content.questionnaires
    )
    kept = content.ruleset.rules[::3]  # enough of every kind, and three times as quick
    names = {rule.id for rule in kept}
    rules = tuple(
        _with(
            rule,
            depends_on=tuple(name for name in rule.depends_on if name in names),
            title=next(supply),
            message=next(supply) + " {org.name}",
            why=next(supply),
            rationale=next(supply),
            remediation=_with(rule.remediation, text=next(supply)),
            references=tuple(_with(reference, title=next(supply), url=next(supply)) for reference in rule.references),
        )
        for rule in kept
    )
    tasks = tuple(
        _with(task, title=next(supply), after=tuple(name for name in task.after if name in names or "." in name))
        for task in content.ruleset.tasks
    )
    ruleset = _with(content.ruleset, title=next(supply), rules=rules, tasks=tasks)
    return Content(questionnaires, ruleset, content.rule_folders)


def _contract(contract: WorkflowContract, supply: Iterator[str]) -> WorkflowContract:
    """Every text of the contract that has no form of its own is another one."""

    def poisoned(value: Any) -> Any:
        if isinstance(value, Model):
            return _with(value, **{name: free(name, getattr(value, name)) for name in type(value).model_fields})
        if isinstance(value, tuple):
            return tuple(map(poisoned, value))
        return value

    def free(name: str, value: Any) -> Any:
        formed = {"resource", "name", "surface", "type", "where", "fhir_release", "client", "interactions", "modes"}
        formed |= {"then", "strength", "mode", "kind", "direction", "delivery", "level", "refresh", "environment"}
        return next(supply) if isinstance(value, str) and name not in formed else poisoned(value)

    return poisoned(contract)


def _observation(org: Organization, text: str) -> Observation:
    base = "https://fhir.example.org/r4"
    checks = tuple(
        Check.trusted(
            id=f"CAP-{number:03}",
            title=text,
            outcome=outcome,
            severity=Severity.HIGH,
            message=text,
            evidence=(CheckEvidence.trusted(url=f"{base}/metadata", pointer=f"/{text}"),),
        )
        for number, outcome in enumerate(
            (CheckOutcome.FAIL, CheckOutcome.WARN, CheckOutcome.PASS, CheckOutcome.ERROR), 1
        )
    )
    facts = Facts.trusted(
        capability=CapabilityFacts.trusted(
            fhir_version="4.0.1",
            fhir_release="R4",
            software={"name": text, "version": text},
            publisher=text,
            implementation_url=text,
            formats=(text,),
            instantiates=(text,),
            problems=(text,),
        ),
        smart=SmartFacts.trusted(issuer=text, scopes_supported=(text,), capabilities=(text,)),
    )
    request = RequestRecord.trusted(url=f"{base}/metadata", method="GET", status=200, detail=text, elapsed_ms=1.0)
    return Observation.trusted(
        target=Target.trusted(org=org.id, base_url=base),
        started=datetime(2026, 3, 1, tzinfo=UTC),
        elapsed_ms=12.0,
        outcome="observed",
        facts=facts,
        checks=checks,
        requests=(request,),
    )


def strings(value: object) -> Iterator[str]:
    """Every text in parsed JSON or YAML, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(key)
            yield from strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from strings(inner)
