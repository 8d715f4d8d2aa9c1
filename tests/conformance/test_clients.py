"""Third parties: clients that are not ours ask our point over HTTPS, and ours asks Cerbos.

None of them is changed or told of our words: all that they share with us is AuthZEN 1.0.
"""

from __future__ import annotations

import json
import ssl
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.client import HTTPException
from typing import Any

import httpx
import pytest
from apparitor.client import AuthZENClient
from apparitor.config import ScannerConfig
from apparitor.errors import AuthZENClientError
from apparitor.models import (
    Action,
    BatchEvaluationRequest,
    EvaluationItem,
    EvaluationRequest,
    Resource,
    Subject,
)
from decern import Client as Decern
from decern import DecernError

from authz.middleware.answer import UNAVAILABLE
from authz.middleware.lists import permitted
from authz.middleware.options import Endpoints
from authz.middleware.question import Question
from authz.middleware.remote import RemotePoint
from benchmarks import cerbos, served
from tests.api.certificates import certificate
from tests.api.conftest import FACTS
from tests.api.server import HOST, ROOT, Place, Server
from tests.middleware.asking import PATIENT, Waited
from tests.middleware.loops import run
from tests.waiting import PATIENCE

IDENTIFIER = "https://pdp.example.test"
OWN = Question("mali", "read", "identity", "mali", context={"purpose": "service"})
OTHER = replace(OWN, subject="anan")
FIELDS = {"given_name", "family_name"}


@pytest.fixture(scope="module")
def point(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The school pack with a few people, served with TLS."""
    folder = tmp_path_factory.mktemp("clients")
    place = Place(folder, ROOT / "policies" / "school", public_url=IDENTIFIER)
    place.authz("db", "upgrade")
    facts = folder / "facts.jsonl"
    facts.write_text("\n".join(json.dumps(fact) for fact in FACTS), "utf-8")
    place.authz("import", "facts", facts)
    with place.serving(tls=certificate(folder)) as server:
        server.token = place.token("pdp", "pdp:search")
        yield server


@pytest.fixture
def address(point: Server) -> str:
    return f"https://{HOST}:{point.port}"


def test_decern_asks_our_point(
    point: Server, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(point.log.parent / "cert.pem"))
    client = Decern(address, token=point.token, timeout=PATIENCE)
    person, own = {"type": "identity", "id": "mali"}, {"type": "user", "id": "mali"}
    decided = client.evaluate(own, "read", person, {"purpose": "service"})
    assert decided.allowed
    assert decided.context is not None
    assert set(decided.context["obligations"][0]["value"]) == FIELDS
    assert not client.evaluate({"type": "user", "id": "anan"}, "read", person).allowed
    with pytest.raises(DecernError) as refused:
        Decern(address, token="t", timeout=PATIENCE).evaluate(own, "read", person)
    assert refused.value.status_code == 401


async def _apparitor(point: Server, address: str) -> tuple[list[bool], list[bool], int | None]:
    names = ("request_budget_s", "connect_timeout_s", "read_timeout_s")
    waits: dict[str, Any] = dict.fromkeys(names, PATIENCE)
    config = ScannerConfig(pdp_url=address, allow_insecure_pdp=True, **waits)
    assert point.trusted is not None
    bearer = {"Authorization": f"Bearer {point.token}"}
    asked = [
        EvaluationRequest(
            subject=Subject(type="user", id=subject),
            action=Action(name="read"),
            resource=Resource(type="identity", id="mali"),
            context={"purpose": "service"},
        )
        for subject in ("mali", "anan")
    ]
    items = [EvaluationItem(subject=each.subject) for each in asked]
    batch = BatchEvaluationRequest(
        action=asked[0].action, resource=asked[0].resource, evaluations=items
    )
    async with httpx.AsyncClient(verify=point.trusted, headers=bearer, timeout=PATIENCE) as http:
        client = AuthZENClient(config, http_client=http)
        alone = [(await client.evaluate(each)).decision for each in asked]
        together = [each.decision for each in (await client.evaluate_batch(batch)).evaluations]
    async with httpx.AsyncClient(verify=point.trusted, timeout=PATIENCE) as http:
        with pytest.raises(AuthZENClientError) as refused:
            await AuthZENClient(config, http_client=http).evaluate(asked[0])
    return alone, together, refused.value.status_code


def test_apparitor_asks_our_point(point: Server, address: str) -> None:
    alone, together, status = run(_apparitor(point, address))
    assert alone == together == [True, False]
    assert status == 401


@pytest.mark.parametrize("kind", [RemotePoint, Waited])
def test_our_own_client_asks_our_point(point: Server, address: str, kind: Any) -> None:
    client = kind(IDENTIFIER, point.token, reached_at=address, tls=point.trusted, options=PATIENT)
    (alone,) = client.decide([OWN])
    assert (alone.permit, alone.fields, alone.rules) == (True, FIELDS, ("self-read",))
    assert alone.by_point == {"notify", "review"}
    assert alone.decision_id
    several = client.decide([OWN, OTHER, replace(OWN, context={"purpose": 7}), OWN])
    assert [each.permit for each in several] == [True, False, False, True]
    assert list(client.search(OWN)) == ["mali"]
    assert permitted(client, _Query(), OWN, person=_Query()) == ["mali"]
    client.close()


class _Query:
    def in_(self, ids: Sequence[str]) -> Sequence[str]:
        return ids

    def where(self, ids: Sequence[str]) -> Sequence[str]:
        return ids


def test_our_own_client_believes_no_certificate_that_it_does_not_know(
    point: Server, address: str
) -> None:
    client = RemotePoint(IDENTIFIER, point.token, reached_at=address, options=PATIENT)
    assert client.decide([OWN])[0].reason == UNAVAILABLE
    known = ssl.create_default_context(cafile=point.log.parent / "cert.pem")
    another = address.replace(HOST, "localhost")
    wrong = RemotePoint(IDENTIFIER, point.token, reached_at=another, tls=known, options=PATIENT)
    assert wrong.decide([OWN])[0].reason == UNAVAILABLE, "its certificate names an address"
    client.close()
    wrong.close()


@pytest.fixture(scope="module")
def cerbos_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Cerbos server with the rules of the benchmarks, from the registry."""
    try:
        cerbos.binary()
    except (OSError, HTTPException, ValueError, tarfile.TarError) as error:
        pytest.skip(f"NO CERBOS: {error}")
    with served.peer(tmp_path_factory.mktemp("cerbos")) as port:
        yield f"http://{HOST}:{port}"


@pytest.mark.parametrize("kind", [RemotePoint, Waited])
def test_our_client_asks_cerbos(cerbos_url: str, kind: Any) -> None:
    """Cerbos says no revision and offers no search; its metadata is not https without TLS."""
    base = f"{cerbos_url}/access/v1/"
    client = kind(
        "https://cerbos.example.test",
        endpoints=Endpoints(base + "evaluation", base + "evaluations"),
        options=PATIENT,
    )
    teacher = {"cerbos.roles": ["teacher"], "classes": ["C-1"], "children": [], "school": "x"}
    runs = {"running": True, "class": "C-1", "minor": True, "school": "y"}
    taught = Question(
        *("t-1", "read", "assessment_result", "p-1"),
        subject_properties={**teacher, "restricted": []},
        properties=runs,
    )
    ended = replace(taught, properties={**runs, "running": False})
    questions = [taught, ended, taught, replace(ended, person="p-2"), replace(taught, action="no")]
    alone = [client.decide([each])[0].permit for each in questions]
    assert alone == [True, False, True, False, False]
    assert [each.permit for each in client.decide(questions)] == alone, "coalesced equals single"
    client.close()
