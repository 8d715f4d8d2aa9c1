"""Who is told of a way in: the person and the administrators of their schools (N-45, N-50).

They find it on their first page, and by e-mail where they have an address. A message names nobody:
what it is about is seen after signing in (E-01).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, insert, or_, select, update
from sqlalchemy.orm import aliased

from authz import clock
from authz.config import Settings
from authz.directory.relations import CARING
from authz.directory.tables import Guardianship, Membership, Person
from authz.review.rights import State
from authz.service import mail
from authz.service.changing import By
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.people import within
from authz.service.reviews import schools
from authz.service.shown import Viewer
from authz.service.tables import SignIn, SignInNotice, SignInRequest
from authz.service.visible import Visible

LASTS: Final = timedelta(days=14)
"""A request that nobody answered within this time has ended."""
TOLD: Final = timedelta(days=30)
"""How long the first page tells of it."""
SHOWN: Final = 8
TRIES: Final = 5
MOST: Final = 200
ASKED, OWN, NEAR, BACK = "asked", "own", "near", "taken_back"
_TEXTS: Final = {
    ASKED: (
        "มีคำขอเปิดทางเข้าสู่ระบบรอการอนุมัติ / A way to sign in waits for approval",
        (
            "มีคำขอเปิดทางเข้าสู่ระบบของบุคคลในโรงเรียนของท่าน ซึ่งต้องให้บุคคลที่สองอนุมัติ\n"
            "A way to sign in is asked for a person of your school; a second person decides."
        ),
        "/admin/approvals",
    ),
    OWN: (
        "มีการเปิดทางเข้าสู่ระบบในนามของท่าน / A new way to sign in as you",
        (
            "มีการเปิดทางเข้าสู่ระบบในนามของท่าน หากท่านไม่ได้ขอ โปรดแจ้งโรงเรียนทันที\n"
            "A new way to sign in as you was given. Not asked for? Tell your school at once."
        ),
        "/admin/profile",
    ),
    NEAR: (
        "มีการเปิดทางเข้าสู่ระบบของบุคคลในโรงเรียนของท่าน / A way to sign in was given",
        (
            "มีการเปิดทางเข้าสู่ระบบของบุคคลในโรงเรียนของท่าน รายละเอียดอยู่ในหน้าแรก\n"
            "A way to sign in was given for a person of your school; your first page says whose."
        ),
        "/admin/",
    ),
    BACK: (
        "ผู้ขอถอนคำขอเปิดทางเข้าสู่ระบบแล้ว / A way to sign in is not asked for any more",
        (
            "ผู้ขอถอนคำขอเปิดทางเข้าสู่ระบบที่แจ้งไว้ก่อนหน้านี้แล้ว ท่านไม่ต้องพิจารณาคำขอนั้น\n"
            "The request of a way to sign in that you were told of was taken back. "
            "There is nothing to decide."
        ),
        "/admin/approvals",
    ),
}


def queue_asked(connection: Connection, request: str, person: str, made: By) -> None:
    """Tell those who may approve it, but for the one who asks."""
    _queue(connection, request, ASKED, _near(connection, person, made) - {made.who})


def queue_given(connection: Connection, request: str, person: str, made: By) -> None:
    """Tell the person, at the sign-ins they had before, and the administrators of their schools."""
    _queue(connection, request, OWN, {person})
    _queue(connection, request, NEAR, _near(connection, person, made) - {made.who})


def queue_taken_back(connection: Connection, request: str) -> None:
    """Tell those whom a message has reached that asked them; the others are not asked any more."""
    n = SignInNotice
    told = select(n.name).where(n.request == request, n.about == ASKED, n.sent_at.is_not(None))
    _queue_names(connection, request, BACK, connection.scalars(told).all())


def still_open(now: datetime) -> ColumnElement[bool]:
    """That a request waits, and has not ended by itself."""
    r = SignInRequest
    return and_(r.state == State.WAITING.value, r.asked_at > now - LASTS)


def _near(connection: Connection, person: str, made: By) -> set[str]:
    """Who administers a school of the person's, or of a child's in their care."""
    m, g = Membership, Guardianship
    cared = select(g.student).where(
        g.guardian == person, g.kind.in_(sorted(CARING)), within(g, made.at)
    )
    at = select(m.organisation).where(
        (m.person == person) | m.person.in_(cared), within(m, made.at)
    )
    tree = schools.read(connection, made.at)
    lines = (line for place in connection.scalars(at.distinct()) for line in tree.line(place))
    return {admin for line in lines for admin in line} - {person}


def _queue(connection: Connection, request: str, about: str, people: Collection[str]) -> None:
    names = connection.scalars(
        select(SignIn.name).where(SignIn.person.in_(people), SignIn.disabled_at.is_(None))
    )
    _queue_names(connection, request, about, names.all())


def _queue_names(connection: Connection, request: str, about: str, names: Collection[str]) -> None:
    rows = [{"request": request, "about": about, "name": name, "tries": 0, "problem": ""}
            for name in names]  # fmt: skip
    if rows:
        connection.execute(insert(SignInNotice), rows)


def own(store: Engine, person: str) -> list[Any]:
    """The ways in to the person's own sign-ins that were given lately, the newest first."""
    with reading(store) as connection:
        query = _given().where(SignInRequest.person == person)
        return list(connection.execute(query))


def near(console: DecisionPoint, viewer: Viewer) -> list[Any]:
    """The same of the people whom the viewer may see, but for the viewer's own."""
    with reading(console.store) as connection:
        query = _given().where(SignInRequest.person != viewer.person)
        return list(connection.execute(query.where(about(connection, console, viewer))))


def about(connection: Connection, console: DecisionPoint, viewer: Viewer) -> ColumnElement[bool]:
    """That a request is about somebody whom the viewer may see, or who cares for such a child."""
    person, one, g, now = SignInRequest.person, aliased(Person), Guardianship, clock.now()
    seen = Visible.to(connection, console, viewer)
    cares = select(g.id).where(g.guardian == person, g.kind.in_(sorted(CARING)), within(g, now))
    return or_(
        exists(seen.only(select(one.id).where(one.id == person), one.id)),
        exists(seen.only(cares, g.student)),
    )


def _given() -> Any:
    r = SignInRequest
    lately = r.answered_at > clock.now() - TOLD
    query = select(*r.__table__.c).where(r.state == State.APPROVED.value, lately)
    return query.order_by(r.answered_at.desc(), r.id).limit(SHOWN)


def deliver(store: Engine, settings: Settings) -> int:
    """Send what waits by e-mail, and return how many left; nothing without AUTHZ_SMTP_URL.

    What fails is tried again, five times. Nobody is asked about a request that waits no more.
    """
    if not settings.smtp_url:
        return 0
    n, r = SignInNotice, SignInRequest
    asked = select(r.id).where(r.id == n.request, still_open(clock.now()))
    query = select(*n.__table__.c).where(n.sent_at.is_(None), n.tries < TRIES)
    query = query.where(or_(n.about != ASKED, asked.exists()))
    with reading(store) as connection:
        rows = connection.execute(query.order_by(n.request).limit(MOST)).all()
    if not rows:
        return 0
    sent = 0
    with mail.opened(settings) as post, writing(store) as connection:
        for row in rows:
            problem = post(_message(row, settings))
            sent += not problem
            at = None if problem else clock.now()
            connection.execute(
                update(n)
                .where(n.request == row.request, n.about == row.about, n.name == row.name)
                .values(tries=row.tries + 1, problem=problem, sent_at=at)
            )
    return sent


def _message(row: Any, settings: Settings) -> EmailMessage:
    subject, text, path = _TEXTS[row.about]
    message = EmailMessage()
    message["To"] = mail.address(row.name, settings)
    message["From"] = settings.smtp_from
    message["Subject"] = subject
    message.set_content(f"{text}\n\n{settings.public_url}{path}\n")
    return message
