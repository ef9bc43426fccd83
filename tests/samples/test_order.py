"""No sample's plan has work on a client, a token, records or a build before what makes it possible is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from interlock.model.base import TaskState
from interlock.model.plan import PlanTask, finding_of
from interlock.usecases.assess import assess
from interlock.usecases.initialize import templates
from interlock.usecases.load import Inputs

#: What registers the product with a vendor, there or by one of the vendor's own tasks.
REGISTERED = ("vendor.registration", "epic.mark-ready", "oracle.validation", "athena.scoping", "meditech.greenfield")
TOKEN = ("org.smoke-test", "oracle.smoke-test", "meditech.smoke-test")
#: Rule or routine task → the tasks and gaps that make it possible.
FIRST = {
    "ORG-001": ("org.priority", "oracle.service-request", "meditech.prod-client", *REGISTERED),
    "AUTH-004": REGISTERED,
    "AUTH-044": ("ORG-001", "oracle.service-request"),
    "AUTH-041": ("org.network",),
    "ORG-004": ("oracle.service-request", "meditech.hosts"),
    "ORG-005": ("org.priority",),
    "ORG-006": ("org.priority",),
    "ORG-007": ("org.priority",),
    "ORG-009": ("org.priority",),
    "ORG-010": ("org.network", *TOKEN),
    "ORG-014": ("PRB-002",),
    "ORG-015": ("org.network", *TOKEN),
    "ORG-016": ("ORG-001", "org.network", "oracle.service-request"),
    "ORG-021": ("org.priority",),
    "ORG-023": ("org.privacy", "ORG-006"),
    "org.env-refresh": ("org.analyst",),
    "us.test-scripts": ("org.priority",),
    "oracle.peca": ("org.cab",),
}


def not_begun(task: PlanTask) -> bool:
    return task.progress is None or task.progress.status is TaskState.NOT_BEGUN


@pytest.mark.parametrize("template", templates())
def test_nothing_starts_before_what_makes_it_possible(inputs_of: Callable[[str], Inputs], template: str) -> None:
    inputs = inputs_of(template)
    plan = assess(inputs, today=date(2026, 12, 1), runs=200).plan
    vendor_of = {org.id: org.vendor for org in inputs.organizations}
    by_id = {task.id: task for task in plan.tasks}

    def firsts(task: PlanTask) -> list[PlanTask]:
        org = task.org or ""
        names = FIRST.get(finding_of(task.id).partition("@")[0], ()) if org else ()
        at = [f"{name}@{subject}" for name in names for subject in (org, f"vendor:{vendor_of[org]}")]
        return [by_id[name] for name in at if name in by_id and not_begun(by_id[name])]

    pairs = [(first, task) for task in plan.tasks for first in firsts(task)]
    early = {f"{task.id} before {first.id}" for first, task in pairs if task.start_p50 < first.finish_p50 - 0.1}
    assert not early
    assert pairs or template not in {"sepsis", "auth-blocked"}
