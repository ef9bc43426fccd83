"""Cookies as Chromium has them and as the standard library has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.cookiejar import Cookie
from typing import Any


def of_chromium(known: Any, given: Mapping[str, str]) -> Cookie:
    """A cookie of Chromium's as the standard library has it; what its answer said is taken from there."""
    header = given.get(known["name"])
    rest: dict[str, Any] = {"HttpOnly": None} if known.get("httpOnly") else {}
    if header is None:
        rest["SameSite"] = known.get("sameSite")
    elif match := re.search(r"(?i);\s*samesite\s*=\s*(\w+)", header):
        rest["SameSite"] = match[1]
    domain, expires = str(known["domain"]), known.get("expires", -1)
    ends = int(expires) if expires and expires > 0 else None
    return Cookie(
        0, known["name"], known["value"], None, False, domain, False, domain.startswith("."), known["path"], True,
        bool(known["secure"]), ends, ends is None, None, None, rest,
    )  # fmt: skip


def for_chromium(cookie: Cookie) -> Any:
    """The same the other way round."""
    same = str(vars(cookie)["_rest"].get("SameSite") or "").capitalize()
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.domain.removesuffix(".local"),
        "path": cookie.path,
        "secure": cookie.secure,
        "httpOnly": any(name.lower() == "httponly" for name in vars(cookie)["_rest"]),
        "sameSite": same if same in ("Lax", "Strict", "None") else "Lax",
    }
