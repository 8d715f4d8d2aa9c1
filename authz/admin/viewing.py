"""Who looks at a screen, and what a form of a list asks for."""

from __future__ import annotations

from datetime import date, datetime

from flask import g, request
from flask_login import current_user

from authz import clock
from authz.admin.context import here
from authz.admin.days import of_the_common_era
from authz.admin.languages import spoken
from authz.decision.answer import sentence
from authz.service.shown import Viewer

DAYS = {"since", "until", "day"}
"""What of an address is a day."""


def viewer() -> Viewer:
    """Whoever is signed in."""
    return Viewer(current_user.person, current_user.name, g.request_id, mfa=current_user.mfa)


def asked(*names: str) -> dict[str, str]:
    """What the address says, without blanks; days as ISO 8601 has them."""
    found = {name: request.args.get(name, "").strip() for name in names}
    return found | {name: of_the_common_era(found[name]) for name in DAYS & found.keys()}


def day(text: str) -> datetime | None:
    """The local midnight that begins a day as :func:`asked` gives it; None where it is no day."""
    try:
        return clock.midnight(date.fromisoformat(text), here().settings.local)
    except (ValueError, OverflowError):
        return None


def category(name: str) -> str:
    """A data category, as the pack calls it."""
    known = here().point.policy.catalogue.categories.get(name)
    known = known or here().own.policy.catalogue.categories.get(name)
    return (known.title.get(spoken()) if known else "") or name


def purpose(name: str) -> str:
    """A purpose, as the pack calls it."""
    known = here().point.policy.catalogue.purposes.get(name)
    known = known or here().own.policy.catalogue.purposes.get(name)
    return (known.title.get(spoken()) if known else "") or name


def reason(name: str) -> str:
    """The sentence of a rule or a reason."""
    for point in (here().point, here().own):
        if name in point.policy.catalogue.reasons:
            return sentence(point.policy.catalogue, name, spoken())
    return sentence(here().point.policy.catalogue, name, spoken())
