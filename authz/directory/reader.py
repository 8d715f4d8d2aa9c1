"""The only reader of facts: from the tables to :class:`Facts` for one question (3.1).

One statement tells all that is keyed by the two people; where the subject holds a grant,
acts for a recipient or is elevated, a second tells where the person belongs, and for a
processor a third its contracts. Nothing here looks at the clock: what is read holds for
as long as the directory's revision stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from authz.decision.request import Question
from authz.directory.asking import Asking
from authz.directory.facts import UNREAD, Facts, Terms
from authz.directory.needs import EVERYTHING, Needs, in_order
from authz.directory.rows import Rows, terms
from authz.directory.shape import Part
from authz.vocabulary import Role

NAMED = (Part.TICKET, Part.ORDER, Part.CASE)
PLACES = (Part.MEMBER, Part.ORGANISATION)
PLACED = (Part.GRANT, Part.RECIPIENT, Part.ELEVATION)
"""Only these reach a person by where the person belongs."""
LATER = frozenset({*PLACES, Part.CONTRACT})


def read_people(connection: Connection, question: Question) -> Facts:
    """All facts that can bear on a question about a person of the directory."""
    return people(Asking.over(connection), question, EVERYTHING)


def read_entities(connection: Connection, question: Question) -> Facts:
    """The stored properties of a generic subject and resource (3.3)."""
    return entities(Asking.over(connection), question)


def revision(connection: Connection) -> int:
    """The directory's revision: one more with each change."""
    return Asking.over(connection).revision()


def people(asking: Asking, question: Question, needs: Needs) -> Facts:
    """The facts of the parts needed, with the revision that they are of."""
    named = {Part.TICKET: question.ticket, Part.ORDER: question.order, Part.CASE: question.case}
    given = {"subject": question.request.subject.id, "person": question.person}
    given |= {part.value: name for part, name in named.items() if name is not None}
    unasked = LATER.union(part for part, name in named.items() if name is None)
    rows = Rows(asking.parts(in_order((needs - unasked) | {Part.REVISION}), given), asking.dialect)
    if any(rows.of(part) for part in PLACED):
        rows.add(asking.parts(PLACES, given))
    contracts: tuple[Terms, ...] = ()
    if Part.CONTRACT in needs and Role.PROCESSOR in rows.recipients():
        contracts = tuple(terms(row, asking.dialect) for row in asking.contracts(given))
    return _facts(rows, question, needs, contracts)


def entities(asking: Asking, question: Question) -> Facts:
    """The stored properties of a generic subject and resource, with their revision."""
    request = question.request
    one = (request.subject.type, request.subject.id)
    other = (request.resource.type, request.resource.id)
    names = ("subject_type", "subject", "resource_type", "resource")
    found: dict[tuple[str, str], Mapping[str, Any]] = {
        (kind, name): json.loads(properties)
        for kind, name, properties in asking.entities(dict(zip(names, one + other, strict=True)))
    }
    return Facts(
        revision=asking.revision(),
        subject_entity=found.get(one),
        resource_entity=found.get(other),
    )


def _facts(rows: Rows, question: Question, needs: Needs, contracts: tuple[Terms, ...]) -> Facts:
    def told(part: Part, value: Any) -> Any:
        """The value; a mark that nobody may ask where the part was not read."""
        return value if part in needs else UNREAD

    subject, person = question.request.subject.id, question.person
    return Facts(
        revision=rows.revision(),
        subject=rows.account(subject),
        person=rows.account(person),
        recipients=rows.recipients(),
        grants=rows.grants(subject),
        person_grants=rows.grants(person),
        memberships=rows.memberships(),
        subject_enrolments=rows.enrolments(Part.ENROLMENT),
        person_enrolments=rows.enrolments(Part.ATTENDED)
        if Part.ATTENDED in needs
        else told(Part.ATTENDANCE, rows.enrolments(Part.ATTENDANCE)),
        links=rows.links(),
        custody=told(Part.CUSTODY, rows.spans(Part.CUSTODY)),
        emancipated=told(Part.EMANCIPATION, next(iter(rows.spans(Part.EMANCIPATION)), None)),
        contracts=told(Part.CONTRACT, contracts),
        order=told(Part.ORDER, rows.order()),
        ticket=told(Part.TICKET, rows.assignment(Part.TICKET)),
        case=told(Part.CASE, rows.assignment(Part.CASE)),
        goods=told(Part.GOODS, rows.goods()),
        mentoring=told(Part.MENTORING, rows.spans(Part.MENTORING)),
        elevations=told(Part.ELEVATION, rows.elevations()),
        consents=told(Part.CONSENT, rows.consents()),
        objections=told(Part.OBJECTION, rows.objections()),
        restrictions=told(
            Part.RESTRICTION, rows.spans(Part.RESTRICTION) + rows.spans(Part.ERASURE)
        ),
    )
