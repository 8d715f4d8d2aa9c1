"""What is due of reviews: small ones open by themselves, late ones are closed, and reminded of."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine

from authz import clock
from authz.config import Settings
from authz.policy.load import load
from authz.service.point import place
from authz.service.reviews import closing, events, reminders
from authz.service.reviews.campaigns import Bench


class Due(NamedTuple):
    """How many reviews were opened, how many handled whose time was over, reminders sent."""

    opened: int
    closed: int
    reminded: int


def keep(store: Engine, settings: Settings) -> Due:
    """Do what is due now; the keeper does it again and again (N-46, N-47)."""
    bench = Bench(store, load(settings.policy), place(settings))
    opened = len(events.open_due(bench))
    closed = closing.close_due(bench)
    return Due(opened, closed, reminders.deliver(store, settings, clock.now()))
