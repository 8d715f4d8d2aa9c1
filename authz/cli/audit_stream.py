"""``authz audit stream``: the trail as JSON Lines, once or as it grows."""

from __future__ import annotations

import math
import sys

import click

from authz.audit.record import Ref
from authz.cli.output import opened, operator, settings
from authz.service import streaming
from authz.service.streaming import FIRST, Asked


@click.command()
@click.option("--follow", is_flag=True, help="Go on with what is recorded later, until stopped.")
@click.option("--after", type=click.IntRange(FIRST), default=FIRST, help="The last position had.")
@click.option("--ocsf", is_flag=True, help="Events of OCSF in place of records.")
def stream(follow: bool, after: int, ocsf: bool) -> None:  # noqa: FBT001 (options)
    """Print records in the one order of all, a JSON line each. Reading is itself recorded."""
    found = settings()
    store, wait = opened(found), math.inf if follow else 0.0
    out = sys.stdout.buffer
    wanted = Asked(after=after, wait=wait, as_ocsf=ocsf)
    try:
        for lines in streaming.stream(store, found.origin, Ref("operator", operator()), wanted):
            out.write(lines)
            out.flush()
    except KeyboardInterrupt:
        return


COMMANDS = (stream,)
"""What the group ``authz audit`` has of these."""
