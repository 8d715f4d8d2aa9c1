"""A query narrowed to whom a subject may see, in the statements that applications write (3.4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVarTuple

import pytest
from sqlalchemy import Engine, ForeignKey, Select, String, create_engine, func, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    joinedload,
    mapped_column,
    relationship,
)

from authz import permitted
from authz.decision.request import Action, Entity, Request, question
from authz.directory.conditions.narrowed import Narrowing
from authz.directory.conditions.view import Given
from authz.directory.facts import Place
from authz.directory.tables import Person
from authz.engine.formula import Related
from authz.vocabulary import Relation
from tests.world import BANGKOK, NOW, World, policy

PLACE = Place(BANGKOK)
Row = TypeVarTuple("Row")


class Base(DeclarativeBase):
    """Tables of an application beside the directory's."""


class Result(Base):
    __tablename__ = "app_result"
    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(String(64))
    notes: Mapped[list[Note]] = relationship(order_by="Note.id")


class Note(Base):
    __tablename__ = "app_note"
    id: Mapped[int] = mapped_column(primary_key=True)
    result: Mapped[int] = mapped_column(ForeignKey("app_result.id"))


def narrowed(
    statement: Select[*Row], subject: str, person: Any, at: datetime = NOW, about: str = "identity"
) -> Select[*Row]:
    return permitted(
        statement, subject, "read", about, person=person, policy=policy(), place=PLACE, at=at
    )


@pytest.fixture
def school(store: Engine) -> Engine:
    """Two teachers with a class each; the second teacher ends tomorrow."""
    world = World().school("S").group("C", school="S").group("D", school="S")
    world.person("ann", "bob", "kid", "pal", "tot", at="S")
    world.enrol("C", "teacher", "ann").enrol("C", "student", "kid", "pal")
    soon = (NOW + timedelta(days=1)).date().isoformat()
    world.enrol("D", "teacher", "bob", end=soon).enrol("D", "student", "tot")
    world.store(store)
    return store


@pytest.fixture
def results(school: Engine) -> Engine:
    """An application's own tables in the same database."""
    Base.metadata.drop_all(school)
    Base.metadata.create_all(school)
    with Session(school) as session:
        for number, student in enumerate(("kid", "pal", "tot", "kid")):
            notes = [Note(id=10 * number + each) for each in range(2)]
            session.add(Result(id=number, student=student, notes=notes))
        session.commit()
    return school


def people(store: Engine, subject: str, at: datetime = NOW) -> set[str]:
    with store.connect() as connection:
        return set(connection.scalars(narrowed(select(Person.id), subject, Person.id, at)))


def compiled(store: Engine) -> int:
    """How many statements SQLAlchemy keeps."""
    return len(store._compiled_cache or ())


def test_a_statement_is_written_once_and_each_subject_and_moment_has_its_own_answer(
    school: Engine,
) -> None:
    """SQLAlchemy keeps what was compiled: the values of one question must never answer another."""
    fresh = create_engine(school.url)
    later = NOW + timedelta(days=3)
    assert people(fresh, "ann") == {"ann", "kid", "pal"}
    kept = compiled(fresh)
    assert people(fresh, "bob") == {"bob", "tot"}
    assert people(fresh, "bob", later) == {"bob"}
    assert people(fresh, "ann", later) == {"ann", "kid", "pal"}
    assert people(fresh, "stranger") == set()
    assert compiled(fresh) == kept
    fresh.dispose()


def test_two_columns_of_one_statement_are_narrowed_each_by_itself(results: Engine) -> None:
    other = aliased(Result)
    both = select(Result.id, other.id).join(other, other.id > Result.id)
    statement = narrowed(narrowed(both, "ann", Result.student), "bob", other.student)
    with Session(results) as session:
        assert {tuple(row) for row in session.execute(statement)} == {(0, 2), (1, 2)}


def test_categories_of_one_subject_are_not_mixed_up(school: Engine) -> None:
    """A teacher sees who the students are, and not where they live."""
    statement = select(Person.id)
    with school.connect() as connection:
        seen = narrowed(statement, "ann", Person.id, about="contact")
        assert set(connection.scalars(seen)) == {"ann"}
    assert people(school, "ann") == {"ann", "kid", "pal"}


def test_a_page_with_what_belongs_to_its_rows_is_narrowed(results: Engine) -> None:
    """The limit makes a query within a query of it, whose columns have other names."""
    page = select(Result).options(joinedload(Result.notes)).order_by(Result.id.desc()).limit(2)
    with Session(results) as session:
        found = session.scalars(narrowed(page, "ann", Result.student)).unique().all()
        assert [(each.id, len(each.notes)) for each in found] == [(3, 2), (1, 2)]


def test_a_narrowed_statement_is_counted_and_joined_to(results: Engine) -> None:
    inner = narrowed(select(Result.id, Result.student), "ann", Result.student).subquery()
    notes = select(func.count(Note.id)).join(inner, inner.c.id == Note.result)
    union = narrowed(select(Result.id), "ann", Result.student).union(
        narrowed(select(Result.id), "bob", Result.student)
    )
    with Session(results) as session:
        assert session.scalar(select(func.count()).select_from(inner)) == 3
        assert session.scalar(notes) == 6
        assert set(session.scalars(union)) == {0, 1, 2, 3}


@pytest.mark.parametrize("nobody", ["", "\0", "ann\0"])
def test_an_id_that_no_database_holds_sees_nobody(school: Engine, nobody: str) -> None:
    assert people(school, nobody) == set()


def test_what_a_statement_asks_besides_stays_beside_it(school: Engine) -> None:
    """Several rules that hold of anybody, as a processor's, are one condition among others."""
    world = World().fact("processor", id="P", name="P", members=["svc"])
    world.fact(
        "contract", id="c", processor="P", purposes=["service", "account"],
        categories={"identity": []}, actions=["read"], schools="all", transfer="domestic",
        country="TH", sub_processing=False,
    )  # fmt: skip
    world.store(school)
    one = select(Person.id).where(Person.id == "kid")

    def seen(statement: Select[Any]) -> set[str]:
        found = permitted(
            statement, "svc", "read", "identity", person=Person.id, subject_type="service",
            purpose="service", policy=policy(), place=PLACE, at=NOW,
        )  # fmt: skip
        with school.connect() as connection:
            return set(connection.scalars(found))

    assert seen(one) == {"kid"}
    assert {"kid", "pal", "tot"} <= seen(select(Person.id))
    assert seen(one.where(Person.id == "pal")) == set()


def test_a_condition_of_alternatives_is_one_condition_among_others(school: Engine) -> None:
    """Either of two that everybody meets: in brackets, or whoever is asked about is forgotten."""
    asked = question(
        Request(Entity("user", "ann"), Action("read"), Entity("identity", "")), believes_mfa=False
    )
    either = (Related(Relation.PERSON_KNOWN), Related(Relation.MINOR))
    narrowing = Narrowing(either, asked, PLACE, policy().catalogue)
    met = narrowing.of(Person.__table__.c.id, Given(asked, NOW, PLACE))
    with school.connect() as connection:
        one = select(Person.id).where(Person.id == "kid")
        assert set(connection.scalars(one.where(met))) == {"kid"}
        assert set(connection.scalars(one.where(met, Person.id == "pal"))) == set()
        assert len(set(connection.scalars(select(Person.id).where(met)))) == 5
