"""``authz db``: the database's tables."""

from __future__ import annotations

import click

from authz.cli.output import opened, operator, say, settings
from authz.service.database import current, translated, upgrade
from authz.service.journals import open_settings
from authz.service.roles import grant


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def upgrade_command() -> None:
    """Create or migrate the database to the newest revision."""
    found = settings()
    store = open_settings(found)
    with translated():
        upgrade(store)
    here, _ = current(store)
    say(f"The database is at revision {here}.")


@db.command("grant")
@click.argument("role")
@click.option("--because", default="authz db grant", help="Why, for the record.")
def grant_command(role: str, because: str) -> None:
    """Give a PostgreSQL role what the service needs: it may add to the trail, not change it."""
    tables = grant(opened(settings()), role, by=operator(), because=because)
    say(f"{role} may use {len(tables)} tables, and only add to the trail.")
