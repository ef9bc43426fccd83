"""The tables: their columns, how wide they are and how their numbers are shown."""

from __future__ import annotations

from interlock.report.xlsx.book import Column

ORGANIZATIONS = (
    Column("Organisation", 30),
    Column("Recommended", 26),
    Column("How sure", 68),
    Column("Stage reached", 12),
    Column("Stage if what is undecided holds", 14),
    Column("Observed", 13),
    Column("Observed at (UTC)", 19, "moment"),
    Column("Score verified so far (of 100)", 10, "score"),
    Column("Score at best (of 100)", 10, "score"),
    Column("Complete (share)", 11, "share"),
    Column("Confidence (share)", 11, "share"),
    Column("Gate passed, P50", 12, "date"),
    Column("Gate passed, P80", 12, "date"),
    Column("Gate passed, P90", 12, "date"),
)
FACTS = (Column("What", 30), Column("Value", 26, "number", mixed=True), Column("What it means", 68))
FIRST = (
    Column("What to do first", 30),
    Column("Owner", 26),
    Column("Action, and why it is first", 68),
    Column("Days saved a person-day", 12, "number"),
    Column("Gates passed by it alone", 14, "number"),
    Column("On the critical path (share of runs)", 13, "share"),
)
GAPS = (
    Column("Rank", 6, "number"),
    Column("Id", 11),
    Column("Gap", 26),
    Column("Organisation", 20),
    Column("Class", 12),
    Column("Severity", 10),
    Column("Gate", 10),
    Column("Holds up (gates of organisations)", 14, "number"),
    Column("Owner", 13),
    Column("Effort, low (person-days, judgement)", 11, "number"),
    Column("Effort, expected (person-days, judgement)", 11, "number"),
    Column("Effort, high (person-days, judgement)", 11, "number"),
    Column("Status", 18),
    Column("What was found", 32),
    Column("Why it matters", 32),
    Column("What to do", 42),
    Column("Evidence", 26),
    Column("Sources", 32),
    Column("Lead time is judgement", 11),
)
QUESTIONS = (
    Column("No.", 6, "number"),
    Column("Id", 11),
    Column("Whom to ask", 24),
    Column("Organisation", 22),
    Column("Question", 42),
    Column("Severity", 10),
    Column("Class", 13),
    Column("Gate", 11),
    Column("Holds up (gates of organisations)", 13, "number"),
    Column("Why nobody knows yet", 42),
    Column("What would decide it", 38),
    Column("Effort to find out, expected (person-days, judgement)", 13, "number"),
    Column("To find out first (rank)", 11, "number"),
)
PLAN = (
    Column("No.", 6, "number"),
    Column("Task", 24),
    Column("Title", 38),
    Column("Kind", 11),
    Column("Where", 20),
    Column("Owner", 13),
    Column("Gate", 11),
    Column("Predecessors", 26),
    Column("Earliest start, P50", 12, "date"),
    Column("Finish, P50", 12, "date"),
    Column("Gate passed there, P80", 12, "date"),
    Column("On the critical path (share of runs)", 11, "share"),
    Column("Effort, low (person-days, judgement)", 11, "number"),
    Column("Effort, expected (person-days, judgement)", 11, "number"),
    Column("Effort, high (person-days, judgement)", 11, "number"),
    Column("Lead time, low", 8, "number"),
    Column("Lead time, expected", 9, "number"),
    Column("Lead time, high", 8, "number"),
    Column("Lead time is in", 12),
    Column("Lead time: source", 32),
    Column("Lead time: grade", 15),
    Column("Lead time: as of", 10),
)
PROBE = (
    Column("Organisation", 24),
    Column("Check", 11),
    Column("Title", 28),
    Column("Outcome", 15),
    Column("Severity of the check", 11),
    Column("Message", 54),
    Column("Address", 46),
    Column("Pointer", 26),
    Column("Reference", 36),
    Column("Observed at (UTC)", 19, "moment"),
)
SOURCES = (Column("No.", 6, "number"), Column("Title", 60), Column("Address", 70), Column("Cited by", 40))
