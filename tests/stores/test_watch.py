"""A look at the store sees every commit of everybody else, at once (3.5)."""

from __future__ import annotations

import multiprocessing as mp
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import OperationalError

from authz.decision.request import parse
from authz.directory.tables import Revision
from authz.service import decide
from authz.service.database import open_store, upgrade, writing
from authz.service.watch import EVERY, Watch, watch
from tests.waiting import PATIENCE
from tests.world import CALLER, World, point, question

ASKED = question("mum", "read", "identity", "kid")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "authz.db"


@pytest.fixture
def lone(path: Path) -> Iterator[Engine]:
    """A store on SQLite, at the first revision."""
    store = open_store(f"sqlite:///{path}", durability="os")
    upgrade(store)
    with writing(store) as connection:
        connection.execute(insert(Revision).values(id=1, revision=1))
    yield store
    store.dispose()


def look(store: Engine) -> Watch:
    found = watch(store)
    assert found is not None
    return found


def moved(store: Engine, to: int) -> None:
    with writing(store) as connection:
        connection.execute(update(Revision).values(revision=to))


def test_while_nothing_is_committed_a_look_shows_the_same(lone: Engine) -> None:
    watching = look(lone)
    first = watching.look()
    assert first.revision == 1
    assert watching.look() is first


def test_each_commit_is_seen_by_the_next_look(lone: Engine, path: Path) -> None:
    """Of this process through its pool, and of another engine; what was known is forgotten."""
    elsewhere = open_store(f"sqlite:///{path}", durability="os")
    watching = look(lone)
    for number in range(2, 40):
        watching.look().known["a"] = True
        moved(lone if number % 2 else elsewhere, number)
        found = watching.look()
        assert (found.revision, found.known) == (number, {})
    elsewhere.dispose()


def test_what_is_rolled_back_is_not_seen(lone: Engine) -> None:
    watching = look(lone)
    with lone.connect() as connection:
        connection.execute(update(Revision).values(revision=7))
        connection.rollback()
    assert watching.look().revision == 1


def test_a_file_put_in_the_place_of_the_old_one_is_looked_at(lone: Engine, path: Path) -> None:
    watching = look(lone)
    assert watching.look().revision == 1
    other = path.with_name("other.db")
    made = open_store(f"sqlite:///{other}", durability="os")
    upgrade(made)
    with writing(made) as connection:
        connection.execute(insert(Revision).values(id=1, revision=9))
    made.dispose()
    lone.dispose()
    for left in path.parent.glob("authz.db-*"):
        left.unlink()
    shutil.move(other, path)
    assert watching.look().revision == 9


def test_what_was_known_of_the_old_file_decides_nothing_about_the_new(
    lone: Engine, path: Path
) -> None:
    """Not even where both are at the same revision, as a backup may be that was written to."""
    people = World().school("S").person("mum").person("kid", born="2015-01-01", at="S")
    people.guardian("mum", "kid").store(lone)
    other = path.with_name("other.db")
    made = open_store(f"sqlite:///{other}", durability="os")
    upgrade(made)
    ended = World().school("S").person("mum").person("kid", born="2015-01-01", at="S")
    ended.guardian("mum", "kid", until="2020-01-01").store(made)
    moved(lone, 7)
    moved(made, 7)
    made.dispose()
    asker = point(lone)
    assert asker.evaluate([parse(ASKED)], CALLER)[0].decision.permit
    lone.dispose()
    for left in path.parent.glob("authz.db-*"):
        left.unlink()
    shutil.move(other, path)
    time.sleep(2 * EVERY)
    assert look(lone).look().revision == 7
    assert not asker.evaluate([parse(ASKED)], CALLER)[0].decision.permit


def test_a_file_that_is_gone_is_an_error_and_is_not_made_anew(lone: Engine, path: Path) -> None:
    watching = look(lone)
    watching.look()
    lone.dispose()
    path.unlink()
    with pytest.raises(OperationalError):
        watching.look()
    assert not path.exists()


def test_a_store_in_memory_and_one_of_another_database_are_not_watched() -> None:
    assert watch(open_store("sqlite://")) is None
    assert watch(open_store("postgresql+psycopg://nobody@localhost/none")) is None


def test_a_connection_that_looks_cannot_write(lone: Engine) -> None:
    """Its own commits it would not see."""
    watching = look(lone)
    watching.look()
    with pytest.raises(Exception, match="readonly"):
        watching._idle[0]._cursor.execute("UPDATE directory_revision SET revision = 5")


def test_a_disposed_store_keeps_nothing_open(lone: Engine) -> None:
    watching = look(lone)
    watching.look()
    lone.dispose()
    assert watching._idle == []


def test_while_nothing_is_committed_no_connection_is_asked(
    lone: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = look(lone)
    seen = watching.look()
    with monkeypatch.context() as patch:
        patch.setattr(watching, "_look_closely", None)
        assert watching.look() is seen
        moved(lone, 2)
        with pytest.raises(TypeError):
            watching.look()
    assert watching.look().revision == 2


def test_shared_memory_is_not_believed_without_a_connection_that_holds_it(lone: Engine) -> None:
    """Without one the log's index may be another file by now."""
    watching = look(lone)
    seen = watching.look()
    for eye in watching._idle:
        eye.close()
    watching._idle.clear()
    assert watching.look() is not seen


def child(watching: Watch, told: mp.SimpleQueue[int]) -> None:
    told.put(watching.look().revision)


def test_a_forked_child_looks_with_a_connection_of_its_own(lone: Engine) -> None:
    watching = look(lone)
    watching.look()
    context = mp.get_context("fork")
    told = context.SimpleQueue()
    worker = context.Process(target=child, args=(watching, told))
    worker.start()
    assert told.get() == 1
    worker.join(PATIENCE)
    assert worker.exitcode == 0
    moved(lone, 2)
    assert watching.look().revision == 2


def test_a_warm_decision_takes_no_snapshot(lone: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World().school("S").person("mum").person("kid", born="2015-01-01", at="S")
    world.guardian("mum", "kid").store(lone)
    asker = point(lone)
    assert asker.evaluate([parse(ASKED)], CALLER)[0].decision.permit
    monkeypatch.setattr(decide, "snapshot", None)
    assert asker.evaluate([parse(ASKED)], CALLER)[0].decision.permit
    other = question("mum", "read", "contact", "kid")
    with pytest.raises(TypeError):  # these facts are not kept yet
        asker.evaluate([parse(ASKED), parse({**other, "context": {"ticket": "T"}})], CALLER)
