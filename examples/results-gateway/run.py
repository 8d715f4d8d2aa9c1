"""Start the school, a site, the gateway before it, and tell the story.

python examples/results-gateway/run.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from school.issuer import Issuer
from school.point import HOST, ROOT, START_SECONDS, School, free_port, school, wait_for
from school.site import create_app, serving
from school.story import tell

HERE = Path(__file__).parent


def main(arguments: list[str]) -> None:
    """Serve until stopped; with ``--once`` until the story is told."""
    with (
        tempfile.TemporaryDirectory() as name,
        school(Path(name)) as running,
        serving(create_app()) as site,
    ):
        issuer = Issuer(running.folder)
        with gateway(running, site) as (address, process):
            tell(address, issuer, running)
            if "--once" not in arguments:
                print(f"The site is at {address}/students/mali/results until you press Ctrl-C.")
                process.wait()


@contextmanager
def gateway(running: School, site: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """``authz gateway`` with the file of this folder, but for its ports and its patience."""
    port = free_port()
    text = (
        (HERE / "routes.toml").read_text("utf-8").replace("http://127.0.0.1:8080", running.address)
    )
    routes = running.folder / "routes.toml"
    text = text.replace("[point]", f"[point]\nseconds = {START_SECONDS}")
    routes.write_text(text.replace(":9000", f":{site}"), encoding="utf-8")
    (running.folder / "point-token").write_text(running.token, encoding="utf-8")
    command = [sys.executable, "-m", "authz.cli", "gateway", "--config", str(routes)]
    process = subprocess.Popen([*command, "--port", str(port), "--workers", "1"], cwd=ROOT)
    try:
        wait_for(f"http://{HOST}:{port}/.authz/healthz", process)
        yield f"http://{HOST}:{port}", process
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:])
