"""From the engine's formula to a SQL condition, and to where its people are found (3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import and_, false, or_, true

from authz.directory.conditions import people, schools, traces, wishes, work
from authz.directory.conditions.view import Sql, View
from authz.directory.relations import ASSISTING, ENROLMENT_ROLES
from authz.engine.formula import All, Any, Atom, Contracted, Formula, Holds, Not, Related
from authz.vocabulary import Relation, Role

TEACHING = ("teacher",)
RIGHTS_REQUEST = "rights_request"

CONDITIONS: Mapping[Relation, Callable[[View, str | None], Sql | None]] = {
    Relation.SELF: lambda v, _: and_(people.same(v), people.active(v)),
    Relation.GUARDIAN: lambda v, _: people.between(v, people.guardian(v)),
    Relation.MINOR: lambda v, _: people.minor(v),
    Relation.CUSTODY_RESTRICTED: lambda v, _: people.custody_restricted(v),
    Relation.TEACHES: lambda v, _: schools.common_class(v, TEACHING),
    Relation.ASSISTS: lambda v, _: schools.common_class(v, ASSISTING),
    Relation.SAME_SCHOOL: lambda v, _: schools.same_school(v),
    Relation.CONTRACTED: work.contracted,
    Relation.ORDERED: lambda v, _: work.ordered(v),
    Relation.TICKETED: lambda v, _: work.ticketed(v),
    Relation.FULFILLING: lambda v, _: work.fulfilling(v),
    Relation.MENTORS: lambda v, _: work.mentors(v),
    Relation.ON_CASE: lambda v, _: work.on_case(v),
    Relation.ON_RIGHTS_REQUEST: lambda v, _: work.on_case(v, RIGHTS_REQUEST),
    Relation.ELEVATED: lambda v, _: schools.elevated(v),
    Relation.SUBJECT_ACTIVE: lambda v, _: people.active(v),
    Relation.PERSON_KNOWN: lambda v, _: people.person_known(v),
    Relation.RETENTION_ENDED: wishes.retention_ended,
    Relation.OBJECTED: wishes.objected,
    Relation.CONSENTED: wishes.consented,
    Relation.PROCESSING_RESTRICTED: lambda v, _: people.processing_restricted(v),
    Relation.HOLDS_GRANTED_ROLE: lambda v, _: schools.holds_granted_role(v),
}
"""One condition for each name of the vocabulary, beside its test in ``relations.TESTS``."""


@dataclass
class Renderer:
    """Writes formulas about one view; ``exact`` until something cannot be said in SQL.

    What cannot be said is taken as so, whichever way it counts: the condition then finds
    more than it should and never less, and each one found has to be checked.
    """

    view: View
    exact: bool = True
    known: dict[Atom, Sql | None] = field(default_factory=dict)

    def condition(self, formula: Formula) -> Sql:
        """The formula as a condition."""
        if isinstance(formula, bool):
            return true() if formula else false()
        if isinstance(formula, All):
            return and_(*(self.condition(part) for part in formula.parts))
        if isinstance(formula, Any):
            return or_(*(self.condition(part) for part in formula.parts))
        atom = formula.atom if isinstance(formula, Not) else formula
        if atom not in self.known:
            self.known[atom] = self._atom(atom)
        found = self.known[atom]
        if found is None:
            self.exact = False
            return true()
        return ~found if isinstance(formula, Not) else found

    def _atom(self, atom: Atom) -> Sql | None:
        if isinstance(atom, Related):
            return CONDITIONS[Relation(atom.name)](self.view, atom.purpose)
        if isinstance(atom, Contracted):
            return work.contracted(self.view, atom.purpose, atom.fields)
        if isinstance(atom, Holds):
            return and_(self._role(atom.role), people.active(self.view))
        return None

    def _role(self, role: str) -> Sql:
        """A role of the directory, held towards the person (2.4)."""
        v = self.view
        if role == Role.PUBLIC:
            return true()
        follows = [name for name, held in ENROLMENT_ROLES.items() if held == role]
        enrolling = [name for name in follows if v.possible(traces.enrolled(name))]
        ways = [schools.enrolled(v, enrolling)] if enrolling else []
        if role == Role.PARENT and v.possible(traces.GUARDIAN):
            ways.append(people.guardian(v))
        if role in (Role.PROCESSOR, Role.AUTHORITY) and v.possible(traces.member(role)):
            ways.append(people.acts_for(v, role))
        # What the subject alone decides comes first: it is found once for all people.
        if v.possible(traces.granted(role)):
            ways.append(schools.holds_granted(v, role))
        return or_(false(), *ways)
