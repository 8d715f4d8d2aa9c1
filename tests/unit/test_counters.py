"""What processes count together: in files of their own, added up by whoever asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from authz import counters
from authz.counters import MOST_SERIES, OTHER, Counter, Histogram, Latest, totals, value_of

ROOT = Path(__file__).resolve().parents[2]
COUNTING = """
import sys, time
from pathlib import Path
from authz import counters
counters.share(Path(sys.argv[1]))
counted = counters.Counter("counted", "", ("kind",))
for _ in range(1000):
    counted.add("good")
counters.Latest("seen", "").at(float(sys.argv[2]))
print("done", flush=True)
time.sleep(60)
"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that counted nothing yet."""
    monkeypatch.setattr(counters, "_sheet", counters._Sheet())


def _counting(folder: Path, moment: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COUNTING, str(folder), str(moment)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    return process


@pytest.mark.usefixtures("alone")
def test_all_processes_are_added_up_and_a_killed_one_is_not_forgotten(tmp_path: Path) -> None:
    counters.share(tmp_path)
    counted, seen = Counter("counted", "", ("kind",)), Latest("seen", "")
    counted.add("good", by=5)
    seen.at(200)
    processes = [_counting(tmp_path, moment) for moment in (100, 300)]
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    found = totals()
    assert value_of(counted, ("good",), found) == 2005
    assert value_of(seen, (), found) == 300
    counters.clear(tmp_path)
    assert value_of(counted, ("good",), totals()) == 5
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("alone")
def test_threads_lose_no_count() -> None:
    counted = Counter("counted", "")
    timed = Histogram("timed", "", (10, 20))

    def count() -> None:
        for number in range(20_000):
            counted.add()
            timed.observe(number % 30)

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = totals()
    assert value_of(counted, (), found) == 80_000
    assert sum(found[f"timed{part}", ()] for part in ("/10", "/20", "/more")) == 80_000


@pytest.mark.usefixtures("alone")
def test_a_bound_belongs_to_its_bucket() -> None:
    timed = Histogram("timed", "", (10, 20))
    for value in (0, 10, 11, 20, 21):
        timed.observe(value)
    found = totals()
    assert [found[f"timed{part}", ()] for part in ("/10", "/20", "/more", "/sum")] == [2, 2, 1, 62]


@pytest.mark.usefixtures("alone")
def test_made_up_labels_do_not_fill_the_memory() -> None:
    counted = Counter("counted", "", ("reason",))
    for number in range(MOST_SERIES + 100):
        counted.add(str(number))
    found = totals()
    assert len(found) == MOST_SERIES + 1
    assert value_of(counted, (OTHER,), found) == 100


@pytest.mark.usefixtures("alone")
def test_a_forked_child_counts_for_itself(tmp_path: Path) -> None:
    counters.share(tmp_path)
    counted = Counter("counted", "")
    counted.add(by=3)
    child = os.fork()
    if child == 0:
        counters._sheet.forked()  # as the module's own sheet is told by the system
        counted.add(by=4)
        os._exit(0)
    os.waitpid(child, 0)
    assert value_of(counted, (), totals()) == 7


def _read_only(folder: Path) -> None:
    (folder / "counters").write_text("a file where a folder should be")


def _full(folder: Path) -> None:
    (folder / "counters").symlink_to("/dev/full")


@pytest.mark.parametrize("harm", [_read_only, _full])
@pytest.mark.usefixtures("alone")
def test_a_folder_that_cannot_be_used_stops_nothing(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(tmp_path)
    counters.share(tmp_path / "counters")
    counted = Counter("counted", "")
    counted.add()
    assert value_of(counted, (), totals()) == 1


@pytest.mark.usefixtures("alone")
def test_a_disk_that_is_full_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    counters.share(tmp_path)
    counted = Counter("counted", "")
    counted.add()
    assert value_of(counted, (), totals()) == 1
