"""*Who saw my data*: for a person, or for who may ask for them (N-30, N-49).

It tells applications, roles, kinds of data, purposes and dates; no member of staff is named
unless the setting allows it. The person's own uses are counted and not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authz import clock
from authz.audit import uses
from authz.audit.record import timestamp
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.journals import catch_up
from authz.service.reports.asking import Asker, Told, allowed, record
from authz.service.reports.document import Report, Row, Rows, Table, Texts
from authz.service.reports.words import Words

NAME: Final = "access_of"
TITLE: Final[Texts] = {"th": "ใครใช้ข้อมูลของฉันบ้าง", "en": "Who used my data"}
ACCESSES: Final[Texts] = {"th": "การใช้ข้อมูล", "en": "Uses of the data"}
NOTES: Final[tuple[Texts, ...]] = (
    {
        "th": "แต่ละแถวคือการใช้ข้อมูลที่ระบบอนุญาต ผู้ใช้อาจได้รับอนุญาตแล้วแต่ไม่ได้เปิดดูจริง",
        "en": "Each row is a use that was allowed. Who was allowed may still not have looked.",
    },
    {
        "th": "“อยู่ในรายการค้นหา” หมายถึงรหัสของบุคคลนี้ปรากฏในผลค้นหา โดยยังไม่มีการเปิดดูข้อมูล",
        "en": "“Listed only” means that this person's id was in a list of results; no data "
        "were seen by that.",
    },
    {
        "th": "หากเห็นสิ่งที่ไม่ควรเกิดขึ้น โปรดแจ้งโรงเรียนหรือเจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล "
        "และท่านมีสิทธิร้องเรียนต่อสำนักงานคณะกรรมการคุ้มครองข้อมูลส่วนบุคคล",
        "en": "If something here should not have happened, tell the school or the "
        "data-protection officer. You may also complain to the Personal Data Protection "
        "Committee (N-38).",
    },
)
_SHORT: Final = ("application", "role", "category", "purpose", "action", "how")
_COUNTED: Final = ("times", "first", "last")


@dataclass
class _Tally:
    """How often, and between when."""

    times: int
    first: str
    last: str

    def add(self, times: int, first: str, last: str) -> None:
        """Count some more."""
        self.times += times
        self.first, self.last = min(self.first, first), max(self.last, last)


def access_of(
    point: DecisionPoint,
    person: str,
    *,
    by: Asker,
    since: datetime | None = None,
    until: datetime | None = None,
    staff: bool = False,
) -> Report:
    """Who used this person's data; ForbiddenError where the asker may not know.

    With ``staff`` the accounts are told too.
    """
    told = Told(NAME, {"since": since, "until": until, "staff": staff or None}, person)
    allowed(point, told, by)
    roles = {c.rule.id: c.rule.role for c in point.policy.permits}
    catch_up(point.store)
    with reading(point.store) as connection:
        found = uses.of_person(connection, person, since, until, by_subject=staff)
        own, table = _tables(found, roles, staff=staff)
        turned_down = uses.refused(connection, person, since, until)
    record(point.store, told, by)
    words = Words(point.policy.catalogue)
    columns = words.columns(*_SHORT, *(("subject",) if staff else ()), *_COUNTED)
    facts = {
        "person": person,
        "made_at": timestamp(clock.now()),
        "since": since and timestamp(since),
        "until": until and timestamp(until),
        "own": own,
        "refused": turned_down,
    }
    return Report(
        id=NAME,
        title=TITLE,
        facts=[words.fact(name, value) for name, value in facts.items()],
        notes=NOTES,
        tables=[Table("accesses", ACCESSES, columns, table)],
        main="accesses",
    )


def _tables(found: Any, roles: Mapping[str, str], *, staff: bool) -> tuple[int, Rows]:
    """The person's own uses, counted, and everybody else's, newest first.

    Several rules of one role are one row: how many there are depends on the pack, never on
    how often somebody looked.
    """
    tallies: dict[Row, _Tally] = {}
    own = 0
    for application, rules, category, purpose, action, mine, how, subject, *counts in found:
        if mine:
            own += counts[0]
            continue
        held = tuple(sorted({roles.get(rule, rule) for rule in uses.rule_ids(rules)}))
        key = (application, held, category, purpose, action, how, *((subject,) if staff else ()))
        if key in tallies:
            tallies[key].add(*counts)
        else:
            tallies[key] = _Tally(*counts)
    ordered = sorted(tallies.items(), key=lambda item: (item[1].last, item[0]), reverse=True)
    return own, Rows((*key, tally.times, tally.first, tally.last) for key, tally in ordered)
