"""Install the engines of ``requirements-peers.lock`` into a folder of their own, by their hashes.

One that cannot be had (no network, no build for this machine) is told, and does not keep the
others away; the report then says "not available". ``tests``, which one of them installs as a
package of its own, is taken out: it would stand in the place of ours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile

from benchmarks.optional import FOLDER, ROOT

LOCK = ROOT / "requirements-peers.lock"


def main() -> int:
    """Install what can be had; 1 where something cannot."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    blocks = requirements(LOCK.read_text("utf-8"))
    missing = [] if _install("\n".join(blocks)) else [b for b in blocks if not _install(b)]
    shutil.rmtree(FOLDER / "tests", ignore_errors=True)
    for block in missing:
        print(f"authz: not available: {block.split()[0]}", file=sys.stderr)
    return 1 if missing else 0


def requirements(text: str) -> list[str]:
    """The lines of a lock by requirement: one with its hashes."""
    found: list[str] = []
    for line in text.splitlines():
        if line[:1].isspace() and found:
            found[-1] += f"\n{line}"
        elif line and not line.startswith("#"):
            found.append(line)
    return found


def _install(text: str) -> bool:
    """Whether these could be installed; vakt is source, built with the setuptools we have."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command = [*pip, "install", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--no-build-isolation", "--upgrade", "--target", str(FOLDER), "-r", file.name]
        return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
