"""The body of a work item in the markup of each tracker; nothing quoted in it becomes markup, a mention or a link."""

from __future__ import annotations

import html
import re

from interlock.documents.markdown import escape
from interlock.model.base import Reference
from interlock.report.work.items import WorkItem

#: A word joiner behind the sign keeps a tracker from reading a mention, an issue number or a macro.
_CALLS = re.compile(r"([@#!~\[{|*_^+])(?=\S)")
JOINER = "\u2060"


def quiet(text: str) -> str:
    """Text that no tracker reads as a mention, an issue number, a link or a macro."""
    return _CALLS.sub(rf"\1{JOINER}", text)


def markdown(item: WorkItem) -> str:
    """GitHub-flavoured Markdown."""
    parts = [_md(item.message)] if item.message else []
    if item.why:
        parts.append(f"**Why it matters.** {_md(item.why)}")
    if item.action:
        parts.append(f"**What to do.** {_md(item.action)}")
    facts = [f"- {label}: {_md(value)}" for label, value in item.facts]
    facts.append(f"- Waits for: {', '.join(f'`{_code(key)}`' for key in item.blocked_by) or 'nothing'}")
    parts.append("\n".join(facts))
    if item.references:
        cited = (f"- {_md(cite.title)}" + (f": <{cite.url}>" if cite.url else "") for cite in item.references)
        parts.append("\n".join(cited))
    parts.append(f"Interlock key: `{_code(item.id)}`")
    return "\n\n".join(parts) + "\n"


def text(item: WorkItem) -> str:
    """Lines of text for Jira, whose importer reads wiki markup."""
    parts = [item.message] if item.message else []
    if item.why:
        parts.append(f"Why it matters: {item.why}")
    if item.action:
        parts.append(f"What to do: {item.action}")
    facts = [f"{label}: {value}" for label, value in item.facts]
    facts.append(f"Waits for: {', '.join(item.blocked_by) or 'nothing'}")
    quoted = [quiet(part) for part in (*parts, "\n".join(facts))]
    if item.references:
        quoted.append("\n".join(f"{quiet(cite.title)}: {cite.url}".removesuffix(": ") for cite in item.references))
    return "\n\n".join([*quoted, f"Interlock key: {quiet(item.id)}"])


def rich(item: WorkItem) -> str:
    """HTML for Azure Boards."""
    parts = [f"<p>{_html(item.message)}</p>"] if item.message else []
    if item.why:
        parts.append(f"<p><b>Why it matters.</b> {_html(item.why)}</p>")
    if item.action:
        parts.append(f"<p><b>What to do.</b> {_html(item.action)}</p>")
    facts = [*item.facts, ("Waits for", ", ".join(item.blocked_by) or "nothing"), ("Interlock key", item.id)]
    parts.append("<ul>" + "".join(f"<li>{_html(label)}: {_html(value)}</li>" for label, value in facts) + "</ul>")
    if item.references:
        parts.append(f"<ul>{''.join(map(_html_cite, item.references))}</ul>")
    return "".join(parts)


def _html_cite(cite: Reference) -> str:
    title = _html(cite.title)
    return f'<li><a href="{html.escape(cite.url)}">{title}</a></li>' if cite.url else f"<li>{title}</li>"


def _md(value: str) -> str:
    # After the escape, so that its own backslashes stay in front of what they escape.
    return re.sub(r"([@#])(?=\w)", rf"\1{JOINER}", escape(value))


def _code(value: str) -> str:
    return value.replace("`", "'")


def _html(value: str) -> str:
    return html.escape(re.sub(r"([@#])(?=\w)", rf"\1{JOINER}", value))
