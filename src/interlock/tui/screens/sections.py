"""The app's sections in order: the number of each is the key that goes there, and so is its letter after ``g``."""

from __future__ import annotations

from interlock.tui.screens.contract import ContractSection
from interlock.tui.screens.gaps import GapsSection
from interlock.tui.screens.organizations import OrganizationsSection
from interlock.tui.screens.overview import OverviewSection
from interlock.tui.screens.plan import PlanSection
from interlock.tui.screens.probe import ProbeSection
from interlock.tui.screens.questions import QuestionsSection
from interlock.tui.screens.report import ReportSection
from interlock.tui.screens.section import Section

SECTIONS: tuple[type[Section], ...] = (
    OverviewSection,
    QuestionsSection,
    ProbeSection,
    GapsSection,
    PlanSection,
    ReportSection,
    OrganizationsSection,
    ContractSection,
)
