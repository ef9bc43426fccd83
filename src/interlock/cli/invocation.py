"""The command line that is being run, described without anything that a person typed into it."""

from __future__ import annotations

from collections.abc import Sequence


def described(arguments: Sequence[str]) -> str:
    """Names of the command and of its options, such as ``org add --url``: no value, no argument."""
    from typer.main import get_command

    from interlock.cli.app import app

    command = get_command(app)
    options = _options(command)
    words: list[str] = []
    for argument in arguments:
        name = argument.partition("=")[0]
        glued = argument[:2] if not argument.startswith("--") else ""
        commands = getattr(command, "commands", {})
        if argument in commands:
            command = commands[argument]
            options |= _options(command)
            words.append(argument)
        elif name in options or glued in options:
            words.append(name if name in options else glued)
    return " ".join(words) or "interlock"


def _options(command: object) -> set[str]:
    parameters = getattr(command, "params", ())
    return {"-h", "--help"} | {
        name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts) if name[:1] == "-"
    }
