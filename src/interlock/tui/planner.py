"""The process beside the app in which questions are ranked and plans worked out: in a thread they would make keys wait.

:func:`main` reads jobs from stdin and writes what each gave to stdout, until stdin ends.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from io import BytesIO
from typing import IO, TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from interlock.model.errors import InterlockError
from interlock.tui.work import readable

if TYPE_CHECKING:
    from interlock.usecases.load import Inputs

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: What comes before every pickle: its length in bytes.
_LENGTH = 8
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
                _write(process.stdin, self._packing.packed((job, inputs, arguments, options)))
                succeeded, result = pickle.loads(_read(process.stdout))  # noqa: S301  # from our own process
            except (OSError, ValueError, EOFError) as error:  # a pipe is closed or broken, or says no more
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
    return InterlockError(
        "the process that works out the plan ended unexpectedly", remedy="r tries again; answers are saved all the same"
    )


class _Packing:
    """Jobs as bytes. What is large and stays the same goes along once, and is named by a number after that."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[int, object]] = {}  # id of an object → its number, and itself, so that it stays
        self._numbers = itertools.count()

    def packed(self, job: object) -> bytes:
        """A job, with what the process does not know yet, and the numbers of what it has to keep."""
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
        kept = [number for number, _ in used.values() if number not in new]
        return pickle.dumps((new, kept, packed.getvalue()), pickle.HIGHEST_PROTOCOL)


#: In the process of the jobs: what it was told, by number.
_KNOWN: dict[int, object] = {}


def _known(number: int) -> object:
    return _KNOWN[number]


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(_LENGTH, "big") + data)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """The next message.

    :raises EOFError: there is none, or not all of it.
    """
    length = int.from_bytes(_exactly(stream, _LENGTH), "big")
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def main() -> None:
    """Do the jobs that come, one after the other, until nobody can send one."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes nowhere
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(jobs,), daemon=True).start()
    importlib.import_module("interlock.usecases.assess")
    importlib.import_module("interlock.usecases.next_questions")
    while True:
        new, kept, packed = pickle.loads(jobs.get())  # noqa: S301  # from the app that started us
        known = {number: _KNOWN[number] for number in kept} | new
        _KNOWN.clear()
        _KNOWN.update(known)
        try:
            job, inputs, arguments, options = pickle.loads(packed)  # noqa: S301  # likewise
            reply = True, job(inputs, *arguments, **options)
        except Exception as cause:
            error = readable(cause)
            reply = False, (str(error) if error.location else error.message, None if error.location else error.remedy)
        _write(replies, pickle.dumps(reply, pickle.HIGHEST_PROTOCOL))


def _receive(jobs: queue.SimpleQueue[bytes]) -> None:
    """Take jobs from stdin; when it ends the app is gone, and with it whoever waits for what is being done."""
    try:
        while True:
            jobs.put(_read(sys.stdin.buffer))
    except (OSError, EOFError):
        os._exit(0)
