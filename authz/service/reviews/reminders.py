"""Reminders to reviewers: put on file when a review starts, shown at home, sent by e-mail.

A reminder names no person but its reader: what there is to review is seen after signing in
(E-01).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final

from sqlalchemy import Connection, Engine, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from authz.config import Settings
from authz.review.campaign import RUNNING
from authz.review.definition import from_dict
from authz.review.tables import Campaign, CampaignItem, Reminder
from authz.review.words import ItemState
from authz.service import mail
from authz.service.database import reading, writing
from authz.service.reviews.records import moment, text
from authz.service.tables import SignIn

INVITED, OVERDUE = "invited", "overdue"
TRIES: Final = 5
MOST: Final = 200
WAITING: Final = (ItemState.OPEN.value, ItemState.ANSWERED.value)


def queue(connection: Connection, campaign: str, now: datetime) -> int:
    """Put the reminders of the present stage on file, each once; how many reviewers they ask."""
    row = connection.execute(
        select(Campaign.stage, Campaign.due_at, Campaign.members).where(Campaign.id == campaign)
    ).one()
    due = moment(row.due_at)
    if due is None:
        return 0
    asked = connection.scalars(
        select(CampaignItem.reviewer)
        .where(CampaignItem.campaign == campaign, CampaignItem.state.in_(WAITING))
        .distinct()
    ).all()
    days = from_dict(row.members).reminders
    occasions = {INVITED: now, OVERDUE: due} | {
        f"{number}_days": due - timedelta(days=number)
        for number in days
        if due - timedelta(days=number) > now
    }
    rows = [
        {
            "campaign": campaign,
            "stage": row.stage,
            "reviewer": reviewer,
            "occasion": occasion,
            "due_at": text(at),
            "tries": 0,
            "problem": "",
        }
        for reviewer in asked
        for occasion, at in occasions.items()
    ]
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    if rows:
        connection.execute(dialect.insert(Reminder).on_conflict_do_nothing(), rows)
    return len(asked)


def deliver(store: Engine, settings: Settings, now: datetime) -> int:
    """Send what is due by e-mail, and return how many left; nothing without AUTHZ_SMTP_URL.

    Whoever answered meanwhile is not reminded. What fails is tried again, five times.
    """
    if not settings.smtp_url:
        return 0
    with reading(store) as connection:
        rows = connection.execute(_due(text(now) or "")).all()
    if not rows:
        return 0
    sent = 0
    with mail.opened(settings) as post, writing(store) as connection:
        for row in rows:
            problem = post(_message(row, settings)) if row.waiting else ""
            sent += bool(row.waiting) and not problem
            connection.execute(
                _CHANGE.where(
                    Reminder.campaign == row.campaign,
                    Reminder.stage == row.stage,
                    Reminder.reviewer == row.reviewer,
                    Reminder.occasion == row.occasion,
                ).values(
                    tries=row.tries + 1, problem=problem, sent_at=None if problem else text(now)
                )
            )
    return sent


_CHANGE: Final = update(Reminder)


def _due(now: str) -> Any:
    item = CampaignItem
    waiting = exists().where(
        item.campaign == Reminder.campaign,
        item.reviewer == Reminder.reviewer,
        item.state.in_(WAITING),
        Campaign.state.in_([each.value for each in RUNNING]),
    )
    return (
        select(Reminder.__table__, Campaign.name, Campaign.due_at.label("by"))
        .add_columns(SignIn.name.label("address"), waiting.label("waiting"))
        .join(Campaign, Campaign.id == Reminder.campaign)
        .join(SignIn, (SignIn.person == Reminder.reviewer) & SignIn.disabled_at.is_(None))
        .where(Reminder.sent_at.is_(None), Reminder.due_at <= now, Reminder.tries < TRIES)
        .order_by(Reminder.due_at)
        .limit(MOST)
    )


def _message(row: Any, settings: Settings) -> EmailMessage:
    due = moment(row.by)
    day = due.astimezone(settings.local).date() if due else None
    thai = f"{day.day}/{day.month}/{day.year + 543}" if day else ""
    address = f"{settings.public_url}/admin/reviews/{row.campaign}"
    message = EmailMessage()
    message["To"] = mail.address(row.address, settings)
    message["From"] = settings.smtp_from
    message["Subject"] = f"ทบทวนสิทธิ: {row.name} / Access review"
    message.set_content(
        f"มีรายการสิทธิที่รอให้ท่านทบทวน ภายในวันที่ {thai}\n"
        f"There are access rights for you to review, by {day}.\n\n{address}\n"
    )
    return message
