"""The page on asking from Python says what works: its blocks run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from authz.errors import RefusedError
from authz.middleware.remote import RemotePoint
from tests.middleware.asking import PATIENT
from tests.middleware.loopback import IDENTIFIER, METADATA, Heard, loopback

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "ask-from-python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCORE = {"decision": True, "context": {"obligations": [{"id": "fields", "value": ["score"]}]}}


def school(heard: Heard) -> None:
    """A parent may see the score of one child."""
    if heard.path == METADATA:
        heard.well()
        return
    items = heard.json.get("evaluations", [heard.json])
    mine = [each["resource"]["id"] == "student-mali" for each in items]
    told = [SCORE if each else {"decision": False} for each in mine]
    heard.answer({"evaluations": told} if "evaluations" in heard.json else told[0])


def test_the_blocks_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = {**(RemotePoint.__init__.__kwdefaults__ or {}), "options": PATIENT}
    monkeypatch.setattr(RemotePoint.__init__, "__kwdefaults__", patient)
    with loopback(school) as server:
        names: dict[str, Any] = {"token": "t-1"}
        for block in BLOCK.findall(PAGE.read_text("utf-8")):
            here = block.replace("http://127.0.0.1:8080", server.url)
            exec(here.replace("https://127.0.0.1:8080", IDENTIFIER), names)  # noqa: S102 (the page)
            if "point" in names and names["point"] not in names.setdefault("opened", []):
                names["opened"].append(names["point"])
        assert names["page"] == {"results": [{"points": 7}]}
        assert names["permitted"].settled
        assert isinstance(names["found"], RefusedError)
        assert len(names["opened"]) == 2
        for each in (*names["opened"], names["cerbos"]):
            each.close()
