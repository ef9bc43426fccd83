"""CAP: the capability statement, and what the workflow contract needs of it."""

from interlock.probe.checks.base import Family
from interlock.probe.checks.cap import content, contract, invariants, statement

FAMILY = Family("CAP", statement.FAMILY, content.FAMILY, invariants.FAMILY, contract.FAMILY)
