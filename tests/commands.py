"""The ``authz`` command in tests: run in this process, as nearly all of them want its words alone.

A process of its own costs a second of imports. Those that are about one (that it serves, keeps
or is killed) start it themselves.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from authz.cli import main


def run(
    *words: str | Path, environment: Mapping[str, str], folder: Path, stdin: str = ""
) -> CompletedProcess[str]:
    """What the command does in that folder with these settings: its exit status and its words."""
    arguments = ["authz", *map(str, words)]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with _placed(environment, folder, arguments, stdin), redirect_stdout(out), redirect_stderr(err):
        status = _status()
    told = (each.buffer.getvalue().decode() for each in (out, err))
    return CompletedProcess(arguments, status, *told)


def _status() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextmanager
def _placed(
    environment: Mapping[str, str], folder: Path, arguments: list[str], stdin: str
) -> Iterator[None]:
    before = (dict(os.environ), Path.cwd(), sys.argv, sys.stdin)
    sys.argv, sys.stdin = arguments, io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
    _set(environment)
    os.chdir(folder)
    try:
        yield
    finally:
        kept, where, sys.argv, sys.stdin = before
        _set(kept)
        os.chdir(where)


def _set(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
