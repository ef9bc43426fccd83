"""What the product has to know of the simulated hospitals: as a file for it to load, or as a table for a person."""

from __future__ import annotations

import json
import os
from pathlib import Path

from interlock.model.errors import InterlockError, Location
from interlock.model.product import Product
from interlock.rehearse.hospitals import Hospitals
from interlock.rehearse.registration import TRUSTING, told

#: What of a key is shown to a person; the whole of it is in the file.
_IN_THE_FILE = "a key: interlock rehearse --write-env FILE has it"


def write_registration(product: Product, file: Path) -> int:
    """Write what the product has to know, as variables, or as JSON where the file's name ends so; how many values.

    The secrets and keys in it are the same on every machine, and protect invented people alone.

    :raises InterlockError: it cannot be written, or the hospitals' port is taken.
    """
    with Hospitals(product) as hospitals:
        try:
            variables = hospitals.environment(file.with_suffix(".ca.pem"))
        except OSError as error:
            raise _unwritten(file, error) from error
        known = {client.id: told(product, client, hospitals.base(client.id)) for client in product.organizations}
    if file.suffix == ".json":
        told_too = {"ca_file": variables[TRUSTING[0]]} if product.tls else {}
        text = json.dumps({"organizations": known, **told_too}, indent=2) + "\n"
    else:
        text = "".join(f"{name}={_quoted(value)}\n" for name, value in variables.items())
    try:
        file.write_text(text, "utf-8")
        os.chmod(file, 0o600)  # noqa: PTH101  # of a path that may be relative
    except OSError as error:
        raise _unwritten(file, error) from error
    return len(variables) if file.suffix != ".json" else sum(map(len, known.values()))


def _unwritten(file: Path, error: OSError) -> InterlockError:
    return InterlockError(
        f"cannot be written: {error.strerror or error}",
        location=Location(file=str(file)),
        remedy="choose another file for --write-env",
    )


def _quoted(value: str) -> str:
    return f"'{value}'" if set(value) & set(' {}"$`\\') else value


def by_hand(hospitals: Hospitals) -> tuple[tuple[str, str, str], ...]:
    """What somebody enters in the product: hospital, what it is, and the value."""
    rows: list[tuple[str, str, str]] = []
    for client in hospitals.product.organizations:
        known = told(hospitals.product, client, hospitals.base(client.id))
        known["launch_url"] = hospitals.product.launch_at(client)
        known |= {name: _IN_THE_FILE for name in known if name.endswith("private_jwk")}
        known |= {"jwks_url": hospitals.product.jwks_url} if hospitals.product.jwks_url else {}
        known["scopes"] = "any that the hospital's SMART configuration lists"
        rows += [(client.id, name, value) for name, value in known.items()]
    return tuple(rows)
