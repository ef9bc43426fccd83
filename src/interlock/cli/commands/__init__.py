"""One command a file. Each registers itself lazily: its imports stay inside its callback."""

from __future__ import annotations

import typer

from interlock.cli.commands import (
    answer,
    assess,
    checks,
    config,
    contract,
    demo,
    diff,
    doctor,
    export,
    fleet,
    gaps,
    import_,
    init,
    lint,
    milestone,
    next_question,
    observe,
    org,
    patterns,
    plan,
    probe,
    questions,
    report,
    sandbox,
    score,
    serve,
    trust,
)


def register(app: typer.Typer) -> None:
    """Add every command to ``app``, in the order in which a person meets them."""
    app.command("demo", short_help="Do the whole job on four simulated organisations.")(demo.demo)
    app.command("init", short_help="Make a workspace: a folder of files that belongs in git.")(init.init)
    app.command("assess")(assess.assess)
    app.command("questions", short_help="List the questions and their answers, or show one whole.")(questions.questions)
    app.command("next", short_help="Show the next question to answer, and why it is next.")(next_question.next_question)
    app.command("answer")(answer.answer)
    app.add_typer(org.app, name="org")
    app.command("probe", short_help="Look at FHIR endpoints: what they declare, what is off.")(probe.probe)
    app.command("fleet", short_help="Look at every endpoint of a directory.")(fleet.fleet)
    app.command("checks", short_help="List what a probe checks, or explain one check.")(checks.checks)
    app.command("observe")(observe.observe)
    app.command("score", short_help="Show verdict, stages and scores; hold them to a threshold.")(score.score)
    app.command("gaps", short_help="Show what is open or unknown, and what blocks what.")(gaps.gaps)
    app.command("patterns", short_help="Show which known patterns of trouble hold here.")(patterns.patterns)
    app.command("plan", short_help="Show what to do first, and how long it takes.")(plan.plan)
    app.command("report")(report.report)
    app.add_typer(contract.app, name="contract")
    app.add_typer(milestone.app, name="milestone")
    app.command("diff", short_help="Compare two assessments, or two observations.")(diff.diff)
    app.add_typer(export.app, name="export", short_help="Write forms, issues, a plan of action, calendar dates.")
    app.add_typer(import_.app, name="import")
    app.command("lint", short_help="Prove that questions, rules and patterns are sound.")(lint.lint)
    app.command("sandbox", short_help="Serve the simulated organisations on this machine.")(sandbox.sandbox)
    app.command("serve")(serve.serve)
    app.command("trust", short_help="Show what a workspace asks for beyond being read, and allow it.")(trust.trust)
    app.command("doctor", short_help="Check this machine and the workspace; say what to do.")(doctor.doctor)
    app.add_typer(config.app, name="config", short_help="Show folder and settings; print the JSON Schemas.")
