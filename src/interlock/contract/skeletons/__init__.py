"""Skeletons for engineers: every file that ``interlock contract export`` writes, one builder a module."""

from __future__ import annotations

from interlock.contract.page import workflow_page
from interlock.contract.skeletons.base import Skeleton
from interlock.contract.skeletons.cds_services import cds_services
from interlock.contract.skeletons.client import CLIENT, client
from interlock.contract.skeletons.diagram import diagram
from interlock.contract.skeletons.lock import LOCK, lock
from interlock.contract.skeletons.profiles import profiles
from interlock.contract.skeletons.registration import registration
from interlock.contract.skeletons.scopes import scopes
from interlock.contract.skeletons.settings import settings
from interlock.contract.skeletons.statement import capability_statement
from interlock.contract.skeletons.suite import suite
from interlock.model.resolved import ResolvedContract

__all__ = ["SKELETONS", "Skeleton", "build"]

#: In the order in which they are written; each reads the resolved contract and none another's file.
SKELETONS = (
    Skeleton(LOCK, lock),
    Skeleton("workflow-contract.md", workflow_page),
    Skeleton("workflow.mmd", diagram),
    Skeleton("capability-statement.json", capability_statement),
    Skeleton("profiles/*.json", profiles),
    Skeleton("scopes.json", scopes),
    Skeleton("registration/*.md, registration/*.json", registration),
    Skeleton("settings/*.yaml, settings.schema.json", settings),
    Skeleton("cds-services.json", cds_services),
    Skeleton(CLIENT, client),
    Skeleton("tests/*.py, tests/examples/*.json", suite),
)


def build(resolved: ResolvedContract) -> dict[str, str]:
    """Every file by its path in the folder."""
    return {path: text for skeleton in SKELETONS for path, text in skeleton.build(resolved).items()}
