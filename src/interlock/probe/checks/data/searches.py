"""DATA: whether the searches of a sample brought what was asked for, and all of it."""

from __future__ import annotations

from interlock.fhir.searchset import PARTIAL, PATIENT
from interlock.fhir.tables import Unknown, release
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.sample import InputSample, NextLink
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.data.counts import sample_of, sampled_inputs
from interlock.probe.checks.results import Result, clauses, failed, not_applicable, not_observed, passed, warned
from interlock.probe.checks.sources import cite

#: How many resources a page is asked to hold.
_ASKED = 20


def _answered(probed: CheckInput) -> list[InputSample]:
    """The inputs whose search was answered with a Bundle."""
    return [sample for sample in sample_of(probed).inputs if sample.outcome in {"sampled", "empty"}]


def _question(sample: InputSample) -> str:
    """``Observation (vital-signs) of one patient``."""
    return f"{sample.name} of one patient" if PATIENT & set(sample.filters) else sample.name


@check(
    "DATA-007",
    "Searches bring what was asked for",
    Severity.HIGH,
    cite("R4-SEARCH", "conformance", "server conformance"),
    cite("R4-SEARCH", "count", "page count"),
    needs="sample",
    rests_on=("data",),
    level="SHALL",
)
def filters(probed: CheckInput) -> Result:
    """Each resource is compared with the search. A server may ignore a parameter, if its self link says so.

    What does not match is not counted anywhere else. It fails where others' data came under a self link that does not
    admit it; an ignored parameter that the self link leaves out is a warning, and so is a page larger than asked for.
    """
    answered = _answered(probed)
    if not answered:
        return not_observed("no search was answered")
    denied = admitted = False
    notes: list[str] = []
    silent: dict[str, list[str]] = {}
    for sample in answered:
        for name, number in sample.others.items():
            whose = "were of others" if name in PATIENT else f"were of another {name}"
            note = f"asked for {_question(sample)}; {number} of {sample.seen} {whose}: the filter is not applied"
            if name in sample.unrepeated:
                admitted = True
                note += ", which the self link admits"
            else:
                denied = True
            notes.append(note)
        if sample.unnamed:
            notes.append(f"asked for {_question(sample)}; {sample.unnamed} of {sample.seen} name no patient")
        for name in sample.unrepeated:
            if sample.seen and name not in sample.others:
                silent.setdefault(name, []).append(sample.name)
        if sample.page > _ASKED:
            notes.append(f"a page of {sample.name} held {sample.page}, and {_ASKED} were asked for")
    notes += [
        f"{name} as asked is not in the self link of {words.listed(inputs, 4)}: by FHIR it was not used; what came fits"
        for name, inputs in silent.items()
    ]
    if denied:
        return failed(_sentence(notes))
    if notes or admitted:
        return warned(_sentence(notes))
    narrowed = [sample for sample in answered if sample.filters and sample.seen]
    if not narrowed:
        return not_observed("no search with a filter brought a resource")
    counts = [f"{sample.name} {sample.count}" for sample in narrowed]
    return passed(f"All that came is what was asked for: {words.listed(counts, 6)}")


def _sentence(notes: list[str]) -> str:
    return words.capital(clauses(notes, 4))


@check(
    "DATA-008",
    "No answer says that it is only a part",
    Severity.MEDIUM,
    cite("R4-ISSUE"),
    cite("R4-SEARCH", "total", "total number of matching resources"),
    needs="sample",
    rests_on=("data",),
)
def partial(probed: CheckInput) -> Result:
    """An OperationOutcome among the results, or a total beyond what the pages lead to: what is missing looks like none.

    A next page is no part withheld: the sample reads one page of each search and says how many there are.
    """
    answered = _answered(probed)
    if not answered:
        return not_observed("no search was answered")
    notes = []
    for sample in answered:
        withheld = [said for said in sample.outcomes if said.partition(" ")[2] in PARTIAL]
        if withheld:
            notes.append(f"the answer for {sample.name} reports of itself: {words.listed(withheld)}")
        if sample.unreached:
            notes.append(
                f"{sample.name}: total says {sample.total:,}, {sample.unreached:,} more than came, and no next link "
                "leads to them"
            )
        if other := [said for said in sample.outcomes if said not in withheld]:
            notes.append(f"the answer for {sample.name} came with an outcome: {words.listed(other)}")
    if notes:
        return warned(_sentence(notes))
    totals = [f"{sample.name} {sample.seen} of {sample.total:,}" for sample in answered if sample.total]
    more = f"; by total: {words.listed(totals, 6)}" if totals else ""
    return passed(f"{words.count(len(answered), 'answer')} came, and none says that it is only a part{more}")


_LEADS: dict[NextLink, str] = {
    "another_host": "to another host",
    "plain_http": "to plain http",
    "relative": "nowhere by itself: it is relative",
    "unreadable": "nowhere: it is no address",
}


@check(
    "DATA-009",
    "The next page is on the same server",
    Severity.MEDIUM,
    cite("R4-HTTP", "paging", "paging"),
    needs="sample",
    rests_on=("data",),
)
def next_pages(probed: CheckInput) -> Result:
    """A client takes the link as it is given, token included: behind a gateway it often names the inner server.

    No such link is followed here, wherever it leads.
    """
    answered = _answered(probed)
    if not answered:
        return not_observed("no search was answered")
    linked = [sample for sample in answered if sample.next_links]
    if not linked:
        return not_applicable("everything that was found stood on one page")
    astray = [
        f"{sample.name} leads {words.listed([_LEADS[where] for where in sample.next_links if where in _LEADS])}"
        for sample in linked
        if any(where != "here" for where in sample.next_links)
    ]
    if astray:
        return warned(f"The next link of {clauses(astray, 6)}")
    return passed(f"The next link of {words.listed([sample.name for sample in linked], 6)} stays on the server")


@check(
    "DATA-010",
    "The states that start the event occur, and “unknown” is decided",
    Severity.LOW,
    cite("R4-STATUS"),
    needs="contract",
    rests_on=("data",),
    level="contract",
)
def trigger_states(probed: CheckInput) -> Result:
    """``clinical_event.states`` against the statuses of the inputs that have all of these states as codes.

    Other states do nothing, as the contract says by leaving them out; of ``unknown`` nobody can say what it is.
    """
    event = probed.contract.clinical_event if probed.contract is not None else None
    if probed.contract is None or event is None or not event.states:
        return not_applicable("the contract names no states of its event")
    tables = release(probed.contract.fhir_release)
    states, inputs = event.states, sampled_inputs(probed)
    candidates = []
    for sample in inputs:
        element = tables.element(f"{sample.resource}.status")
        codes = () if isinstance(element, Unknown) or element.binding is None else element.binding.codes
        if set(states) <= set(codes):
            candidates.append(sample)
    if not candidates:
        return not_applicable(f"no input that was seen has {words.listed(list(states), last='or')} as its status")
    void = {code for sample in candidates for state in tables.void_states(sample.resource) for code in state.codes}
    statuses = {
        sample.name: {
            status: number for status, number in sample.statuses.items() if " " not in status and status not in void
        }
        for sample in candidates
    }
    outside = [
        f"{name}: {words.listed([f'{status} {number}' for status, number in counts.items() if status not in states])}"
        for name, counts in statuses.items()
        if any(status not in states for status in counts)
    ]
    told = f"not in clinical_event.states ({words.listed(list(states))}), so it starts nothing: {clauses(outside, 4)}"
    undecided = [name for name, counts in statuses.items() if "unknown" in counts and "unknown" not in states]
    if undecided:
        return warned(f"What “unknown” does is for the contract to say; {told}")
    if not any(status in states for counts in statuses.values() for status in counts):
        return warned(f"No state that starts the event occurs; {told}" if outside else "No state occurs at all")
    return passed(words.capital(told) if outside else "Every state that was seen is in clinical_event.states")
