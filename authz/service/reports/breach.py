"""*Breach*: whose data were within reach of what was stolen or misused (E-07, N-50).

From a token, an account, an application, a rule or a span of time: the people, their kinds
of data and fields, how often, first and last, per school; and a draft of the notice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from authz import clock
from authz.audit.record import timestamp
from authz.audit.uses import Selection
from authz.errors import MalformedError, NotFoundError
from authz.privacy.incidents import Incident
from authz.service import incident_register
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.journals import catch_up
from authz.service.reports.affected import Found, Sum
from authz.service.reports.asking import Asker, Told, record
from authz.service.reports.document import Report, Rows, Table, Texts
from authz.service.reports.letter import letters
from authz.service.reports.words import Words
from authz.service.tables import ClientToken

NAME: Final = "breach"
NAMES_OF: Final = {"account": "subject", "token": "jti"}
"""Under which names the record has what was asked: ids, and no secret."""
TITLE: Final[Texts] = {"th": "รายงานเหตุละเมิดข้อมูล", "en": "Breach report"}
TABLES: Final[dict[str, Texts]] = {
    "schools": {"th": "ตามโรงเรียน", "en": "By school"},
    "categories": {"th": "ตามประเภทข้อมูล", "en": "By kind of data"},
    "people": {"th": "บุคคลที่ได้รับผลกระทบ", "en": "People affected"},
}
NOTES: Final[tuple[Texts, ...]] = (
    {
        "th": "รายงานนี้แสดงสิ่งที่ระบบอนุญาต จึงเป็นขอบเขตสูงสุดของข้อมูลที่อาจรั่วไหล",
        "en": "This is what was allowed, and so the most that can have leaked by it.",
    },
    {
        "th": "โรงเรียนคือโรงเรียนที่บุคคลสังกัดในช่วงเวลาที่มีการใช้ข้อมูล บุคคลหนึ่งอาจสังกัดหลายโรงเรียน",
        "en": "Schools are those that a person belonged to in the span of the uses; a person "
        "may belong to several, and then counts for each.",
    },
    {
        "th": "“อยู่ในรายการ” หมายถึงรหัสปรากฏในผลค้นหา โดยยังไม่มีการเปิดดูข้อมูล",
        "en": "Listed means that an id was in a list of results; no data were seen by that.",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was stolen or misused: a ``token`` by its id, as each record of its uses names it."""

    token: str | None = None
    account: str | None = None
    application: str | None = None
    rule: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    incident: str | None = None


def breach(point: DecisionPoint, asked: Asked, *, by: Asker) -> Report:
    """The report; MalformedError where nothing is asked, NotFoundError of a strange token."""
    if not any((asked.token, asked.account, asked.application, asked.rule, asked.since)):
        raise MalformedError(
            "Say what was stolen or misused.",
            where=NAME,
            hint="A token, an account, an application, a rule, or a time since.",
        )
    incident = incident_register.get(point.store, asked.incident) if asked.incident else None
    catch_up(point.store)
    with reading(point.store) as connection:
        which = _selection(connection, asked)
        found = Found(connection, which)
        found.read()
    told = {NAMES_OF.get(name, name): getattr(asked, name) for name in Asked.__slots__}
    record(point.store, Told(NAME, told), by)
    return _report(Words(point.policy.catalogue), asked, which, found, incident)


def _selection(connection: Connection, asked: Asked) -> Selection:
    """The uses that were asked for; those of a token are its application's, since it was given."""
    which = Selection(
        subject=asked.account,
        application=asked.application,
        rule=asked.rule,
        since=asked.since,
        until=asked.until,
    )
    if asked.token is None:
        return which
    row = connection.execute(
        select(ClientToken.client, ClientToken.issued_at).where(ClientToken.jti == asked.token)
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no token of this id.", where=asked.token)
    since = max(row.issued_at, asked.since or row.issued_at)
    return replace(which, application=row.client, since=since, token_id=asked.token)


def _report(
    words: Words, asked: Asked, which: Selection, found: Found, incident: Incident | None
) -> Report:
    total = found.total
    facts = {
        "made_at": timestamp(clock.now()),
        "token": asked.token,
        "account": asked.account,
        "application": which.application,
        "rule": asked.rule,
        "since": which.since and timestamp(which.since),
        "until": which.until and timestamp(which.until),
        "people": total.people,
        "uses": total.times,
        "listings": total.listed,
        "first": total.first if total.people else None,
        "last": total.last,
    }
    kinds = sorted(found.categories)
    return Report(
        id=NAME,
        title=TITLE,
        facts=[words.fact(name, value) for name, value in facts.items()],
        notes=NOTES,
        tables=_tables(words, found),
        main="people",
        letters=letters(words, kinds, total.people, incident) if incident else (),
    )


def _tables(words: Words, found: Found) -> list[Table]:
    def sums(total: Sum) -> tuple[Any, ...]:
        return total.people, total.times, total.listed, total.first, total.last

    counted = ("people", "times", "listed", "first", "last")
    schools = (
        (found.names.get(school, ""), school, kind, *sums(total))
        for (school, kind), total in sorted(found.schools.items())
    )
    kinds = (
        (kind, sorted(total.fields), *sums(total))
        for kind, total in sorted(found.categories.items())
    )
    person = ("person", "category", "fields", "times", "listed", "first", "last", "schools")
    by_school = words.columns("name", "school", "category", *counted)
    by_kind = words.columns("category", "fields", *counted)
    return [
        Table("schools", TABLES["schools"], by_school, Rows(schools)),
        Table("categories", TABLES["categories"], by_kind, Rows(kinds)),
        Table("people", TABLES["people"], words.columns(*person), found.people),
    ]
