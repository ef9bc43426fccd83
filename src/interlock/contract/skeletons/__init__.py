"""Skeletons for engineers: every file that ``interlock contract export`` writes, one builder a module."""

from __future__ import annotations

from interlock.contract.page import workflow_page
from interlock.contract.skeletons.auth_matrix import AUTH_MATRIX, auth_page
from interlock.contract.skeletons.base import Skeleton
from interlock.contract.skeletons.cds_services import cds_services
from interlock.contract.skeletons.client import CLIENT, client
from interlock.contract.skeletons.diagram import diagram
from interlock.contract.skeletons.failure_modes import FAILURE_MODES, failures_page
from interlock.contract.skeletons.lock import LOCK, lock
from interlock.contract.skeletons.messages import messages
from interlock.contract.skeletons.profiles import profiles
from interlock.contract.skeletons.readme import README, readme
from interlock.contract.skeletons.registration import registration
from interlock.contract.skeletons.scopes import scopes
from interlock.contract.skeletons.settings import settings
from interlock.contract.skeletons.statement import capability_statement
from interlock.contract.skeletons.suite import suite
from interlock.contract.skeletons.tested import ENDPOINTS, TEST_PLAN, endpoints_page, plan_page
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
    Skeleton("messages/*", messages),
    Skeleton(CLIENT, client),
    Skeleton("tests/*.py, tests/pytest.ini, tests/examples/*.json", suite),
    Skeleton(AUTH_MATRIX, auth_page),
    Skeleton(FAILURE_MODES, failures_page),
    Skeleton(ENDPOINTS, endpoints_page),
    Skeleton(TEST_PLAN, plan_page),
    Skeleton(README, readme),
)


def build(resolved: ResolvedContract) -> dict[str, str]:
    """Every file by its path in the folder."""
    return {path: text for skeleton in SKELETONS for path, text in skeleton.build(resolved).items()}
