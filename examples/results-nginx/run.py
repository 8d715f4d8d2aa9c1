"""Start the school, a site, nginx before it, and tell the story.

python examples/results-nginx/run.py
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from school.issuer import Issuer
from school.point import HOST, ROOT, START_SECONDS, School, free_port, school
from school.site import create_app, serving
from school.story import tell

HERE = Path(__file__).parent
CONFIG = ROOT / "docs" / "how-to" / "proxies" / "nginx.conf"


def main(arguments: list[str]) -> None:
    """Serve until stopped; with ``--once`` until the story is told."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        sys.exit("This example needs nginx: apt-get install nginx-light")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        issuer = Issuer(folder)
        secret = secrets.token_urlsafe(32)
        (folder / "proxy-token").write_text(secret)
        shutil.copy(HERE / "routes.toml", folder)
        settings = {"AUTHZ_FORWARD_AUTH": str(folder / "routes.toml")}
        with (
            school(folder, **settings) as running,
            serving(create_app(keeps_fields=True)) as site,
            nginx(program, running, site, secret) as (address, process),
        ):
            tell(address, issuer, running)
            if "--once" not in arguments:
                print(f"The site is at {address}/students/mali/results until you press Ctrl-C.")
                process.wait()


@contextmanager
def nginx(
    program: str, running: School, site: int, secret: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The proxy with the file of the how-to, but for its ports and its patience."""
    port = free_port()
    text = CONFIG.read_text("utf-8")
    point = running.address.rpartition(":")[2]
    for said, there in {"8080": point, "9000": str(site), "8081": str(port)}.items():
        text = text.replace(f":{said}", f":{there}")
    text = re.sub(r"(?<=_timeout )\d+s", f"{START_SECONDS}s", text)
    folder = running.folder
    (folder / "nginx.conf").write_text(text)
    told = f'proxy_set_header X-Authz-Proxy-Token "{secret}";\n'
    (folder / "proxy-token.conf").write_text(told)
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        _listening(port, process)
        yield f"http://{HOST}:{port}", process
    finally:
        process.terminate()
        process.wait()


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx did not start")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:])
