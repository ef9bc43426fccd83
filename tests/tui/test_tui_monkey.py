"""Whatever keys, clicks, sizes and pasted texts come, and whatever others do to the folder: no exception."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import monkey
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from interlock.usecases.initialize import initialize
from interlock.workspace.history import latest_observation
from tiers import LONG, rounds

STEPS = rounds(30, 60)
#: How often a workspace is played with in `make test`; fifty organisations make each step long.
TIMES = {"demo": 2, "blank": 2, "fifty": 1}
#: A program that nobody allowed, and that nobody starts.
PRODUCT = """
launch_url: http://127.0.0.1:9/launch
organizations: [{id: alder, client_id: a, redirect_uri: "http://127.0.0.1:9/callback"}]
start: {command: "no-such-[b]program"}
"""
PLAYED = settings(
    derandomize=not LONG,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("monkey")
    demo = initialize(folder / "demo", "sepsis")
    monkey.observe(demo)
    (demo.root / "product.yaml").write_text(PRODUCT)
    blank = initialize(folder / "blank")
    shutil.copytree(demo.root, folder / "fifty")
    monkey.multiply(folder / "fifty", 50)
    return {"demo": demo.root, "blank": blank.root, "fifty": folder / "fifty"}


@pytest.fixture
def _inside(_made: dict[str, Path]) -> Iterator[None]:
    from interlock.workspace.store import Workspace

    observation = latest_observation(Workspace(_made["demo"]), "riverside")
    assert observation is not None
    with pytest.MonkeyPatch.context() as patch:
        monkey.keep_inside(patch, observation)
        yield


@pytest.mark.usefixtures("_inside")
@pytest.mark.parametrize("name", ["demo", "blank", pytest.param("fifty", marks=pytest.mark.long)])
def test_nothing_raises(_made: dict[str, Path], tmp_path: Path, name: str) -> None:
    fresh = monkey.copies(_made[name], tmp_path)

    @settings(PLAYED, max_examples=rounds(TIMES[name], 8))
    @given(monkey.steps(STEPS))
    def played(todo: list[monkey.Step]) -> None:
        monkey.play(next(fresh), todo)

    played()
