"""Every text of the screens is there in Thai, and no text is left that nobody shows."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from authz.admin.languages import FOLDER, day, moment
from tests.admin.kit import Kit

KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}


def shown() -> set[str]:
    """The texts in the code and the templates."""
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    found = extract_from_dir(FOLDER.parent, method_map=methods, keywords=KEYWORDS)
    return {
        text
        for _, _, texts, _, _ in found
        for text in ([texts] if isinstance(texts, str) else texts)
    }


def translated() -> list[str]:
    """The texts that have Thai, each as often as it is there."""
    found = []
    for path in (FOLDER / "th").glob("*.po"):
        with path.open("rb") as stream:
            for message in read_po(stream, locale="th", abort_invalid=True):
                if message.id and message.string and "fuzzy" not in message.flags:
                    found += [message.id] if isinstance(message.id, str) else list(message.id)
    return found


def test_every_text_has_thai() -> None:
    assert shown() - set(translated()) == set()


def test_no_thai_text_is_left_over_or_there_twice() -> None:
    found = translated()
    assert set(found) - shown() == set()
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("th", "3 พฤษภาคม 2570"),
        ("en", "3 May 2027"),
        ("fr", "3 พฤษภาคม 2570"),
        ("en," * 1000, "3 พฤษภาคม 2570"),  # what nobody's browser sends is not read
    ],
)
def test_a_day_is_written_as_people_write_it(kit: Kit, accepted: str, expected: str) -> None:
    admin = kit.admin
    with admin.test_request_context(headers={"Accept-Language": accepted}):
        assert day(date(2027, 5, 3)) == expected
        assert moment(datetime(2027, 5, 2, 17, 30, tzinfo=UTC)) == f"{expected} 00:30"
        assert day(None) == moment(None) == ""
