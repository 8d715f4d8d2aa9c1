"""Every kind of fact of 4.4: its members, its key, its table (page 5 "Facts replace by key")."""

from __future__ import annotations

from collections.abc import Mapping

from authz.directory import tables as t
from authz.directory.recording import members as m
from authz.directory.recording.kind import Kind, dated, elevation, interval, two_people
from authz.directory.recording.members import Member
from authz.vocabulary import GRANTABLE_ROLES, Role

FROM = Member(m.moment, column="valid_from")
UNTIL = Member(m.moment, column="valid_until")
DATED = {"from": FROM, "until": UNTIL}
PERSON = Member(m.identifier, required=True, refers="person")
ID = Member(m.identifier, required=True)
MEMBERS = Member(m.identifiers, stored=False)
PERSONS = Member(m.some, required=True, refers="person", stored=False)
OPENED = {
    "opened_at": Member(m.moment, required=True),
    "closed_at": Member(m.moment),
}


def _recipient(kind: Role) -> Kind:
    return Kind(
        name=kind.value,
        table=t.Recipient,
        key=("id",),
        members={
            "id": ID,
            "name": Member(m.text, required=True),
            "country": Member(m.text),
            "members": MEMBERS,
        },
        about="",
        fixed={"kind": kind.value},
        children=("members", t.RecipientMember, "recipient", "subject"),
        first=True,
    )


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "person",
            t.Person,
            ("id",),
            {
                "id": ID,
                "given_name": Member(m.text),
                "family_name": Member(m.text),
                "birth_date": Member(m.day),
                "status": Member(m.one_of("active", "suspended", "deregistered")),
                "cancelled_at": Member(m.moment),
                "last_used_at": Member(m.moment),
                "schools": Member(m.identifiers, refers="organisation", stored=False),
            },
            about="id",
            first=True,
        ),
        _recipient(Role.PROCESSOR),
        _recipient(Role.AUTHORITY),
        Kind(
            "project",
            t.Project,
            ("id",),
            {
                "id": ID,
                "customer": Member(m.text, required=True),
                "ended_at": Member(m.moment, column="project_ended_at"),
                "retention_days": Member(m.count),
            },
            about="",
            first=True,
        ),
        Kind(
            "grant",
            t.Grant,
            ("person", "role", "organisation", "from"),
            {
                "person": PERSON,
                "role": Member(m.one_of(*sorted(GRANTABLE_ROLES)), required=True),
                "organisation": Member(m.identifier, refers="organisation"),
                **DATED,
                "granted_by": Member(m.filled, required=True),
                "reason": Member(m.filled, required=True),
            },
            check=dated,
        ),
        Kind(
            "guardianship",
            t.Guardianship,
            ("guardian", "student", "kind"),
            {
                "guardian": PERSON,
                "student": PERSON,
                "kind": Member(m.one_of("parent", "guardian", "relative"), required=True),
                **DATED,
            },
            about="student",
            check=two_people("guardian", "student"),
        ),
        Kind(
            "custody_restriction",
            t.CustodyRestriction,
            ("subject", "person"),
            {
                "subject": PERSON,
                "person": PERSON,
                **DATED,
                "basis": Member(m.filled, required=True),
            },
            check=two_people("subject", "person"),
        ),
        Kind(
            "emancipation",
            t.Emancipation,
            ("person",),
            {"person": PERSON, "from": Member(m.moment, column="valid_from")},
        ),
        Kind(
            "contract",
            t.Contract,
            ("id",),
            {
                "id": ID,
                "processor": Member(m.identifier, required=True, refers="processor"),
                "purposes": Member(m.purposes, required=True),
                "categories": Member(m.fields_by_category, required=True),
                "actions": Member(m.actions, required=True),
                "schools": Member(m.schools, required=True, refers="organisation"),
                "transfer": Member(
                    m.one_of("domestic", "adequate", "safeguards", "none"), required=True
                ),
                "country": Member(m.text),
                "sub_processing": Member(m.truth),
                **DATED,
            },
            about="",
            check=dated,
        ),
        Kind(
            "order",
            t.Order,
            ("id",),
            {
                "id": ID,
                "authority": Member(m.identifier, required=True, refers="authority"),
                "persons": PERSONS,
                "categories": Member(m.categories, required=True),
                **DATED,
            },
            about="",
            children=("persons", t.OrderPerson, "order", "person"),
            check=dated,
        ),
        Kind(
            "ticket",
            t.Ticket,
            ("id",),
            {"id": ID, "person": PERSON, "assignee": PERSON, **OPENED},
            check=interval("opened_at", "closed_at"),
        ),
        Kind(
            "purchase",
            t.Purchase,
            ("id",),
            {
                "id": ID,
                "person": PERSON,
                "assignee": PERSON,
                "ordered_at": Member(m.moment, required=True),
                "received_at": Member(m.moment),
            },
        ),
        Kind(
            "mentoring",
            t.Mentoring,
            ("mentor", "person"),
            {"mentor": PERSON, "person": PERSON, **DATED},
            check=two_people("mentor", "person"),
        ),
        Kind(
            "case",
            t.Case,
            ("id",),
            {
                "id": ID,
                "kind": Member(m.one_of("rights_request", "incident"), required=True),
                "persons": PERSONS,
                "assignee": PERSON,
                **OPENED,
            },
            about="",
            children=("persons", t.CasePerson, "case", "person"),
            check=interval("opened_at", "closed_at"),
        ),
        Kind(
            "elevation",
            t.Elevation,
            ("person", "school", "from"),
            {
                "person": PERSON,
                "school": Member(m.identifier, required=True, refers="organisation"),
                "justification": Member(m.filled, required=True),
                "approved_by": Member(m.identifier, refers="person"),
                "from": Member(m.moment, required=True, column="valid_from"),
                "until": Member(m.moment, required=True, column="valid_until"),
            },
            check=elevation,
        ),
        Kind(
            "consent",
            t.Consent,
            ("person", "purpose", "project", "given_at"),
            {
                "person": PERSON,
                "purpose": Member(m.purpose, required=True),
                "given_at": Member(m.moment, required=True),
                "withdrawn_at": Member(m.moment),
                "project": Member(m.identifier, refers="project"),
            },
            check=interval("given_at", "withdrawn_at"),
        ),
        Kind(
            "objection",
            t.Objection,
            ("person", "purpose"),
            {"person": PERSON, "purpose": Member(m.purpose, required=True), **DATED},
            check=dated,
        ),
        Kind("restriction", t.Restriction, ("person",), {"person": PERSON, **DATED}, check=dated),
        Kind(
            "erasure",
            t.Erasure,
            ("person",),
            {"person": PERSON, "approved_at": Member(m.moment, required=True)},
        ),
    )
}
"""The kinds by name. Those with ``first`` are what others refer to."""
