"""Reviews on file, and rights that somebody asks for (2.7, N-43, N-44, N-46).

All times are UTC texts in the spelling of the audit trail, which sorts as time does.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import JSON, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MOMENT = String(40)


class Base(DeclarativeBase):
    """The base of the review tables."""

    metadata = MetaData(
        naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
    )
    type_annotation_map: ClassVar = {dict[str, Any]: JSON, list[str]: JSON}


class ReviewItem(Base):
    """One use that must be reviewed, once per subject, person, elevation and day (page 5).

    Times are UTC texts in the spelling of the audit record that caused the item. It is what
    opens a small review (:data:`authz.review.words.Trigger.EMERGENCY`), whose verdict comes
    to stand here too.
    """

    __tablename__ = "review_item"
    subject: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    elevation: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    rule: Mapped[str]
    opened_at: Mapped[str] = mapped_column(MOMENT)
    due_at: Mapped[str] = mapped_column(MOMENT, index=True)
    request_id: Mapped[str]
    verdict: Mapped[str | None]


class ReviewDefinition(Base):
    """A review that can be started again; ``members`` are those of the pure definition."""

    __tablename__ = "review_definition"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    organisation: Mapped[str] = mapped_column(index=True)
    members: Mapped[dict[str, Any]]
    created_at: Mapped[str] = mapped_column(MOMENT, index=True)
    created_by: Mapped[str]
    because: Mapped[str]


class Campaign(Base):
    """A definition put to work: ``members`` are frozen with it, and so is its snapshot.

    ``trigger`` and ``cause`` say what opened it, once each. ``trail_first`` and ``trail_last``
    are the records of ``trail_chain`` from its start to its end, the last undoing included;
    ``ended_because`` is why it was called off or ended early.
    """

    __tablename__ = "review_campaign"
    id: Mapped[str] = mapped_column(primary_key=True)
    definition: Mapped[str] = mapped_column(index=True)
    trigger: Mapped[str]
    cause: Mapped[str]
    name: Mapped[str]
    organisation: Mapped[str] = mapped_column(index=True)
    members: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    stage: Mapped[int]
    items: Mapped[int]
    created_at: Mapped[str] = mapped_column(MOMENT, index=True)
    created_by: Mapped[str]
    because: Mapped[str]
    started_at: Mapped[str | None] = mapped_column(MOMENT)
    started_by: Mapped[str] = mapped_column(default="")
    due_at: Mapped[str | None] = mapped_column(MOMENT, index=True)
    closed_at: Mapped[str | None] = mapped_column(MOMENT)
    closed_by: Mapped[str] = mapped_column(default="")
    guard: Mapped[bool] = mapped_column(default=False)
    confirmed_by: Mapped[str] = mapped_column(default="")
    applied_at: Mapped[str | None] = mapped_column(MOMENT)
    undo_until: Mapped[str | None] = mapped_column(MOMENT)
    ended_because: Mapped[str] = mapped_column(default="")
    digest: Mapped[str] = mapped_column(default="")
    trail_chain: Mapped[str] = mapped_column(default="")
    trail_first: Mapped[int] = mapped_column(default=0)
    trail_last: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_review_campaign_cause", "trigger", "cause", unique=True),)


class Snapshot(Base):
    """What was under review when a campaign began, in its one spelling; never changed."""

    __tablename__ = "review_snapshot"
    campaign: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class CampaignItem(Base):
    """An item of a campaign. ``facts`` tell what it was about at the start.

    ``number`` follows the holders' names; ``resource`` sorts by what is opened. ``before``
    is the row that was changed, as it stood, for the time in which it can be undone.
    """

    __tablename__ = "review_campaign_item"
    campaign: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    right_id: Mapped[str]
    holder: Mapped[str] = mapped_column(index=True)
    person: Mapped[str]
    organisation: Mapped[str]
    role: Mapped[str]
    resource: Mapped[str]
    rostered: Mapped[bool]
    until: Mapped[str | None] = mapped_column(MOMENT)
    facts: Mapped[dict[str, Any]]
    flags: Mapped[list[str]]
    flagged: Mapped[bool]
    advice: Mapped[str]
    advice_reason: Mapped[str]
    last_used: Mapped[str | None] = mapped_column(MOMENT)
    uses: Mapped[int]
    peers: Mapped[int]
    having: Mapped[int]
    reviewer: Mapped[str]
    rerouted: Mapped[bool]
    fallback: Mapped[str]
    passed: Mapped[bool]
    stage: Mapped[int]
    state: Mapped[str]
    verdict: Mapped[str] = mapped_column(default="")
    verdict_until: Mapped[str | None] = mapped_column(MOMENT)
    verdict_reason: Mapped[str] = mapped_column(default="")
    verdict_by: Mapped[str] = mapped_column(default="")
    verdict_for: Mapped[str] = mapped_column(default="")
    verdict_bulk: Mapped[bool] = mapped_column(default=False)
    verdict_at: Mapped[str | None] = mapped_column(MOMENT)
    remediation: Mapped[str] = mapped_column(default="")
    applied_at: Mapped[str | None] = mapped_column(MOMENT)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    undone_at: Mapped[str | None] = mapped_column(MOMENT)
    undone_by: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        Index("ix_review_campaign_item_reviewer", "reviewer", "campaign", "number"),
        Index("ix_review_campaign_item_resource", "campaign", "resource", "number"),
        Index("ix_review_campaign_item_right", "kind", "right_id"),
    )


class GivenVerdict(Base):
    """A verdict as it was given; a changed mind is a further row. Nothing updates one."""

    __tablename__ = "review_verdict"
    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    number: Mapped[int]
    stage: Mapped[int]
    verdict: Mapped[str]
    until: Mapped[str | None] = mapped_column(MOMENT)
    reason: Mapped[str]
    by: Mapped[str]
    for_whom: Mapped[str]
    bulk: Mapped[bool]
    at: Mapped[str] = mapped_column(MOMENT)

    __table_args__ = (Index("ix_review_verdict_item", "campaign", "number", "at"),)


class Handover(Base):
    """That somebody's items are somebody else's: for a time (delegated), or an item for good.

    Both names are kept. A delegation has ``since`` and ``until`` and no campaign.
    """

    __tablename__ = "review_handover"
    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str] = mapped_column(index=True)
    number: Mapped[int | None]
    giver: Mapped[str] = mapped_column(index=True)
    taker: Mapped[str] = mapped_column(index=True)
    since: Mapped[str] = mapped_column(MOMENT)
    until: Mapped[str | None] = mapped_column(MOMENT)
    because: Mapped[str]
    by: Mapped[str]
    at: Mapped[str] = mapped_column(MOMENT)


class Reminder(Base):
    """A reminder to a reviewer, once for each occasion; ``sent_at`` says that it left by e-mail."""

    __tablename__ = "review_reminder"
    campaign: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[int] = mapped_column(primary_key=True)
    reviewer: Mapped[str] = mapped_column(primary_key=True)
    occasion: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[str] = mapped_column(MOMENT, index=True)
    sent_at: Mapped[str | None] = mapped_column(MOMENT)
    tries: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(default="")


class RightRequest(Base):
    """That somebody asks for a right with an end, and what became of it (N-43, N-44).

    ``hours`` is of an elevation, ``until`` of a role; ``begun`` is the begin of the right
    that is to be extended. Times are UTC texts.
    """

    __tablename__ = "right_request"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    person: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    organisation: Mapped[str | None] = mapped_column(index=True)
    hours: Mapped[int | None]
    until: Mapped[str | None] = mapped_column(String(40))
    begun: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str]
    asked_at: Mapped[str] = mapped_column(String(40), index=True)
    needed: Mapped[int]
    state: Mapped[str] = mapped_column(index=True)
    decided_at: Mapped[str | None] = mapped_column(String(40))


class RightVote(Base):
    """What one approver said of such a request, and why."""

    __tablename__ = "right_vote"
    request: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    approves: Mapped[bool]
    at: Mapped[str] = mapped_column(String(40))
    why: Mapped[str]
