"""The story that the examples behind a gateway or a proxy tell."""

from __future__ import annotations

import httpx
from school.issuer import Issuer
from school.point import START_SECONDS, School


def tell(address: str, issuer: Issuer, running: School) -> None:
    """A parent, before and on her daughter's birthday."""
    page = "/students/mali/results"
    signed = {"Authorization": f"Bearer {issuer.token('wanida')}"}
    with httpx.Client(base_url=address, timeout=START_SECONDS) as caller:
        print(f"nobody is signed in                      {caller.get(page).status_code}")
        answer = caller.get(page, headers=signed)
        print(f"her mother, the day before her birthday  {answer.status_code}  {answer.text}")
        other = caller.get("/students/somchai/results", headers=signed)
        print(f"her mother, of another child             {other.status_code}")
        running.birthday()
        answer = caller.get(page, headers=signed)
        print(f"her mother, on her 20th birthday         {answer.status_code}")
