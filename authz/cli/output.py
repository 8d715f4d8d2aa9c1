"""What every command shares: messages, tables, progress, who is asking."""

from __future__ import annotations

import getpass
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, NoReturn

import click
from sqlalchemy import Engine

from authz.config import Settings, load
from authz.errors import AuthzError
from authz.service.database import require
from authz.service.journals import open_settings

Advance = Callable[[str, int, int | None], None]
"""Called with what is being done, how much of it is done, and of how much, where known."""


def say(text: str) -> None:
    """A message for the person at the terminal."""
    click.echo(text, err=True)


def fail(error: AuthzError) -> NoReturn:
    """Tell the error, with its code, and leave with its exit status."""
    say(f"authz: {error} [{error.code}]")
    sys.exit(error.exit_status)


def settings() -> Settings:
    """The settings of this process, and the logging that they ask for."""
    found = load()
    logging.basicConfig(
        level=found.log_level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("alembic", "casbin", "fontTools", "fpdf", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return found


def opened(found: Settings) -> Engine:
    """The store of these settings, with its tables."""
    return ready(open_settings(found))


def ready(store: Engine) -> Engine:
    """The store with its tables; its connections are closed when the command ends."""
    click.get_current_context().call_on_close(store.dispose)
    require(store)
    return store


def operator() -> str:
    """Who runs the command, for the record (N-43)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def as_json(value: Any) -> None:
    """A result as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A result as a table of plain text, as wide as its content."""
    widths = [max(len(str(row[i])) for row in (headings, *rows)) for i in range(len(headings))]
    for row in (headings, ["-" * width for width in widths], *rows):
        click.echo("  ".join(str(v).ljust(w) for v, w in zip(row, widths, strict=True)).rstrip())


@contextmanager
def progress() -> Iterator[Advance]:
    """A bar on standard error for what takes longer than two seconds, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console  # noqa: PLC0415 (only on a terminal)
    from rich.progress import (  # noqa: PLC0415 (only on a terminal)
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, Any] = {}
    began = monotonic()

    def advance(what: str, done: int, of: int | None) -> None:
        if not bar.live.is_started:
            if monotonic() - began < QUIET_SECONDS:
                return
            bar.start()
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=of)
        bar.update(tasks[what], completed=done, total=of)

    try:
        yield advance
    finally:
        bar.stop()


QUIET_SECONDS = 2
