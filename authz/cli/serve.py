"""``authz serve``: the decision point, on a production WSGI server."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Literal

import click

from authz import counters
from authz.cli.keeping import kept
from authz.cli.output import opened, say, settings
from authz.middleware.gateway.lint import load as routes
from authz.policy.load import load
from authz.service.journals import claim, count

THREADS = 256
"""Requests that one worker answers at a time: more than can work, as half may wait for bodies."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "--threads",
    default=THREADS,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Requests that one worker answers at a time.",
)
@click.option("--policy", type=click.Path(path_type=Path), help="Folder of the policy pack.")
@click.option("--tls-cert", type=click.Path(exists=True, path_type=Path), help="PEM certificate.")
@click.option("--tls-key", type=click.Path(exists=True, path_type=Path), help="PEM private key.")
def serve(  # noqa: PLR0917 (one parameter an option)
    host: str,
    port: int,
    workers: int,
    threads: int,
    policy: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Serve the decision point over HTTP."""
    found = settings()
    load(policy or found.policy)  # a pack with a defect does not start (3.3)
    if found.forward_auth is not None:
        routes(found.forward_auth, forward=True)  # nor do routes with one
    store = opened(found)
    claim(store, found)
    store.dispose()
    counters.clear(count(found))
    run(
        host,
        port,
        workers=workers,
        threads=threads,
        policy=policy or found.policy,
        tls=(tls_cert, tls_key) if tls_cert and tls_key else None,
    )


class Meant(logging.Filter):
    """Keeps back that the threads are many: so they are, because they wait for bodies."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the message is told."""
        return "seems quite high" not in record.getMessage()


_TOLD = {
    "formatter": "generic",
    "class": "logging.StreamHandler",
    "stream": "ext://sys.stderr",
    "filters": ["meant"],
}
LOGGING = {
    "filters": {"meant": {"()": Meant}},
    "handlers": {"console": _TOLD, "access": _TOLD},
}
"""The server's messages go where messages go: standard output is for results (4.2)."""


def run(
    host: str,
    port: int,
    *,
    workers: int,
    threads: int,
    policy: Path,
    tls: tuple[Path, Path] | None = None,
) -> None:
    """Run the server until it is stopped."""
    os.environ["AUTHZ_POLICY"] = str(policy.resolve())
    os.environ["AUTHZ_THREADS"] = str(threads)
    made = server("app:create_app", host, port, workers=workers, threads=threads, tls=tls)
    with kept():
        made.serve()


def server(
    target: str,
    host: str,
    port: int,
    *,
    workers: int,
    threads: int,
    tls: tuple[Path, Path] | None,
    http: Literal["auto", "1"] = "auto",
) -> Any:
    """The server of an application's factory (docs/decisions/wsgi-server.md)."""
    from granian import Granian  # noqa: PLC0415 (only to serve)
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415 (as above)

    if host not in ("127.0.0.1", "::1", "localhost") and tls is None:
        say("authz: listening beyond this machine without TLS; put a proxy with TLS before it.")
    return Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=workers,
        blocking_threads=threads,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        http=HTTPModes(http),
        log_access=False,
        log_dictconfig=LOGGING,
        ssl_cert=tls[0] if tls else None,
        ssl_key=tls[1] if tls else None,
    )
