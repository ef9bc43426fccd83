"""Reading a bounded sample of the contract's inputs, with an organisation's own credentials.

One page of each input, GET only, neither redirects nor links followed, at most :data:`MAX_REQUESTS` requests. A type
whose search is rejected as too wide is asked once more, narrower. What comes back is compared with what was asked for
(:mod:`interlock.fhir.searchset`), counted (:mod:`interlock.fhir.sampling`) and forgotten; neither a body nor its digest
nor a patient's id is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from interlock.fhir import sampling
from interlock.fhir.searchset import PATIENT, Asked, Searchset, read_searchset
from interlock.model.facts import CapabilityFacts, FhirRelease
from interlock.model.observation import RequestRecord
from interlock.model.sample import AccessMethod, DataFacts, InputSample, SampleOutcome, TokenFacts
from interlock.probe.introspection import introspect
from interlock.probe.tokens import Base, TokenSource
from interlock.probe.transport import plan
from interlock.probe.transport.client import Client
from interlock.probe.transport.exchange import Exchange, OnRecord, Purpose, may_carry_secrets, without_content
from interlock.probe.transport.settings import SamplePlan
from interlock.probe.transport.transfer import Ask, Reply

if TYPE_CHECKING:
    from interlock.model.contract import Need

MAX_REQUESTS = 24
PAGE = 20
MAX_PATIENTS = 3
_LEFT_OUT = "(left-out)"
#: How a server says that a search lacks a parameter; Epic does of Observation (59108) and CarePlan (59159).
_TOO_WIDE = frozenset({400, 422})

#: A search parameter besides the patient, and its value.
_Search = tuple[str, str]

#: US Core fixes the category in these profiles; many servers want a category in a search for observations.
_CATEGORIES = {
    "us-core-vital-signs": "vital-signs",
    "us-core-observation-lab": "laboratory",
}


async def take_sample(
    client: Client, base: Base, sample: SamplePlan, on_record: OnRecord, *, active: bool = False
) -> tuple[DataFacts, dict[Purpose, Exchange]]:
    """Sample every input: the facts, and the exchanges, whose records hold nothing of their content.

    ``active``: the server is asked about the token, too, where it advertises introspection; a refresh token is used.

    Never raises for anything that a server does.
    """
    credentials = sample.credentials
    if credentials is None:
        return _unasked("none", sample.needs, sample.reason), {}
    if not may_carry_secrets(base.url):
        reason = "credentials are sent over https only, and the base is plain http"
        return _unasked(credentials.method, sample.needs, reason), {}
    if not credentials.may_go_to(base.url):
        reason = "the credentials were not trusted to go to this base"
        return _unasked(credentials.method, sample.needs, reason), {}
    source = TokenSource(credentials, client, base, sample.needs)
    reader = _Reader(client, base, source, on_record, sample.release)
    # Patients come first: other types are searched by patient. The result keeps the contract's order.
    order = sorted(range(len(sample.needs)), key=lambda index: sample.needs[index].resource != "Patient")
    samples = {index: await reader.sample(sample.needs[index]) for index in order}
    told = await introspect(client, base, credentials, source, on_record) if active else None
    refresh = await source.refresh(on_record) if active else None
    facts = DataFacts(
        method=credentials.method,
        token=source.facts,
        introspection=told[0] if told is not None else None,
        refresh=refresh,
        inputs=tuple(samples[index] for index in range(len(sample.needs))),
        requests=len(reader.records),
    )
    records: dict[Purpose, list[RequestRecord]] = {
        "token": source.records,
        "sample": reader.records,
        "introspection": [told[1]] if told is not None else [],
        "refresh": source.refreshes,
    }
    return facts, {purpose: _exchange(purpose, sent) for purpose, sent in records.items() if sent}


def _exchange(purpose: Purpose, records: Sequence[RequestRecord]) -> Exchange:
    last = records[-1]
    return Exchange(purpose, tuple(records), "failed" if last.failure else "answered", last.detail or "")


def _unasked(method: AccessMethod, needs: Sequence[Need], reason: str) -> DataFacts:
    return DataFacts(
        method=method,
        token=TokenFacts(outcome="not_sent", reason=reason),
        inputs=tuple(
            InputSample(resource=need.resource, outcome="not_asked", optional=need.optional, reason=reason)
            for need in needs
        ),
    )


class _Reader:
    """The searches of a sample. Patients' ids are kept here only, for as long as the sample is taken."""

    def __init__(
        self, client: Client, base: Base, source: TokenSource, on_record: OnRecord, written: FhirRelease
    ) -> None:
        self.records: list[RequestRecord] = []
        self._client = client
        self._base = base
        self._source = source
        self._on_record = on_record
        self._written = written
        self._patients: list[str] = []
        self._pages: dict[tuple[str, _Search | None], _Page] = {}
        self._second: dict[str, tuple[_Search, _Page]] = {}

    async def sample(self, need: Need) -> InputSample:
        """Sample an input: the same search is sent once, however many inputs need it."""
        capability = self._base.facts.capability
        held = (capability.fhir_release if capability is not None else None) or self._written
        wanted = sampling.Wanted(need.resource, need.required_fields, need.terminology, self._written, held)
        search = _category(need)
        key = (need.resource, search)
        if key not in self._pages:
            self._pages[key] = await self._search(need, search)
        page = self._pages[key]
        if search is None and page.outcome == "rejected" and page.status in _TOO_WIDE:
            search, page = await self._narrower(need, page)
        category = search[1] if search is not None and search[0] == "category" else None
        answer = page.answer
        counts = sampling.count_resources(answer.resources, wanted)
        return InputSample(
            resource=need.resource,
            category=category,
            optional=need.optional,
            outcome=page.outcome,
            status=page.status,
            filters=page.filters,
            seen=answer.seen,
            others=dict(answer.others),
            unnamed=answer.unnamed,
            unrepeated=answer.unrepeated,
            page=answer.page,
            total=answer.total,
            unreached=answer.unreached,
            outcomes=answer.outcomes,
            next_links=answer.next_links,
            count=counts.count,
            void=counts.void,
            fields=counts.fields,
            absent=counts.absent,
            statuses=counts.statuses,
            systems=counts.systems,
            terminology=need.terminology,
            expected=counts.expected,
            uncoded=counts.uncoded,
            referenced=counts.referenced,
            reason=page.reason,
        )

    async def _narrower(self, need: Need, rejected: _Page) -> tuple[_Search | None, _Page]:
        """The narrower search that brought an answer, and its page; none and the rejected page when it brought none.

        At most a single further request for a type, about a single patient, however many of its inputs were rejected.
        """
        search = sampling.narrower(need.resource, need.profile)
        if search is None or not self._patients:
            return None, rejected
        name = "=".join(search)
        page = self._pages.get((need.resource, search))
        if page is None:
            if need.resource not in self._second:
                by = _by_patient(need, self._base.facts.capability) or "patient"
                parameters = [(by, self._patients[0]), search, ("_count", str(PAGE))]
                said = f"asked again with {name}, after HTTP {rejected.status}"
                self._second[need.resource] = (search, await self._page(need.resource, parameters, said))
            asked, page = self._second[need.resource]
            if asked != search:
                return None, rejected
        if page.outcome in {"sampled", "empty", "refused"}:
            wider = f"without that the search was rejected with HTTP {rejected.status}"
            return search, replace(page, reason=f"{page.reason or 'seen'} with {name}; {wider}")
        return None, replace(rejected, reason=f"{rejected.reason}; with {name}: {page.reason}")

    async def _search(self, need: Need, search: _Search | None) -> _Page:
        parameter = _by_patient(need, self._base.facts.capability)
        by = parameter if self._patients else None
        patients: Sequence[str | None] = self._patients[:MAX_PATIENTS] if by else [None]
        collected = Searchset()
        page = _Page("not_asked", reason="nothing was asked for")
        for patient in patients:
            parameters = [(by, patient)] if by and patient else []
            parameters += [search] if search is not None else []
            page = await self._page(need.resource, [*parameters, ("_count", str(PAGE))])
            collected.add(page.answer)
            if page.outcome not in {"sampled", "empty"} or len(collected.resources) >= PAGE:
                break
        if need.resource == "Patient" and not self._patients:
            ids = (resource.get("id") for resource in collected.resources)
            self._patients = [known for known in ids if isinstance(known, str) and 0 < len(known) <= 64]
        if not collected.resources:
            return replace(page, answer=collected)
        del collected.resources[PAGE:]
        alone = "asked without a patient, for none is known" if parameter and not by else None
        return _Page("sampled", page.status, collected, page.filters, alone)

    async def _page(self, kind: str, parameters: list[tuple[str, str]], said: str | None = None) -> _Page:
        """A page of a search. ``said`` is added to the detail of its record."""
        if len(self.records) >= MAX_REQUESTS:
            return _Page("not_asked", reason=f"the sample ends after {MAX_REQUESTS} requests")
        token = await self._source.get(self._on_record)
        if token is None:
            facts = self._source.facts
            return _Page("not_asked", reason=f"no token: {facts.reason if facts and facts.reason else 'none'}")
        reply = await self._client.get(
            Ask(
                url=f"{self._base.url}/{kind}?{urlencode(parameters)}",
                accept=plan.FHIR_JSON,
                deadline=self._base.deadline,
                purpose="sample",
                credentials={"Authorization": f"Bearer {token.reveal()}"},
                client_certificate=True,
                redirects=False,
            )
        )
        filters = tuple((name, value) for name, value in parameters if name != "_count")
        page = _read(reply, Asked(kind, filters, PAGE, self._base.url))
        shown = [(name, _LEFT_OUT if name in PATIENT else value) for name, value in parameters]
        address = f"{self._base.url}/{kind}?{urlencode(shown, quote_via=quote, safe='()')}"
        told = "; ".join(text for text in (said, page.reason) if text) or None
        record = without_content(reply.record, address, "answered", told)
        self.records.append(record)
        self._on_record(record)
        return page


@dataclass(slots=True)
class _Page:
    """The answer to a search, or why there is none."""

    outcome: SampleOutcome
    status: int | None = None
    answer: Searchset = field(default_factory=Searchset)
    filters: tuple[str, ...] = ()
    reason: str | None = None


def _category(need: Need) -> _Search | None:
    """The category that the input's profile fixes, as a parameter."""
    name = (need.profile or "").partition("|")[0].rpartition("/")[2]
    return ("category", _CATEGORIES[name]) if need.resource == "Observation" and name in _CATEGORIES else None


def _by_patient(need: Need, capability: CapabilityFacts | None) -> str | None:
    """The parameter that names the patient, as the contract or the statement has it."""
    declared = capability.resources.get(need.resource) if capability is not None else None
    for name in ("patient", "subject"):
        if name in need.search_parameters or (declared is not None and name in declared.search_params):
            return name if need.resource != "Patient" else None
    return None


def _read(reply: Reply, asked: Asked) -> _Page:
    record, status = reply.record, reply.record.status
    if reply.failure is not None or status is None:
        return _Page("failed", status, reason=without_content(record, record.url, "failed").detail)
    if status in {401, 403}:
        return _Page("refused", status, reason=f"refused with HTTP {status}")
    if 300 <= status < 400:
        return _Page("failed", status, reason=f"answered with a redirect (HTTP {status}), which is not followed")
    if status == 429 or status >= 500:
        return _Page("failed", status, reason=f"HTTP {status}")
    if status >= 400:
        return _Page("rejected", status, reason=f"the search was rejected with HTTP {status}")
    bundle = reply.json()
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return _Page("failed", status, reason="the answer is no Bundle")
    answer = read_searchset(bundle, asked)
    filters = tuple(name for name, _ in asked.filters)
    if answer.resources:
        return _Page("sampled", status, answer, filters)
    why = "nothing that came is what was asked for" if answer.seen else "the search found nothing"
    return _Page("empty", status, answer, filters, why)
