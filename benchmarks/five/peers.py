"""The five rules for engines that are not Casbin's, each in its own language and way.

Each is imported when it is made: they are an optional group of dependencies (``peers``), and
one that is not installed is reported as not available. What an engine can keep, it keeps: a
compiled policy, parsed entities, data. What it must be handed with every question is part of
the question's time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import optional  # noqa: F401 (makes the engines importable)
from benchmarks.five.world import (
    READ,
    RELATIONS,
    RULES,
    Ask,
    Person,
    Student,
    World,
)

Call = Callable[..., bool]
Given = Callable[[Ask], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Peer:
    """How an engine is asked: the call that is timed, and how a question becomes its arguments."""

    call: Call
    given: Given


def vakt(_made: World) -> Peer:
    """The guard of vakt: policies in memory, the relations as rules of our own."""
    from vakt import Guard, Inquiry, MemoryStorage, PolicyAllow, PolicyDeny, RulesChecker
    from vakt.rules import Eq
    from vakt.rules.base import Rule

    class Related(Rule):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            self.test = RELATIONS[name]

        def satisfied(self, what: Any, inquiry: Any = None) -> bool:
            return self.test(inquiry.subject["person"], what)

    store = MemoryStorage()
    for number, (role, action, relation, effect) in enumerate(RULES):
        kind = PolicyAllow if effect == "allow" else PolicyDeny
        subjects, resources = [{"role": Eq(role)}], [Related(relation)]
        store.add(kind(number, actions=[Eq(action)], subjects=subjects, resources=resources))
    guard = Guard(store, RulesChecker())

    def ask(person: Person, action: str, student: Student) -> bool:
        subject = {"role": person.role, "person": person}
        return bool(guard.is_allowed_check(Inquiry(student, action, subject)))

    return Peer(ask, lambda one: (one.person, one.action, one.student))


REGO = """
package five
import rego.v1
default allow := false
student := data.students[input.obj]
person := data.people[input.sub]
allow if { permitted; not refused }
permitted if { input.role == "parent"; input.act == "read"; person.children[input.obj]; student.minor }
permitted if { input.role == "teacher"; input.act == "read"; student.running; person.classes[student.klass] }
permitted if { input.role == "admin"; input.act == "read"; person.school == student.school }
permitted if { input.role == "student"; input.act == "read"; input.sub == input.obj }
refused if { input.role == "parent"; input.act == "read"; person.restricted[input.obj] }
"""  # noqa: E501 (a rule a line, as in the other languages)


def documents(made: World) -> str:
    """The world as Rego's data."""
    people = {
        one.id: {
            "children": dict.fromkeys(one.children, True),
            "classes": dict.fromkeys(one.classes, True),
            "restricted": dict.fromkeys(one.restricted, True),
            "school": one.school,
        }
        for one in made.people.values()
    }
    students = {
        s.id: {"klass": s.klass, "school": s.school, "minor": s.minor, "running": s.running}
        for s in made.students.values()
    }
    return json.dumps({"people": people, "students": students})


def rego_given(ask: Ask) -> tuple[dict[str, str]]:
    """The input document."""
    person, student = ask.person, ask.student
    return ({"role": person.role, "sub": person.id, "act": ask.action, "obj": student.id},)


def regorus_vm(made: World) -> Peer:
    """Regorus: the policy compiled for its virtual machine, the world as its data."""
    import regorus

    program = regorus.Program.compile_from_modules("{}", [("five.rego", REGO)], ["data.five.allow"])
    machine = regorus.Rvm()
    machine.load_program(program)
    machine.set_data_json(documents(made))

    def ask(given: dict[str, str]) -> bool:
        machine.set_input_json(json.dumps(given))
        return bool(machine.execute() == "true")

    return Peer(ask, rego_given)


def regorus_engine(made: World) -> Peer:
    """Regorus' interpreter, the same policy and data."""
    import regorus

    engine = regorus.Engine()
    engine.add_policy("five.rego", REGO)
    engine.add_data_json(documents(made))

    def ask(given: dict[str, str]) -> bool:
        engine.set_input(given)
        return bool(engine.eval_rule("data.five.allow"))

    return Peer(ask, rego_given)


CEDAR = """
permit(principal, action == Action::"read", resource) when
  { principal.role == "parent" && principal.children.contains(resource.key) && resource.minor };
permit(principal, action == Action::"read", resource) when
  { principal.role == "teacher" && resource.running && principal.classes.contains(resource.klass) };
permit(principal, action == Action::"read", resource) when
  { principal.role == "admin" && principal.school == resource.school };
permit(principal, action == Action::"read", resource) when
  { principal.role == "student" && principal.key == resource.key };
forbid(principal, action == Action::"read", resource) when
  { principal.role == "parent" && principal.restricted.contains(resource.key) };
"""


def cedar(_made: World) -> Peer:
    """Cedar: the policies parsed once, the two people given with the question.

    A set of all entities kept by the engine is no faster: each question is then charged for
    its size.
    """
    import cedarpy

    policies = cedarpy.PolicySet.from_str(CEDAR)

    def ask(given: dict[str, Any], entities: list[dict[str, Any]]) -> bool:
        return bool(cedarpy.is_authorized(given, policies, entities).allowed)

    return Peer(ask, _cedar_given)


def _cedar_given(ask: Ask) -> tuple[Any, ...]:
    person, student = ask.person, ask.student
    about = {
        "key": student.id,
        "klass": student.klass,
        "school": student.school,
        "minor": student.minor,
        "running": student.running,
    }
    who = {
        "key": person.id,
        "role": person.role,
        "school": person.school,
        "children": sorted(person.children),
        "classes": sorted(person.classes),
        "restricted": sorted(person.restricted),
    }
    names = {"type": "User", "id": person.id}, {"type": "Student", "id": student.id}
    request = {
        "principal": names[0],
        "action": {"type": "Action", "id": ask.action},
        "resource": names[1],
        "context": {},
    }
    return request, [
        {"uid": names[0], "attrs": who, "parents": []},
        {"uid": names[1], "attrs": about, "parents": []},
    ]


MOST = 1000
"""Relationships that pemba takes at once."""
SCHEMA = """
definition user {}
definition class { relation teacher: user }
definition school { relation admin: user }
definition student {
  relation guardian: user
  relation restricted: user
  relation own: user
  relation attends: class
  relation school: school
  permission read = (guardian - restricted) + own + attends->teacher + school->admin
}
"""


def pemba(made: World) -> Peer:
    """Make pemba, which knows relationships only.

    It has no conditions: who is grown up, and which class does not run, is left out of the
    relationships beforehand, and stays so whatever the day.
    """
    from pemba import Engine

    engine = Engine.memory()
    engine.write_schema(SCHEMA)
    found = sorted(_relationships(made))
    for first in range(0, len(found), MOST):
        engine.write(touch=found[first : first + MOST])

    def ask(student: str, permission: str, person: str) -> bool:
        return bool(engine.check(student, permission, person))

    return Peer(ask, _pemba_given)


def _pemba_given(ask: Ask) -> tuple[str, str, str]:
    # A permission that the schema lacks is an error there, not a refusal.
    action = "read" if ask.action == READ else "own"
    who = f"user:{ask.person.id}" if ask.action == READ else "user:nobody"
    return f"student:{ask.student.id}", action, who


def _relationships(made: World) -> set[str]:
    found = set()
    for student in made.students.values():
        name = f"student:{student.id}"
        found |= {f"{name}#own@user:{student.id}", f"{name}#school@school:{student.school}"}
        if student.running:
            found.add(f"{name}#attends@class:{student.klass}")
    for person in made.people.values():
        who = f"user:{person.id}"
        minors = [child for child in person.children if made.students[child].minor]
        found |= {f"student:{child}#guardian@{who}" for child in minors}
        found |= {f"student:{child}#restricted@{who}" for child in person.restricted}
        found |= {f"class:{name}#teacher@{who}" for name in person.classes}
        if person.role == "admin":
            found.add(f"school:{person.school}#admin@{who}")
    return found


PEERS: dict[str, Callable[[World], Peer]] = {
    "vakt": vakt,
    "regorus (RVM)": regorus_vm,
    "regorus (interpreter)": regorus_engine,
    "cedarpy": cedar,
    "pemba (no conditions)": pemba,
}
"""By the name shown: what makes the engine."""
