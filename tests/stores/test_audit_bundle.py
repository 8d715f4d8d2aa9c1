"""Bundles, on both stores: what was written is proven to a stranger, and any harm is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from authz.audit import bundle, pieces
from authz.audit.log import record
from authz.audit.note import public
from authz.audit.trail import Selection, Source, Verdict, between, conditions, verify_bundle, write
from authz.errors import AuditDamagedError, MalformedError
from tests.stores.test_audit_support import (
    LOG,
    VERIFIER,
    entries,
    harm,
    opened,
    sequence_all,
    signed,
    write_chain,
)

SCRIPT = Path(__file__).parents[2] / "docs/how-to/verify_a_record.py"
STRANGER = public(LOG, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01"))
CHAIN = "20260504T013000Z-00000001"
COUNT = 41
on_the_same_bundle = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Lines = list[dict[str, Any]]


@pytest.fixture
def trail(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Two chains, in three batches, and a record that no checkpoint covers."""
    monkeypatch.setattr(pieces, "JOB", 7)
    engine = opened(store_url)
    record(engine, entries(20))
    write_chain(engine, CHAIN, 10)
    sequence_all(engine)
    write_chain(engine, CHAIN, 10, 10)
    sequence_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def export(trail: Engine, tmp_path: Path) -> Callable[..., Path]:
    """Writes a bundle of all, or of what fits."""
    numbers = count(1)

    def run(**asked: Any) -> Path:
        note = signed(trail, number=next(numbers))
        record(trail, entries(1, 900))
        path = tmp_path / "bundle.zip"
        fitting = between(**asked) if "chain" in asked else conditions(**asked)
        with trail.connect() as connection:
            chosen = Selection(fitting, ("main", 1)) if asked else None
            write(connection, path, checkpoint=note, vkeys=[VERIFIER.vkey], selection=chosen)
        return path

    return run


def told(path: Path, **options: Any) -> tuple[str, str] | None:
    damage = verify_bundle(path, keys=[VERIFIER], **options).damage
    return (damage.kind.value, f"{damage.chain} {damage.sequence}") if damage else None


def read(path: Path) -> tuple[dict[str, bytes], Lines]:
    with ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    return members, [json.loads(each) for each in members["records.jsonl"].splitlines()]


def read_records(path: Path) -> bytes:
    with ZipFile(path) as file:
        return file.read("records.jsonl")


def rewrite(path: Path, lines: Lines, **others: bytes) -> Path:
    """The bundle with other lines, and other members."""
    members, _ = read(path)
    text = "".join(
        json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in lines
    )
    members |= {"records.jsonl": text.encode(), **others}
    made = path.with_name("rewritten.zip")
    with ZipFile(made, "w", ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return made


def stranger(path: Path, record_: str, vkey: str = VERIFIER.vkey) -> bool:
    """What the script of the documentation says; it sees nothing of this project."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(path), vkey, record_]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "NOT PROVEN" in done.stdout or "Error" in done.stderr
    return done.returncode == 0


def test_a_whole_bundle_is_whole_and_has_every_leaf(export: Callable[..., Path]) -> None:
    path = export()
    found = verify_bundle(path, keys=[VERIFIER])
    assert found == Verdict(records=COUNT, leaves=COUNT, checkpoints=1)
    assert [line["leaf"] for line in read(path)[1]] == list(range(COUNT))
    assert not list(path.parent.glob(".*"))


def test_a_part_has_what_fits_and_its_own_export(export: Callable[..., Path]) -> None:
    path = export(person="student-3")
    found = verify_bundle(path, keys=[VERIFIER])
    assert (found.damage, found.records, found.checkpoints) == (None, 5, 1)
    bodies = [json.loads(line["body"]) for line in read(path)[1]]
    assert [each["resource"]["id"] for each in bodies].count("student-3") == 4


def test_a_range_of_a_chain_is_a_part(export: Callable[..., Path]) -> None:
    path = export(chain=CHAIN, first=9, last=12)
    assert told(path) is None
    numbers = [each["sequence"] for each in read(path)[1] if each["chain"] == CHAIN]
    assert numbers == [9, 10, 11, 12]


def test_another_key_and_another_log_are_told(export: Callable[..., Path]) -> None:
    path = export()
    found = verify_bundle(path, keys=[STRANGER]).damage
    assert found is not None
    assert found.kind == "signature"
    other = verify_bundle(path, keys=[STRANGER._replace(name="other.example")]).damage
    assert other is not None
    assert other.kind == "checkpoint"


def test_a_copy_of_another_history_is_told(trail: Engine, export: Callable[..., Path]) -> None:
    early = Source("a copy", signed(trail))
    path = export()
    assert told(path, copies=[early]) is None
    forged = Source("a copy", early.text.replace(f"\n{COUNT}\n", "\n7\n"))
    assert told(path, copies=[forged]) == ("signature", " 0")


@on_the_same_bundle
@given(st.data())
def test_harm_to_the_lines_of_a_whole_bundle_is_named(
    export: Callable[..., Path], data: st.DataObject
) -> None:
    path = export()
    lines = read(path)[1][:COUNT]
    at = data.draw(st.integers(0, COUNT - 2))
    other = data.draw(st.integers(at + 1, COUNT - 1))
    place = f"{lines[at]['chain']} {lines[at]['sequence']}"
    swapped = [*lines]
    swapped[at], swapped[other] = lines[other], lines[at]
    assert told(rewrite(path, swapped)) == ("reordered", place)
    after = f"{lines[at + 1]['chain']} {lines[at + 1]['sequence']}"
    assert told(rewrite(path, [*lines[:at], *lines[at + 1 :]])) == ("missing", after)
    assert told(rewrite(path, [*lines[: at + 1], *lines[at:]])) == ("duplicated", place)
    assert told(rewrite(path, lines[: at + 1])) == ("tail_cut", place)
    changed = {**lines[at], "body": lines[at]["body"].replace("2026", "2027", 1)}
    assert told(rewrite(path, [*lines[:at], changed, *lines[at + 1 :]])) == ("changed", place)


@on_the_same_bundle
@given(st.data())
def test_a_changed_line_of_a_part_is_named(
    export: Callable[..., Path], data: st.DataObject
) -> None:
    path = export(person="student-3")
    lines = read(path)[1]
    at = data.draw(st.integers(0, len(lines) - 1))
    name = data.draw(st.sampled_from(["leaf", "sequence", "chain", "body"]))
    other = data.draw(st.integers(0, 100)) if name in {"leaf", "sequence"} else data.draw(st.text())
    if other == lines[at][name]:
        return
    assert told(rewrite(path, [*lines[:at], {**lines[at], name: other}, *lines[at + 1 :]]))
    assert told(rewrite(path, [*lines[:at], {**lines[at], "proof": []}, *lines[at + 1 :]]))
    assert told(rewrite(path, lines[:-1])) is not None


def test_any_bit_of_a_bundle_may_flip(export: Callable[..., Path]) -> None:
    path = export(person="student-3")
    whole = path.read_bytes()
    good = verify_bundle(path, keys=[VERIFIER])
    lines = read_records(path)
    for at in range(0, len(whole), 7):
        flipped = whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]
        path.write_bytes(flipped)
        try:
            found = verify_bundle(path, keys=[VERIFIER])
        except MalformedError:
            continue
        if found.whole:  # the flipped bit is a date or a comment of the zip file
            assert found == good
            assert read_records(path) == lines


@pytest.mark.parametrize("harm_", ["DELETE FROM audit_record WHERE sequence = 5 AND chain='main'"])
def test_a_bundle_of_a_harmed_trail_shows_the_harm(
    trail: Engine, export: Callable[..., Path], harm_: str
) -> None:
    harm(trail, harm_)
    assert told(export()) == ("missing", "main 6")
    harm(trail, "UPDATE audit_record SET body = hash WHERE sequence = 7 AND chain = 'main'")
    with pytest.raises(AuditDamagedError):
        export()


def test_what_fails_leaves_no_file(
    trail: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = signed(trail)
    path = tmp_path / "bundle.zip"
    path.write_text("the one before")
    monkeypatch.setattr(bundle, "_line", lambda *_: 1 / 0)
    with trail.connect() as connection, pytest.raises(ZeroDivisionError):
        write(connection, path, checkpoint=note, vkeys=[])
    assert path.read_text() == "the one before"
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    for content in (b"", b"no zip", b"PK\x05\x06" + bytes(18)):
        path.write_bytes(content)
        with pytest.raises(MalformedError):
            verify_bundle(path, keys=[VERIFIER])


@pytest.mark.parametrize("asked", [{}, {"person": "student-3"}], ids=["whole", "part"])
def test_the_strangers_script_proves_good_records_alone(
    export: Callable[..., Path], asked: dict[str, str]
) -> None:
    """N-49: independent of all our code; each way to tamper is told."""
    path = export(**asked)
    lines = read(path)[1]
    assert len(SCRIPT.read_text("utf-8").splitlines()) <= 60
    for line in (lines[0], lines[-1]):
        assert stranger(path, f"{line['chain']}-{line['sequence']}")
    name = f"{lines[2]['chain']}-{lines[2]['sequence']}"
    assert not stranger(path, name, STRANGER.vkey)
    for member, value in (
        ("body", lines[2]["body"].replace("2026", "2027", 1)),
        ("chain", "other"),
        ("sequence", 77),
    ):
        changed = [*lines[:2], {**lines[2], member: value}, *lines[3:]]
        told_name = f"{changed[2]['chain']}-{changed[2]['sequence']}"
        assert not stranger(rewrite(path, changed), told_name)
    checkpoint = read(path)[0]["checkpoint"].replace(b"time 2026", b"time 2025")
    assert not stranger(rewrite(path, lines, checkpoint=checkpoint), name)
    if asked:
        moved = [*lines[:2], {**lines[2], "leaf": lines[2]["leaf"] + 1}, *lines[3:]]
        assert not stranger(rewrite(path, moved), name)
    else:
        assert not stranger(rewrite(path, lines[:-1]), name)
