"""The sample application's log: what happened, at which hospital, in which sign-in; no secret, nothing of a patient."""

from __future__ import annotations

import json
import time
from pathlib import Path


class Log:
    """A file with a JSON object on each line, which a line break in a value cannot leave; none without a folder."""

    def __init__(self, folder: str) -> None:
        self.file = Path(folder) / "sample.log" if folder else None

    def say(self, what: str, hospital: str, *, security: bool = False, **more: str | int) -> None:
        """Add a line; events that somebody has to look at are marked with security."""
        if self.file is not None:
            kind = {"kind": "security"} if security else {}
            line = {"at": round(time.time(), 3), "event": what, "hospital": hospital, **kind, **more}
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
