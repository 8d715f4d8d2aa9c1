"""Every function of the service that writes leaves a record, in the same transaction (N-49).

Two looks at all of :mod:`authz.service`. The code is read: a public function from which a
writing transaction or statement is reached must be exercised here, or be listed with the
reason why not. Then each is run on a store whose statements are listened to: a
transaction that changed rows outside of the trail and did not add to it fails.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, insert, select, text

from authz.audit.chain import MAIN
from authz.audit.tables import AuditRecord, Base
from authz.config import Settings
from authz.directory.tables import Base as DirectoryBase
from authz.directory.tables import Project, Revision
from authz.service import (
    users,
)
from authz.service.changing import By
from authz.service.database import open_store, writing
from authz.service.personal import ENDED, ERASED, KEPT
from tests.architecture.people_in_tables import named
from tests.architecture.reviewing_changes import REVIEWED
from tests.architecture.scene import Scene
from tests.architecture.service_changes import EXERCISED
from tests.architecture.writers import writers
from tests.reviewing import district
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "authz" / "service"
TRAIL = frozenset(Base.metadata.tables)
LEFT_OUT = {
    "database.writing": "it is the transaction itself",
    "roles.grant": "PostgreSQL only; tests/stores/test_guards.py holds its record",
    "sessions.find": "that a session was used changes nobody's rights, and is kept for minutes",
    "confirming.confirm": "a guess at one's own password is counted, which changes no right",
    "ways_in_notices.deliver": "that an e-mail was sent, or not, changes no right",
    "reviews.reminders.deliver": "that an e-mail was sent, or not, changes no right and no review",
    "reviews.report.report": "it writes the record that somebody had the report, and nothing else",
    "checkpoints.checkpoint": "it signs where the trail stands, in the trail's own tables",
    "checkpoints.keep": "it puts records into the trail's own tree, and signs it",
    "checkpoints.sequence_all": "it puts records into the trail's own tree",
    "trail.export": "it signs the trail first, and records that it was read",
    "streaming.stream": "it puts records into the trail's own tree, and records that it was read",
    "overview.counted": "it counts the trail's own records, beside them",
    "overview.decisions": "it counts the trail's own records, beside them",
    "delivery.deliver": "it notes how far a receiver of the trail has come, in the trail's table",
    "delivery.attempt": "it notes how far a receiver of the trail has come, in the trail's table",
    "delivery.cursor_of": "it notes where a receiver of the trail begins, in the trail's table",
}
CHANGES = {"before", "after", "rows"}
SAID = {"review_changed": {"review"}, "trail_retired": {"count"}}
"""What a record of these events has in its place: its action is the step that was taken."""
NO_CHANGE = {
    "bulk_reading", "decision", "trail_read", "signed_in", "sign_in_refused", "signed_out",
}  # fmt: skip
"""Events of which nothing is different afterwards."""
COUNTED = {"sign_in_failure", "reading_hour"}
"""Tables that say how fast somebody may guess or read, and nothing of anybody's rights."""
OF_THE_TRAIL = {"health.examine", "retention.retire", "tokens.jwks"}
"""What changes no table but the trail's: keys are files, and records are retired."""


PEOPLE = ("ann", "bob", "danai", "mali", "mum", "boss", "dpo2", "pim", "kid", "kid2")
"""Those of the scenes whose ids are no words of the service."""
OF_PEOPLE = {
    (name, column)
    for each in (*ERASED, *ENDED, *KEPT)
    for name, columns in each.columns.items()
    for column in columns
}
"""The columns that may hold somebody's id, as the product says."""

# The code, read.


def test_every_function_that_writes_is_run_here_or_says_why_not() -> None:
    assert writers(SERVICE) - set(EXERCISED) == set(LEFT_OUT)


def test_what_is_run_is_there() -> None:
    assert set(EXERCISED) <= writers(SERVICE)


@pytest.mark.parametrize(
    "code",
    [
        "def change(store):\n    with writing(store) as connection:\n        pass",
        "def change(store):\n    _in(store)\n\ndef _in(store):\n    store.execute(delete(T))",
        "class Case:\n    def change(self):\n        self.store.begin()",
    ],
)
def test_a_new_function_that_writes_is_noticed(tmp_path: Path, code: str) -> None:
    (tmp_path / "fresh.py").write_text(code)
    assert writers(tmp_path) & {"fresh.change", "fresh.Case.change"}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from authz.service.other import keep\n\ndef change():\n    keep()", True),
        ("from authz.service.other import keep as k\n\ndef change():\n    k()", True),
        ("from authz.service import other\n\ndef change():\n    other.keep()", True),
        ("from authz.service import other as o\n\ndef change():\n    Thread(target=o.keep)", True),
        ("from authz.service.again import keep\n\ndef change():\n    keep()", True),
        ("def change():\n    C().run()\n\nclass C:\n    def run(self):\n        writing()", True),
        ("from authz.engine.other import keep\n\ndef change():\n    keep()", False),
        ("from authz.service import third as other\n\ndef change():\n    other.keep()", False),
        ("def change(other):\n    other.keep()", False),
        ("def keep():\n    pass\n\ndef change():\n    keep()", False),
    ],
)  # fmt: skip
def test_a_name_is_what_is_imported(tmp_path: Path, code: str, found: bool) -> None:
    """A function of the same name elsewhere is no write, and one of another name is."""
    (tmp_path / "other.py").write_text("def keep(store):\n    writing(store)")
    (tmp_path / "again.py").write_text("from authz.service.other import keep")
    (tmp_path / "third.py").write_text("def keep(store):\n    reading(store)")
    (tmp_path / "fresh.py").write_text(code)
    assert ("fresh.change" in writers(tmp_path)) is found


# The code, run.


REVISION = Revision.__tablename__
FACTS = set(DirectoryBase.metadata.tables) - {REVISION}
"""The tables of facts, which a process keeps for as long as the revision stands."""


@dataclass
class Heard:
    """What each committed transaction wrote: the names of its tables."""

    commits: list[set[str]] = field(default_factory=list)

    def unmoved(self) -> list[set[str]]:
        """Facts that a transaction changed without moving the directory's revision (3.5)."""
        changed = [tables & FACTS for tables in self.commits if REVISION not in tables]
        return [tables for tables in changed if tables]

    def unrecorded(self) -> list[set[str]]:
        """Tables that a transaction changed without adding to the trail."""
        return [
            tables - TRAIL
            for tables in self.commits
            if tables - TRAIL - COUNTED and "audit_record" not in tables
        ]


STATEMENT = re.compile(
    r'\s*(?:INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"?([\w.]+)', re.IGNORECASE
)


def listen(store: Engine) -> Heard:
    """Hear every statement of the store that changes rows, by the transaction it stands in."""
    heard = Heard()

    @event.listens_for(store, "before_cursor_execute")
    def _statement(connection: Connection, _c: Any, sql: str, *_: Any) -> None:
        match = STATEMENT.match(sql)
        if match and not match[1].startswith(("stage_", "temp.", "pg_temp.")):
            connection.info.setdefault("heard", set()).add(match[1])

    @event.listens_for(store, "commit")
    def _commit(connection: Connection) -> None:
        heard.commits.append(connection.info.pop("heard", set()))

    @event.listens_for(store, "rollback")
    def _rollback(connection: Connection) -> None:
        connection.info.pop("heard", None)

    return heard


@pytest.fixture
def scenes(
    sqlite_template: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Scene]]:
    """Makes stores with two people, or for reviews a district, which nobody listens to yet."""
    name = request.node.callspec.params["name"] if hasattr(request.node, "callspec") else ""
    made: list[Scene] = []

    def make() -> Scene:
        folder = tmp_path / str(len(made))
        shutil.copytree(sqlite_template.parent, folder)
        url = f"sqlite:///{folder}/authz.db"
        settings = Settings(
            database_url=url, key_folder=folder / "keys", checkpoint_folder=folder / "checkpoints"
        )
        store = open_store(url, pseudonyms=True)
        pair = World().school("S1").school("S2").person("ann", "bob", born="2012-05-05", at="S1")
        world = (district() if name in REVIEWED else pair).store(store)
        made.append(Scene(store, folder, settings, world))
        return made[-1]

    yield make
    for scene in made:
        scene.store.dispose()


@pytest.fixture
def scene(scenes: Callable[[], Scene]) -> Scene:
    """One of them."""
    return scenes()


def recorded(store: Engine) -> list[dict[str, Any]]:
    with store.connect() as connection:
        bodies = connection.scalars(select(AuditRecord.body).order_by(AuditRecord.sequence))
        return [json.loads(body) for body in bodies]


@pytest.mark.parametrize("name", EXERCISED)
def test_a_change_and_its_record_are_one_transaction(scene: Scene, name: str) -> None:
    heard = listen(scene.store)
    EXERCISED[name](scene)
    assert heard.unrecorded() == []
    assert heard.unmoved() == []  # or kept facts would answer on
    changed = any(tables - TRAIL for tables in heard.commits)
    assert changed is (name not in OF_THE_TRAIL)
    assert named(scene.store, PEOPLE) <= OF_PEOPLE  # or an erasure would not know of it
    for record in recorded(scene.store):
        if record["event"] not in NO_CHANGE:
            assert record["detail"]["who"], record
            assert record["detail"]["why"], record
            assert SAID.get(record["event"], CHANGES) & record["detail"].keys(), record
            assert record["action"], record


def test_a_change_without_a_record_is_noticed(scene: Scene) -> None:
    heard = listen(scene.store)
    values = {"id": "x", "origin": "fact", "recorded_at": By.now("op", "").at}
    with writing(scene.store) as connection:
        connection.execute(insert(Project).values(values))
    assert heard.unrecorded() == [{"project"}]


def test_a_record_in_another_transaction_is_noticed(scene: Scene) -> None:
    heard = listen(scene.store)
    with writing(scene.store) as connection:
        connection.execute(text("UPDATE person SET status = 'suspended'"))
    users.add(scene.store, "siri", person=None, by="op")
    assert heard.unrecorded() == [{"person"}]


RECORDED = sorted(set(EXERCISED) - {"health.examine"})


def full(store: Engine, since: int) -> None:
    """The trail takes no record of that number, and none after it."""
    with store.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit_record "
            f"WHEN NEW.chain = 'main' AND NEW.sequence >= {since} "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )


@pytest.mark.parametrize("name", RECORDED)
def test_without_its_record_no_change_is_made(scene: Scene, name: str) -> None:
    """The trail cannot be written: the change is not made either (3.5)."""
    full(scene.store, 0)
    heard = listen(scene.store)
    with pytest.raises(Exception, match="record could not be written"):
        EXERCISED[name](scene)
    assert [tables for tables in heard.commits if tables - TRAIL - COUNTED] == []
    assert not list((scene.folder / "keys").glob("*.json"))


@pytest.mark.parametrize("name", RECORDED)
def test_without_the_last_record_the_last_change_is_not_made(
    scenes: Callable[[], Scene], name: str
) -> None:
    """What goes before is made and recorded; only the function itself meets a full trail."""
    whole, cut = scenes(), scenes()
    EXERCISED[name](whole)
    with whole.store.connect() as connection:
        last = select(func.max(AuditRecord.sequence)).where(AuditRecord.chain == MAIN)
        full(cut.store, connection.execute(last).scalar_one())
    heard = listen(cut.store)
    with pytest.raises(Exception, match="record could not be written"):
        EXERCISED[name](cut)
    assert heard.unrecorded() == []
