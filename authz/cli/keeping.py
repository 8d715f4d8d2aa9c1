"""The keeper as a process: ``authz audit keep``, and how ``authz serve`` starts and watches it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import click

from authz.cli.output import fail, opened, say, settings
from authz.service import keeper
from authz.service.journals import count

NICE: Final = 10
"""The keeper's work yields to answers."""
PAUSE_SECONDS: Final = 1.0
END_SECONDS: Final = 30.0


@click.command()
@click.option("--once", is_flag=True, help="One round, and its exit status says how it went.")
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input ends.")
def keep(once: bool, until_eof: bool) -> None:  # noqa: FBT001 (options)
    """Ship, sequence and sign records, watch for bulk reading and send, until stopped.

    Records go from the journals to the database and into the tree, and to their receivers.

    `authz serve` runs it; an application that embeds the decision point runs it itself.
    """
    found = settings()
    store = opened(found)
    count(found)
    if once:
        for error in keeper.once(store, found):
            fail(error)
        return
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN if until_eof else lambda *_: stop.set())
    if until_eof:
        threading.Thread(target=_at_eof, args=(stop,), daemon=True).start()
    os.nice(NICE)
    keeper.keep(store, found, stop)


def _at_eof(stop: threading.Event) -> None:
    """Whoever started us has ended, however it did: the pipe from it is closed."""
    while os.read(0, 1):
        pass
    stop.set()


@contextmanager
def kept() -> Iterator[None]:
    """A keeper runs as a child while we serve, and does a last round when we end."""
    watcher = _Watcher()
    watcher.start()
    try:
        yield
    finally:
        watcher.end()


class _Watcher:
    """Starts the keeper, and starts it again when it dies."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._child = _spawn()
        self._thread = threading.Thread(target=self._watch, name="authz-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Tell the keeper to end, and wait for its last round."""
        self._ending.set()
        self._thread.join()
        _close(self._child)
        try:
            self._child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            say("authz: the keeper's last round takes long; it goes on by itself.")

    def _watch(self) -> None:
        while not self._ending.wait(PAUSE_SECONDS):
            if self._child.poll() is not None:
                say(f"authz: the keeper ended ({self._child.returncode}); starting it again.")
                _close(self._child)
                self._child = _spawn()


def _spawn() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "authz.cli", "audit", "keep", "--until-eof"]
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 (our own command)


def _close(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()
