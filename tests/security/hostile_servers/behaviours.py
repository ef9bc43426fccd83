"""A behaviour of a server, the observation that a probe has to make of it, and how the two are compared."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from hostile_servers.serving import METADATA, Answer, Site

from interlock.model.observation import Observation

#: Characters that a terminal acts upon, or that are invisible.
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
#: User names and passwords that servers of this suite put into addresses.
SECRETS = ("user:secret@", "a:b@")
#: Whole observations stay small, however much a server says.
_MAX_OBSERVATION = 3_000_000


@dataclass(frozen=True)
class Behaviour:
    """One behaviour.

    :ivar answers: path → the answer there; ``*`` is every other path. Elsewhere the server behaves well.
    :ivar outcome: the observation's.
    :ivar endings: purpose → how its last request ended: the failure's word, or the reading of its answer; ``None``
        when nothing was asked.
    :ivar says: texts that the last records' details hold.
    :ivar checks: id → outcome of a check.
    :ivar missing: families of facts that must be none; ``present`` must not.
    :ivar also: anything else that must hold.
    :ivar run: under which settings it is met (:data:`RUNS`).
    :ivar public: the server is met by a name with a public address; otherwise by its loopback address, as typed.
    :ivar secure: the server speaks TLS and is met by its name; ``context`` makes its certificate for that name.
    :ivar names: name → the answers of name servers meanwhile.
    :ivar base: the base URL, when it is not the server's usual one.
    :ivar max_sent: bytes that the server could send, at most.
    :ivar never_asked: parts of addresses that nobody may ask the server for.
    """

    name: str
    answers: Mapping[str, Answer]
    outcome: str = "partial"
    endings: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    also: Callable[[Observation], object] | None = None
    run: str = "quick"
    public: bool = False
    secure: bool = False
    context: Callable[[str], ssl.SSLContext] | None = None
    names: Mapping[str, list[Any]] = field(default_factory=dict)
    base: str = "BASE"
    max_sent: int | None = None
    never_asked: tuple[str, ...] = ()

    def base_url(self, site: Site) -> str:
        return site.fill(self.base)


def hostile_statement(name: str, answer: Answer, word: str, *says: str, **more: Any) -> Behaviour:
    """Only the capability statement's address is hostile: the SMART configuration is read all the same."""
    read = word == "document"
    facts = {"present" if read else "missing": ("capability",)} | ({} if read else {"present": ("smart",)})
    given = {"outcome": "observed" if read else "partial", "endings": {"metadata": word}, **facts}
    return Behaviour(name, {METADATA: answer}, says=says, **(given | more))


def endings_of(observation: Observation) -> dict[str, str]:
    """Purpose → the failure or the reading of its last request."""
    return {
        record.purpose: record.failure or record.reading or str(record.status)
        for record in observation.requests
        if record.purpose is not None
    }


def problems(behaviour: Behaviour, observation: Observation, site: Site, ceiling_s: float, max_bytes: int) -> list[str]:
    """The rules that an observation breaks: those of every observation, and those of the behaviour."""
    wrong = _always(observation, urlsplit(behaviour.base_url(site)), ceiling_s, max_bytes)
    endings = endings_of(observation)
    if observation.outcome != behaviour.outcome:
        wrong.append(f"outcome {observation.outcome}, not {behaviour.outcome}")
    for purpose, word in behaviour.endings.items():
        if str(endings.get(purpose)) != word:
            wrong.append(f"{purpose} is {endings.get(purpose)}, not {word}")
    if wrong:
        wrong += [f"{record.purpose}: {record.detail}" for record in observation.requests]
    told = " | ".join(str(record.detail) for record in observation.requests)
    wrong += [f"nothing says {text!r}: {told[:600]}" for text in behaviour.says if text not in told]
    outcomes = {check.id: check.outcome.value for check in observation.checks}
    for id_, outcome in behaviour.checks.items():
        if outcomes.get(id_) != outcome:
            message = next((check.message for check in observation.checks if check.id == id_), "")
            wrong.append(f"{id_} is {outcomes.get(id_)}, not {outcome}: {message[:200]}")
    for family in behaviour.missing:
        if getattr(observation.facts, family) is not None:
            wrong.append(f"facts of {family} were read")
    for family in behaviour.present:
        if getattr(observation.facts, family) is None:
            wrong.append(f"no facts of {family}")
    if behaviour.also is not None and (said := behaviour.also(observation)) not in {None, True}:
        wrong.append(f"besides: {said}")
    return wrong


def _always(observation: Observation, home: SplitResult, ceiling_s: float, max_bytes: int) -> list[str]:
    """What holds whatever a server does."""
    wrong = [
        f"{check.id} went wrong: {check.message[:300]}"
        for check in observation.checks
        if check.outcome.value == "error" or check.id == "NET-000"
    ]
    if observation.elapsed_ms > ceiling_s * 1000:
        wrong.append(f"it took {observation.elapsed_ms:.0f} ms")
    written = observation.model_dump_json()
    if len(written) > _MAX_OBSERVATION:
        wrong.append(f"the observation has {len(written):,} characters")
    wrong += [f"{secret} of an address was kept" for secret in SECRETS if secret in written]
    if Observation.model_validate_json(written) != observation:
        wrong.append("the observation is not the same once it was written and read")
    shown = [record.detail or "" for record in observation.requests] + [check.message for check in observation.checks]
    shown += [text for record in observation.requests for text in (record.url, *record.headers.values())]
    wrong += [f"a raw control character: {text[:80]!r}" for text in shown if RAW.search(text)]
    for record in observation.requests:
        if record.bytes > max_bytes + 1_000_000:
            wrong.append(f"{record.bytes:,} bytes were read for {record.purpose}")
        if record.failure is None and f"//{home.netloc}" not in record.url:
            wrong.append(f"{record.url[:120]} was asked")
    return wrong
