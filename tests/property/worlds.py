"""Random little schools, and questions about them that come near to a permit.

Few people, few ids and few moments, so that rows meet; every row is one that an import takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.oracle.policy import ACTIONS, CATALOGUE, GRANTED_ROLES, PURPOSES, RULES, Rule
from tests.oracle.school import KEYS
from tests.world import Row, World

PEOPLE = ("ann", "bob", "cat", "dan")
SERVICES = ("svc", "court")
SCHOOLS = ("S1", "S2")
GROUPS = ("C0", "C1", "C2")
LONG_GONE, EDGE, LATER = "2026-11-10T08:00:00", "2026-11-15T12:00:00", "2026-11-20"
MOMENTS = (None, LONG_GONE, "2026-11-15T11:59:59", EDGE, "2026-11-15T12:00:01", LATER, None)
SPANS = [
    (begin, end)
    for i, begin in enumerate(MOMENTS[:-1])
    for end in MOMENTS[i + 1 :]
    if begin != end or begin is None
]
IN_FORCE = (None, None)

theorem: Callable[..., Any] = settings(
    max_examples=16,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # each example clears the store
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
"""The same examples on every run, few enough for CI."""

LIKELY = [*(rule for rule in RULES if rule.role != "public"), *RULES]
person = st.sampled_from(PEOPLE)
school = st.sampled_from(SCHOOLS)
UNDATED: st.SearchStrategy[Row] = st.just({})


def spans(begin: str = "from", end: str = "until") -> st.SearchStrategy[Row]:
    """Dates in force, mostly; else over, to come, or at the edge of now."""
    return st.one_of(st.just(IN_FORCE), st.sampled_from(SPANS)).map(
        lambda span: {n: v for n, v in zip((begin, end), span, strict=True) if v is not None}
    )


def _opened(end: str, begin: str = "opened_at") -> st.SearchStrategy[Row]:
    return spans(begin, end).map(lambda dates: {begin: "2026-01-01", **dates})


def _line(
    fact: str, dates: st.SearchStrategy[Row] = UNDATED, /, **members: st.SearchStrategy[Any]
) -> st.SearchStrategy[Row]:
    """A line of a facts file, with dates."""
    return st.tuples(st.fixed_dictionaries(members), dates).map(
        lambda parts: {"fact": fact, **parts[0], **parts[1]}
    )


def _some(values: tuple[str, ...], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)


def _ids(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{kind}-1", f"{kind}-2"])


def _of_two(line: Row) -> bool:
    pairs = (("guardian", "student"), ("subject", "person"), ("mentor", "person"))
    return not any(one in line and line[one] == line.get(other) for one, other in pairs)


def _cut(category: str) -> st.SearchStrategy[list[str]]:
    return st.one_of(st.just([]), _some(CATALOGUE[category]))


granted = _line(
    "grant",
    spans(),
    person=person,
    role=st.sampled_from(sorted(GRANTED_ROLES)),
    organisation=st.sampled_from([None, "S1", "S2", "D"]),
    granted_by=st.just("office"),
    reason=st.just("duty"),
)
contract = _line(
    "contract",
    spans(),
    id=_ids("contract"),
    processor=st.just("P"),
    purposes=_some(tuple(PURPOSES), 4),
    categories=st.lists(st.sampled_from(sorted(CATALOGUE)), min_size=2, max_size=5, unique=True)
    .flatmap(lambda names: st.fixed_dictionaries({name: _cut(name) for name in names})),
    actions=_some(ACTIONS[:4], 4),
    schools=st.one_of(st.just("all"), _some(SCHOOLS, 2)),
    transfer=st.sampled_from(["domestic", "adequate", "safeguards", "none"]),
    country=st.sampled_from(["TH", "TH", "SG"]),
    sub_processing=st.booleans(),
)  # fmt: skip
relations = st.one_of(
    granted,
    granted,
    _line(
        "guardianship",
        spans(),
        guardian=person,
        student=person,
        kind=st.sampled_from(["parent", "guardian", "relative"]),
    ).filter(_of_two),
    _line("mentoring", spans(), mentor=person, person=person).filter(_of_two),
    contract,
    _line(
        "order",
        spans(),
        id=_ids("order"),
        authority=st.just("A"),
        persons=_some(PEOPLE),
        categories=_some(tuple(CATALOGUE), 6),
    ),
    _line("ticket", _opened("closed_at"), id=_ids("ticket"), person=person, assignee=person),
    _line(
        "case",
        _opened("closed_at"),
        id=_ids("case"),
        kind=st.sampled_from(["rights_request", "incident"]),
        persons=_some(PEOPLE),
        assignee=person,
    ),
    _line(
        "purchase",
        id=_ids("goods"),
        person=person,
        assignee=person,
        ordered_at=st.sampled_from(["2010-01-01", "2026-08-01", LATER]),
        received_at=st.sampled_from([None, "2016-11-15T12:00:00", "2026-08-17", "2026-08-18"]),
    ),
    _line(
        "elevation",
        person=person,
        school=school,
        justification=st.just("flood"),
        **{"from": st.just("2026-11-15T00:00:00"), "until": st.sampled_from([EDGE, "2026-11-16"])},
    ),
)
about_people = st.one_of(
    _line(
        "person",
        id=person,
        status=st.sampled_from(["active", "active", "suspended", "deregistered"]),
        cancelled_at=st.sampled_from([None, "2025-11-15T12:00:00", "2025-11-15T12:00:01"]),
        last_used_at=st.sampled_from([None, "2021-11-15T12:00:00", "2026-01-01"]),
        schools=st.one_of(st.none(), _some(SCHOOLS, 2)),
    ),
    _line("custody_restriction", spans(), subject=person, person=person, basis=st.just("court"))
    .filter(_of_two),
    _line("emancipation", person=person, **{"from": st.sampled_from([LONG_GONE, LATER])}),
    _line(
        "consent",
        _opened("withdrawn_at", "given_at"),
        person=person,
        purpose=st.sampled_from(["marketing", "event"]),
        project=st.sampled_from([None, "past", "running"]),
    ),
    _line("objection", spans(), person=person, purpose=st.sampled_from(sorted(PURPOSES))),
    _line("restriction", spans(), person=person),
    _line("erasure", person=person, approved_at=st.sampled_from([LONG_GONE, LATER])),
)  # fmt: skip
deleted = st.one_of(relations, about_people).filter(lambda line: line["fact"] != "person")

FRAME: list[Row] = [
    {"fact": "processor", "id": "P", "name": "P", "members": ["svc", "dan"]},
    {"fact": "authority", "id": "A", "name": "A", "members": ["court", "cat"]},
    {"fact": "project", "id": "past", "customer": "C", "ended_at": "2026-10-16T12:00:00"},
    {"fact": "project", "id": "running", "customer": "C", "retention_days": 5},
]

STANDING: list[Row] = [
    *(
        {"fact": "grant", "person": who, "role": role, "organisation": where,
         "granted_by": "office", "reason": "duty"}
        for who, role, where in (
            ("ann", "school_admin", "S1"), ("ann", "support_agent", None), ("bob", "mentor", None),
            ("bob", "order_clerk", None), ("cat", "dpo", None), ("dan", "analyst", "D"),
        )
    ),
    {"fact": "guardianship", "guardian": "cat", "student": "bob", "kind": "parent"},
    {"fact": "mentoring", "mentor": "bob", "person": "cat"},
    {"fact": "ticket", "id": "ticket-1", "person": "dan", "assignee": "ann",
     "opened_at": "2026-01-01"},
    {"fact": "purchase", "id": "goods-1", "person": "dan", "assignee": "bob",
     "ordered_at": "2026-08-01"},
    {"fact": "case", "id": "case-1", "kind": "rights_request", "persons": ["bob", "dan"],
     "assignee": "cat", "opened_at": "2026-01-01"},
    {"fact": "order", "id": "order-1", "authority": "A", "persons": ["ann", "bob", "dan"],
     "categories": ["contact", "identity", "payment", "access_log"]},
    {"fact": "contract", "id": "contract-1", "processor": "P", "purposes": list(PURPOSES),
     "categories": {name: list(fields[:2]) for name, fields in CATALOGUE.items()},
     "actions": list(ACTIONS[:4]), "schools": "all",
     "transfer": "domestic", "country": "TH", "sub_processing": True},
    {"fact": "elevation", "person": "ann", "school": "S2", "justification": "flood",
     "from": "2026-11-15T00:00:00", "until": "2026-11-16T00:00:00"},
]  # fmt: skip
"""Facts in force, of which most are in every world, so that much is permitted."""

HOLDERS = {
    "school_admin": ["ann"], "support_agent": ["ann"], "mentor": ["bob"], "order_clerk": ["bob"],
    "dpo": ["cat"], "analyst": ["dan"], "parent": ["cat"], "teacher": ["dan"],
    "teacher_aide": ["cat"], "processor": ["svc", "dan"], "authority": ["court", "cat"],
    "public": list(PEOPLE),
}  # fmt: skip


def key(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """What names the fact of a line (page 5)."""
    return (line["fact"], *(line.get(name) for name in KEYS.get(line["fact"], ("id",))))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A district of two schools, four people, and up to some twenty facts about them."""
    world = World().school("D").school("S1", below="D").school("S2", below="D")
    for ident in PEOPLE:
        born = draw(st.sampled_from(["2012-05-05", "2012-05-05", None, "2006-11-15", "2006-11-16"]))
        world.person(ident, born=born, at=draw(st.sampled_from([None, "S1", "S1", "S2"])))
    world.person("stranger")
    world.term("T", LONG_GONE, draw(st.sampled_from([EDGE, LATER, None])))
    world.group("C0", school="S1").group("C1", school="S1", terms=["T"])
    world.group("C2", school="S2", terms=["T", *draw(st.sampled_from([[], ["unheard-of"]]))])
    enrolment = st.tuples(
        st.sampled_from(GROUPS),
        st.sampled_from(["student", "student", "teacher", "teacher", "aide", "proctor"]),
        person,
        spans("begin", "end"),
    )
    for group, role, who, dates in draw(
        st.lists(enrolment, max_size=7, unique_by=lambda row: (row[:3], row[3].get("begin")))
    ):
        world.enrol(group, role, who, **dates)
    for role, some in (("teacher", ["dan"]), ("student", ["ann", "bob"]), ("aide", ["cat"])):
        world.enrol("C0", role, *some, begin="2026-02-02")
    left_out = draw(st.sets(st.integers(0, len(STANDING) - 1), max_size=4))
    world.facts = [
        *FRAME,
        *(line for number, line in enumerate(STANDING) if number not in left_out),
        *draw(st.lists(relations, max_size=8)),
        *draw(st.lists(about_people, max_size=5)),
    ]
    gone = draw(st.lists(st.sampled_from(world.facts[len(FRAME) :]), max_size=1))
    world.facts += [{**line, "delete": True} for line in gone if line["fact"] != "person"]
    return world


@st.composite
def requests(draw: st.DrawFn, *, strange: bool = True) -> Row:
    """A request that some rule could permit, or nearly; with ``strange`` also unknown ids."""
    rule = draw(st.sampled_from(LIKELY))
    words = draw(st.integers(0, 19)) if strange else 9
    who = draw(_who(rule)) if words else draw(st.sampled_from(["nobody", *SERVICES, *PEOPLE]))
    whom = who if rule.condition == ("self",) else draw(person)
    category = draw(st.sampled_from(sorted(CATALOGUE if words == 1 else rule.categories)))
    action = draw(st.sampled_from(ACTIONS if words == 2 else rule.actions))
    found: Row = {
        "subject": {"type": "service" if who in SERVICES else "user", "id": who},
        "action": {"name": "fly" if words == 3 else action},
        "resource": {
            "type": "shoes" if words == 4 else category,
            "id": "ghost" if words == 5 else whom,
        },
        "context": {**draw(_context(rule)), **({"purpose": "curiosity"} if words == 6 else {})},
    }
    if properties := draw(_properties(category)):
        found["resource"]["properties"] = properties
    return found


def _who(rule: Rule) -> st.SearchStrategy[str]:
    """Somebody who holds the rule's role in most worlds, or anybody."""
    holders = HOLDERS[rule.role]
    return st.sampled_from([*holders * 4, *PEOPLE])


def _context(rule: Rule) -> st.SearchStrategy[Row]:
    purposes = rule.purposes or tuple(PURPOSES)
    needed: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {"mfa": st.booleans()}
    if rule.default is None:
        needed["purpose"] = st.sampled_from([*purposes, *purposes, None])
    else:
        optional["purpose"] = st.sampled_from([*purposes, *PURPOSES])
    for relation, name in (("ticketed", "ticket"), ("ordered", "order"), ("on_case", "case")):
        (needed if relation in rule.condition else optional)[name] = _ids(name)
    if "mfa" in rule.condition:
        needed["mfa"] = st.sampled_from([True, True, False])
    justified = "justification given" in rule.condition
    (needed if justified else optional)["justification"] = st.sampled_from(["flood", "flood", " "])
    optional = {name: some for name, some in optional.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=optional)


def _properties(category: str) -> st.SearchStrategy[Row]:
    names = (*CATALOGUE[category], "shoe_size")
    return st.fixed_dictionaries(
        {},
        optional={
            "class": st.sampled_from(GROUPS),
            "record": _ids("goods"),
            "fields": st.lists(st.sampled_from(names), min_size=1, max_size=4),
        },
    )


batches = st.lists(requests(), min_size=12, max_size=16)
plain_batches = st.lists(requests(strange=False), min_size=12, max_size=16)
