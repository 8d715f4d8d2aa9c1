"""``authz review``: access reviews, as the screens run them (N-46, N-47)."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from authz import clock
from authz.cli.output import as_json, opened, operator, say, settings, table
from authz.cli.review_definition import definition_of
from authz.errors import MalformedError
from authz.policy.load import load
from authz.review.words import Kind, NoAnswer, Verdict
from authz.service.database import reading
from authz.service.point import place
from authz.service.reviews import (
    answering,
    campaigns,
    checking,
    closing,
    defining,
    ending,
    keeping,
    listing,
    previewing,
    starting,
)
from authz.service.reviews import report as reports
from authz.service.reviews.answering import Given
from authz.service.reviews.campaigns import Bench
from authz.service.reviews.records import Actor

because = click.option("--because", required=True, help="Why, for the record.")
as_person = click.option(
    "--as", "person", required=True, help="The reviewer: a person of the directory."
)
json_option = click.option("--json", "json_", is_flag=True, help="As JSON.")


@click.group()
def review() -> None:
    """Access reviews: who still needs the access they have."""


def _bench() -> Bench:
    found = settings()
    return Bench(opened(found), load(found.policy), place(found))


def _me() -> Actor:
    return Actor(operator(), "operator")


@review.command()
@click.option("--name", required=True, help="Name of the review.")
@click.option(
    "--kind", "kinds", multiple=True, required=True,
    type=click.Choice([kind.value for kind in Kind if kind is not Kind.USE]),
    help="Kind of right; repeatable.",
)  # fmt: skip
@click.option("--organisation", default="", help="A school or office, with all below it.")
@click.option("--role", "roles", multiple=True, help="Only this role; repeatable.")
@click.option("--contract", default="", help="Only the contract of this id.")
@click.option("--unused-days", type=click.IntRange(0), default=0, help="Only if not used so long.")
@click.option("--new", is_flag=True, help="Only what is new since the last of this definition.")
@click.option(
    "--stage", "stages", multiple=True, required=True,
    help="Who reviews: school:DAYS, granter:DAYS or PERSON:DAYS; repeatable, in order.",
)  # fmt: skip
@click.option("--fallback", "fallbacks", multiple=True, required=True, help="Repeatable, in order.")
@click.option(
    "--no-answer", type=click.Choice([each.value for each in NoAnswer]), default="escalate",
    show_default=True, help="What it means that nobody answers.",
)  # fmt: skip
@click.option("--remind", "reminders_", multiple=True, type=click.IntRange(1), default=(7, 1),
              show_default=True, help="Days before the due date; repeatable.")  # fmt: skip
@click.option("--undo-days", type=click.IntRange(0, 90), default=7, show_default=True,
              help="Days in which what was applied can be undone.")  # fmt: skip
@because
def define(because: str, **said: Any) -> None:
    """Define a review, and print the id of its campaign; nothing starts."""
    click.echo(defining.define(_bench(), definition_of(said), _me(), because, None))


@review.command()
@click.argument("campaign")
@json_option
def preview(campaign: str, json_: bool) -> None:  # noqa: FBT001 (as click calls it)
    """Show what the review would be, were it started now."""
    seen = previewing.preview(_bench(), campaign, _me(), None)
    told = {
        "items": len(seen.items),
        "flagged": seen.flagged,
        "rerouted": seen.rerouted,
        "by_fallback": seen.by_fallback,
        "would_end": seen.ending,
        "would_end_by_silence": seen.silent,
        "stale_rosters": list(seen.stale),
        "without_reviewer": [[each.right.kind, each.right.id] for each in seen.orphans],
        "reviewers": {load.reviewer: load.items for load in seen.loads},
    }
    if json_:
        as_json(told)
        return
    rows = [(e.reviewer, str(e.items), "yes" if e.sign_in else "NO") for e in seen.loads]
    table(("Reviewer", "Items", "Sign-in"), rows)
    for name in ("items", "flagged", "rerouted", "by_fallback", "would_end"):
        say(f"{name.replace('_', ' ')}: {told[name]}")
    if seen.orphans:
        say(f"{len(seen.orphans)} items have no reviewer: name a further --fallback.")
        sys.exit(1)


@review.command()
@click.argument("campaign")
@because
def cancel(campaign: str, because: str) -> None:
    """Call off a review that was not started."""
    ending.cancel(_bench(), campaign, _me(), because, None)
    say("The review is cancelled.")


@review.command()
@click.argument("campaign")
@click.option("--verdicts", type=click.Choice(["apply", "drop"]), required=True,
              help="Whether those that were submitted take effect.")  # fmt: skip
@because
def end(campaign: str, because: str, verdicts: str) -> None:
    """End a review that is running; what was not submitted is left as it is."""
    applied = verdicts == "apply"
    state = ending.end_early(_bench(), campaign, _me(), because, None, applied=applied)
    say(f"The review is {state.value}.")
    if state.value == "closed":
        say("More than a tenth would end: a second person confirms it by `close --confirm`.")


@review.command()
@click.argument("campaign")
@because
def start(campaign: str, because: str) -> None:
    """Start a review that was previewed, and print the hash of its snapshot."""
    click.echo(starting.start(_bench(), campaign, _me(), because, None))


@review.command("list")
@json_option
def list_(json_: bool) -> None:  # noqa: FBT001 (as click calls it)
    """List the reviews, the newest first."""
    with reading(_bench().store) as connection:
        rows = listing.campaigns(connection, None, limit=1000).rows
    cells = [(r.id, r.name, r.state, str(r.items), (r.due_at or "")[:10]) for r in rows]
    names = ("id", "name", "state", "items", "due")
    if json_:
        as_json([dict(zip(names, row, strict=True)) for row in cells])
    else:
        table([name.capitalize() for name in names], cells)


@review.command()
@click.argument("campaign")
@click.option("--reviewer", default="", help="Only the items of this reviewer.")
@json_option
def show(campaign: str, reviewer: str, json_: bool) -> None:  # noqa: FBT001 (as click calls it)
    """Show the items of a review, and how far it is."""
    rows: list[Any] = []
    after = ""
    with reading(_bench().store) as connection:
        campaigns.found(connection, campaign, None)
        while True:
            page = listing.items(
                connection, campaign, reviewers=[reviewer] if reviewer else None, after=after,
                limit=1000,
            )  # fmt: skip
            rows += page.rows
            after = page.after
            if not after:
                break
    names = ("number", "holder", "kind", "role", "organisation", "last_used", "uses", "flags",
             "advice", "advice_reason", "reviewer", "state", "verdict")  # fmt: skip
    if json_:
        as_json([{name: getattr(row, name) for name in names} for row in rows])
        return
    table(("No.", "Holder", "Right", "Used", "Flags", "Advice", "Reviewer", "Verdict"),
          [(str(r.number), r.holder, f"{r.kind} {r.role}", str(r.uses), " ".join(r.flags),
            r.advice, r.reviewer, r.verdict or r.state) for r in rows])  # fmt: skip


@review.command()
@click.argument("campaign")
@click.argument("numbers", nargs=-1, required=True, type=int)
@click.option("--verdict", type=click.Choice([each.value for each in Verdict]), required=True)
@click.option("--until", default="", help="With keep_until: the first day without.")
@click.option("--because", default="", help="Why; needed to revoke, in bulk, and for flagged ones.")
@as_person
def decide(
    campaign: str, numbers: tuple[int, ...], verdict: str, until: str, because: str, person: str
) -> None:
    """Give a verdict on items of a reviewer, who is named in the record beside you."""
    given = Given(Verdict(verdict), because, _moment(until))
    who = Actor(person, name=f"operator:{operator()}")
    say(f"{answering.answer(_bench(), campaign, numbers, given, who)} verdicts taken.")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return clock.parse(text, settings().local)
    except ValueError as error:
        raise MalformedError("It is no ISO date or time.", where="--until") from error


@review.command()
@click.argument("campaign")
@as_person
def submit(campaign: str, person: str) -> None:
    """Submit the verdicts of a reviewer; the last submission applies the review."""
    who = Actor(person, name=f"operator:{operator()}")
    say(f"{answering.submit(_bench(), campaign, who)} verdicts submitted.")


@review.command()
@click.argument("campaign")
@click.option("--confirm", is_flag=True, help="As the second person: apply what was held back.")
@click.option("--decline", is_flag=True, help="As the second person: let everything stand.")
@because
def close(campaign: str, confirm: bool, decline: bool, because: str) -> None:  # noqa: FBT001 (as click calls it)
    """Close a review whose time is over, or confirm one that waits for a second person."""
    if confirm and decline:
        raise click.UsageError("Say --confirm or --decline.")
    step = closing.confirm if confirm else closing.decline if decline else closing.close
    state = step(_bench(), campaign, _me(), because, None)
    say(f"The review is {state.value}.")
    if state.value == "closed":
        say("More than a tenth would end: a second person confirms it by --confirm.")


@review.command()
@click.argument("campaign")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json",
              show_default=True)  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file to write.")
def report(campaign: str, form: str, out: Path | None) -> None:
    """Print or write the closing report; its hash goes to standard error."""
    made = reports.report(_bench(), campaign, _me(), None, settings())
    text = reports.as_csv(made) if form == "csv" else made.canonical
    if out:
        out.write_text(text, encoding="utf-8", newline="")
    else:
        click.echo(text, nl=False)
    say(f"SHA-256 of the report: {made.digest}")
    if not made.whole:
        say("The snapshot is not as it was when the review began.")
        sys.exit(1)


@review.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Hold a report (JSON) against the trail, the tree and the snapshot."""
    found = checking.check(_bench(), settings(), checking.read(file))
    say(f"SHA-256 of the report: {found.digest}")
    for problem in found.problems:
        say(f"{problem.value}: {checking.SENTENCES[problem]}")
    if found.problems:
        sys.exit(1)
    say(f"The report is what the trail says, in {found.records} records.")


@review.command()
def due() -> None:
    """Do what is due: open small reviews, close those whose time is over, send reminders."""
    found = settings()
    done = keeping.keep(opened(found), found)
    say(f"{done.opened} reviews opened.")
    say(f"{done.closed} reviews handled whose time is over.")
    say(f"{done.reminded} reminders sent.")
