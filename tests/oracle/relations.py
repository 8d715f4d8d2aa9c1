"""2.4: each relation a named test over the rows of a school, at the time of decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from .moments import Row, birthday, instant, midnight_after, within
from .policy import CATALOGUE, GRANTED_ROLES, TRANSFERS
from .question import Question

# -- people ----------------------------------------------------------------------------------


def registered(q: Question, ident: str) -> bool:
    """A person of the directory who has not left (suspended ones included)."""
    person = q.school.people.get(ident)
    return person is not None and person.get("status", "active") != "deregistered"


def subject_is_active(q: Question) -> bool:
    """2.6 `inactive-subject` turned round; 2.4: a user is a person of the directory, a member
    of a processor or authority who is no such person is a service, other pairings unknown."""
    person = q.school.people.get(q.subject)
    if person is None:
        bodies = (*standing(q, "processor"), *standing(q, "authority"))
        return q.subject_type == "service" and any(
            q.subject in body.get("members", ()) for body in bodies
        )
    return q.subject_type == "user" and person.get("status", "active") == "active"


def is_self(q: Question) -> bool:
    """`self`: subject and data subject are the same active person."""
    return q.subject_type == "user" and q.subject == q.person and subject_is_active(q)


# -- rows in force ---------------------------------------------------------------------------


def in_force(q: Question, row: Row, begin: str = "from", end: str = "until") -> bool:
    """Within its dates, and not ended by `"delete": true`."""
    deleted = instant(row.get("deleted_at"), q.zone)
    return within(row, q.now, q.zone, begin, end) and (deleted is None or q.now < deleted)


def standing(q: Question, kind: str, begin: str = "from", end: str = "until") -> Iterator[Row]:
    """The facts of a kind that are in force."""
    return (row for row in q.school.rows(kind) if in_force(q, row, begin, end))


def named(q: Question, kind: str, ident: str | None, begin: str, end: str) -> Row | None:
    """The one fact of a kind with that id, if it is in force."""
    row = q.school.row(kind, ident)
    return row if row is not None and in_force(q, row, begin, end) else None


# -- organisations and classes ---------------------------------------------------------------


def above(q: Question, org: str) -> set[str]:
    """An organisation and all above it; one that is not known conducts nothing."""
    found: set[str] = set()
    at: str | None = org
    while at is not None and at in q.school.orgs and at not in found:
        found.add(at)
        at = q.school.orgs[at].get("parent")
    return found


def schools(q: Question, ident: str) -> set[str]:
    """Page 5 "Membership": those of a person now; none for one who has left (2.4)."""
    if not registered(q, ident):
        return set()
    rows = q.school.memberships_of.get(ident, ())
    return {row["org"] for row in rows if in_force(q, row) and row["org"] in q.school.orgs}


def reach(q: Question, ident: str) -> set[str]:
    """The organisations of which a person is a member, and all above them."""
    return {org for school in schools(q, ident) for org in above(q, school)}


def enrolled(q: Question, ident: str, *roles: str) -> set[str]:
    """2.4 `teaches`: classes of a person's active enrolments in one of these roles."""
    if not registered(q, ident):
        return set()
    rows = q.school.enrolments_of.get(ident, ())
    return {row["class"] for row in rows if row["role"] in roles and _enrolment_runs(q, row)}


def _enrolment_runs(q: Question, row: Row) -> bool:
    """2.4: a missing begin or end is taken, each by itself, from the class's terms (earliest
    begin, latest end); unknown terms: no active enrolments; no terms: unbounded."""
    group = q.school.classes.get(row["class"])
    if group is None or (group.get("school") and group["school"] not in q.school.orgs):
        return False
    if not set(group.get("terms", ())) <= q.school.terms.keys():
        return False
    terms = [q.school.terms[term] for term in group.get("terms", ())]
    begins = [instant(term.get("begin"), q.zone) for term in terms]
    ends = [instant(term.get("end"), q.zone) for term in terms]
    begin = instant(row.get("begin"), q.zone) or _unless_open(min, begins)
    end = instant(row.get("end"), q.zone) or _unless_open(max, ends)
    return (begin is None or begin <= q.now) and (end is None or q.now < end)


def _unless_open(
    pick: Callable[[Iterable[datetime]], datetime], moments: list[datetime | None]
) -> datetime | None:
    """The earliest or latest of them, where none is open."""
    bounded = [moment for moment in moments if moment is not None]
    return pick(bounded) if bounded and len(bounded) == len(moments) else None


def classes(q: Question, relation: str) -> set[str]:
    """The classes through which `teaches` or `assists` holds; with `properties.class`, that
    class only."""
    if q.subject == q.person or not subject_is_active(q):
        return set()
    mine = ("teacher",) if relation == "teaches" else ("aide", "proctor")
    shared = enrolled(q, q.subject, *mine) & enrolled(q, q.person, "student")
    return shared if q.in_class is None else shared & {q.in_class}


# -- roles -----------------------------------------------------------------------------------


def granted(q: Question, ident: str) -> list[Row]:
    """Grants of a person that are in force; one at an unknown organisation has no effect."""
    return [
        row
        for row in q.school.grants_of.get(ident, ())
        if row["role"] in GRANTED_ROLES
        and in_force(q, row)
        and (row.get("organisation") is None or row["organisation"] in q.school.orgs)
    ]


def roles(q: Question) -> set[str]:
    """2.4: roles that the subject holds towards this person. A granted role other than
    school_admin that names an organisation reaches only members of it or of one below."""
    if not subject_is_active(q):
        return set()
    held = {
        row["role"]
        for row in granted(q, q.subject)
        if row["role"] == "school_admin"
        or row.get("organisation") is None
        or row["organisation"] in reach(q, q.person)
    }
    follows = {
        "public": q.subject_type == "user",
        "teacher": enrolled(q, q.subject, "teacher"),
        "teacher_aide": enrolled(q, q.subject, "aide", "proctor"),
        "parent": guardian(q),
        "processor": bodies(q, "processor"),
        "authority": bodies(q, "authority"),
    }
    return held | {role for role, why in follows.items() if why}


def bodies(q: Question, kind: str) -> set[str]:
    """The processors or authorities of which the subject is a member."""
    return {row["id"] for row in standing(q, kind) if q.subject in row.get("members", ())}


# -- relations -------------------------------------------------------------------------------


def guardian(q: Question) -> bool:
    """`guardian`: kind parent or guardian, within its dates, both registered."""
    return registered(q, q.subject) and registered(q, q.person) and any(
        row["kind"] in ("parent", "guardian") and in_force(q, row)
        for row in q.school.wards.get((q.subject, q.person), ())
    )  # fmt: skip


def minor(q: Question) -> bool:
    """`minor`: birth date known, majority not reached (the birthday itself is adult), not
    emancipated."""
    born = q.school.people.get(q.person, {}).get("birth_date")
    free = any(row["person"] == q.person for row in standing(q, "emancipation"))
    if not born or free:
        return False
    return q.now < birthday(born, q.age_of_majority, q.zone)


def custody_restricted(q: Question) -> bool:
    """`custody_restricted`: directed; whether the subject is active or not."""
    return q.subject_type == "user" and any(
        row["subject"] == q.subject and row["person"] == q.person
        for row in standing(q, "custody_restriction")
    )


def same_school(q: Question) -> bool:
    """`same_school`: a school_admin grant at a school of the person, or above it."""
    return any(
        row["role"] == "school_admin" and row.get("organisation") in reach(q, q.person)
        for row in granted(q, q.subject)
    )


def contracts(q: Question, purpose: str | None) -> list[Row]:
    """`contracted`: the contracts of the subject's processors that cover category, action,
    purpose (None: any), school and transfer; `disclose` needs `sub_processing` in the same."""
    mine = bodies(q, "processor")
    return [
        row
        for row in standing(q, "contract")
        if row["processor"] in mine
        and q.category in row["categories"]
        and q.action in row["actions"]
        and (row["purposes"] if purpose is None else purpose in row["purposes"])
        and (row["schools"] == "all" or schools(q, q.person) & set(row["schools"]))
        and (q.action != "disclose" or row.get("sub_processing") is True)
        and _transfer_is_protected(q, row)
    ]


def _transfer_is_protected(q: Question, row: Row) -> bool:
    """N-26: names a country and a basis; `domestic` only in the setting's own country."""
    country, basis = row.get("country"), row.get("transfer")
    return bool(country) and basis in TRANSFERS and (basis != "domestic" or country == q.country)


def contract_fields(q: Question, purpose: str) -> set[str]:
    """Several contracts permit together what any one permits; no fields listed means all."""
    rows = contracts(q, purpose)
    listed = [row["categories"][q.category] or CATALOGUE[q.category] for row in rows]
    return {name for names in listed for name in names}


def ordered(q: Question) -> bool:
    """`ordered`: an active order of the subject's authority, named in `context.order`."""
    row = named(q, "order", q.order, "from", "until")
    return (
        row is not None
        and row["authority"] in bodies(q, "authority")
        and q.person in row["persons"]
        and q.category in row["categories"]
    )


def ticketed(q: Question) -> bool:
    """`ticketed`: an open ticket of the person, named, assigned to the subject."""
    row = named(q, "ticket", q.ticket, "opened_at", "closed_at")
    return row is not None and (row["person"], row.get("assignee")) == (q.person, q.subject)


def purchases(q: Question) -> dict[str, Row]:
    """Page 5: the person's orders of goods, which exist from `ordered_at`."""
    rows = standing(q, "purchase", "ordered_at", "no end")
    return {row["id"]: row for row in rows if row["person"] == q.person}


def fulfilling(q: Question) -> bool:
    """`fulfilling`: not yet received or within 90 days of receipt, assigned to the subject;
    with `properties.record` that one only."""

    def open_still(row: Row) -> bool:
        received = row.get("received_at")
        return not received or q.now < midnight_after(received, 90, q.zone)

    return any(
        row.get("assignee") == q.subject and open_still(row) and q.record in (None, ident)
        for ident, row in purchases(q).items()
    )


def mentors(q: Question) -> bool:
    """`mentors`: an active mentoring assignment links them."""
    pair = (q.subject, q.person)
    return any((row["mentor"], row["person"]) == pair for row in standing(q, "mentoring"))


def on_case(q: Question) -> bool:
    """`on_case`; 2.5 `dpo-case`: update and delete only for a rights request."""
    row = named(q, "case", q.case, "opened_at", "closed_at")
    return (
        row is not None
        and row.get("assignee") == q.subject
        and q.person in row["persons"]
        and (q.action not in ("update", "delete") or row["kind"] == "rights_request")
    )


def elevated(q: Question) -> bool:
    """`elevated`: that school itself; page 5: at most 24 hours, approved by nobody or by
    another person."""

    def lasts(row: Row) -> bool:
        begin = instant(row.get("from"), q.zone)
        return begin is not None and q.now < begin + timedelta(hours=24)

    return any(
        row["person"] == q.subject
        and row["school"] in schools(q, q.person)
        and row.get("approved_by") != q.subject
        and lasts(row)
        for row in standing(q, "elevation")
    )


BETWEEN_TWO: dict[str, Callable[[Question], bool]] = {
    "guardian": guardian,
    "teaches": lambda q: bool(classes(q, "teaches")),
    "assists": lambda q: bool(classes(q, "assists")),
    "same_school": same_school,
    "elevated": elevated,
    "ordered": ordered,
    "ticketed": ticketed,
    "fulfilling": fulfilling,
    "mentors": mentors,
    "on_case": on_case,
}
OTHERS: dict[str, Callable[[Question], bool]] = {
    "self": is_self,
    "minor": minor,
    "always": lambda _: True,
    "class given": lambda q: q.in_class is not None,
    "mfa": lambda q: q.mfa,
    "justification given": lambda q: bool((q.justification or "").strip()),
}


def holds(q: Question, relation: str, purpose: str | None) -> bool:
    """2.4: a relation between two "never holds between a person and themselves"."""
    if relation in OTHERS:
        return OTHERS[relation](q)
    if q.subject == q.person:
        return False
    return bool(contracts(q, purpose)) if relation == "contracted" else BETWEEN_TWO[relation](q)
