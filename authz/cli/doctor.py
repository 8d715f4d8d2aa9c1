"""``authz doctor``: checks settings, database, migrations, audit chain, clock, keys."""

from __future__ import annotations

import sys

import click

from authz.cli.output import as_json, progress, settings, table
from authz.service.health import examine


@click.command()
@click.option("--json", "json_", is_flag=True)
def doctor(json_: bool) -> None:  # noqa: FBT001 (an option)
    """Check that everything is as it must be; exit status 1 where something is not."""
    found = settings()
    with progress() as advance:
        checks = examine(found, lambda done, of: advance("records", done, of))
    if json_:
        as_json([{"check": c.name, "well": c.well, "detail": c.detail} for c in checks])
    else:
        table(
            ("check", "", "detail"),
            [(c.name, "well" if c.well else "BAD", c.detail) for c in checks],
        )
    sys.exit(0 if all(check.well for check in checks) else 1)
