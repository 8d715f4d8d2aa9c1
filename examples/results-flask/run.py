"""Start the school, the site, and tell the story: python examples/results-flask/run.py."""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

import httpx
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parents[1]))

from school.point import HOST, IDENTIFIER, PATIENT, START_SECONDS, school

from app import create_app
from authz.middleware import RemotePoint


def main(arguments: list[str]) -> None:
    """Serve until stopped; with ``--once`` until the story is told."""
    with tempfile.TemporaryDirectory() as folder, school(Path(folder)) as running:
        where = running.address
        point = RemotePoint(IDENTIFIER, running.token, reached_at=where, options=PATIENT)
        server = make_server(HOST, 0, create_app(point), threaded=True)
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        site = f"http://{HOST}:{server.port}"
        try:
            with httpx.Client(base_url=site, timeout=START_SECONDS) as browser:
                page = "/students/mali/results"
                print(f"nobody is signed in                      {browser.get(page).status_code}")
                browser.post("/sign-in", data={"name": "wanida"})
                print(f"her mother, the day before her birthday  {browser.get(page).status_code}")
                running.birthday()
                print(f"her mother, on her 20th birthday         {browser.get(page).status_code}")
            if "--once" not in arguments:
                print(f"The site is at {site}/ until you press Ctrl-C.")
                serving.join()
        except KeyboardInterrupt:
            pass
        finally:
            server.shutdown()
            point.close()


if __name__ == "__main__":
    main(sys.argv[1:])
