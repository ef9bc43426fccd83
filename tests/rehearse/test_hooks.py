"""What product.yaml names for a rehearsal to run and to read: bounded, and counted where it is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from staging import looked_at, on_stage

from interlock.model import words
from interlock.model.product import Actions, BackendClient, ProductLog, SessionLimits, VisitedEndpoint
from interlock.rehearse import hooks
from interlock.rehearse.hooks import Log, Programs
from interlock.rehearse.hospitals import OutOfReachError


def test_a_program_has_its_words_filled_in_and_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs(tmp_path, {"SIM_X": "told"})
    status, output = programs.run(
        "{python} -c \"import os, sys; print(os.environ['SIM_X'], sys.argv[1])\" {org}", org="a b"
    )
    assert (status, output) == (0, "told a b\n")
    with pytest.raises(OutOfReachError, match="cannot be run"):
        programs.run("no-such-program")
    with pytest.raises(OutOfReachError, match="printed more than 100 bytes"):
        programs.run("{python} -c \"while True: print('x' * 50)\"", most=100)
    monkeypatch.setattr(hooks, "_PROGRAM_SECONDS", 0.2)
    with pytest.raises(OutOfReachError, match="had not ended after"):
        programs.run('{python} -c "import time; time.sleep(60)"')


def test_a_log_is_read_from_the_beginning_of_the_rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, file = Programs(tmp_path, {}), tmp_path / "app.log"
    file.write_text("before\n")
    log = Log(ProductLog(file="app.log"), programs)
    printed = Log(ProductLog(command="cat app.log"), programs)
    file.write_text("before\nafter\n")
    assert log.text() == printed.text() == "after\n"
    file.write_text("new\n")  # begun anew
    assert log.text() == "new\n"
    monkeypatch.setattr(hooks, "MAX_LOG_BYTES", 3)
    with pytest.raises(OutOfReachError, match="has grown by more than"):
        log.text()
    file.unlink()
    with pytest.raises(OutOfReachError, match="cannot be read"):
        log.text()
    os.mkfifo(file)
    with pytest.raises(OutOfReachError, match="is no file"):
        log.text()


@pytest.mark.parametrize(
    ("model", "said", "words"),
    [
        (Actions, {"withdraw": {"path": "/x"}}, "name write too"),
        (Actions, {"switch_off": {"path": "/x"}}, "switch_off and switch_on go together"),
        (Actions, {"job": {"path": "/x", "command": "x"}}, "name one of the two"),
        (Actions, {"sign_out": {"path": "/x"}}, "sign_out"),
        (ProductLog, {"security_mark": "x!"}, "name one of the two"),
        (SessionLimits, {}, "name at least one of idle_seconds"),
        (SessionLimits, {"idle_seconds": 60}, "less than or equal to 10"),
        (VisitedEndpoint, {"path": "/x", "link_seconds": 2}, "what: link"),
        (VisitedEndpoint, {"path": "/x", "secret_header": "X-Secret"}, "what: inbound"),
        (BackendClient, {"client_id": ""}, "at least 1 character"),
    ],
)
def test_what_is_wrong_with_a_hook_is_told(model: type, said: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        model.model_validate(said)  # type: ignore[attr-defined]


def test_what_each_hook_would_open_is_counted() -> None:
    with on_stage() as hospitals:
        hospitals.product = hospitals.product.but(actions=Actions(), log=None)
        seen = looked_at(hospitals, {"RH-W01", "RH-W02", "RH-B01", "RH-G01", "RH-A01"})
    assert seen.hooks == {"write": 2, "job": 1, "log": 1}
    told = "4 checks need you to name more in product.yaml: actions.write opens 2, actions.job opens 1, log opens 1"
    assert words.hooks(seen.hooks) == told
    assert words.hooks({}) == ""
