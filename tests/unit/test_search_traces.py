"""Every relation of a list has its trace, and nothing is asked that no trace speaks for."""

from __future__ import annotations

import pytest

from authz.decision.request import Action, Entity, Request, question
from authz.directory.conditions import traces
from authz.directory.conditions.render import CONDITIONS
from authz.directory.conditions.sources import PEOPLE, SUBJECTS
from authz.engine.formula import All, Any, Contracted, Holds, Not, Opaque, Related, atoms, without
from authz.engine.plan import plan
from authz.vocabulary import Relation, Role
from tests.world import policy

GUARDIAN, MINOR = Related(Relation.GUARDIAN), Related(Relation.MINOR)
TEACHER = frozenset({traces.ACTIVE, traces.enrolled("teacher")})


def test_every_relation_has_a_condition() -> None:
    assert CONDITIONS.keys() == set(Relation)


def test_whatever_finds_people_leaves_a_trace() -> None:
    """A source without one would be asked for everybody, and so slow everybody's search."""
    assert PEOPLE.keys() - {Relation.SELF} <= traces.OF_SUBJECT.keys()
    relations = SUBJECTS.keys() & set(Relation)
    assert relations - {Relation.SELF} <= traces.OF_PERSON.keys()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_but_everybodys_needs_a_trace(role: Role) -> None:
    needed = traces.needed(Holds(role), "user", people=True)
    assert (needed is None) is (role is Role.PUBLIC)
    assert traces.needed(Holds(role), "user", people=False) is None


def test_of_a_service_no_trace_says_that_it_is_active() -> None:
    active = Related(Relation.SUBJECT_ACTIVE)
    assert traces.needed(active, "user", people=True) == frozenset({traces.ACTIVE})
    assert traces.needed(active, "service", people=True) is None
    assert traces.ACTIVE not in traces.that_matter([active], "service", people=True)


def test_what_cannot_be_so_is_left_out_of_a_formula() -> None:
    formula = All((Any((GUARDIAN, Holds(Role.TEACHER))), Not(MINOR)))
    assert set(atoms(formula)) == {GUARDIAN, Holds(Role.TEACHER), MINOR}
    assert without(formula, {GUARDIAN}) == All((Holds(Role.TEACHER), Not(MINOR)))
    assert without(formula, {GUARDIAN, MINOR}) == Holds(Role.TEACHER)
    assert without(formula, {GUARDIAN, Holds(Role.TEACHER)}) is False
    assert without(True, {GUARDIAN}) is True
    assert without(Opaque("x"), {GUARDIAN}) == Opaque("x")
    assert without(Contracted("p", ()), {Contracted("p", ())}) is False


def test_a_teacher_is_asked_about_teaching_alone() -> None:
    """Issue 3, "Must show": a list costs by what can be on it."""
    request = Request(Entity("user", "ann"), Action("read"), Entity("assessment_result", ""), {})
    formulas = plan(policy(), question(request, believes_mfa=False))
    assert traces.enrolled("teacher") in traces.that_matter(formulas, "user", people=True)
    left = traces.left(formulas, TEACHER, "user", people=True)
    asked = {atom for formula in left for atom in atoms(formula)}
    assert Related(Relation.TEACHES) in asked
    assert not asked & {GUARDIAN, Related(Relation.SAME_SCHOOL), Related(Relation.ELEVATED)}
    assert {atom.role for atom in asked if isinstance(atom, Holds)} <= {Role.TEACHER, Role.PUBLIC}


def test_whoever_is_not_active_is_asked_about_nothing() -> None:
    request = Request(Entity("user", "ann"), Action("read"), Entity("assessment_result", ""), {})
    formulas = plan(policy(), question(request, believes_mfa=False))
    assert traces.left(formulas, frozenset(), "user", people=True) == ()
