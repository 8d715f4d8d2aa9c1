"""Whatever an upstream calls a list: nothing leaves of a person who is refused (E-01)."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authz.errors import ObligationError
from authz.middleware.answer import Answer
from authz.middleware.declare import Needs
from authz.middleware.gateway.config import ListTable
from authz.middleware.gateway.listing import Listing
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.shape import Shape
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM, OTHER

NEEDS = Needs("read", "assessment_result", "person", shape=Shape(keep=frozenset({"id", "a", "b"})))
TABLE = ListTable(rows="/rows", person="/id", most=5)
NAMES = st.sampled_from(["id", "ID", "a", "b", "score", "note", "rows"])
IDS = st.sampled_from([KID, OTHER, 7, None, True, "", [KID], {"id": OTHER}])


def _holding(person: str) -> st.SearchStrategy[Any]:
    """Anything at all with that person's words in it, and perhaps whole rows of another."""
    words = st.sampled_from([f"WORD-OF-{person}", {"id": OTHER, "score": f"WORD-OF-{OTHER}"}])
    return st.recursive(
        words | IDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    )


def _row(person: str) -> st.SearchStrategy[dict[str, Any]]:
    members = st.dictionaries(NAMES.filter(lambda name: name.lower() != "id"), _holding(person))
    return members.map(lambda found: {"id": person, **found})


ROWS = st.lists(_row(KID) | _row(OTHER), max_size=6)
ANY = st.recursive(
    IDS | st.just("WORD-OF-other"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
)


def _leaves(value: Any, *, unlimited: bool) -> str:
    """What leaves, as text; empty where all is refused."""
    point = CountingPoint(None if unlimited else frozenset({"score"}))
    listing = Listing(Guard(point), NEEDS, {}, Identity(MUM), TABLE)
    try:
        return json.dumps(listing.carry_out(value))
    except ObligationError:
        return ""


@given(ROWS, st.booleans())
def test_a_row_of_somebody_who_is_refused_leaves_nothing(rows: list[Any], unlimited: bool) -> None:
    assert f"WORD-OF-{OTHER}" not in _leaves({"rows": rows}, unlimited=unlimited)


@given(ANY, st.booleans())
def test_what_is_no_list_leaves_no_id_of_another(value: Any, unlimited: bool) -> None:
    """But what the permitted row says in names that are about nobody, or that it may show."""
    left = _leaves(value, unlimited=unlimited)
    assert f'"id": "{OTHER}"' not in left
    assert not left or set(json.loads(left)) <= {"rows", "a", "b"}


def test_the_point_of_these_tests_permits_and_refuses() -> None:
    assert CountingPoint()._one(NEEDS.question({"person": KID}, Identity(MUM))) != Answer.refused(
        "refused"
    )
    rows = [{"id": person, "score": f"WORD-OF-{person}"} for person in (KID, OTHER)]
    assert (
        _leaves({"rows": rows}, unlimited=False)
        == '{"rows": [{"id": "kid", "score": "WORD-OF-kid"}]}'
    )
