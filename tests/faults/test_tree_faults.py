"""The tree and its checkpoints when the process ends anywhere: nothing is half there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from authz.audit.note import parse
from authz.service.checkpoints import keep
from tests.conftest import ROOT
from tests.postgres import settled
from tests.stores.checkpoint_log import Log, settings
from tests.stores.test_audit_tree import add, whole

KEEPER = """
import sys
from pathlib import Path
from authz.service import checkpoints
from authz.service.database import open_store
from tests.stores.checkpoint_log import settings

checkpoints.MOST = 20
store, known = open_store(sys.argv[1]), settings(Path(sys.argv[2]))
print("ready", flush=True)
while True:
    checkpoints.keep(store, known)
"""


@pytest.mark.slow
def test_a_keeper_that_is_killed_anywhere(store: Engine, store_url: str, tmp_path: Path) -> None:
    """Kill -9 while it sequences, signs and publishes: the next one goes on from there."""
    trail = Log(store, settings(tmp_path / "own"))
    chance = random.Random(4)
    total = 0
    for turn in range(6):
        add(store, f"writer-{turn}", 400)
        total += 400
        command = [sys.executable, "-c", KEEPER, store_url, str(tmp_path / "own")]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
        ) as keeper:
            assert keeper.stdout is not None
            keeper.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.4))
            keeper.send_signal(signal.SIGKILL)
        settled(store)
        assert whole(store) <= total
    last = trail.verified(keep(store, trail.settings))
    assert whole(store) == last.size == total
    sizes = [trail.verified(each).size for each in map(parse, trail.stored())]
    assert sizes == sorted(sizes)
    assert trail.files() == [*trail.stored(), trail.stored()[-1]]
