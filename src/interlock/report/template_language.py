"""What a template of the report can say: Jinja over plain data, with the few filters and tests that reports need.

A name after a dot is a key of a dictionary or a property of ``loop``, never an attribute of a Python object; nothing
but a macro can be called. What is listed here is all that there is, so the language stays the same when Jinja's grows.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
from jinja2 import BaseLoader, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined, Undefined, nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.exceptions import UndefinedError
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from interlock.documents.markdown import escape
from interlock.model.language import current
from interlock.report import notes

# fmt: off
FILTERS = frozenset({
    "capitalize", "count", "d", "default", "e", "escape", "first", "int", "join", "last", "length", "list", "lower",
    "replace", "reverse", "round", "safe", "sort", "title", "tojson", "trim", "truncate", "upper",
})
TESTS = frozenset({
    "boolean", "defined", "divisibleby", "eq", "even", "false", "ge", "gt", "in", "iterable", "le", "lower", "lt",
    "mapping", "ne", "none", "number", "odd", "sequence", "string", "true", "undefined", "upper",
    "==", "!=", ">", ">=", "<", "<=",
})
LOOP = frozenset({
    "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem", "revindex", "revindex0",
})
# fmt: on


class CompiledTemplates(FileSystemBytecodeCache):
    """The shipped templates compiled, beside them in ``__pycache__``, as Python keeps its own modules.

    Compiling them takes 0.2 s of processor time, a tenth of a report on four organisations. What is kept is that of
    exactly this text, this language and this Jinja; whoever can write there can write the templates themselves. Where
    nothing may be written, or Python is told to keep nothing, they are compiled each time.
    """

    def __init__(self, folder: Path, *, autoescape: bool) -> None:
        self._folder = folder / "__pycache__"
        made_by = f"{jinja2.__version__} {autoescape} ".encode() + Path(__file__).read_bytes()
        super().__init__(str(self._folder), f"%s.{hashlib.sha256(made_by).hexdigest()[:16]}.jinja")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is kept, if it is that template's."""
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was compiled."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                self._folder.mkdir(exist_ok=True)
                super().dump_bytecode(bucket)


class _Unchecked(CodeGenerator):
    """What the shipped templates become in Python: a dot is a key, a call is a call, with no check in between.

    They say nothing else, and a key that is not there is a mistake of ours. It takes a third off a report's text.
    """

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  # Jinja's own name
        """A key of a dictionary, or a property of ``loop``."""
        self.visit(node.node, frame)
        of_loop = isinstance(node.node, nodes.Name) and node.node.name == "loop"
        self.write(f".{node.attr}" if of_loop else f"[{node.attr!r}]")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802  # as above
        """A macro, or ``_()``."""
        self.visit(node.node, frame)
        self.write("(")
        for argument in node.args:
            self.visit(argument, frame)
            self.write(", ")
        for named in node.kwargs:
            self.write(f"{named.key}=")
            self.visit(named.value, frame)
            self.write(", ")
        self.write(")")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        """What a macro, ``_()`` or ``safe`` gave is escaped already, and most texts stand in a report many times."""
        done = isinstance(node, nodes.Call) or (isinstance(node, nodes.Filter) and node.name in {"safe", "tojson"})
        self.write("(" if done else "environment.shown(" if frame.eval_ctx.autoescape else "str(")


class PlainDataEnvironment(SandboxedEnvironment):
    """Jinja without a way from a value to its methods; see the module."""

    def __init__(self, loader: BaseLoader, *, autoescape: bool, compiled: CompiledTemplates | None = None) -> None:
        super().__init__(
            loader=loader,
            bytecode_cache=compiled,
            autoescape=autoescape,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.globals.clear()
        self._says = _says_html if autoescape else _says_markdown
        self.globals["_"] = self._says
        self.filters = {name: self.filters[name] for name in FILTERS} | {"md": escape, "note": notes.render}
        self.tests = {name: self.tests[name] for name in TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any | Undefined:
        """What stands after a dot: a key."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any | Undefined:
        """A key of a dictionary, an element of a list, a character, a property of ``loop``, a name of an import."""
        if isinstance(obj, (dict, list, tuple, str)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj, name=argument)
        if isinstance(obj, Undefined):  # what is not there is told as such, not as something forbidden
            raise UndefinedError(obj._undefined_message)
        if isinstance(obj, LoopContext) and argument in LOOP:
            return getattr(obj, argument)
        if isinstance(obj, TemplateModule) and isinstance(vars(obj).get(argument), Macro):
            return vars(obj)[argument]
        return self.unsafe_undefined(obj, str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        """Macros, ``caller()``, ``super()``, ``loop()`` and ``_()``; what is undefined says so when called."""
        return obj is self._says or isinstance(obj, (Macro, BlockReference, LoopContext, Undefined))


class ShippedEnvironment(PlainDataEnvironment):
    """The same language for templates that come with Interlock, and are never anybody else's."""

    code_generator_class = _Unchecked

    def __init__(self, folder: Path, *, autoescape: bool) -> None:
        compiled = CompiledTemplates(folder, autoescape=autoescape)
        super().__init__(FileSystemLoader(folder), autoescape=autoescape, compiled=compiled)
        self.shown = lru_cache(maxsize=20_000, typed=True)(Markup.escape)


def _says_html(message: str, /, **values: object) -> str:
    """A fixed sentence, escaped as everything is; values that are markup already stay markup."""
    said = _escaped(current().one(message))
    if not values:
        return said
    return Markup(str(said) % {name: markupsafe.escape(value) for name, value in values.items()})  # noqa: S704  # escaped


@lru_cache(maxsize=4096)
def _escaped(sentence: str) -> Markup:
    """A report has 1,500 fixed words in its templates, of which 400 differ: kept, they cost a tenth."""
    return Markup.escape(sentence)


def _says_markdown(message: str, /, **values: object) -> str:
    """A fixed sentence; a translated one is somebody else's text. Values are escaped before they come here."""
    said = current().one(message)
    if said != message:
        said = escape(said)
    return said % values if values else said


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each fixed sentence of a template, which is ``_("...")`` there."""
    tree = jinja2.Environment().parse(source)  # noqa: S701  # parsed for its words, never rendered
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_" and call.args:
            text = call.args[0]
            if isinstance(text, nodes.Const) and isinstance(text.value, str):
                yield text.lineno, text.value
