"""The process beside the app in which questions are ranked and plans worked out: in a thread they would make keys wait.

:func:`main` reads jobs from stdin and writes what each gave to stdout, until stdin ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from io import BufferedReader, BytesIO
from typing import IO, TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from interlock.model.errors import InterlockError
from interlock.tui.work import readable

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: How far the process stands back behind the app, where there is one processor for both.
_NICE = 5


class Planner:
    """Jobs that run in a process of their own, one at a time.

    The process ends with :meth:`close`, and by itself when the app is gone, however that ended: its stdin ends then.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._busy, self._changing = threading.Lock(), threading.Lock()
        self._closed = False
        self._packing = _Packing()

    def start(self) -> subprocess.Popen[bytes]:
        """The process, started if it is not running: what it needs is imported before the first job comes.

        :raises InterlockError: it was closed.
        """
        with self._changing:
            if self._closed:
                raise _ended()
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)
                self._process = None
            if self._process is None:
                self._packing = _Packing()
                self._process = subprocess.Popen(  # noqa: S603  # our own module
                    [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # a key or a signal of the terminal is the app's alone
                )
            return self._process

    def run(
        self, job: Callable[Concatenate[Inputs, _P], _T], inputs: Inputs, *arguments: _P.args, **options: _P.kwargs
    ) -> _T:
        """Run a function of a module there, and give what it gives; waits for it.

        :raises InterlockError: it failed, or the process ended.
        """
        with self._busy:
            process = self.start()
            assert process.stdin is not None and process.stdout is not None  # both are pipes
            try:
                self._packing.write(process.stdin, (job, inputs, arguments, options))
                succeeded, result = _reply(process.stdout)
            except (OSError, ValueError, EOFError, pickle.UnpicklingError) as error:  # a pipe is closed, or ends
                _end(process)
                raise _ended() from error
        if succeeded:
            return result  # type: ignore[no-any-return]  # what the job gave
        raise InterlockError(result[0], remedy=result[1])

    def close(self) -> None:
        """End the process, also in the middle of a job."""
        with self._changing:
            self._closed = True
            if self._process is not None:
                _end(self._process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # what was not sent yet has no reader
            if pipe is not None:
                pipe.close()


def _ended() -> InterlockError:
    from interlock.tui.keys import key_of  # not in the process itself: it brings Textual

    return InterlockError(
        "the process that works out the plan ended unexpectedly",
        remedy=f"{key_of('app.reload')} tries again; answers are saved all the same",
    )


def _reply(stream: IO[bytes]) -> tuple[bool, Any]:
    """What a job gave. Of a hundred thousand new objects none is garbage: to look for it would make keys wait."""
    cast(BufferedReader, stream).peek(1)  # waits for it
    gc.disable()
    try:
        return pickle.load(stream)  # type: ignore[no-any-return]  # noqa: S301  # from our own process
    finally:
        gc.enable()


class _Packing:
    """Writes jobs. What is large and stays the same goes along once, and is named by a number after that."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[int, object]] = {}  # id of an object → its number, and itself, so that it stays
        self._numbers = itertools.count()

    def write(self, stream: IO[bytes], job: object) -> None:
        """Write a job, after what the process does not know yet and the numbers of what it has to keep."""
        from interlock.model.contract import ContractFit
        from interlock.model.observation import Observation
        from interlock.usecases.load import Content

        new: dict[int, object] = {}
        used: dict[int, tuple[int, object]] = {}

        def named(value: object) -> tuple[Callable[[int], object], tuple[int]]:
            told = self._told.get(id(value))
            if told is None:
                told = next(self._numbers), value
                new[told[0]] = value
            used[id(value)] = told
            return _known, (told[0],)

        packed = BytesIO()
        pickler = pickle.Pickler(packed, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = dict.fromkeys((Content, Observation, ContractFit), named)
        pickler.dump(job)
        self._told = used
        pickle.dump([number for number, _ in used.values() if number not in new], stream, pickle.HIGHEST_PROTOCOL)
        for entry in new.items():
            pickle.dump(entry, stream, pickle.HIGHEST_PROTOCOL)
        pickle.dump(None, stream, pickle.HIGHEST_PROTOCOL)
        stream.write(packed.getvalue())
        stream.flush()


#: In the process of the jobs: what it was told, by number.
_KNOWN: dict[int, object] = {}


def _known(number: int) -> object:
    return _KNOWN[number]


def main() -> None:
    """Do the jobs that come, one after the other, until nobody can send one."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes nowhere
    jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(jobs,), daemon=True).start()
    importlib.import_module("interlock.usecases.assess")
    importlib.import_module("interlock.usecases.next_questions")
    while True:
        job = jobs.get()
        try:
            reply = True, job()
        except Exception as cause:
            error = readable(cause)
            reply = False, (str(error) if error.location else error.message, None if error.location else error.remedy)
        pickle.dump(reply, replies, pickle.HIGHEST_PROTOCOL)
        replies.flush()
        del job, reply


def _receive(jobs: queue.SimpleQueue[Callable[[], object]]) -> None:
    """Take jobs from stdin; when it ends the app is gone, and with it whoever waits for what is being done."""
    stream = sys.stdin.buffer
    try:
        while True:
            kept = pickle.load(stream)  # noqa: S301  # from the app that started us
            for number in _KNOWN.keys() - set(kept):
                del _KNOWN[number]
            while (told := pickle.load(stream)) is not None:  # noqa: S301  # likewise
                _KNOWN[told[0]] = told[1]
            job, inputs, arguments, options = pickle.load(stream)  # noqa: S301  # likewise
            jobs.put(partial(job, inputs, *arguments, **options))
            del job, inputs, arguments, options
    finally:  # stdin ended, or what came cannot be read: whoever waits for a job is told that the process ended
        os._exit(0)
