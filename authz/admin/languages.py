"""Thai and English: the language of a request, its texts, dates and names (N-52).

Texts are English in the code and Thai in ``translations/th/*.po``, one file a screen, read
as they are: nothing is compiled. A text without Thai fails the tests, as does a stale one.
Thai dates are of the Buddhist era.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, request, session
from flask_babel import Babel, Domain, get_locale

from authz import clock
from authz.admin.context import here
from authz.config.parties import Words

LANGUAGES: Final = ("th", "en")
KEPT: Final = "language"
WISHES: Final = 1000
"""Characters of an ``Accept-Language`` that is read: a long one costs a second."""
"""The member of the session that holds the language somebody chose."""
FOLDER: Final = Path(__file__).parent / "translations"
BUDDHIST_ERA: Final = 543


class Texts(Domain):  # type: ignore[misc]  # Flask-Babel is not typed
    """The texts of the screens, from the files of translators."""

    def get_translations(self) -> NullTranslations:
        """The texts in the language of the request."""
        return thai() if spoken() == "th" else NullTranslations()


@cache
def thai() -> Translations:
    """All Thai texts; a ValueError names a file that cannot be read.

    They are one catalogue, for its head says that Thai has one form for every number.
    """
    texts, compiled = Catalog(locale="th"), BytesIO()
    for path in sorted((FOLDER / "th").glob("*.po")):
        with path.open("rb") as stream:
            for message in read_po(stream, locale="th", abort_invalid=True):
                if message.id:
                    texts[message.id] = message
    write_mo(compiled, texts)
    compiled.seek(0)
    return Translations(compiled)


def spoken() -> str:
    """The language of this request."""
    return str(get_locale())


def chosen() -> str:
    """Thai unless the person chose, or their browser likes better, English (Thai first)."""
    kept = session.get(KEPT)
    if kept in LANGUAGES:
        return str(kept)
    if len(request.headers.get("Accept-Language", "")) > WISHES:
        return LANGUAGES[0]
    return request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])


def day(value: date | datetime | None) -> str:
    """A day as people write it: ``3 พฤษภาคม 2570``, ``3 May 2027``; nothing for none."""
    if value is None:
        return ""
    local = value.astimezone(here().settings.local).date() if isinstance(value, datetime) else value
    if spoken() == "th":
        return f"{format_date(local, 'd MMMM', locale='th')} {local.year + BUDDHIST_ERA}"
    return format_date(local, "d MMMM y", locale="en")


def moment(value: datetime | str | None) -> str:
    """A day with the time of day; a text is a time as the trail spells it."""
    if not value:
        return ""
    given = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = given.astimezone(here().settings.local)
    return f"{day(local)} {format_datetime(local, 'HH:mm', locale='en')}"


def ago(value: datetime | str | None) -> str:
    """How long ago, or how long from now, in words."""
    if not value:
        return ""
    given = datetime.fromisoformat(value) if isinstance(value, str) else value
    return format_timedelta(given - clock.now(), add_direction=True, locale=spoken())


def in_words(name: Words) -> str:
    """A name of the settings in the language of the request."""
    return name.th if spoken() == "th" else name.en


def register(app: Flask) -> None:
    """Speak both languages in every view and template."""
    Babel(app, locale_selector=chosen).domain_instance = Texts()
    app.jinja_env.filters.update(day=day, moment=moment, ago=ago, spoken=in_words)
    app.context_processor(lambda: {"language": spoken()})
