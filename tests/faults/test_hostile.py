"""What somebody made to harm who checks it: it is named or refused, soon and in little memory."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, update

from authz.audit import bundle_check, state
from authz.audit.bundle import ABOUT, RECORDS
from authz.audit.chain import MAIN, Tip, digest
from authz.audit.journal import Journal
from authz.audit.log import record
from authz.audit.record import VERSION, index
from authz.audit.saying import NO_RECORD
from authz.audit.tables import INDEX_COLUMNS, AuditHead, AuditRecord
from authz.audit.trail import Source, Verdict, verify_bundle, write
from authz.errors import MalformedError
from authz.service.journals import catch_up
from tests.journals import killed, placed_of, verified
from tests.stores.test_audit_support import (
    VERIFIER,
    entries,
    named,
    opened,
    sequence_all,
    signed,
    unguard,
    verdict,
    write_chain,
)

COUNT = 30
DEEP = 200_000
MANY = 64 * 1024 * 1024
CHAIN = "20260504T013000Z-00000001"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of everything."""
    folder = tmp_path_factory.mktemp("bundle")
    engine = opened(f"sqlite:///{folder / 'authz.db'}")
    record(engine, entries(COUNT))
    sequence_all(engine)
    path = folder / "whole.zip"
    with engine.connect() as connection:
        write(connection, path, checkpoint=signed(engine), vkeys=[VERIFIER.vkey])
    engine.dispose()
    return path


def check(path: Path) -> Verdict:
    return verify_bundle(path, keys=[VERIFIER])


def made(whole: Path, path: Path, kind: int = ZIP_DEFLATED, **others: bytes) -> Path:
    """The bundle with other members: ``about_json`` for ``about.json``."""
    changed = {name.replace("_", "."): content for name, content in others.items()}
    with ZipFile(whole) as old, ZipFile(path, "w", kind) as new:
        for name in {*old.namelist(), *changed}:
            new.writestr(name, changed.get(name) or old.read(name))
    return path


@contextmanager
def in_little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MANY / 4
    finally:
        tracemalloc.stop()


def about(**more: Any) -> bytes:
    return json.dumps({"v": 1, "whole": True, "records": COUNT, **more}).encode()


def retired(subtrees: Any, tips: Any) -> bytes:
    return about(retired={"subtrees": subtrees, "tips": tips})


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"1",
        b"null",
        b"{}",
        b"[" * DEEP,
        b'{"v":' * DEEP,
        b"9" * 100_000,
        b"\xff",
        about(records=10**30),
        about(records=-1),
        about(records=True),
        about(records="30"),
        about(whole=1),
        about(retired=[]),
        about(retired="x"),
        retired([], None),
        retired([[1.5, ""]], {}),
        retired([["1", ""]], {}),
        retired([[10**400, ""]], {}),
        retired([[-1, ""]], {}),
        retired([1], {}),
        retired([], {"main": ["1", "00"]}),
        retired([], {"main": [None, "00"]}),
        retired([], {"main": [1, 2]}),
        retired([], {"main": 3}),
    ],
    ids=lambda content: content[:60].decode("latin-1"),
)
def test_what_the_file_says_of_itself_is_not_believed(
    whole: Path, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(MalformedError):
        check(made(whole, tmp_path / "made.zip", about_json=content))


def test_another_beginning_is_found(whole: Path, tmp_path: Path) -> None:
    """Where the chains stood is not signed; the records that follow are."""
    content = retired([], {"main": [7, "00" * 32]})
    damage = check(made(whole, tmp_path / "made.zip", about_json=content)).damage
    assert damage is not None
    assert damage.kind == "changed"


@pytest.mark.parametrize("name", ["records.csv", "../../etc/passwd", "/etc/passwd", "keys/"])
def test_a_file_has_no_other_members(whole: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "made.zip"
    shutil.copy(whole, path)
    with ZipFile(path, "a") as file:
        file.writestr(name, "what somebody else would read")
    with pytest.raises(MalformedError):
        check(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["records.jsonl", "checkpoint", "about.json", "keys"])
def test_a_member_is_there_once(whole: Path, tmp_path: Path, name: str) -> None:
    """Others may read the first of two, and this the second."""
    path = tmp_path / "made.zip"
    with ZipFile(whole) as old, ZipFile(path, "w") as new:
        new.writestr(name, "what somebody else would read")
        for each in old.namelist():
            new.writestr(each, old.read(each))
    with pytest.raises(MalformedError):
        check(path)


@pytest.mark.parametrize("kind", [ZIP_BZIP2, ZIP_LZMA])
def test_a_member_is_packed_as_we_pack_it(whole: Path, tmp_path: Path, kind: int) -> None:
    with pytest.raises(MalformedError):
        check(made(whole, tmp_path / "made.zip", kind))


def test_an_encrypted_member_is_refused(whole: Path, tmp_path: Path) -> None:
    data = bytearray(whole.read_bytes())
    for sign, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = data.index(sign)
        data[place + at] |= 1
    (tmp_path / "made.zip").write_bytes(data)
    with pytest.raises(MalformedError):
        check(tmp_path / "made.zip")


def test_a_bomb_for_a_small_member_is_not_unpacked(whole: Path, tmp_path: Path) -> None:
    """Neither one that says so, nor one that says that it is small."""
    path = made(whole, tmp_path / "made.zip", about_json=b" " * MANY)
    with in_little_memory(), pytest.raises(MalformedError):
        check(path)
    data = path.read_bytes().replace(MANY.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    path.write_bytes(data)
    with in_little_memory(), pytest.raises(MalformedError):
        check(path)


def test_a_line_without_end_is_named(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_check, "_LONGEST", 1024 * 1024)
    path = made(whole, tmp_path / "made.zip", records_jsonl=b'{"leaf":0,"body":"' + b"a" * MANY)
    with in_little_memory():
        damage = check(path).damage
    assert damage is not None
    assert (damage.kind, damage.text) == ("changed", "line 1 of the bundle is no record")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"body":"', b'"body":"what others read","body":"'),
        (b'"leaf":0', b'"leaf":9,"leaf":0'),
        (b'"leaf":0', b'"leaf": 0'),
        (b'"chain":"main"', b'"chain":"m\\u0061in"'),
        (b'"sequence":1,', b'"sequence":1.0,'),
        (b'"sequence":1,', b'"sequence":%d,' % 10**40),
        (b'"body":"', b'"body":"\\ud800'),
        (b'"hash":', b'"more":' + b"[" * DEEP + b"]" * DEEP + b',"hash":'),
        (b'"leaf":0', b'"leaf":' + b"[" * DEEP + b"]" * DEEP),
    ],
    ids=lambda text: text[:30].decode("latin-1"),
)
def test_a_line_is_as_we_write_it(whole: Path, tmp_path: Path, old: bytes, new: bytes) -> None:
    """Nobody reads it otherwise, then."""
    with ZipFile(whole) as file:
        lines = file.read(RECORDS)
    assert old in lines
    path = made(whole, tmp_path / "made.zip", records_jsonl=lines.replace(old, new, 1))
    damage = check(path).damage
    assert damage is not None
    assert damage.kind == "changed"


def test_no_more_is_read_than_was_signed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(whole) as file:
        lines = file.read(RECORDS).splitlines(keepends=True)
    more = b"".join(
        lines[-1].replace(b'"leaf":29', b'"leaf":%d' % number) for number in range(30, 5000)
    )
    path = made(whole, tmp_path / "made.zip", records_jsonl=b"".join(lines) + more)
    read: list[bytes] = []
    line = bundle_check._line

    def noted(text: bytes, *, whole: bool) -> Any:
        read.append(text)
        return line(text, whole=whole)

    monkeypatch.setattr(bundle_check, "_line", noted)
    damage = check(path).damage
    assert damage is not None
    assert damage.kind == "appended"
    assert len(read) == COUNT + 1


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_the_bytes_are_it_is_told(
    whole: Path, tmp_path: Path, data: st.DataObject
) -> None:
    """Bytes changed, cut off and put in anywhere: a verdict, or no bundle; never all is well."""
    old = whole.read_bytes()
    begin = data.draw(st.integers(0, len(old) - 1))
    end = data.draw(st.integers(begin, min(len(old), begin + 40)))
    new = old[:begin] + data.draw(st.binary(max_size=40)) + old[end:]
    path = tmp_path / "made.zip"
    path.write_bytes(new)
    try:
        found = check(path)
    except MalformedError:
        return
    assert not found.whole or _members(path) == _members(whole)


def _members(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist() if name not in {ABOUT, "keys"}}


def put(engine: Engine, body: bytes) -> None:
    """A record of the main chain, its hash and the head as they would be."""
    with engine.connect().execution_options(authz_write=True) as connection, connection.begin():
        unguard(connection)
        tip = state.heads(connection)[MAIN]
        new = Tip(tip.sequence + 1, digest(tip.hash, tip.sequence + 1, body))
        row = {"chain": MAIN, **new._asdict(), "body": body, **columns(body)}
        connection.execute(insert(AuditRecord), [row])
        moved = update(AuditHead).where(AuditHead.chain == MAIN)
        connection.execute(moved.values(sequence=new.sequence, hash=new.hash))


def columns(body: bytes) -> dict[str, str]:
    try:
        return index(json.loads(body))
    except NO_RECORD:
        return dict.fromkeys(INDEX_COLUMNS, "")


def said(event: str, **members: Any) -> bytes:
    time = "2026-05-04T01:30:00.000000Z"
    return json.dumps({"event": event, "time": time, "v": VERSION, **members}).encode()


NO_RECORDS = {
    "nested lists": b"[" * DEEP + b"]" * DEEP,
    "nested members": b'{"v":' * DEEP + b"1" + b"}" * DEEP,
    "a number of many digits": b'{"v":' + b"9" * 10_000 + b"}",
    "a detail that is a list": said("trail_retired", detail=[]),
    "a seal that is a list": said("trail_retired", detail={"seal": []}),
    "a writer that is a list": said("writer_opened", resource=[]),
    "a writer of no name": said("writer_opened"),
    "an end that is a text": said("writer_closed", resource={"id": CHAIN}, detail="x"),
    "an end of no number": said(
        "writer_closed", resource={"id": CHAIN}, detail={"records": "5", "hash": 5}
    ),
}


@pytest.mark.parametrize("what", NO_RECORDS)
@pytest.mark.parametrize("placed", [False, True])
def test_a_record_that_is_none_ends_no_verification(
    sqlite_url: str, what: str, *, placed: bool
) -> None:
    """Whoever writes to the store can chain anything; verification still comes to its end."""
    engine = opened(sqlite_url)
    record(engine, entries(3))
    write_chain(engine, CHAIN, 5)
    sequence_all(engine)
    copy = Source("copy", signed(engine))
    put(engine, NO_RECORDS[what])
    if placed:
        sequence_all(engine)
    verdict(engine, since=copy, keys=[VERIFIER])
    verdict(engine, chain=CHAIN, first=2)
    found = named(engine)
    if "nested" in what or "digits" in what:
        assert found == ("index", 5)
    engine.dispose()


def test_a_journal_of_nested_lists_stops_no_other(engine: Engine, journal: Journal) -> None:
    journal.append([b"[" * DEEP + b"]" * DEEP])
    killed(journal)
    others = record(engine, entries(2))
    (damage,) = catch_up(engine).damage.values()
    assert (damage.kind, damage.sequence) == ("changed", 1)
    assert verified(engine).damage == damage
    assert {(each.chain, each.sequence) for each in others} <= placed_of(engine)
