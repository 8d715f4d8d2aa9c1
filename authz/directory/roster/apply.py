"""The merge of a whole set, in the order of what refers to what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    cast,
    delete,
    exists,
    func,
    literal,
    not_,
    select,
    true,
    type_coerce,
)

from authz.directory import tables
from authz.directory.roster import staging
from authz.directory.roster.check import REFERENCES, TARGETS, Reference, kept_table
from authz.directory.roster.columns import ADMINISTRATORS
from authz.directory.roster.guard import guard_halves
from authz.directory.roster.links import Links
from authz.directory.roster.merge import Merge, Stamp
from authz.directory.roster.people import (
    PERSON,
    STAGED,
    PeopleMerge,
    listing,
    merge_birth_dates,
)
from authz.directory.roster.problems import CAP, place, short
from authz.directory.roster.summary import Listing, Tally
from authz.vocabulary import Role


@dataclass(slots=True)
class Applied:
    """What the merge did."""

    tables: dict[str, Tally] = field(default_factory=dict)
    returned: Listing = field(default_factory=Listing)
    held: Listing = field(default_factory=Listing)
    renamed: Listing = field(default_factory=Listing)
    administrators: Listing = field(default_factory=Listing)
    idle_links: Listing = field(default_factory=Listing)
    hanging: Listing = field(default_factory=Listing)


@dataclass(frozen=True, slots=True)
class Apply:
    """The merge of one set that was checked."""

    connection: Connection
    stamp: Stamp
    version: str
    modes: Mapping[str, str]
    names: Mapping[str, str]
    allow_mass_change: bool

    def run(self) -> Applied:
        """Merge every file of the set."""
        for table in staging.STAGING.sorted_tables:
            self.connection.execute(delete(table).where(table.c.skip))
        done = Applied()
        mine = exists().where(PERSON.c.origin == self.stamp.origin)
        first = not self.connection.execute(select(mine)).scalar()
        self._merge(done, "orgs", "id name type parent")
        self._merge(done, "academicSessions", "id title type begins ends parent")
        self._merge(done, "courses", "id title organisation")
        if "classes" in self.modes:
            self._record(done, tables.Class, self._classes(), "classes")
        if "users" in self.modes:
            self._people(done)
        if self._roles_from in self.modes:
            scope = self._members(kept_table(tables.Membership))
            self._record(done, tables.Membership, self._memberships(), None, scope)
            scope = self._members(kept_table(tables.Grant))
            grants = self._grants()
            done.administrators = self._new_administrators(grants)
            self._record(done, tables.Grant, grants, None, scope)
        columns = "id class person role valid_from valid_until"
        self._merge(done, "enrollments", columns, order=("person", "id"))
        if "demographics" in self.modes:
            bulk = self.modes["demographics"] == "bulk"
            done.tables["birth_date"] = merge_birth_dates(
                self.connection, self.stamp, bulk=bulk, first=first
            )
        if {"users", "roles"} & set(self.modes):
            self._links(done)
        if not self.allow_mass_change:
            guard_halves(self.connection, self.stamp.origin, done.tables)
        self._hanging(done)
        return done

    @property
    def _roles_from(self) -> str:
        return "users" if self.version == "1.1" else "roles"

    def _merge(
        self, done: Applied, file: str, columns: str, order: tuple[str, ...] = ("id",)
    ) -> None:
        if file not in self.modes:
            return
        stage = TARGETS[file].stage
        wanted = [stage.c[name] for name in (*columns.split(), "ended")]
        staged = select(*wanted).subquery("staged")
        kept = TARGETS[file].kept
        merge = Merge(self.connection, kept, staged, self.stamp, order)
        done.tables[kept.name] = merge.run(self._absent(file))

    def _absent(self, file: str) -> ColumnElement[bool] | None:
        """A bulk is the new truth for its file; a delta ends only what it says."""
        return true() if self.modes[file] == "bulk" else None

    def _record(
        self,
        done: Applied,
        model: type[tables.Base],
        staged: FromClause,
        file: str | None,
        absent: ColumnElement[bool] | None = None,
    ) -> None:
        kept = kept_table(model)
        scope = absent if file is None else self._absent(file)
        done.tables[kept.name] = Merge(self.connection, kept, staged, self.stamp).run(scope)

    def _classes(self) -> FromClause:
        stage = staging.CLASS.c
        convert = cast if staging.is_postgresql(self.connection) else type_coerce
        terms = convert(stage.terms, JSON).label("terms")
        return select(
            stage.id, stage.title, stage.course, stage.organisation, terms, stage.ended
        ).subquery("staged")

    def _people(self, done: Applied) -> None:
        merge = PeopleMerge(self.connection, PERSON, STAGED, self.stamp)
        if self.modes["users"] == "bulk" and not self.allow_mass_change:
            merge.guard()
        done.returned, done.held, done.renamed = merge.listed()
        done.tables[PERSON.name] = merge.run(self._absent("users"))

    def _members(self, kept: Table) -> ColumnElement[bool] | None:
        """In 1.1 a user's row says all their roles, so that a delta of it replaces them."""
        if self.version == "1.1" and self.modes["users"] == "delta":
            return kept.c.person.in_(select(staging.USER.c.id))
        return self._absent(self._roles_from)

    def _memberships(self) -> FromClause:
        role = staging.ROLE.c
        return select(
            role.id, role.person, role.organisation, role.role, role.valid_from,
            role.valid_until, role.ended,
        ).subquery("staged")  # fmt: skip

    def _grants(self) -> FromClause:
        """4.4: administrators and principals become ``school_admin`` where they are such."""
        role = staging.ROLE.c
        return (
            select(
                role.id, role.person, literal(Role.SCHOOL_ADMIN.value).label("role"),
                role.organisation, role.valid_from, role.valid_until, role.ended,
                literal(self.stamp.origin).label("granted_by"),
                (literal("role ") + role.role).label("reason"),
            )
            .where(role.role.in_(sorted(ADMINISTRATORS[self.version])))
            .subquery("staged")
        )  # fmt: skip

    def _new_administrators(self, staged: FromClause) -> Listing:
        """Who will administer what they do not administer now: a right over all its people."""
        new, kept = staged.c, kept_table(tables.Grant).c
        held = exists().where(kept.id == new.id, kept.ended_at.is_(None))
        who = (new.person + literal(" at ") + new.organisation).label("who")
        found = select(who).where(not_(new.ended), not_(held))
        return listing(self.connection, found, who)

    def _links(self, done: Applied) -> None:
        links = Links(self.connection, self.stamp, self.modes)
        done.tables["guardianship"] = links.merge()
        if "users" in self.modes:
            done.idle_links = links.idle(self.names["users"])

    def _hanging(self, done: Applied) -> None:
        """Living rows that hang on ended ones: imported, without effect, reported (page 5)."""
        total, first = 0, list[str]()
        for reference in REFERENCES:
            if reference.file in self.modes and reference.version in {"", self.version}:
                found, texts = self._hanging_on(reference)
                total += found
                first += texts[: CAP - len(first)]
        done.hanging = Listing(total, tuple(first))

    def _hanging_on(self, reference: Reference) -> tuple[int, list[str]]:
        kept, table, column = TARGETS[reference.target].kept, reference.table, reference.column
        ended = (kept.c.origin == self.stamp.origin) & kept.c.ended_at.is_not(None)
        if not self.connection.execute(select(exists().where(ended))).scalar():
            return 0, []
        # rows without a line are no rows of the set: see links.Links
        wrong = not_(table.c.ended) & column.in_(select(kept.c.id).where(ended))
        wrong &= table.c.line > 0
        rows: list[Any] = list(
            self.connection.execute(
                select(table.c.line, column).where(wrong).order_by(table.c.line).limit(CAP)
            )
        )
        count = select(func.count()).select_from(table).where(wrong)
        total = self.connection.execute(count).scalar_one() if rows else 0
        name = self.names[reference.file]
        return total, [
            place(name, line, reference.heading, f"{short(id_)} has ended") for line, id_ in rows
        ]
