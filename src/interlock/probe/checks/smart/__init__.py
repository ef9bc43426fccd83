"""SMART: the SMART configuration, and what the workflow contract needs of it."""

from interlock.probe.checks.base import Family
from interlock.probe.checks.smart import claims, contract, details, document

FAMILY = Family("SMART", document.FAMILY, claims.FAMILY, details.FAMILY, contract.FAMILY)
