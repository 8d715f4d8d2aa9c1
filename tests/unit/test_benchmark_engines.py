"""The engines of the benchmark answer the five rules as plain Python does, or are not timed."""

import importlib.util

import pytest

from benchmarks.five import casbins, peers
from benchmarks.five.world import Ask, World, allowed, asks, world
from benchmarks.sections.engines import prepared

MODULES = {"vakt": "vakt", "pemba": "pemba", "cedarpy": "cedarpy", "regorus": "regorus"}


@pytest.fixture(scope="module")
def made() -> World:
    return world(600)


@pytest.fixture(scope="module")
def asked(made: World) -> list[Ask]:
    return list(asks(made, 480))


def test_the_questions_are_permits_and_refusals_of_every_role(asked: list[Ask]) -> None:
    said = {(ask.person.role, allowed(ask)) for ask in asked}
    assert said == {
        (role, answer)
        for role in ("parent", "teacher", "admin", "student")
        for answer in (True, False)
    }


@pytest.mark.parametrize(
    "name", [n for n in casbins.ENGINES if n != "pycasbin FastEnforcer, `eval()`"]
)
def test_casbin_and_ours_answer_as_plain_python(name: str, asked: list[Ask]) -> None:
    enforce = casbins.ENGINES[name]()
    assert [enforce(*casbins.given(ask)) for ask in asked] == [allowed(ask) for ask in asked]


@pytest.mark.parametrize("name", peers.PEERS)
def test_each_peer_answers_as_plain_python(name: str, made: World, asked: list[Ask]) -> None:
    module = name.split(maxsplit=1)[0]
    if not importlib.util.find_spec(MODULES[module]):
        pytest.skip(f"{module} is of the optional group `peers`")
    peer = peers.PEERS[name](made)
    assert [peer.call(*peer.given(ask)) for ask in asked] == [allowed(ask) for ask in asked]


def test_an_engine_that_answers_otherwise_or_fails_is_told_and_not_timed(
    made: World, asked: list[Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(_made: World) -> peers.Peer:
        raise ModuleNotFoundError("No module named 'absent'")

    wrong = peers.Peer(lambda: True, lambda _ask: ())
    monkeypatch.setattr(peers, "PEERS", {"yes": lambda _made: wrong, "absent": absent})
    problems: list[str] = []
    ready = prepared(made, asked, problems)
    assert {"yes", "absent"}.isdisjoint(ready)
    assert any(one.startswith("yes: ") and "answers are wrong" in one for one in problems)
    assert "absent: not available (make bench installs it)" in problems
    assert "CompiledEnforcer (ours)" in ready
