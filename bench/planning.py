"""Speed of scoping: the gap graph of a large fleet, the simulated plan, and its what-ifs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from measuring import Measured, best_of

if TYPE_CHECKING:
    from interlock.model.finding import Finding
    from interlock.model.organization import Organization
    from interlock.model.rule import Rule

RUNS, TASKS, WHAT_IFS = 10_000, 160, 30
ORGANIZATIONS, GAPS = 1_000, 60


def simulated() -> Measured:
    """160 tasks in 10,000 runs: sampled, timed, criticality and every date, against bare numpy beta variates."""
    return _against_bare("plan, 160 tasks", {}, 1.5, 0.2, whole=False)


def planned() -> Measured:
    """The whole plan with what to do first, what drives the date and all what-ifs behind that."""
    return _against_bare("the same and what to do", {}, 2.5, None, whole=True)


def levelled() -> Measured:
    """The whole plan when three persons do all 160 tasks, so that every task may have to wait for one of them."""
    return _against_bare("the same, levelled", {"us": 3}, 5.0, 0.6, whole=True)


def _against_bare(
    name: str, capacity: dict[str, float], limit: float, at_most: float | None, *, whole: bool
) -> Measured:
    import numpy as np

    from interlock.plan import network
    from interlock.plan.schedule import make_plan, simulation_of

    findings, rules, orgs = _fleet(TASKS // 40, 40)
    graph, options = _graph(TASKS // 40, 40), _options(capacity)
    shape = np.random.default_rng(1).uniform(1, 5, (TASKS, 1))

    def bare() -> object:
        return np.random.default_rng(1).beta(shape, 6 - shape, (TASKS, RUNS))

    def dates() -> object:
        simulation = simulation_of(graph, rules, (), findings, orgs, options)
        arcs = simulation.timing.arcs
        network.critical(simulation.work.after, arcs.after, simulation.times, arcs.order, simulation.end(None))
        return [simulation.quantiles(simulation.end(org)) for org in (None, *simulation.orgs)]

    def plan() -> object:
        return make_plan(graph, rules, (), findings, orgs, options)

    seconds, base = best_of(7, plan if whole else dates, bare)
    return Measured(name, seconds, f"{TASKS * RUNS / 1e6:g} M beta variates", base, limit, at_most)


def fifty_organizations() -> Measured:
    """The whole plan of 50 organisations, 2,500 tasks in 2,000 runs with six persons, against sampling it alone."""
    from interlock.plan.sampling import Sampler, sample
    from interlock.plan.schedule import make_plan, simulation_of

    findings, rules, orgs = _fleet(50, 50)
    graph, options = _graph(50, 50), replace(_options({"us": 6}), runs=2_000)
    work = simulation_of(graph, rules, (), findings, orgs, options).work

    def sampled() -> object:
        return sample(work.tasks, Sampler(1, 2_000), [1.0] * len(work.tasks), frozenset())

    def plan() -> object:
        return make_plan(graph, rules, (), findings, orgs, options)

    seconds, base = best_of(3, plan, sampled)
    return Measured("plan, 50 organisations", seconds, "sampling alone", base, 20.0, 2.0)


def what_ifs() -> Measured:
    """Thirty gaps closed one by one, against simulating the plan thirty times."""
    return _what_ifs("30 what-ifs", {}, 0.2, 0.1)


def levelled_what_ifs() -> Measured:
    """The same with three persons for everything."""
    return _what_ifs("the same, levelled", {"us": 3}, 0.2, 0.15)


def _what_ifs(name: str, capacity: dict[str, float], limit: float, at_most: float) -> Measured:
    from interlock.plan.schedule import simulation_of
    from interlock.plan.simulation import Comparison
    from interlock.plan.timing import CLOSED

    findings, rules, orgs = _fleet(TASKS // 40, 40)
    graph, options = _graph(TASKS // 40, 40), _options(capacity)

    def simulate() -> Any:
        return simulation_of(graph, rules, (), findings, orgs, options)

    simulation = simulate()

    def thirty() -> object:
        return Comparison(simulation).savings([{row: CLOSED} for row in range(WHAT_IFS)])

    seconds, base = best_of(5, thirty, simulate)
    return Measured(name, seconds, "30 simulations", WHAT_IFS * base, limit, at_most)


def large_graph() -> Measured:
    """1,000 organisations × 60 gaps built, reduced and ranked, against twice the time of 500.

    Linear but for dictionaries that outgrow the processor's cache and full garbage collections that fall inside: 1.1 by
    processor time, up to 1.3 by the clock on a busy machine.
    """
    half, whole = best_of(
        3, lambda: _graph.__wrapped__(ORGANIZATIONS // 2, GAPS), lambda: _graph.__wrapped__(ORGANIZATIONS, GAPS)
    )
    return Measured("graph, 1,000 × 60 gaps", whole, "twice that of 500", 2 * half, 1.4)


def graph_of_fifty() -> Measured:
    """50 organisations × 60 gaps, against a twentieth of 1,000."""
    fifty, whole = best_of(3, lambda: _graph.__wrapped__(50, GAPS), lambda: _graph.__wrapped__(ORGANIZATIONS, GAPS))
    return Measured("graph, 50 × 60 gaps", fifty, "1/20 of that of 1,000", whole / 20, 1.2, 0.2)


def large_graph_ordered() -> Measured:
    """Generations and dominators of 1,000 organisations × 60 gaps by networkx, against twice the time of 500."""

    def ordered(organizations: int) -> Callable[[], object]:
        import networkx as nx

        graph = nx.DiGraph()
        for edge in _graph(organizations, GAPS).edges:
            graph.add_edge(edge.before, edge.after)
        graph.add_edges_from([("", key) for key, degree in graph.in_degree if not degree])
        return lambda: (list(nx.topological_generations(graph)), nx.immediate_dominators(graph, ""))

    half, whole = best_of(3, ordered(ORGANIZATIONS // 2), ordered(ORGANIZATIONS))
    return Measured("its generations, dominators", whole, "twice that of 500", 2 * half, 1.4, 2.0)


def _options(capacity: dict[str, float]) -> Any:
    from interlock.model.base import Gate, Owner
    from interlock.plan.options import PlanOptions

    return PlanOptions(
        target_gate=Gate.PILOT,
        start=date(2026, 1, 5),
        seed=1,
        runs=RUNS,
        capacity={Owner(owner): persons for owner, persons in capacity.items()},
    )


@cache
def _graph(organizations: int, gaps: int) -> Any:
    from interlock.model.base import Gate
    from interlock.plan.graph import build

    findings, rules, orgs = _fleet(organizations, gaps)
    return build(findings, rules, orgs, Gate.PILOT)


@cache
def _fleet(organizations: int, gaps: int) -> tuple[Sequence[Finding], dict[str, Rule], Sequence[Organization]]:
    """Organisations that all have the same gaps; each gap waits for up to two earlier ones."""
    from interlock.model.base import RuleOutcome, Scope
    from interlock.model.finding import Finding, Subject, finding_key
    from interlock.model.organization import Organization
    from interlock.model.rule import Rule

    random_ = random.Random(2)
    names = [f"AA-{number:03d}" for number in range(gaps)]
    rules = {
        name: Rule.model_validate(_rule(name, random_.sample(names[:number], min(number, 2))))
        for number, name in enumerate(names)
    }
    orgs = [
        Organization(id=f"o{number}", name=f"Organisation {number}", vendor=("epic", "oracle", "other")[number % 3])
        for number in range(organizations)
    ]
    subjects = [Subject(scope=Scope.ORG, id=org.id) for org in orgs]
    findings = [
        Finding(
            key=finding_key(name, subject),
            rule=name,
            subject=subject,
            outcome=RuleOutcome.GAP,
            message=f"{name} is open",
        )
        for name in names
        for subject in subjects
    ]
    return findings, rules, orgs


def _rule(name: str, after: list[str]) -> dict[str, Any]:
    lead = {"low": 1, "expected": 5, "high": 20, "unit": "working_days", "source": "judgement", "grade": "judgement"}
    return {
        "id": name,
        "title": f"Title of {name}",
        "scope": "org",
        "class": "gap",
        "gate": "sandbox",
        "severity": "high",
        "gap_when": "true",
        "message": "open",
        "why": "why",
        "depends_on": after,
        "source": ["S01"],
        "remediation": {
            "text": "do it",
            "owner": "us",
            "effort": {"low": 1, "expected": 2, "high": 5},
            "lead_time": lead | {"as_of": "2026-11"},
        },
        "tests": [{"given": {}, "expect": "gap"}],
    }
