"""What moves the plan's dates: the drivers of the P80, what to find out first, and what shared sandboxes cost."""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Model
from interlock.model.plan import Driver, UnknownThing
from interlock.report import estimates, safe
from interlock.report.charts import TornadoRow, tornado
from interlock.report.elements import Figure, Link, Picture
from interlock.report.sections.context import Context
from interlock.report.sections.summary import question

DRIVER_LIMIT, UNKNOWN_LIMIT = 8, 5


class UnknownStep(Model):
    """One unknown that is worth finding out first, with what it costs and what it narrows."""

    id: Link
    title: str
    where: str
    action: str
    numbers: tuple[Figure, ...]


class SandboxRow(Model):
    """What shared environments cost at one organisation, in working days."""

    link: Link
    days: str
    p80: str
    stated: str


class SimulationRow(Model):
    """One behaviour tested in shared environments, and what simulating it would save."""

    behaviour: str
    why: str
    runs: str
    saved: str


class SandboxSection(Model):
    """What the plan spends on waiting for shared environments (S41, S46)."""

    lead: str
    organizations: tuple[SandboxRow, ...]
    behaviours: tuple[SimulationRow, ...]


def build_drivers(context: Context) -> Picture | None:
    """The tornado, widest bar first; none when nothing drives."""
    plan = context.assessment.plan
    rows = [_driver(context, driver) for driver in plan.drivers[:DRIVER_LIMIT]]
    markup, alt = tornado(rows, plan.finish.p80_days)
    if not markup:
        return None
    caption = (
        "P80 in working days over the fifth of the runs in which each went best (light), and worst (dark). Semi-bold: "
        "the luck that all tasks of one organisation, vendor or of the product share."
    )
    return Picture(svg=markup, alt=alt, caption=caption)


def _driver(context: Context, driver: Driver) -> TornadoRow:
    where = context.organization_name(driver.org) if driver.org else ""
    name = safe.name(driver.title)
    if driver.what == "party" and where:
        name, where = where, "everything there, together"
    return TornadoRow(name, where, driver.p80_if_well, driver.p80_if_badly, strong=driver.what == "party")


def build_unknown_steps(context: Context) -> tuple[UnknownStep, ...]:
    """What to find out first, best first."""
    return tuple(_unknown(context, unknown) for unknown in context.assessment.plan.unknowns[:UNKNOWN_LIMIT])


def _unknown(context: Context, unknown: UnknownThing) -> UnknownStep:
    node = context.nodes.get(unknown.key)
    return UnknownStep(
        id=context.finding_link(unknown.key),
        title=question(node.title) if node else safe.name(unknown.title),
        where=context.subject_link(node.subject).label if node else "",
        action=words.sentence(safe.text(unknown.action)),
        numbers=(
            Figure(value=words.number(unknown.person_days), label="person-days to find out", note=""),
            Figure(value=words.number(unknown.p80_days), label="working days later if it is a gap", note=""),
            Figure(value=words.number(unknown.score_points), label="points of score open", note=""),
        ),
    )


def build_sandbox(context: Context) -> SandboxSection | None:
    """What shared environments cost; none when no time of the plan goes by in them."""
    cost = context.assessment.plan.sandbox
    if cost is None or not cost.orgs:
        return None
    stated = sum(org.stated for org in cost.orgs)
    said = (
        "Their access windows are stated."
        if stated == len(cost.orgs)
        else "Access windows are stated by none of them: the time is the ruleset’s estimate."
        if not stated
        else f"Access windows are stated for {stated} of {len(cost.orgs)}; elsewhere the time is an estimate."
    )
    return SandboxSection(
        lead=f"Without shared sandboxes the plan’s P80 would be {estimates.days(cost.p80_days)} earlier. {said}",
        organizations=tuple(
            SandboxRow(
                link=context.organization_link(org.org),
                days=estimates.days(org.days),
                p80=estimates.days(org.p80_days),
                stated="stated" if org.stated else "estimated",
            )
            for org in cost.orgs
        ),
        behaviours=tuple(
            SimulationRow(
                behaviour=safe.name(tested.behaviour),
                why=words.sentence(safe.text(tested.why or "")),
                runs=words.number(tested.runs_per_week),
                saved=estimates.days(tested.p80_days_saved),
            )
            for tested in cost.behaviours
        ),
    )
