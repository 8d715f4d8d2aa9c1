"""Days as they are typed: years of the common era, or of the Buddhist era (3 May 2570 is 2027).

A browser's field of a day counts years of the common era, whatever the page is written in. Whoever
reads Thai writes the other ones, there too. A year from 2400 to 2999 can mean nothing else here.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup

from authz import clock
from authz.admin.context import here
from authz.admin.languages import BUDDHIST_ERA, spoken

_BUDDHIST: Final = re.compile(r"(2[4-9]\d\d)(-\d\d-\d\d(?:T.*)?)", re.ASCII)
_SLASHES: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(2[4-9]\d\d)", re.ASCII)
_THAI_DIGITS: Final = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")


def of_the_common_era(text: str) -> str:
    """The day as ISO 8601 has it; what is no day of the Buddhist era is left as it is.

    ``2570-05-03`` and ``3/5/2570`` are ``2027-05-03``, in Thai digits too. A day with slashes and
    another year is left, and so no day: it could be the third of May or the fifth of March.
    """
    plain = text.strip().translate(_THAI_DIGITS)
    if found := _SLASHES.fullmatch(plain):
        day, month, year = (int(each) for each in found.groups())
        return f"{year - BUDDHIST_ERA}-{month:02}-{day:02}"
    if found := _BUDDHIST.fullmatch(plain):
        return f"{int(found[1]) - BUDDHIST_ERA}{found[2]}"
    return text.strip()


def register(app: Flask) -> None:
    """Give templates the note that stands beside a field of a day."""
    app.jinja_env.globals.update(day_note=_note)


def _note() -> Markup:
    """How the field counts years, for those who count them otherwise: by the year that it is."""
    if spoken() != "th":
        return Markup("")
    year = clock.now().astimezone(here().settings.local).year
    told = _("years of the common era: %(be)s is %(ce)s", be=year + BUDDHIST_ERA, ce=year)
    return Markup('<small class="muted">({})</small>').format(told)
