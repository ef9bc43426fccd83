"""Requests that a simulated hospital makes itself: to listeners on this computer, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from interlock.sandbox.client_keys import loopback
from interlock.sandbox.replies import RefusalError

SECONDS = 5.0
MAX_ANSWER = 1_048_576


def require_loopback(url: str) -> str:
    """The address itself, when it is one of this computer.

    :raises RefusalError: 422, it is not, or it is no address: a simulation writes to nobody.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # one that is none raises
        inside = loopback(url) and parts.username is None
    except ValueError:
        inside = False
    if not inside:
        words = f"{url[:200]} is no address on this computer: a simulation calls nobody else"
        raise RefusalError(422, "business-rule", words)
    return url


class NoAnswerError(Exception):
    """A listener gave no answer within a few seconds, or a larger one than is read; says which."""


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Post to an address of this computer: status and body of the answer. Redirects are answers, never followed.

    :raises NoAnswerError: there was none.
    """
    import aiohttp  # 100 ms that only a hospital which calls somebody needs

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=False) as session,
            session.post(require_loopback(url), data=body, headers=headers, allow_redirects=False) as response,
        ):
            answer = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                answer += chunk
                if len(answer) > MAX_ANSWER:
                    raise NoAnswerError(f"the answer is larger than {MAX_ANSWER} bytes")
            return response.status, bytes(answer)
    except TimeoutError as error:
        raise NoAnswerError(f"no answer within {SECONDS:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise NoAnswerError(f"{type(error).__name__}: {str(error)[:200]}") from error
