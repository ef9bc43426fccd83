"""The app's sections in their order, as they are known before they are loaded: each is imported when it first opens.

The number of a section is the key that goes there, and so is its letter after ``g``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen


@dataclass(frozen=True)
class Listed:
    """One section.

    :ivar mode: its id.
    :ivar letter: the key that goes to it, after ``g``.
    :ivar purpose: what it is for, in a few words.
    :ivar home: its module in :mod:`interlock.tui.screens`, and its class there.
    :ivar short: its title where the top bar is narrow, if it is another.
    """

    mode: str
    letter: str
    title: str
    purpose: str
    home: str
    short: str = ""

    def load(self) -> type[Screen[Any]]:
        """Its class."""
        module, _, name = self.home.partition(".")
        screen: Any = getattr(import_module(f"interlock.tui.screens.{module}"), name)
        return screen  # type: ignore[no-any-return]  # a name of the table below

    def opened(self) -> Screen[Any]:
        """A new screen of it."""
        screen = self.load()()
        screen.title = self.title
        return screen


SECTIONS = (
    Listed("overview", "o", "Overview", "Verdict, organisations, what to do first", "overview.OverviewSection"),
    Listed("questions", "q", "Questions", "Answer one question at a time", "questions.QuestionsSection"),
    Listed("probe", "p", "Probe", "Look at the organisations' endpoints", "probe.ProbeSection"),
    Listed("gaps", "a", "Gaps", "What is open, why, and what waits for it", "gaps.GapsSection"),
    Listed("plan", "l", "Plan", "What comes first, and when it is done", "plan.PlanSection"),
    Listed("report", "r", "Report", "Export the report; milestones", "report.ReportSection"),
    Listed(
        "organizations",
        "s",
        "Organisations",
        "Add, change and remove organisations",
        "organizations.OrganizationsSection",
        short="Orgs",
    ),
    Listed("contract", "c", "Contract", "The workflow contract and how it fits", "contract.ContractSection"),
)
