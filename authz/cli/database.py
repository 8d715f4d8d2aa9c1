"""``authz db``: the database's tables."""

from __future__ import annotations

import click

from authz.cli.output import say, settings
from authz.service.database import current, open_store, translated, upgrade


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def upgrade_command() -> None:
    """Create or migrate the database to the newest revision."""
    found = settings()
    store = open_store(found.database_url, durability=found.audit_durability)
    with translated():
        upgrade(store)
    here, _ = current(store)
    say(f"The database is at revision {here}.")
