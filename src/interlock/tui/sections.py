"""The app's sections in order. The number is the key that goes there; so is the letter, after ``g``."""

from __future__ import annotations

from typing import NamedTuple


class SectionName(NamedTuple):
    """One section: the mode's name, the letter after ``g``, its title, a shorter one, and what it is for."""

    mode: str
    letter: str
    title: str
    short: str
    purpose: str


SECTIONS: tuple[SectionName, ...] = (
    SectionName("overview", "o", "Overview", "Overview", "Verdict, organisations, what to do first"),
    SectionName("questions", "q", "Questions", "Questions", "Answer one question at a time"),
    SectionName("probe", "p", "Probe", "Probe", "Look at the organisations' endpoints"),
    SectionName("gaps", "a", "Gaps", "Gaps", "What is open, why, and what waits for it"),
    SectionName("plan", "l", "Plan", "Plan", "What comes first, and when it is done"),
    SectionName("report", "r", "Report", "Report", "Export the report; milestones"),
    SectionName("organizations", "s", "Organisations", "Orgs", "Add, change and remove organisations"),
    SectionName("contract", "c", "Contract", "Contract", "The workflow contract and how it fits"),
)
