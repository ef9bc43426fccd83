"""Addresses that somebody writes into a file of the workspace: refused when they hold a secret."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from interlock.model.address_secrets import secret_in

#: The type of the error for an address that holds a secret: what was found is not to be shown.
SECRET_FOUND = "secret_in_address"  # noqa: S105
REMEDY = "take it out of the address; an organisation's auth names the environment variables that hold credentials"


def refuse_secrets(address: str) -> str:
    """The same address, when it holds no secret.

    :raises PydanticCustomError: it holds one; the words do not.
    """
    if (kind := secret_in(address)) is not None:
        raise PydanticCustomError(SECRET_FOUND, "this address holds {kind}", {"kind": kind})
    return address


Address = Annotated[str, AfterValidator(refuse_secrets)]
