"""``interlock answer`` where somebody else answers too."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.model.base import Status
from interlock.model.response import Response
from interlock.usecases.initialize import initialize
from interlock.workspace.responses import DisputedError
from interlock.workspace.store import Workspace

STABLE = "boundary.output_stable"


@pytest.fixture
def disputed(tmp_path: Path) -> Workspace:
    """A workspace in which somebody else's note stands against ours."""
    workspace = initialize(tmp_path / "ws", "blank")
    before = workspace.responses("product").get(STABLE)
    workspace.save_response("product", STABLE, Response(status=Status.UNKNOWN, note="theirs"), before=before)
    with pytest.raises(DisputedError):
        workspace.save_response("product", STABLE, Response(status=Status.UNKNOWN, note="mine"), before=before)
    return workspace


def test_an_answer_says_what_it_was(command, disputed: Workspace) -> None:
    done = command("answer", STABLE, "--status", "unknown", "--note", "third", "--workspace", disputed.root)
    assert done.code == 0
    assert "it was 'unknown' with the note 'theirs'" in " ".join(done.err.split())
    assert "is dropped: 'unknown' with the note 'mine'" in " ".join(done.err.split())


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_the_choice_between_both(command, disputed: Workspace, keep: str) -> None:
    shown = command("doctor", "--workspace", disputed.root)
    assert "somebody else gave other answers" in " ".join(shown.out.split())
    done = command("answer", STABLE, "--keep", keep, "--workspace", disputed.root)
    assert done.code == 0
    assert f"Kept: 'unknown' with the note '{keep}'" in " ".join(done.err.split())
    assert disputed.responses("product")[STABLE].note == keep
    again = command("answer", STABLE, "--keep", keep, "--workspace", disputed.root)
    assert again.code == 2 and "stands against yours" in again.err


def test_a_choice_takes_no_value(command, disputed: Workspace) -> None:
    done = command("answer", STABLE, "--keep", "mine", "--status", "unknown", "--workspace", disputed.root)
    assert done.code == 2 and "--keep" in done.err
