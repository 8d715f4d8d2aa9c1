"""``authz gateway``: stands in front of applications that cannot be changed (issue 6)."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from flask import Flask

from authz import counters
from authz.cli.output import say
from authz.config import Settings
from authz.config import load as settings
from authz.errors import SettingError
from authz.middleware.gateway.app import create
from authz.middleware.gateway.lint import load


@click.command()
@click.option(
    "--config",
    "routes",
    required=True,
    type=click.Path(path_type=Path),
    help="The file of routes (docs/reference/routes.md).",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "--threads",
    default=64,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Requests that one worker answers at a time.",
)
@click.option("--tls-cert", type=click.Path(exists=True, path_type=Path), help="PEM certificate.")
@click.option("--tls-key", type=click.Path(exists=True, path_type=Path), help="PEM private key.")
@click.option("--check", is_flag=True, help="Look at the file only; 2 where it has a defect.")
def gateway(  # noqa: PLR0917 (one parameter an option)
    routes: Path,
    host: str,
    port: int,
    workers: int,
    threads: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    check: bool,  # noqa: FBT001 (an option)
) -> None:
    """Decide every request before it reaches the application behind."""
    logging.basicConfig(
        level="INFO", stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    config, table = load(routes)  # a file with a defect does not start
    if check:
        say(f"authz: {routes}: {len(table.declared)} routes, no defect.")
        return
    from authz.cli.keeping import kept  # noqa: PLC0415 (brings the service)
    from authz.cli.serve import server  # noqa: PLC0415 (as above)

    embedded = config.point is not None and config.point.mode == "embedded"
    os.environ["AUTHZ_GATEWAY_ROUTES"] = str(routes.resolve())
    tls = (tls_cert, tls_key) if tls_cert and tls_key else None
    target = "authz.cli.gateway:create_app"
    made = server(target, host, port, workers=workers, threads=threads, tls=tls, http="1")
    with kept() if embedded else nullcontext(), nullcontext() if embedded else _counting():
        made.serve()


def create_app() -> Flask:
    """What each worker serves: the gateway of the file that the command was given."""
    chosen = settings()
    found = chosen.gateway_routes
    if found is None:
        raise SettingError("It is required.", where="AUTHZ_GATEWAY_ROUTES")
    _count(chosen)
    return create(found)


@contextmanager
def _counting() -> Iterator[None]:
    """A folder in which the workers count, for as long as the gateway runs.

    The lock keeps whoever tidies up temporary files away from it (tmpfiles.d(5)).
    """
    with TemporaryDirectory(prefix="authz-gateway-") as name:
        held = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(held, fcntl.LOCK_EX)
        os.environ["AUTHZ_GATEWAY_COUNTERS"] = name
        try:
            yield
        finally:
            os.close(held)


def _count(chosen: Settings) -> None:
    """From now on this worker counts where the others see it."""
    if chosen.gateway_counters is not None:
        counters.share(chosen.gateway_counters)
        return
    from authz.service.journals import count  # noqa: PLC0415 (brings the service)

    count(chosen)
