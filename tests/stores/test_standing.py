"""Pack and settings are recorded when they are not those of the last start (N-49)."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from authz.api import create_app
from authz.config import Settings
from authz.engine.policy import Policy
from authz.policy.load import load
from authz.service import standing
from authz.service.database import open_store, upgrade
from authz.service.tables import Standing
from tests.world import SCHOOL_PACK, policy, records


def noted(store: Engine, settings: Settings, pack: Policy) -> list[dict[str, Any]]:
    """Start; the records that it left."""
    before = len(records(store))
    standing.note(store, settings, pack)
    return records(store)[before:]


def other_pack(folder: Path) -> Policy:
    """The school pack with two rules in another order."""
    shutil.copytree(SCHOOL_PACK, folder / "pack")
    rules = folder / "pack" / "policy.csv"
    rules.write_text(_other(rules.read_text("utf-8")), "utf-8")
    return load(folder / "pack")


def _other(rules: str) -> str:
    """The first two permits in the other order, which chooses another reason."""
    lines = rules.splitlines()
    first, second = [n for n, line in enumerate(lines) if line.startswith("p,")][:2]
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines) + "\n"


def test_a_first_start_is_recorded_and_the_next_leaves_nothing(store: Engine) -> None:
    first = noted(store, Settings(), policy())
    assert [record["event"] for record in first] == ["policy_changed", "settings_changed"]
    assert first[0]["detail"]["after"] == {"digest": policy().digest}
    assert noted(store, Settings(), policy()) == []


def test_another_pack_is_recorded_with_what_differs(store: Engine, tmp_path: Path) -> None:
    noted(store, Settings(), policy())
    other = other_pack(tmp_path)
    (record,) = noted(store, Settings(), other)
    detail = record["detail"]
    assert detail["before"] == {"digest": policy().digest}
    assert detail["after"] == {"digest": other.digest}
    assert [(each["kind"], each["part"]) for each in detail["differences"]] == [("rules", "order")]
    (back,) = noted(store, Settings(), policy())
    assert back["detail"]["after"] == {"digest": policy().digest}


def test_settings_are_told_by_name_without_their_secrets(store: Engine) -> None:
    url = "postgresql+psycopg://authz:{}@db/authz"
    noted(store, Settings(database_url=url.format("Sawasdee"), age_of_majority=20), policy())
    (record,) = noted(
        store, Settings(database_url=url.format("Sawasdee"), age_of_majority=18), policy()
    )
    assert record["detail"]["before"] == {"age_of_majority": 20}
    assert record["detail"]["after"] == {"age_of_majority": 18}
    (secret,) = noted(
        store, Settings(database_url=url.format("Lakorn"), age_of_majority=18), policy()
    )
    assert secret["detail"]["secrets_changed"] == ["database_url"]
    assert "before" not in secret["detail"]
    everything = json.dumps(records(store))
    assert "Sawasdee" not in everything
    assert "Lakorn" not in everything


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("database_url", "postgresql://db/authz?user=authz&password={}"),
        ("smtp_url", "smtp://post:{}@mail.example:587"),
        ("smtp_url", "smtp://post:1@{}@mail.example"),
    ],
)
def test_no_address_is_told_with_its_password(store: Engine, name: str, url: str) -> None:
    noted(store, Settings.model_validate({name: url.format("Sawasdee")}), policy())
    (record,) = noted(store, Settings.model_validate({name: url.format("Lakorn")}), policy())
    assert record["detail"]["secrets_changed"] == [name]
    with store.connect() as connection:
        kept = str(connection.execute(select(Standing.__table__)).all())
    for secret in ("Sawasdee", "Lakorn"):
        assert secret not in json.dumps(records(store)) + kept


def test_workers_that_start_together_leave_one_record(store: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: standing.note(store, Settings(), policy()), range(4)))
    events = [record["event"] for record in records(store)]
    assert sorted(events) == ["policy_changed", "settings_changed"]


@pytest.mark.parametrize(
    ("method", "path", "before", "after"),
    [("GET", "/openapi.json", 503, 200), ("POST", "/access/v1/evaluation", 503, 401)],
)
def test_a_store_that_comes_later_has_the_record_before_the_first_answer(
    tmp_path: Path, method: str, path: str, before: int, after: int
) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/late.db",
        key_folder=tmp_path / "keys",
        policy=SCHOOL_PACK,
    )
    client = create_app(settings).test_client()
    assert client.get("/healthz").status_code == 200
    assert client.open(path, method=method).status_code == before
    store = open_store(settings.database_url)
    upgrade(store)
    assert client.open(path, method=method).status_code == after
    assert client.open(path, method=method).status_code == after
    events = [record["event"] for record in records(store)]
    assert events == ["policy_changed", "settings_changed"]
    store.dispose()
