"""A server whose journals' folder becomes read-only: no answer, and it recovers (N-49; 2.8)."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.api.conftest import EVALUATION
from tests.api.server import Answer, Place, Server
from tests.faults.servers import workers
from tests.faults.test_http import PACK, checked
from tests.waiting import until

BODY = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "record-1"},
}


def as_others() -> list[str]:
    """What runs a server that file modes hold for: root passes over them unless told not to."""
    if os.geteuid():
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root writes where it may not, and there is no setpriv to stop it")
    rights = "-dac_override,-dac_read_search"
    return [setpriv, f"--bounding-set={rights}", f"--inh-caps={rights}"]


@pytest.mark.slow
def test_a_folder_of_journals_that_becomes_read_only_under_a_server(
    sqlite_url: str, tmp_path: Path
) -> None:
    """The file at hand is written on; a new worker needs one of its own, and answers nothing."""
    place = Place(tmp_path, PACK, sqlite_url)
    place.authz("import", "entities", PACK / "entities.json")
    folder = tmp_path / "audit"
    received: dict[str, bool] = {}
    with place.serving(within=as_others()) as server:
        server.token = place.token()
        received |= decided(ask(server, "before"), "before")
        folder.chmod(0o500)
        try:
            received |= decided(ask(server, "at-hand"), "at-hand")
            (worker,) = workers(server)
            os.kill(worker, signal.SIGKILL)
            until(lambda: (answer := ask(server, "lost")) is not None and answer.status == 503)
            for number in range(5):
                refused(ask(server, f"lost-{number}"))
            ready = server.ask("GET", "/readyz")
            assert (ready.status, ready.json["field"]) == (503, "audit")
        finally:
            folder.chmod(0o700)
        received |= decided(ask(server, "after"), "after")
        assert server.ask("GET", "/readyz").status == 200
    checked(place, received)


def ask(server: Server, name: str) -> Answer | None:
    """The answer, if somebody is there to give one."""
    try:
        return server.post(EVALUATION, BODY, x_request_id=name)
    except (OSError, http.client.HTTPException):
        return None


def decided(answer: Answer | None, name: str) -> dict[str, bool]:
    assert answer is not None
    assert answer.status == 200
    return {name: answer.json["decision"]}


def refused(answer: Answer | None) -> None:
    assert answer is not None
    assert (answer.status, answer.json["code"]) == (503, "audit_unavailable")
    assert "decision" not in answer.json
