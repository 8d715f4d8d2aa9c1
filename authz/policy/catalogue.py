"""Reads ``catalogue.toml``: every name is checked, and an unknown one named (3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from authz.decision.catalogue import (
    About,
    Catalogue,
    Category,
    Clock,
    Obligations,
    Purpose,
    Separation,
    Texts,
)
from authz.errors import PolicyError
from authz.policy.source import Source, toml
from authz.policy.words import (
    WordError,
    all_but,
    each_once,
    either,
    is_name,
    one_of,
    with_fields,
)
from authz.vocabulary import GRANTABLE_ROLES, Role

BASES = ("contract", "legal_obligation", "legitimate_interest", "consent")
CLOCKS = ("cancelled", "received", "last_used", "project_ended")
LANGUAGES = ("th", "en")
RECIPIENTS = ("person", "dpo")
TOP = ("pack", "categories", "purposes", "obligations", "reasons", "separation")
PACK = ("name", "about", "subject_types", "actions", "answers")
LONGEST = {"years": 100, "days": 36525}
SEPARABLE = (*sorted(GRANTABLE_ROLES), Role.AUDITOR.value)
"""Roles that somebody is given; those that follow from facts nobody can keep apart."""
THAI = range(0x0E00, 0x0E80)
T = TypeVar("T")


class CatalogueReader:
    """Turns the decoded TOML into a :class:`Catalogue`, or raises PolicyError."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.data = toml(source)
        self.people = False

    def catalogue(self) -> Catalogue:
        """The catalogue of the pack."""
        self._known(self.data, TOP)
        pack = self._table(self.data, "pack")
        about = About(self._one_of("word", pack.get("about"), tuple(About), "pack", "about"))
        self.people = about is About.PEOPLE
        self._known(pack, PACK if self.people else (*PACK, "roles"), "pack")
        self._name(pack.get("name"), "pack", "name")
        answers = self._one_of(
            "word", pack.get("answers", "explained"), ("plain", "explained"), "pack", "answers"
        )
        categories = {
            name: self._category(name, value)
            for name, value in self._table(self.data, "categories").items()
        }
        return Catalogue(
            name=pack["name"],
            about=about,
            subject_types=frozenset(self._names(pack, "pack", "subject_types")),
            actions=self._names(pack, "pack", "actions"),
            categories=categories,
            purposes=self._purposes(categories),
            roles=self._roles(pack),
            obligations=self._obligations(),
            reasons={
                name: self._texts(table, "reasons", name, required=True)
                for name, table in self._table(self.data, "reasons", optional=True).items()
            },
            plain_answers=answers == "plain",
            separation=self._separation(),
        )

    def _separation(self) -> tuple[Separation, ...]:
        """The roles kept apart; each is a role of the directory, and there are two at least."""
        tables = self._table(self.data, "separation", optional=True)
        return tuple(self._apart(name, value) for name, value in tables.items())

    def _apart(self, name: str, value: object) -> Separation:
        where = ("separation", name)
        table = self._as_table(value, *where)
        self._known(table, ("roles", *LANGUAGES), *where)
        roles = self._names(table, *where, "roles")
        for role in roles:
            self._one_of("role", role, tuple(SEPARABLE), *where, "roles")
        if len(roles) < 2:  # noqa: PLR2004 (one role is apart from nothing)
            raise self.source.member(
                f"{_place(*where)} names one role only.", "two roles at least", *where, "roles"
            )
        texts = {language: table[language] for language in LANGUAGES if language in table}
        return Separation(name, roles, self._texts(texts, *where, required=True))

    def _roles(self, pack: Mapping[str, Any]) -> tuple[str, ...]:
        if self.people:
            return tuple(role.value for role in Role)
        named = self._names(pack, "pack", "roles") if "roles" in pack else ()
        return (*(name for name in named if name != Role.PUBLIC), Role.PUBLIC.value)

    def _category(self, name: str, value: object) -> Category:
        where = ("categories", name)
        self._name(name, *where)
        table = self._as_table(value, *where)
        self._known(table, ("fields", "everywhere", *LANGUAGES), *where)
        fields = self._names(table, *where, "fields") if self.people or "fields" in table else ()
        texts = {language: table[language] for language in LANGUAGES if language in table}
        everywhere = table.get("everywhere", False)
        if not isinstance(everywhere, bool):
            raise self.source.member(
                f"everywhere of {_place(*where)} is no truth value.",
                "true or false",
                *where,
                "everywhere",
            )
        return Category(name, fields, self._texts(texts, *where, required=self.people), everywhere)

    def _purposes(self, categories: Mapping[str, Category]) -> dict[str, Purpose]:
        tables = self._table(self.data, "purposes", optional=not self.people)
        known = {category.id: category.fields for category in categories.values()}
        return {name: self._purpose(name, value, known) for name, value in tables.items()}

    def _purpose(self, name: str, value: object, known: Mapping[str, tuple[str, ...]]) -> Purpose:
        where = ("purposes", name)
        self._name(name, *where)
        table = self._as_table(value, *where)
        self._known(table, ("basis", "clock", "needs", *LANGUAGES), *where)
        texts = {language: table[language] for language in LANGUAGES if language in table}
        return Purpose(
            id=name,
            basis=self._one_of("basis", table.get("basis"), BASES, *where, "basis"),
            clock=self._clock(table["clock"], *where, "clock") if "clock" in table else Clock(),
            needs=self._needs(table.get("needs"), known, *where, "needs"),
            title=self._texts(texts, *where, required=self.people),
        )

    def _clock(self, value: object, *where: str) -> Clock:
        table = self._as_table(value, *where)
        self._known(table, ("starts", "years", "days"), *where)
        starts = self._one_of("start", table.get("starts"), CLOCKS, *where, "starts")
        unit = "days" if starts == "project_ended" else "years"
        number = table.get(unit)
        if (
            type(number) is not int
            or not 0 < number <= LONGEST[unit]
            or set(table)
            - {
                "starts",
                unit,
            }
        ):
            raise self.source.member(
                f"The clock of {_place(*where[:-1])} is not complete.",
                f'starts = "{starts}" and {unit} = a whole number from 1 to {LONGEST[unit]}',
                *where,
            )
        return Clock(starts, **{unit: number})

    def _needs(
        self, value: object, known: Mapping[str, tuple[str, ...]], *where: str
    ) -> dict[str, tuple[str, ...]]:
        whole = (
            self._spelt(lambda: all_but(value, known), *where) if isinstance(value, str) else None
        )
        if whole is not None:
            return whole
        parts = self._strings(value, *where)
        return self._spelt(lambda: with_fields(parts, known), *where)

    def _obligations(self) -> Obligations:
        table = self._table(self.data, "obligations", optional=True)
        self._known(table, ("classes", "pseudonymise", "review", "notify"), "obligations")
        notify = self._table(table, "obligations", "notify", optional=True)
        for rule in notify:
            for name in self._names(notify, "obligations", "notify", rule):
                self._one_of("recipient", name, RECIPIENTS, "obligations", "notify", rule)
        found = {
            name: frozenset(self._names(table, "obligations", name) if name in table else ())
            for name in ("classes", "pseudonymise", "review")
        }
        return Obligations(**found, notify={rule: tuple(notify[rule]) for rule in notify})

    def _texts(self, value: object, *where: str, required: bool) -> Texts:
        """The texts by language; in Thai and English where they are required."""
        table = self._as_table(value, *where)
        self._known(table, LANGUAGES, *where)
        for language in LANGUAGES if required else table:
            text = table.get(language)
            if not isinstance(text, str) or not _written_in(language, text):
                raise self.source.member(
                    f"{_place(*where)} has no text in {language}.",
                    f'{language} = "a sentence in {"Thai" if language == "th" else "English"}"',
                    *where,
                    language,
                )
        return table

    def _table(self, data: Mapping[str, Any], *where: str, optional: bool = False) -> Any:
        name = where[-1]
        if name not in data and optional:
            return {}
        if name not in data or data[name] == {}:
            raise self.source.member(
                f"{_place(*where)} is missing or empty.", _place(*where), *where
            )
        return self._as_table(data[name], *where)

    def _as_table(self, value: object, *where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.source.member(f"{_place(*where)} is no table.", "a table", *where)
        return value

    def _names(self, table: Mapping[str, Any], *where: str) -> tuple[str, ...]:
        names = self._strings(table.get(where[-1]), *where)
        for name in names:
            self._name(name, *where)
        return self._spelt(lambda: each_once("name", names), *where)

    def _strings(self, value: object, *where: str) -> list[str]:
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise self.source.member(
                f"{where[-1]} of {_place(*where[:-1])} is no list of names.",
                'a list such as ["one", "two"]',
                *where,
            )
        return value

    def _name(self, value: object, *where: str) -> None:
        if not isinstance(value, str) or not is_name(value):
            raise self.source.member(
                f"{value!r} cannot be a name in {_place(*where)}.",
                "letters, digits and any of _ . : / - (any and all have a meaning of their own)",
                *where,
            )

    def _known(self, table: Mapping[str, Any], names: Iterable[str], *where: str) -> None:
        known = tuple(names)
        for name in table:
            if name not in known:
                place = f" in {_place(*where)}" if where else ""
                raise self.source.member(f"{name} is unknown{place}.", either(known), *where, name)

    def _one_of(self, what: str, value: object, known: Iterable[str], *where: str) -> str:
        return self._spelt(lambda: one_of(what, value, known), *where)

    def _spelt(self, read: Callable[[], T], *where: str) -> T:
        try:
            return read()
        except WordError as error:
            raise self._in_place(error, *where) from error

    def _in_place(self, error: WordError, *where: str) -> PolicyError:
        message = f"{error.message[:-1]} in {_place(*where)}."
        return self.source.member(message, error.expected, *where)


def _place(*where: str) -> str:
    return f"[{'.'.join(where)}]"


def _written_in(language: str, text: str) -> bool:
    if language == "th":
        return any(ord(letter) in THAI for letter in text)
    return any(letter.isascii() and letter.isalpha() for letter in text)
