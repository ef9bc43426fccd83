"""How many answers settle the verdict: a person who answers truthfully what is asked, by kind of product.

Writes the table of docs/scoring.md ("Next question"), which a test computes again. The truths are invented: the best
answer to everything, but for what the row names. The person answers what ``interlock next`` asks, or the same
questions in the order of the files, until the verdict is settled or no answer is left that could change it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from interlock.documents.resources import data_dir
from interlock.documents.yaml import load_yaml, model_from_yaml
from interlock.judge.lint.proofs import best_answer, worst_answers
from interlock.model import words
from interlock.model.base import CheckOutcome, Evidence, ProductKind, Severity, Status
from interlock.model.contract import Launch, WorkflowContract
from interlock.model.contract_parts import Client
from interlock.model.facts import Facts, SmartFacts
from interlock.model.observation import Check, Observation, Target
from interlock.model.organization import Organization, Settings
from interlock.model.questionnaire import Item
from interlock.model.response import AnswerValue, Response
from interlock.usecases.judge import asked, judge
from interlock.usecases.load import Content, Inputs, load_content
from interlock.usecases.next_questions import rank_questions

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scoring.md"
BEGIN, END = "<!-- answers until settled: made by make renew -->\n", "<!-- end of it -->\n"
ORGANIZATIONS = ("alder", "birch")
#: How sessions start, who reads, what is written and what it has besides, of each kind.
KINDS: Mapping[ProductKind, tuple[tuple[str, ...], tuple[str, ...], str, str]] = {
    ProductKind.CHART_APP: (("ehr_launch", "backend"), ("clinicians",), "observation", "none"),
    ProductKind.VIEWER: (("ehr_launch",), ("clinicians",), "nothing", "viewers"),
    ProductKind.BACKEND_SERVICE: (("backend",), ("clinicians",), "observation", "jobs"),
    ProductKind.PATIENT_APP: (("standalone_launch",), ("patients",), "nothing", "none"),
    ProductKind.STAFF_APP: (("standalone_launch",), ("staff",), "note", "none"),
}
#: A question and the scope in which it is asked.
Key = tuple[str, str]


@dataclass(frozen=True)
class Truth:
    """What is true of an invented product, and so what a person answers who knows it.

    :ivar worst: the questions whose worst answer is true; everything else is at its best.
    :ivar known: nobody knows anything when it is false.
    :ivar observed: two organisations, both observed; without them there is none yet.
    :ivar contract: the contract's file is complete, or else says how sessions start and nothing more.
    """

    name: str
    kind: ProductKind = ProductKind.CHART_APP
    worst: frozenset[str] = field(default_factory=frozenset)
    known: bool = True
    observed: bool = False
    contract: bool = True

    def answer(self, item: Item) -> Response:
        """The true answer to a question."""
        value = self._value(item) if self.known else None
        if value is None:
            return Response(status=Status.UNKNOWN)
        return Response(status=Status.ANSWERED, value=value, evidence=Evidence.DOCUMENTED)

    def _value(self, item: Item) -> AnswerValue | None:
        modes, readers, written, besides = KINDS[self.kind]
        plain: dict[str, AnswerValue] = {
            "auth.launch_modes": modes,
            "auth.client_type": "asymmetric",
            "auth.token_holder": "server",
            "auth.session_length": "within_token",
            "contract.writes": (written,),
            "contract.readers": readers,
            "endpoints.kinds": (besides,),
            "org.fhir_release": "r4",
        }
        if item.id in plain:
            return plain[item.id]
        return worst_answers(item)[0] if item.id in self.worst else best_answer(item)


TRUTHS: tuple[Truth, ...] = (
    Truth("its output still changes", worst=frozenset({"boundary.output_stable"})),
    Truth("nobody acts on it", worst=frozenset({"boundary.action_defined"})),
    Truth("its value was never shown outside the EHR", worst=frozenset({"boundary.value_outside_ehr"})),
    Truth("its contract says only how it starts", contract=False),
    Truth("its event is a slogan", worst=frozenset({"contract.clinical_event"})),
    Truth("its auth paths are not drawn", worst=frozenset({"auth.path_matrix"})),
    Truth("its sessions are not isolated", worst=frozenset({"auth.session_isolation"})),
    *(Truth("good", kind) for kind in ProductKind),
    Truth("good, two organisations observed", observed=True),
    Truth("good, no organisation has signed the event", observed=True, worst=frozenset({"contract.event_signed"})),
    Truth("nobody knows anything", known=False),
)


class Played(NamedTuple):
    """How far a person came.

    :ivar answers: how many answers were given.
    :ivar verdict: what is settled by them, or between what it lies.
    :ivar settled: whether it is.
    """

    answers: int
    verdict: str
    settled: bool


def clients(modes: Iterable[str]) -> tuple[Client, ...]:
    """A client for each launch mode, with all that its form asks for."""
    address = "https://product.example"
    return tuple(
        Client.model_validate(
            {"name": mode, "mode": mode, "environment": "sandbox", "contacts": ["ops@product.example"]}
            | (
                {"jwks_url": f"{address}/jwks.json"}
                if mode == "backend"
                else {"redirect_uris": [f"{address}/callback"]}
            )
            | ({"launch_url": f"{address}/launch"} if mode == "ehr" else {})
        )
        for mode in modes
    )


def start(truth: Truth, content: Content) -> Inputs:
    """A workspace in which nothing is answered yet."""
    ready = data_dir("samples") / "templates/ready"
    agreed = model_from_yaml(WorkflowContract, load_yaml(ready / "contract.yaml"))
    northgate = model_from_yaml(Organization, load_yaml(ready / "orgs/northgate.yaml"))
    modes = {"ehr_launch": "ehr", "standalone_launch": "standalone", "backend": "backend"}
    names = [modes[mode] for mode in KINDS[truth.kind][0]]
    launch = Launch.model_validate({"modes": names, "context": ["patient"], "client": "confidential-asymmetric"})
    resource = {"observation": "Observation", "note": "DocumentReference", "nothing": None}[KINDS[truth.kind][2]]
    outputs = [output.model_copy(update={"resource": resource}) for output in agreed.outputs[:1] if resource]
    contract = agreed.model_copy(update={"launch": launch, "outputs": tuple(outputs), "clients": clients(names)})
    orgs = ORGANIZATIONS if truth.observed else ()
    return Inputs(
        settings=Settings(name="N", product="P", kind=truth.kind, profile="core"),
        content=content,
        organizations=tuple(_organization(org, northgate) for org in orgs),
        product={},
        by_org={},
        contract=contract if truth.contract else WorkflowContract(version="0", title="T", launch=launch),
        observations={org: _observed(org) for org in orgs},
        root=Path(),
    )


def _organization(org: str, like: Organization) -> Organization:
    """An organisation whose settings are agreed as those of another are."""
    return Organization(id=org, name=org.title(), fhir_base_url=f"https://{org}.example", overrides=like.overrides)


def _observed(org: str) -> Observation:
    """A server that publishes all that a launch needs."""
    capabilities = ("launch-ehr", "launch-standalone", "client-confidential-asymmetric", "context-ehr-patient",
                    "context-ehr-encounter", "permission-patient", "permission-user")  # fmt: skip
    base = f"https://{org}.example"
    smart = SmartFacts(
        issuer=base,
        authorization_endpoint=f"{base}/authorize",
        token_endpoint=f"{base}/token",
        grant_types_supported=("authorization_code", "client_credentials"),
        token_endpoint_auth_methods_supported=("private_key_jwt",),
        token_endpoint_auth_signing_alg_values_supported=("RS384", "ES384"),
        capabilities=capabilities,
        launch_modes=("ehr", "standalone", "backend"),
    )
    checks = tuple(
        Check(id=name, title=name, outcome=CheckOutcome.PASS, severity=Severity.HIGH, message="Seen.")
        for name in ("SMART-001", "SMART-008", "SMART-010")
    )
    return Observation(
        target=Target(base_url=base, org=org),
        started=datetime(2026, 11, 30, tzinfo=UTC),
        elapsed_ms=1.0,
        outcome="observed",
        facts=Facts(smart=smart),
        checks=checks,
    )


def by_next(inputs: Inputs) -> Key | None:
    """What ``interlock next`` asks, as long as it can change the verdict."""
    first = next(iter(rank_questions(inputs)), None)
    return (first.asked.scope, first.asked.item.id) if first and first.stakes and not first.unknown else None


def by_file(inputs: Inputs) -> Key | None:
    """The first question without an answer, in the order of the files."""
    scopes = ("product", *(org.id for org in inputs.organizations))
    open_ = (
        (scope, item.id) for scope in scopes for item in asked(inputs, scope) if item.id not in inputs.answers(scope)
    )
    return next(open_, None)


def play(truth: Truth, content: Content, choose: Callable[[Inputs], Key | None]) -> Played:
    """Answer question after question until the verdict is settled, or nothing that could change it is left."""
    inputs, answers = start(truth, content), 0
    while True:
        verdict = judge(inputs).verdict
        settled = verdict.value is verdict.latest
        question = None if settled else choose(inputs)
        if question is None:
            return Played(answers, words.verdict(verdict.value, verdict.latest), settled)
        scope, item = question
        inputs = inputs.with_response(scope, item, truth.answer(content.items[item]))
        answers += 1


#: Each truth, played with ``next`` and in the order of the files.
Rows = Mapping[Truth, tuple[Played, Played]]


def rows(content: Content) -> Rows:
    """All truths, played."""
    return {truth: (play(truth, content, by_next), play(truth, content, by_file)) for truth in TRUTHS}


def page(rows: Rows) -> str:
    """docs/scoring.md with the table as it is now."""
    lines = ["| product | kind | asked by `next` | in file order | what is settled |", "|---|---|---|---|---|"]
    for truth, (played, in_order) in rows.items():
        kind = words.PRODUCT_KIND[truth.kind].phrase
        lines.append(f"| {truth.name} | {kind} | {played.answers} | {in_order.answers} | {played.verdict} |")
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "\n".join(lines) + "\n" + END + rest.partition(END)[2]


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(rows(load_content(None))), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
