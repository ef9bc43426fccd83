"""What the report says of how it was looked, and of how sure it is."""

from __future__ import annotations

import assessment_factory as factory
import pytest
from assessment_factory import content

from interlock.model.observation import Observation
from interlock.report import html, markdown, view
from interlock.report.view import ReportView

pytestmark = pytest.mark.fast

PROXY = "http://proxy.example:3128"


def build(observations: dict[str, Observation]) -> ReportView:
    return view.build(
        factory.sample(), interlock_version="0.1.0", generated=factory.GENERATED, observations=observations
    )


def through(observation: Observation, proxy: str) -> Observation:
    return observation.model_copy(
        update={"requests": tuple(request.model_copy(update={"proxy": proxy}) for request in observation.requests)}
    )


@pytest.mark.parametrize("org", ["riverside", "harborview"], ids=["observed", "not observed"])
def test_a_proxy_is_named_whatever_was_seen(org: str) -> None:
    observations = factory.observations()
    report = build(observations | {org: through(observations[org], PROXY)})
    notes = {page.anchor: page.probe_note for page in content(report, "organizations").pages}
    assert notes[f"org-{org}"].endswith(f"Asked through the proxy {PROXY}.")
    assert sum("proxy" in note for note in notes.values()) == 1
    assert f"Asked through the proxy {PROXY}." in html.render(report)


def test_what_a_proxy_is_called_is_escaped() -> None:
    observations = factory.observations()
    report = build(
        observations | {"riverside": through(observations["riverside"], 'http://x"><script>alert(1)</script>\x1b[31m')}
    )
    assert "<script>alert" not in html.render(report)
    assert "<script>alert" not in markdown.render(report)
    assert "\x1b" not in html.render(report) + markdown.render(report)


def test_the_product_row_is_as_sure_as_the_summary() -> None:
    report = build(factory.observations())
    assert content(report, "summary").verdict == "Not decided"
    assert content(report, "glance").product.recommendation == "Not decided: product first … map the auth surface"
