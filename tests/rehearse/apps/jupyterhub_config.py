"""A JupyterHub on this machine alone that knows the reader from the workstation, and starts one service."""

import os
import secrets
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from jupyterhub.auth import DummyAuthenticator


class Workstation(DummyAuthenticator):
    """Whoever sits here is the nurse: without a form, as where a hospital's single sign-on knows the reader already."""

    auto_login = True

    async def authenticate(self, handler, data=None):
        return "nurse"


with ExitStack() as stack:
    taken = [stack.enter_context(socket.socket()) for _ in range(3)]
    for sock in taken:
        sock.bind(("127.0.0.1", 0))
    hub, proxy, service = (f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in taken)

config = get_config()  # noqa: F821  # the hub puts it there
config.JupyterHub.authenticator_class = Workstation
config.JupyterHub.hub_bind_url = hub
config.JupyterHub.db_url = "sqlite://"
config.JupyterHub.cookie_secret = secrets.token_bytes(32)
config.ConfigurableHTTPProxy.api_url = proxy
config.JupyterHub.services = [
    {
        "name": "smart",
        "url": service,
        "command": [sys.executable, str(Path(__file__).with_name("hub_service.py"))],
        "environment": {name: value for name, value in os.environ.items() if name.startswith("SIM_")},
        "oauth_no_confirm": True,
    }
]
config.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "access:services!service=smart"]}]
