"""``X-Authz-Revision``: the same word for the same state, another after any change (3.5)."""

from __future__ import annotations

import json

from authz.api.revision import word
from authz.service.record_facts import import_facts
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, Reply, question

REVISION = "X-Authz-Revision"


def test_the_word_stays_until_the_directory_changes(any_client: Client) -> None:
    before = any_client.post(EVALUATION, question()).headers[REVISION]
    assert any_client.post(EVALUATION, question("anan", "mali")).headers[REVISION] == before
    assert _batch(any_client).headers[REVISION] == before
    service = any_client.service
    fact = {"fact": "person", "id": "new", "given_name": "ก", "family_name": "ข"}
    import_facts(
        service.store,
        lambda: iter([json.dumps(fact)]),
        name="facts",
        catalogue=service.point.policy.catalogue,
        local=service.settings.local,
        by="tests",
    )
    after = any_client.post(EVALUATION, question()).headers[REVISION]
    assert after not in ("", before)
    assert _batch(any_client).headers[REVISION] == after


def test_another_policy_or_other_settings_make_another_word(client: Client) -> None:
    place = client.service.point.place
    words = {word("a", place, 1), word("b", place, 1), word("a", place, 2), word("a", place, None)}
    older = type(place)(place.local, place.age_of_majority + 1, place.country)
    assert len(words | {word("a", older, 1)}) == 5


def test_what_was_not_decided_has_no_word(client: Client) -> None:
    assert REVISION not in client.post(EVALUATION, {}).headers
    assert REVISION not in client.post(EVALUATIONS, {"evaluations": [{}]}).headers


def _batch(client: Client) -> Reply:
    return client.post(EVALUATIONS, {"evaluations": [{}, question()]})
