"""aiohttp, imported without the two certificate stores that it loads at import.

Its default TLS contexts read every certificate of the system twice: 13 % of a short probe (0.43 s against 0.37 s, the
best of 8 runs each). They are not used here, for each https request brings its own context; and they are made with no
certificates at all, so anything that did use them would refuse every server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["AbstractResolver", "ResolveResult", "ResponseHandler", "aiohttp"]

#: Where OpenSSL looks for certificates (SSL_CTX_set_default_verify_paths).
_STORES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@contextmanager
def _no_certificates() -> Iterator[None]:
    before = {name: os.environ[name] for name in _STORES if name in os.environ}
    os.environ.update(dict.fromkeys(_STORES, os.devnull))
    try:
        yield
    finally:
        for name in _STORES:
            del os.environ[name]
        os.environ.update(before)


with _no_certificates():
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult
    from aiohttp.client_proto import ResponseHandler
