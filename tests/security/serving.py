"""`interlock serve` as a process, a client for it, and the processes behind it."""

from __future__ import annotations

import asyncio
import os
import re
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

#: The command, as it is installed.
INTERLOCK = Path(sysconfig.get_path("scripts")) / "interlock"
#: Longest wait for anything, in seconds.
DEADLINE = 180.0


async def eventually(condition: Any, *, seconds: float = DEADLINE) -> None:
    """Wait until something holds."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never happened")


def children(pid: int) -> set[int]:
    """The processes that another one has started: a server's sessions, without what these start for a moment."""
    started: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # the thread has ended since
            started.update(map(int, (thread / "children").read_text().split()))
    return started


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@dataclass
class Served:
    """What a browser would know: the address, and the cookie after the first visit."""

    address: URL
    client: aiohttp.ClientSession
    said: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    others: set[int] = field(default_factory=lambda: children(os.getpid()))

    def sessions(self) -> set[int]:
        """The processes that a server in this process has started."""
        return children(os.getpid()) - self.others

    @property
    def token(self) -> str:
        return self.address.query["token"]

    @property
    def origin(self) -> str:
        return str(self.address.origin())

    async def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text of a page, as a browser without our cookie would see it unless it is given."""
        async with self.client.get(self.address.join(URL(path, encoded=True)), headers=headers) as response:
            return response.status, await response.text()

    async def enter(self) -> dict[str, str]:
        """Open the whole address; returns the headers of a page's requests after that."""
        async with self.client.get(self.address) as response:
            assert response.status == 200
            cookies = [cookie.split(";")[0] for cookie in response.headers.getall("Set-Cookie")]
        return {"Cookie": "; ".join(cookies), "Origin": self.origin}

    async def connect(self, headers: dict[str, str], token: str | None = None) -> aiohttp.ClientWebSocketResponse:
        """The WebSocket that the page opens."""
        path = f"/session/{self.token if token is None else token}?width=100&height=30"
        return await self.client.ws_connect(
            self.address.join(URL(path, encoded=True)), headers=headers, max_msg_size=0, autoclose=False
        )


async def shows(socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
    """Wait until the terminal UI has drawn these words."""
    drawn = ""
    while text not in drawn:
        message = await socket.receive(DEADLINE)
        assert message.type is aiohttp.WSMsgType.BINARY, (message, drawn[-2000:])
        drawn += re.sub(r"\x1b\[[0-9;?<>=]*[ -/]*[@-~]", "", message.data.decode(errors="replace"))


@asynccontextmanager
async def serving(workspace: Path, *options: str) -> AsyncIterator[Served]:
    """The command itself, on a free port."""
    process = await asyncio.create_subprocess_exec(
        *(INTERLOCK, "serve", "--workspace", str(workspace), "--port", "0", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"COLUMNS": "100"},
    )
    assert process.stderr is not None
    said: list[str] = []
    try:
        while not (said and said[-1].startswith("http://")):
            line = (await asyncio.wait_for(process.stderr.readline(), DEADLINE)).decode()
            assert line, said
            said.append(line.rstrip("\n"))
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            yield Served(URL(said[-1]), client, said, process)
    finally:
        if process.returncode is None:
            process.terminate()
        rest = await asyncio.wait_for(process.stderr.read(), DEADLINE)
        said += rest.decode().splitlines()
        await process.wait()
