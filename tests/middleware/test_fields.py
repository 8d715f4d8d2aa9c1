"""Theorems about filtering: no name, class or person leaves that the answer does not allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
)

from authz.errors import ObligationError, RefusedError, SettingError
from authz.middleware.answer import Answer
from authz.middleware.declare import Needs
from authz.middleware.obligations import reading
from authz.middleware.obligations.fields import DROPPED, Orders, carry_out
from authz.middleware.obligations.pseudonyms import PseudonymKey
from authz.middleware.permitted import Permitted
from authz.middleware.question import Question
from authz.middleware.shape import Shape

NAMES = ["a", "b", "c", "id", "class", "rows"]
LEAVES = some.none() | some.booleans() | some.integers() | some.text(max_size=3)
TREES: Any = some.recursive(
    some.dictionaries(some.sampled_from(NAMES), LEAVES, max_size=4),
    lambda inner: some.dictionaries(
        some.sampled_from(NAMES), inner | some.lists(inner, max_size=3) | LEAVES, max_size=4
    ),
    max_leaves=12,
)
SETS = some.frozensets(some.sampled_from(NAMES))
KEY = PseudonymKey(b"k" * 32, "study-1")


def inside(tree: Any) -> Iterator[tuple[str, Any]]:
    """Every name of a tree with its value, at any depth."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield name, value
            yield from inside(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from inside(each)


@given(TREES, SETS, SETS)
def test_a_filtered_tree_never_holds_a_name_that_is_not_allowed(
    tree: Any, allowed: frozenset[str], keep: frozenset[str]
) -> None:
    done = carry_out(tree, Orders(Shape(keep=keep), fields=allowed))
    assert {name for name, _ in inside(done)} <= allowed | keep


@given(
    TREES | some.lists(TREES, max_size=3),
    SETS,
    SETS,
    SETS,
    some.dictionaries(some.sampled_from(NAMES), some.sampled_from(NAMES), max_size=3),
)
def test_what_is_read_of_a_body_is_what_walking_its_tree_leaves(
    tree: Any,
    allowed: frozenset[str],
    keep: frozenset[str],
    whole: frozenset[str],
    names: dict[str, str],
) -> None:
    shape = Shape(names=names, keep=keep, whole=whole)
    read = reading.filtered(json.dumps(tree).encode(), shape, allowed)
    if read is not None:
        assert json.loads(read) == carry_out(tree, Orders(shape, fields=allowed))


SPELT: list[tuple[bytes, object]] = [
    (b'{"a": 1, "c": 3}', {"a": 1}),
    (b'{"a": {"c": 1}, "a": 2}', {"a": 2}),
    (b'{"a": 2, "a": {"c": 1}}', {"a": {}}),
    (b'{"\\u0061": 1, "\\u0063": 2}', {"a": 1}),
    (b'{"a": "\\u0e01", "c": "\xe0\xb8\x81"}', {"a": "ก"}),
    (b'[{"a": [null, 1, {"c": 1}]}, null]', [{"a": [None, 1, {}]}, None]),
    (b'{"b": {"c": [[1]]}, "c": [[1]]}', {"b": {"c": [[1]]}}),
    (b'{"a": 123456789012345678901234567890, "c": 1e5}', {"a": 123456789012345678901234567890}),
]


@pytest.mark.parametrize(("body", "left"), SPELT)
def test_a_body_is_read_by_its_names_however_they_are_spelt(body: bytes, left: object) -> None:
    shape = Shape(whole=frozenset({"b"}))
    read = reading.filtered(body, shape, frozenset({"a", "b"}))
    assert read is not None
    assert json.loads(read) == left


@pytest.mark.parametrize("body", [b'{"a": [[1]]}', b"[1]", b"null", b"[[{}]]", b'{"a": [[{}]]}'])
def test_what_cannot_be_read_by_names_is_left_to_the_walk(body: bytes) -> None:
    assert reading.filtered(body, Shape(), frozenset({"a"})) is None


@pytest.mark.parametrize("name", ['"', "\\", "\n", "\ud800"])
def test_names_that_msgspec_does_not_spell_are_left_to_the_walk(name: str) -> None:
    shape = Shape()
    for _ in range(2):
        assert reading.filtered(b"{}", shape, frozenset({name})) is None


@pytest.mark.parametrize(
    "body", [b'{"c": NaN}', b'{"a": 1,}', b'{"a": 1}{}', b"\xef\xbb\xbf{}", b""]
)
def test_what_is_no_json_is_not_read(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|Input data"):
        reading.filtered(body, Shape(), frozenset({"a"}))


def test_readers_are_kept_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "KEPT", 1)
    shape = Shape()
    assert reading.filtered(b'{"a": 1}', shape, frozenset({"a"})) == b'{"a":1}'
    assert reading.filtered(b'{"a": 1}', shape, frozenset({"b"})) is None
    assert reading.filtered(b'{"a": 1}', shape, frozenset({"a"})) == b'{"a":1}'
    assert Shape() == shape


@given(TREES, SETS)
def test_what_is_allowed_stays_as_it_was(tree: Any, keep: frozenset[str]) -> None:
    assert carry_out(tree, Orders(Shape(keep=keep), fields=frozenset(NAMES))) == tree


@given(TREES, SETS, SETS)
def test_filtering_again_changes_nothing_and_the_tree_given_is_left_alone(
    tree: Any, allowed: frozenset[str], keep: frozenset[str]
) -> None:
    before, orders = deepcopy(tree), Orders(Shape(keep=keep), fields=allowed)
    once = carry_out(tree, orders)
    assert carry_out(once, orders) == once
    assert tree == before


@given(TREES, SETS, SETS, SETS)
def test_allowing_less_never_shows_more(
    tree: Any, allowed: frozenset[str], fewer: frozenset[str], keep: frozenset[str]
) -> None:
    less = carry_out(tree, Orders(Shape(keep=keep), fields=allowed & fewer))
    more = carry_out(tree, Orders(Shape(keep=keep), fields=allowed))
    assert {name for name, _ in inside(less)} <= {name for name, _ in inside(more)}
    assert carry_out(more, Orders(Shape(keep=keep), fields=allowed & fewer)) == less


@given(TREES, some.frozensets(some.sampled_from(["", "x", "0"])))
def test_no_field_leaves_without_an_allowed_class_above_it(
    tree: Any, classes: frozenset[str]
) -> None:
    shape = Shape(keep=frozenset({"rows", "class"}), class_of="class")
    done = carry_out(tree, Orders(shape, classes=classes))
    if done is not DROPPED:
        _classed(done, classes, known=False)


def _classed(tree: Any, classes: frozenset[str], *, known: bool) -> None:
    if isinstance(tree, list):
        for each in tree:
            _classed(each, classes, known=known)
    if isinstance(tree, dict):
        if "class" in tree:
            assert str(tree["class"]) in classes
            known = True
        assert known or tree.keys() <= {"rows", "class"}
        for each in tree.values():
            _classed(each, classes, known=known)


@given(TREES)
def test_no_identifier_leaves_as_it_is(tree: Any) -> None:
    shape = Shape(identifiers=frozenset({"id"}))
    try:
        done = carry_out(tree, Orders(shape, renamed=KEY.pseudonym))
    except ObligationError:
        return  # an identifier that cannot be replaced: nothing leaves at all
    for name, value in inside(done):
        if name == "id" and value is not None:
            assert all(
                each.startswith("~") for each in (value if isinstance(value, list) else [value])
            )


@given(some.text(), some.text())
def test_a_pseudonym_is_stable_for_its_contract_and_differs_by_person_key_and_contract(
    one: str, two: str
) -> None:
    assert KEY.pseudonym(one) == PseudonymKey(b"k" * 32, "study-1").pseudonym(one)
    assert (KEY.pseudonym(one) == KEY.pseudonym(two)) is (one == two)
    assert KEY.pseudonym(one) != PseudonymKey(b"k" * 32, "study-2").pseudonym(one)
    assert KEY.pseudonym(one) != PseudonymKey(b"l" * 32, "study-1").pseudonym(one)


def test_a_weak_key_is_none() -> None:
    for secret, contract in ((b"short", "c"), (b"k" * 32, "")):
        with pytest.raises(SettingError):
            PseudonymKey(secret, contract)


class Part(NamedTuple):
    a: int
    secret: int


@dataclass
class Data:
    a: int
    secret: int
    rows: list[Part]


class Model(BaseModel):
    a: int
    secret: int
    rows: list[Part]


class Base(DeclarativeBase):
    pass


class Teacher(Base):
    __tablename__ = "teacher"
    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[int]
    secret: Mapped[int]


class Result(Base):
    __tablename__ = "result"
    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[int]
    secret: Mapped[int] = mapped_column(deferred=True)
    of: Mapped[int] = mapped_column(ForeignKey("teacher.id"))
    teacher: Mapped[Teacher] = relationship()


ONLY_A = Orders(Shape(keep=frozenset({"rows", "teacher"})), fields=frozenset({"a"}))


@pytest.mark.parametrize("kind", [Data, Model])
def test_objects_are_filtered_as_their_members(kind: Any) -> None:
    made = kind(a=1, secret=2, rows=[Part(3, 4)])
    assert carry_out([made], ONLY_A) == [{"a": 1, "rows": [{"a": 3}]}]


def test_a_column_that_is_not_allowed_is_never_read() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    with Session(engine) as session:
        session.add(Result(id=1, a=2, secret=3, teacher=Teacher(id=4, a=5, secret=6)))
        session.commit()
        result = session.scalars(select(Result)).one()
        row = session.execute(select(Result.a, Result.secret)).one()
        asked.clear()
        assert carry_out(result, ONLY_A) == {"a": 2, "teacher": {"a": 5}}
        assert not [each for each in asked if "result.secret" in each]
        assert carry_out([row], ONLY_A) == [{"a": 2}]
        with_it = Orders(ONLY_A.shape, fields=frozenset({"a", "secret"}))
        assert carry_out(result, with_it)["secret"] == 3
    engine.dispose()


@pytest.mark.parametrize(
    "value", ["text", 7, ["p-1"], object(), {"a": object()}, {"a": b"bytes"}, {1: 2}, iter([])]
)
def test_what_cannot_be_filtered_is_refused(value: object) -> None:
    with pytest.raises(ObligationError):
        carry_out(value, ONLY_A)


def test_nesting_without_end_is_refused() -> None:
    tree: dict[str, Any] = {}
    tree["a"] = tree
    with pytest.raises(ObligationError):
        carry_out(tree, ONLY_A)


def test_names_in_json_stand_for_fields_of_the_catalogue() -> None:
    shape = Shape(names={"points": "score", "note": "comment"})
    done = carry_out({"points": 1, "note": "x"}, Orders(shape, fields=frozenset({"score"})))
    assert done == {"points": 1}


def test_a_whole_field_stays_with_all_that_it_holds_but_whom() -> None:
    shape = Shape(whole=frozenset({"analysis"}), identifiers=frozenset({"id"}))
    tree = {"analysis": {"q1": {"right": True, "id": "p-1"}}, "other": {"q1": 1}}
    orders = Orders(shape, fields=frozenset({"analysis"}), renamed=KEY.pseudonym)
    found = {"q1": {"right": True, "id": KEY.pseudonym("p-1")}}
    assert carry_out(tree, orders) == {"analysis": found}


def test_moments_and_the_like_stay_for_the_application_to_write() -> None:
    now = datetime.now(UTC)
    assert carry_out({"a": now}, ONLY_A) == {"a": now}


def permit(answer: Answer, **more: Any) -> Permitted:
    needs = Needs("read", "assessment_result", "student", **more)
    return Permitted(needs, Question("u", "read", "c", "p"), answer, pseudonyms=KEY)


def test_a_body_is_filtered_and_the_permit_settled() -> None:
    given_ = permit(Answer(permit=True, fields=frozenset({"score"})))
    assert given_.must_filter
    assert not given_.settled
    body = '{"score": 1, "comment": "ดี", "score": 2}'.encode()
    assert json.loads(given_.filter_json(body)) == {"score": 2}
    assert given_.settled


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"{", b"[" * 100_000])
def test_a_body_that_is_no_json_leaves_nothing(body: bytes) -> None:
    with pytest.raises(ObligationError):
        permit(Answer(permit=True, fields=frozenset({"score"}))).filter_json(body)


def test_a_record_of_another_class_is_refused_and_a_row_left_out() -> None:
    given_ = permit(
        Answer(permit=True, classes=frozenset({"C-1"})),
        shape=Shape(keep=frozenset({"rows"}), class_of="class"),
    )
    rows = [{"class": "C-1", "a": 1}, {"class": "C-2", "a": 2}, {"a": 3}]
    assert given_.filter({"rows": rows}) == {"rows": rows[:1]}
    with pytest.raises(RefusedError):
        given_.filter(rows[1])


def test_a_pseudonym_is_not_given_a_pseudonym() -> None:
    given_ = permit(
        Answer(permit=True, pseudonymise=True), shape=Shape(identifiers=frozenset({"id"}))
    )
    once = given_.filter({"id": "p-1"})
    assert given_.filter(once) == once == {"id": KEY.pseudonym("p-1")}
