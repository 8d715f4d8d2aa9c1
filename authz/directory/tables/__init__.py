"""The tables of the directory: every fact of page 4.4, each with its validity.

All times are UTC. An interval is half-open; a missing end is unbounded (2.1). A row that
has ended is kept with its ``ended_at``, so that a reviewer sees what once held; it holds
no longer from that moment. ``origin`` says where a row came from: ``roster:<source>``
or ``fact``. Only what decisions need is kept: no e-mail address, telephone, password or
mark ever enters the directory (E-01, N-45).

The tables stand in rooms by subject; all are brought together here, because the metadata
of their base is whole only when each was imported.
"""

from __future__ import annotations

from authz.directory.tables.base import BYTEWISE, Base, Dated, Recorded, UtcTime
from authz.directory.tables.entity import Entity
from authz.directory.tables.outside import Contract, Order, OrderPerson, Recipient, RecipientMember
from authz.directory.tables.privacy import Consent, Erasure, Objection, Project, Restriction
from authz.directory.tables.school import (
    Class,
    Course,
    CustodyRestriction,
    Emancipation,
    Enrolment,
    Grant,
    Guardianship,
    Membership,
    Organisation,
    Person,
    Revision,
    Term,
)
from authz.directory.tables.work import Case, CasePerson, Elevation, Mentoring, Purchase, Ticket

__all__ = [
    "BYTEWISE",
    "Base",
    "Case",
    "CasePerson",
    "Class",
    "Consent",
    "Contract",
    "Course",
    "CustodyRestriction",
    "Dated",
    "Elevation",
    "Emancipation",
    "Enrolment",
    "Entity",
    "Erasure",
    "Grant",
    "Guardianship",
    "Membership",
    "Mentoring",
    "Objection",
    "Order",
    "OrderPerson",
    "Organisation",
    "Person",
    "Project",
    "Purchase",
    "Recipient",
    "RecipientMember",
    "Recorded",
    "Restriction",
    "Revision",
    "Term",
    "Ticket",
    "UtcTime",
]
