"""Work items: what is open and what is to be found out, as an issue tracker understands it.

Their bodies are in the markup of each tracker; nothing quoted in them becomes markup, a mention or a link.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence, Set
from operator import attrgetter

from interlock.documents.markdown import escape
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Model, Reference, Severity
from interlock.model.gap_graph import GapNode
from interlock.model.plan import PlanTask, finding_of
from interlock.model.text import slug
from interlock.report import estimates, safe
from interlock.report.sections.context import Context
from interlock.report.sections.summary import question

#: GitHub's limit for the name of a label.
LABEL_LIMIT = 50
#: A word joiner behind the sign keeps a tracker from reading a mention, an issue number or a macro.
_CALLS = re.compile(r"([@#!~\[{|*_^+])(?=\S)")
JOINER = "\u2060"


class WorkItem(Model):
    """One piece of work. Every text is one plain line; each writer escapes for its own medium.

    :ivar id: the task's own key (``AUTH-003@lakeshore``), stable from one export to the next.
    :ivar message, why, action: empty for a routine task, which is no gap.
    :ivar facts: what a tracker has no field for, as label and value.
    :ivar labels: in order, without duplicates; letters, digits, ``-`` and ``:``.
    :ivar severity: none for routine tasks.
    :ivar blocked_by: ids of other items of the same export that have to be closed first, sorted.
    """

    id: str
    title: str
    message: str
    why: str
    action: str
    facts: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]
    labels: tuple[str, ...]
    severity: Severity | None
    blocked_by: tuple[str, ...]


def work_items(assessment: Assessment, *, routine: bool = False) -> tuple[WorkItem, ...]:
    """The plan's tasks in order of wave and id.

    :param routine: with the tasks that every integration has; without them, an item waits for the items that it
        reaches through them.
    """
    context = Context(assessment, {}, ())
    kept = [task for task in assessment.plan.left if routine or task.kind != "routine"]
    kept.sort(key=lambda task: (task.wave, task.id))
    before = _before(assessment.plan.tasks, {task.id for task in kept})
    return tuple(_item(context, task, tuple(sorted(before[task.id]))) for task in kept)


def _before(tasks: Sequence[PlanTask], kept: Set[str]) -> dict[str, set[str]]:
    """For each task the kept ones that it waits for, seen through those that are left out."""
    before: dict[str, set[str]] = {}
    for task in sorted(tasks, key=attrgetter("wave")):
        before[task.id] = set().union(*({name} if name in kept else before.get(name, ()) for name in task.after))
    return before


def _item(context: Context, task: PlanTask, before: tuple[str, ...]) -> WorkItem:
    node, where = context.nodes.get(finding_of(task.id)), context.names.get(task.org or "", "")
    rule = context.assessment.rules[node.rule] if node else None
    title = question(node) if node and task.kind == "discovery" else safe.name(task.title)
    kind = words.TASK[task.kind].phrase.replace(" ", "-")
    labels = ["interlock", kind, f"gate:{task.gate.value}", f"owner:{task.owner.value}"]
    if node is not None:
        labels += [f"severity:{node.severity.value}", node.gap_class.value.replace("_", "-")]
    if task.org:
        labels.append(f"org:{slug(task.org)}"[:LABEL_LIMIT])
    return WorkItem(
        id=safe.text(task.id, 200),
        title=f"{where}: {title}" if where else title,
        message=found(context, node) if node else "",
        why=words.sentence(safe.text(rule.why)) if rule else "",
        action=words.sentence(safe.text(rule.remediation.text, 1500)) if rule else "",
        facts=(
            ("Where", where or "the product"),
            ("Gate", words.GATE[task.gate].title),
            ("Owner", words.OWNER[task.owner].title),
            ("Effort", estimates.effort(task.effort)),
            ("Lead time of others", estimates.lead_time(task.lead_time)),
        ),
        references=tuple(
            # An address that is none of the web's is left out.
            Reference(title=safe.name(cited.title), url=safe.web_address(cited.url))
            for cited in (rule.references if rule else ())
        ),
        labels=tuple(dict.fromkeys(labels)),
        severity=node.severity if node else None,
        blocked_by=before,
    )


def found(context: Context, node: GapNode) -> str:
    """What was found; of something undecided only why it is, never the gap as a fact."""
    if node.kind == "gap":
        return safe.text(node.message)
    return words.capital(words.sentence(safe.text(context.findings[node.key].detail or "not decided yet")))


def quiet(text: str) -> str:
    """Text that no tracker reads as a mention, an issue number, a link or a macro."""
    return _CALLS.sub(rf"\1{JOINER}", text)


def as_markdown(item: WorkItem) -> str:
    """GitHub-flavoured Markdown."""
    parts = [f"**{head}.** {_md(said)}" if head else _md(said) for head, said in _told(item)]
    facts = [f"- {label}: {_md(value)}" for label, value in item.facts]
    facts.append(f"- Waits for: {', '.join(f'`{_code(key)}`' for key in item.blocked_by) or 'nothing'}")
    parts.append("\n".join(facts))
    if item.references:
        cited = (f"- {_md(cite.title)}" + (f": <{cite.url}>" if cite.url else "") for cite in item.references)
        parts.append("\n".join(cited))
    parts.append(f"Interlock key: `{_code(item.id)}`")
    return "\n\n".join(parts) + "\n"


def as_text(item: WorkItem) -> str:
    """Lines of text for Jira, whose importer reads wiki markup."""
    parts = [quiet(f"{head}: {said}" if head else said) for head, said in _told(item)]
    parts.append(quiet("\n".join(f"{label}: {value}" for label, value in (*item.facts, _waits_for(item)))))
    if item.references:
        parts.append("\n".join(f"{quiet(cite.title)}: {cite.url}".removesuffix(": ") for cite in item.references))
    return "\n\n".join([*parts, f"Interlock key: {quiet(item.id)}"])


def as_html(item: WorkItem) -> str:
    """HTML for Azure Boards."""
    parts = [f"<p><b>{head}.</b> {_html(said)}</p>" if head else f"<p>{_html(said)}</p>" for head, said in _told(item)]
    facts = (*item.facts, _waits_for(item), ("Interlock key", item.id))
    parts.append("<ul>" + "".join(f"<li>{_html(label)}: {_html(value)}</li>" for label, value in facts) + "</ul>")
    if item.references:
        cited = ((_html(cite.title), html.escape(cite.url)) for cite in item.references)
        links = (f'<a href="{address}">{title}</a>' if address else title for title, address in cited)
        parts.append("<ul>" + "".join(f"<li>{link}</li>" for link in links) + "</ul>")
    return "".join(parts)


def _told(item: WorkItem) -> list[tuple[str, str]]:
    """Paragraphs that say something, each with its heading; what was found has none."""
    told = (("", item.message), ("Why it matters", item.why), ("What to do", item.action))
    return [(head, said) for head, said in told if said]


def _waits_for(item: WorkItem) -> tuple[str, str]:
    return "Waits for", ", ".join(item.blocked_by) or "nothing"


def _md(value: str) -> str:
    # After the escape, so that its own backslashes stay in front of what they escape.
    return re.sub(r"([@#])(?=\w)", rf"\1{JOINER}", escape(value))


def _code(value: str) -> str:
    return value.replace("`", "'")


def _html(value: str) -> str:
    return html.escape(re.sub(r"([@#])(?=\w)", rf"\1{JOINER}", value))
