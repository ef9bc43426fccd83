"""A headless Chromium on loopback, driven over the DevTools protocol: pages, keys, sockets, downloads, screenshots."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No name resolves, so that a page can ask nothing of anyone but this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)
#: Longest wait for anything, in seconds; a browser that hangs must not hang the tests.
DEADLINE = 180.0

Json = dict[str, Any]
_ESCAPES = re.compile(r"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[@-_]")


def find_browser() -> str | None:
    """Chromium or its sibling, or the one that ``INTERLOCK_CHROMIUM`` names."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("INTERLOCK_CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


@dataclass
class Tab:
    """One tab, and everything that its page did."""

    browser: Browser
    session: str
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    #: What the newest socket brought since the last address was opened, drawing left out.
    received: str = ""
    _socket: str = ""

    async def call(self, method: str, **parameters: Any) -> Json:
        """One command of the DevTools protocol."""
        return await self.browser.call(method, parameters, self.session)

    async def go(self, address: str) -> None:
        """Open an address; what an earlier page's socket brings late counts as nothing."""
        self._socket = self.received = ""
        await self.call("Page.navigate", url=address)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    async def type(self, words: str) -> None:
        """Type words into what has the focus."""
        await self.call("Input.insertText", text=words)

    async def press(self, key: str, code: int = 0, *, shift: bool = False) -> None:
        """Press a key: a letter, or a name such as Enter with its key code."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        known = {"key": key, "windowsVirtualKeyCode": code or ord(key.upper()[0]), "modifiers": 8 if shift else 0}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    async def screenshot(self) -> bytes:
        """What is shown, as a PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds."""
        for _ in range(int(DEADLINE / 0.05)):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never happened; {self.console}\n{self.received[-3000:]}")

    async def until_true(self, script: str) -> None:
        """Wait until an expression in the page is true."""
        for _ in range(int(DEADLINE / 0.05)):
            if await self.run(script):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never true: {script}; the page shows: {await self.run('document.body.innerText')}")

    async def until_shown(self, words: str) -> None:
        """Wait until the socket brought these words."""
        await self.until(lambda: words in self.received)

    def hear(self, method: str, event: Json) -> None:
        """Take an event of the browser."""
        if method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(event["url"])
            self._socket, self.received = event["requestId"], ""
        elif method == "Network.webSocketFrameReceived" and event["requestId"] == self._socket:
            frame = event["response"]
            data = frame["payloadData"]
            said = base64.b64decode(data).decode(errors="replace") if frame["opcode"] == 2 else data
            self.received += _ESCAPES.sub("", said)
        elif method == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(value.get("value", "")) for value in event["args"]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(f"exception: {event['exceptionDetails']}")
        elif method == "Log.entryAdded":
            self.console.append(f"{event['entry']['level']}: {event['entry']['text']}")

    async def close(self) -> None:
        """Close the tab, as a person does."""
        await self.call("Page.close")


class Browser:
    """A running Chromium."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._tabs: dict[str, Tab] = {}
        self.downloads: list[str] = []

    async def listen(self) -> None:
        """Hand out answers and events until the browser ends."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                future = self._waiting.pop(said["id"])
                if not future.cancelled():
                    future.set_result(said)
            elif said["method"] == "Browser.downloadProgress" and said["params"]["state"] == "completed":
                self.downloads.append(said["params"]["guid"])
            elif (tab := self._tabs.get(said.get("sessionId", ""))) is not None:
                tab.hear(said["method"], said["params"])

    async def call(self, method: str, parameters: Json | None = None, session: str | None = None) -> Json:
        """One command of the DevTools protocol."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        target = {"sessionId": session} if session else {}
        await self._socket.send_json({"id": number, "method": method, "params": parameters or {}, **target})
        answer = await asyncio.wait_for(future, DEADLINE)
        assert "error" not in answer, answer
        return answer["result"]

    async def open_tab(self, width: int = 1200, height: int = 800) -> Tab:
        """A new empty tab that is listened to."""
        window = {"url": "about:blank", "width": width, "height": height, "newWindow": True}
        target = await self.call("Target.createTarget", window)
        attached = await self.call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        tab = self._tabs[attached["sessionId"]] = Tab(self, attached["sessionId"])
        for domain in ("Page", "Network", "Runtime", "Log"):
            await tab.call(f"{domain}.enable")
        return tab

    async def save_downloads_in(self, folder: Path) -> None:
        """Downloads go into this folder, each named by its guid in :attr:`downloads`."""
        behaviour = {"behavior": "allowAndName", "downloadPath": str(folder), "eventsEnabled": True}
        await self.call("Browser.setDownloadBehavior", behaviour)


@asynccontextmanager
async def chromium(executable: str, profile: Path, *flags: str) -> AsyncIterator[Browser]:
    """A browser with a profile of its own."""
    command = (executable, *FLAGS, *flags, f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank")
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        port_file = profile / "DevToolsActivePort"
        for _ in range(int(DEADLINE / 0.05)):
            if port_file.exists() and len(lines := port_file.read_text().split()) == 2:
                break
            await asyncio.sleep(0.05)
        else:
            raise TimeoutError("Chromium did not start")
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"ws://127.0.0.1:{lines[0]}{lines[1]}", max_msg_size=0) as socket,
        ):
            browser = Browser(socket)
            listening = asyncio.create_task(browser.listen())
            try:
                yield browser
            finally:
                listening.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
