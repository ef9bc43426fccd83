"""The process beside the app, which reads the workspace, ranks questions and plans: in a thread keys would wait for it.

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from io import BufferedReader, BytesIO
from typing import IO, TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from interlock.model.errors import InterlockError

if TYPE_CHECKING:  # the process begins before the app has imported anything large
    from interlock.tui.work import Read
    from interlock.workspace.store import Workspace

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
        self._shared = Shared()

    def start(self) -> subprocess.Popen[bytes]:
        """The process, started if it is not running.

        :raises InterlockError: it was closed.
        """
        with self._changing:
            if self._closed:
                raise _ended()
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)
                self._process = None
            if self._process is None:
                self._shared = Shared()
                self._process = subprocess.Popen(  # noqa: S603  # our own module
                    [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # a key or a signal of the terminal is the app's alone
                )
            return self._process

    def run(self, job: Callable[_P, _T], *arguments: _P.args, **options: _P.kwargs) -> _T:
        """Run a function of a module there, and give what it gives; waits for it.

        :raises InterlockError: it failed, or the process ended.
        """
        with self._busy:
            process = self.start()
            assert process.stdin is not None and process.stdout is not None  # both are pipes
            try:
                self._shared.write(process.stdin, (job, arguments, options), forget=True)
                succeeded, result = self._reply(process.stdout)
            except (OSError, ValueError, EOFError, pickle.UnpicklingError) as error:  # a pipe is closed, or ends
                _end(process)
                raise _ended() from error
        if succeeded:
            return result  # type: ignore[no-any-return]  # what the job gave
        raise InterlockError(result[0], remedy=result[1])

    def reading(self, workspace: Workspace) -> tuple[Planner, Future[Read]]:
        """The process, which begins to read the workspace."""
        result: Future[Read] = Future()

        def run() -> None:
            from interlock.tui.work import load, readable

            try:
                result.set_result(self.run(load, workspace))
            except Exception as error:
                result.set_exception(readable(error))

        threading.Thread(target=run, daemon=True).start()
        return self, result

    def _reply(self, stream: IO[bytes]) -> tuple[bool, Any]:
        """What a job gave. Of its many new objects none is garbage: to look for it would make keys wait."""
        cast(BufferedReader, stream).peek(1)  # waits for it
        collecting = gc.isenabled()  # not while the app opens
        gc.disable()
        try:
            return self._shared.read(stream)  # type: ignore[no-any-return]  # what the process writes
        finally:
            if collecting:
                gc.enable()

    def close(self) -> None:
        """End the process, also in the middle of a job."""
        with self._changing:
            self._closed = True
            if self._process is not None:
                _end(self._process)


#: Module and name of the types whose values are large and stay the same.
_LARGE = (
    ("interlock.model.contract", "ContractFit"),
    ("interlock.model.observation", "Observation"),
    ("interlock.usecases.load", "Content"),
)
#: The process, and the workspace that it is reading.
Beside = tuple[Planner, "Future[Read]"]


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


class Shared:
    """What both processes have: what is large and stays the same goes along once, and is named by a number after that.

    :param first: 0 in one of the two, 1 in the other, so that their numbers differ.
    """

    def __init__(self, first: int = 0) -> None:
        self._numbers = itertools.count(first, 2)
        self._objects: dict[int, object] = {}
        self._number_of: dict[int, int] = {}  # by the id of an object, which stays as long as the object is kept

    def write(self, stream: IO[bytes], message: object, *, forget: bool = False) -> None:
        """Write a message, after what the other does not know yet, and the numbers that neither needs any more.

        :param forget: what this message does not name is needed no more.
        """
        new: dict[int, object] = {}
        used: set[int] = set()

        def named(value: object) -> tuple[Callable[[int], object], tuple[int]]:
            number = self._number_of.get(id(value))
            if number is None:
                number = next(self._numbers)
                new[number] = value
                self._keep(number, value)
            used.add(number)
            return _known, (number,)

        packed = BytesIO()
        pickler = pickle.Pickler(packed, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = dict.fromkeys(_shared_types(), named)
        pickler.dump(message)
        gone = self._objects.keys() - used if forget else set()
        self._forget(gone)
        pickle.dump((gone, len(new)), stream, pickle.HIGHEST_PROTOCOL)
        for entry in new.items():
            pickle.dump(entry, stream, pickle.HIGHEST_PROTOCOL)
        stream.write(packed.getvalue())
        stream.flush()

    def read(self, stream: IO[bytes]) -> Any:
        """Read a message that the other has written."""
        gone, coming = pickle.load(stream)  # noqa: S301  # from our own process, or from the app that started us
        self._forget(gone)
        for _ in range(coming):
            self._keep(*pickle.load(stream))  # noqa: S301  # likewise
        return _Unpickler(stream, self._objects).load()

    def _keep(self, number: int, value: object) -> None:
        self._objects[number], self._number_of[id(value)] = value, number

    def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            del self._number_of[id(self._objects.pop(number))]


def _shared_types() -> Iterator[type]:
    """The types of what goes along once; of a type that nobody has imported yet, as before the first frame, there is
    nothing in a message."""
    for module, name in _LARGE:
        if (found := getattr(sys.modules.get(module), name, None)) is not None:
            yield found


def _known(number: int) -> object:
    """Stands in a message for what both processes have; :class:`_Unpickler` finds it."""
    raise NotImplementedError


class _Unpickler(pickle.Unpickler):
    """Reads a message with what both processes have."""

    def __init__(self, stream: IO[bytes], objects: Mapping[int, object]) -> None:
        super().__init__(stream)
        self._objects = objects

    def find_class(self, module: str, name: str) -> Any:
        """A global of the message."""
        return self._objects.__getitem__ if name == _known.__name__ else super().find_class(module, name)


def main() -> None:
    """Do the jobs that come, one after the other, until nobody can send one."""
    from interlock.tui.work import Read, judged, readable

    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes nowhere
    shared, jobs = Shared(first=1), queue.SimpleQueue[Callable[[], object]]()
    threading.Thread(target=_receive, args=(shared, jobs), daemon=True).start()
    gc.disable()  # what the first job reads stays
    importlib.import_module("interlock.usecases.judge")
    for done in itertools.count():
        job = jobs.get()
        try:
            reply = True, job()
        except Exception as cause:
            error = readable(cause)
            reply = False, (str(error) if error.location else error.message, None if error.location else error.remedy)
        shared.write(replies, reply)
        if isinstance(reply[1], Read):  # to be judged next: what is remembered of it makes that quick
            with contextlib.suppress(Exception):  # which the job that judges it tells
                judged(reply[1].inputs)
        del job, reply
        if done == 1:  # to read and to judge is what a person waits for
            gc.freeze()
            gc.enable()
            if hasattr(os, "nice"):
                os.nice(_NICE)
            importlib.import_module("interlock.usecases.assess")
            importlib.import_module("interlock.usecases.next_questions")


def _receive(shared: Shared, jobs: queue.SimpleQueue[Callable[[], object]]) -> None:
    """Take jobs from stdin; when it ends the app is gone, and with it whoever waits for what is being done."""
    try:
        while True:
            job, arguments, options = shared.read(sys.stdin.buffer)
            jobs.put(partial(job, *arguments, **options))
            del job, arguments, options
    finally:  # stdin ended, or what came cannot be read: whoever waits for a job is told that the process ended
        os._exit(0)
