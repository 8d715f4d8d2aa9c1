"""A real OpenID Connect provider, of the npm registry, on loopback."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCE = Path(__file__).parent / "provider"
FOLDER = ROOT / "var" / "oidc-provider"
SECRET = "a secret of the tests"


def fetched() -> Path:
    """The folder with the provider; it is fetched once, as its lock file says."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("NO PROVIDER: install Debian's packages nodejs and npm")
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = SOURCE / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = FOLDER / "stamp"
    with (FOLDER / "guard").open("w") as guard:  # one worker fetches, the others wait
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            _fetch()
            stamp.write_text(digest)
        _lay(SOURCE / "provider.mjs")
    return FOLDER


def _lay(file: Path) -> None:
    """Put the file beside what was fetched, at once: another worker's provider may read it."""
    handle, made = tempfile.mkstemp(dir=FOLDER)
    os.write(handle, file.read_bytes())
    os.close(handle)
    Path(made).replace(FOLDER / file.name)


def _fetch() -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, FOLDER)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        subprocess.run(command, cwd=FOLDER, check=True, timeout=180, capture_output=True)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"NO PROVIDER: npm could not fetch oidc-provider ({error})")


@contextmanager
def running(ours: str) -> Iterator[str]:
    """The issuer of a provider that knows us under that address."""
    folder = fetched()
    command = ["node", "provider.mjs", ours]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
