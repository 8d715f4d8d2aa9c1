"""Reads ``routes.toml``; a defect names the file, the line, and what was expected."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from authz.errors import RoutesError
from authz.middleware.gateway.config import Config

LARGEST: Final = 1024 * 1024
_AT: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_TABLE: Final = re.compile(r"\s*(\[\[?)\s*([\w.]+)\s*\]\]?\s*(?:#.*)?$")
Place = Sequence[str | int]
"""Where a member stands: ``("route", 2, "person", "path")``."""


class Text:
    """The file, and where in it a member stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            content = path.read_bytes()
            self.text = content[: LARGEST + 1].decode().replace("\r\n", "\n")
        except OSError as error:
            raise RoutesError(f"It cannot be read: {error.strerror}.", where=str(path)) from error
        except UnicodeDecodeError as error:
            raise RoutesError("It is not UTF-8.", where=str(path)) from error
        if len(content) > LARGEST:
            raise RoutesError("It is larger than 1 MiB.", where=str(path))

    def data(self) -> dict[str, Any]:
        """The decoded TOML."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = _AT.search(str(error))
            line = int(found[1]) if found and found[1] else self.text.rstrip().count("\n") + 1
            raise self.problem(f"It is not TOML: {_AT.sub('', str(error))}.", line) from error
        except RecursionError as error:
            raise self.problem("It is nested too deeply.", 1) from error

    def problem(self, message: str, line: int, expected: str = "") -> RoutesError:
        """The error for a defect on that line."""
        hint = f"Expected {expected}." if expected else ""
        return RoutesError(message, where=f"{self.path}:{line}", hint=hint)

    def line(self, place: Place) -> int:
        """The line on which the member begins, or the nearest table that is there."""
        lines = self.text.split("\n")
        words = [str(word) for word in place if isinstance(word, str)]
        first, last = self._section(lines, place)
        for name in words[1:2]:
            member = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[.=]")
            sub = re.compile(rf"\s*\[\[?\s*{re.escape(words[0])}\.{re.escape(name)}\b")
            for number in range(first, last):
                if member.match(lines[number]) or sub.match(lines[number]):
                    return number + 1
        return max(first, 1)

    @staticmethod
    def _section(lines: list[str], place: Place) -> tuple[int, int]:
        """First and last line of the top-level table that the place is in."""
        name = str(place[0]) if place else ""
        wanted = place[1] if len(place) > 1 and isinstance(place[1], int) else 0
        heads = [
            (number, found[2]) for number, line in enumerate(lines) if (found := _TABLE.match(line))
        ]
        tops = [(number, title.partition(".")[0], "." in title) for number, title in heads]
        starts = [number for number, title, sub in tops if title == name and not sub]
        if wanted >= len(starts):
            return 0, len(lines)
        first = starts[wanted]
        after = [
            number for number, title, sub in tops if number > first and not (sub and title == name)
        ]
        return first + 1, after[0] if after else len(lines)


def read(path: Path) -> tuple[Config, Text]:
    """The file's content, typed; RoutesError names the first defect."""
    text = Text(path)
    data = text.data()
    try:
        return Config.model_validate(data), text
    except ValidationError as error:
        first = error.errors()[0]
        place = _place(first["loc"])
        name = ".".join(str(word) for word in place)
        expected = str(first["msg"]).removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            raise text.problem(
                f"There is no member {name}.", text.line(place), "one of the reference"
            ) from error
        raise text.problem(
            f"{name or 'The file'} cannot be used.",
            text.line(place),
            expected[:1].lower() + expected[1:],
        ) from error


def _place(found: Sequence[str | int]) -> list[str | int]:
    return list(found)
