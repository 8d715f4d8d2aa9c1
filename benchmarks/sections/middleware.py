"""A Flask application by itself, and the same one guarded: embedded, and by a point over HTTP."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from sqlalchemy import Engine, ForeignKey, create_engine, insert, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
)

from authz.config import load
from authz.middleware import EmbeddedPoint, Guard, Identity, Point, RemotePoint, Shape
from authz.middleware.flask import Authz, needs
from benchmarks import results, served
from benchmarks.directories import Case, authz, cases, directory
from benchmarks.inside import PACK
from benchmarks.results import Section, target
from benchmarks.rosters import SCHOOL
from benchmarks.timing import Timing, in_turn, number, over

STUDENTS = 40_000
ROWS = 20
"""Results of a student, each with its assessment's name, a score and a comment."""
PASS = 20
BARE, REMOTE = "bare application", "guarded, over HTTP"
EMBEDDED = "guarded, embedded"
UNSYNCED = "guarded, embedded, `AUTHZ_AUDIT_DURABILITY=os`"
LIMIT = 1.25
PUBLIC = "https://pdp.example.test"
SECTION = Section(
    "middleware",
    "A Flask application, bare and guarded",
    f"""One request: a route loads the account that is signed in, finds a student's {ROWS} results
among those of all students with their assessments, by the ORM of SQLAlchemy in SQLite, and answers
with JSON. Guarded, each request is decided first and recorded on disk, and its JSON is filtered
field by field. The applications are called as a WSGI server calls them, without a socket; parents,
administrators and pupils ask by turns, all permitted. Microseconds of the wall.""",
)


class Base(DeclarativeBase):
    """The application's own tables."""


class Account(Base):
    """Whoever signs in."""

    __tablename__ = "accounts"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Assessment(Base):
    """A test that was sat."""

    __tablename__ = "assessments"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Result(Base):
    """How a student did in it."""

    __tablename__ = "results"
    id: Mapped[int] = mapped_column(primary_key=True)
    student: Mapped[str] = mapped_column(index=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessments.id"))
    score: Mapped[float]
    max_score: Mapped[float]
    comment: Mapped[str]
    taken_at: Mapped[str]
    assessment: Mapped[Assessment] = relationship()


def run(section: Section, *, quick: bool) -> None:
    """Check that all answer alike, and time them."""
    of = directory(SCHOOL * 10 if quick else STUDENTS)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        shutil.copy(of.path, folder / "authz.db")
        asked = [case for case in cases(of) if case.permit and case.kind != "teacher"][:PASS]
        store = _application_store(folder, asked)
        works = {BARE: _bare(store)}
        for label, durability in ((EMBEDDED, "fsync"), (UNSYNCED, "os")):
            point = stack.enter_context(closing(_embedded(folder, durability)))
            works[label] = _guarded(store, point)
        try:
            works[REMOTE] = _guarded(store, stack.enter_context(_remote(folder)))
        except Exception as error:  # noqa: BLE001 (the others are measured)
            section.problems.append(f"{REMOTE}: {type(error).__name__}: {error}")
        _compared(works, asked)
        passes = {name: over(work, [(case,) for case in asked]) for name, work in works.items()}
        times = in_turn(passes, 2 if quick else 6, perf_counter)
        store.dispose()
    _told(section, times)


def _told(section: Section, times: dict[str, Timing]) -> None:
    floor = times[BARE].p50
    rows = [[n, t.shown(), t.spread(), number(t.p50 / floor)] for n, t in times.items()]
    columns = ["", "µs, median", "10 % – 90 %", "× bare"]
    section.tables.append(results.Table("", columns, rows))
    for name in (EMBEDDED, UNSYNCED):
        promise = f"a Flask request, {name}: within {LIMIT} × of the bare application"
        section.targets.append(target(promise, times[name].p50 / floor, LIMIT))


Work = Callable[[Case], bytes]


def _bare(store: Engine) -> Work:
    app = Flask("bare", static_folder=None)
    app.get("/students/<student>/results")(_view(store))
    return _called(app)


def _guarded(store: Engine, point: Point) -> Work:
    app = Flask("guarded", static_folder=None)
    shape = Shape(keep=frozenset({"results"}))
    asking = needs(
        "read", "assessment_result", person="student", purpose="service", shape=shape
    )  # fmt: skip
    app.get("/students/<student>/results")(asking(_view(store)))
    Authz(Guard(point), _identity).init_app(app).check()
    return _called(app)


def _identity() -> Identity:
    return Identity(request.environ["bench.subject"])


def _view(store: Engine) -> Callable[[str], Response]:
    def view(student: str) -> Response:
        with Session(store) as session:
            account = session.get(Account, request.environ["bench.subject"])
            if account is None or not account.active:
                abort(401)
            found = session.scalars(
                select(Result)
                .options(joinedload(Result.assessment))
                .where(Result.student == student)
                .order_by(Result.taken_at)
            )
            return jsonify(results=[_shown(row) for row in found])

    return view


def _shown(row: Result) -> dict[str, Any]:
    return {
        "assessment": row.assessment.name, "score": row.score, "max_score": row.max_score,
        "comment": row.comment, "taken_at": row.taken_at,
    }  # fmt: skip


def _called(app: Flask) -> Work:
    """One request as a WSGI server makes it."""

    def call(case: Case) -> bytes:
        environ = {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "QUERY_STRING": "",
            "PATH_INFO": f"/students/{case.person}/results", "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.version": (1, 0),
            "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
            "HTTP_HOST": "127.0.0.1", "HTTP_ACCEPT": "application/json",
            "bench.subject": case.subject,
        }  # fmt: skip
        said: list[str] = []

        def start(status: str, *_more: object) -> Callable[[bytes], object]:
            said.append(status)
            return lambda _data: None  # nobody writes

        body = app.wsgi_app(environ, start)
        data = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        if said != ["200 OK"]:
            raise RuntimeError(f"{case.kind}: {said} {data!r}")
        return data

    return call


def _compared(works: dict[str, Work], asked: list[Case]) -> None:
    """All of them give out the same, as every field of it is allowed."""
    for case in asked:
        given = [json.loads(work(case)) for work in works.values()]
        if len(given[0]["results"]) != ROWS or any(one != given[0] for one in given):
            raise RuntimeError(f"{case.kind}: the applications answer otherwise")


def _application_store(folder: Path, asked: list[Case]) -> Engine:
    """The application's own database, with results of those who are asked for and of others."""
    store = create_engine(f"sqlite:///{folder}/application.db")
    Base.metadata.create_all(store)
    others = (f"other-{number}" for number in range(5000))
    everybody = [*{case.person for case in asked}, *others]
    accounts = [{"id": name, "name": name, "active": True} for name in {c.subject for c in asked}]
    with store.begin() as connection:
        connection.execute(insert(Account), accounts)
        connection.execute(insert(Assessment), [{"name": f"test {n}"} for n in range(ROWS)])
        connection.execute(insert(Result), list(_rows(everybody)))
    return store


def _rows(students: list[str]) -> Iterator[dict[str, Any]]:
    words = cycle(("well done", "see me about question 4", "better than in May", ""))
    for student in students:
        for place in range(ROWS):
            yield {
                "student": student, "assessment_id": place + 1, "score": place * 3.5,
                "max_score": 100.0, "comment": next(words), "taken_at": f"2026-05-{place + 1:02d}",
            }  # fmt: skip


def _embedded(folder: Path, durability: Any) -> EmbeddedPoint:
    here = folder / durability
    here.mkdir()
    shutil.copy(folder / "authz.db", here / "authz.db")
    settings = load(
        database_url=f"sqlite:///{here}/authz.db", policy=PACK, key_folder=here / "keys",
        audit_folder=str(here / "audit"), public_url=PUBLIC, audit_durability=durability,
    )  # fmt: skip
    return EmbeddedPoint("bench", settings=settings)


@contextmanager
def _remote(folder: Path) -> Iterator[RemotePoint]:
    """A service of its own over a copy, and the client of it."""
    here = folder / "remote"
    here.mkdir()
    shutil.copy(folder / "authz.db", here / "authz.db")
    url = f"sqlite:///{here}/authz.db"
    token = authz(url, "token", "create", "--client", "bench", "--ttl", "1h", folder=here).strip()
    with served.ours(url, here) as port:
        reached = f"http://127.0.0.1:{port}"
        with closing(RemotePoint("https://127.0.0.1:8080", token, reached_at=reached)) as point:
            yield point
