"""Start the school, the site, and tell the story: python examples/results-fastapi/run.py."""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

sys.path.insert(0, str(Path(__file__).parents[1]))

from school.point import HOST, IDENTIFIER, PATIENT, START_SECONDS, school

from app import create_app
from authz.middleware import AsyncRemotePoint
from authz.middleware.bearer import Bearer

ISSUER, AUDIENCE = "https://id.example.test", "results"


def main(arguments: list[str]) -> None:
    """Serve until stopped; with ``--once`` until the story is told."""
    key = OKPKey.generate_key("Ed25519", {"kid": "one"})  # of whoever signs people in
    bearer = Bearer(ISSUER, AUDIENCE, lambda _anew: KeySet([key]))
    with tempfile.TemporaryDirectory() as folder, school(Path(folder)) as running:
        where = running.address
        point = AsyncRemotePoint(IDENTIFIER, running.token, reached_at=where, options=PATIENT)
        server = uvicorn.Server(uvicorn.Config(create_app(point, bearer), log_level="warning"))
        listening = socket.create_server((HOST, 0))
        serving = threading.Thread(target=server.run, args=([listening],), daemon=True)
        serving.start()
        while not server.started and serving.is_alive():
            time.sleep(0.02)
        site = f"http://{HOST}:{listening.getsockname()[1]}"
        try:
            page = f"{site}/students/mali/results"
            mother = {"Authorization": f"Bearer {token(key, 'wanida')}"}
            with httpx.Client(timeout=START_SECONDS) as browser:
                print(f"nobody is signed in                      {browser.get(page).status_code}")
                before = browser.get(page, headers=mother)
                print(
                    f"her mother, the day before her birthday  {before.status_code} {before.text}"
                )
                running.birthday()
                after = browser.get(page, headers=mother)
                print(f"her mother, on her 20th birthday         {after.status_code} {after.text}")
            if "--once" not in arguments:
                print(f"The site is at {site}/docs until you press Ctrl-C. A token:")
                print(mother["Authorization"])
                serving.join()
        except KeyboardInterrupt:
            pass
        finally:
            server.should_exit = True
            serving.join()


def token(key: OKPKey, subject: str) -> str:
    """What the sign-in of a real site would give its user."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": int(time.time()) + 3600}
    return jwt.encode({"alg": "Ed25519", "kid": "one"}, claims, key, algorithms=["Ed25519"])


if __name__ == "__main__":
    main(sys.argv[1:])
