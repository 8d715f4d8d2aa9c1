"""Importing does no work: no file is written, no database or network is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUARD = """
import importlib, os, sys

FORBIDDEN = {"socket.connect", "socket.bind", "sqlite3.connect", "subprocess.Popen", "os.system"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

def guard(event, args):
    writes = event == "open" and bool((args[2] or 0) & WRITES)
    if event in FORBIDDEN or writes:
        raise RuntimeError(f"importing {name} does {event} {args[:2]}")

sys.dont_write_bytecode = True
name = ""
sys.addaudithook(guard)
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def _modules() -> list[str]:
    paths = sorted((ROOT / "authz").rglob("*.py"))
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in paths]
    names = (".".join(part).removesuffix(".__init__") for part in parts)
    served = [name for name in names if not name.endswith("__main__") and "migrations" not in name]
    return [*served, *(["app"] if (ROOT / "app.py").exists() else [])]


def _import(modules: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", GUARD, *modules]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_no_module_does_work_at_import(tmp_path: Path) -> None:
    done = _import(_modules(), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("work", ["open('x', 'w')", "__import__('sqlite3').connect('x')"])
def test_the_guard_notices_work(tmp_path: Path, work: str) -> None:
    (tmp_path / "working.py").write_text(work)
    command = GUARD.replace("sys.argv[1:]", f"[sys.path.insert(0, {str(tmp_path)!r}) or 'working']")
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "importing working does" in done.stderr
