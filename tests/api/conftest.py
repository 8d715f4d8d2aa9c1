"""A small school behind the application, asked through WSGI."""

from __future__ import annotations

import json
import shutil
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from authz.api import create_app
from authz.api.context import NAME, Service
from authz.config import Settings, load
from authz.service.journals import close
from authz.service.record_facts import import_facts
from authz.service.tokens import create_token
from tests.api.server import ROOT

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
FACTS: list[dict[str, Any]] = [
    {"fact": "person", "id": "mali", "given_name": "มะลิ", "family_name": "ใจดี"},
    {"fact": "person", "id": "anan", "given_name": "อนันต์", "family_name": "ใจดี"},
    {"fact": "person", "id": "wanida", "given_name": "วนิดา", "family_name": "ใจดี"},
    {"fact": "person", "id": "somchai", "given_name": "สมชาย", "family_name": "อื่น"},
    {"fact": "custody_restriction", "subject": "anan", "person": "mali", "basis": "court"},
    {"fact": "guardianship", "guardian": "anan", "student": "mali", "kind": "parent"},
]


class Reply(TestResponse):
    """What came back; its JSON has whatever type the test says."""

    json: Any


@dataclass(frozen=True)
class Client:
    """Whoever asks, with a token or without."""

    app: Flask
    token: str

    @property
    def token_id(self) -> str:
        """The `jti` of the token."""
        payload = self.token.split(".")[1]
        return str(json.loads(urlsafe_b64decode(payload + "=="))["jti"])

    @property
    def service(self) -> Service:
        found: Service = self.app.extensions[NAME]
        return found

    @property
    def store(self) -> Engine:
        return self.service.store

    @property
    def settings(self) -> Settings:
        return self.service.settings

    def post(self, path: str, body: object, **headers: str | None) -> Reply:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: dict[str, str | None] = {"content_type": "application/json"}
        return self.ask("POST", path, data=data, **{**sent, **headers})

    def ask(
        self, method: str, path: str, *, data: bytes | None = None, **headers: str | None
    ) -> Reply:
        own: dict[str, str | None] = {"authorization": f"Bearer {self.token}", **headers}
        named = {name.replace("_", "-"): value for name, value in own.items() if value is not None}
        answer = self.app.test_client().open(path, method=method, data=data, headers=named)
        return cast("Reply", answer)


def question(subject: str = "mali", person: str = "mali", **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "user", "id": subject},
        "action": {"name": "read"},
        "resource": {"type": "identity", "id": person},
        **more,
    }


def open_client(url: str, folder: Path, **more: Any) -> Iterator[Client]:
    """An application of the school pack on that database, with :data:`FACTS` in it."""
    more.setdefault("audit_folder", str(folder / "audit"))
    settings = load(
        database_url=url,
        key_folder=folder / "keys",
        policy=ROOT / "policies" / "school",
        public_url=more.pop("public_url", "https://pdp.example.test"),
        **more,
    )
    app = create_app(settings)
    service: Service = app.extensions[NAME]
    import_facts(
        service.store,
        lambda: (json.dumps(fact) for fact in FACTS),
        name="facts",
        catalogue=service.point.policy.catalogue,
        local=settings.local,
        by="tests",
    )
    token = create_token(service.store, settings, "tests", ["pdp"], timedelta(hours=1), by="tests")
    yield Client(app, token)
    close(service.store)
    shutil.rmtree(folder / "audit", ignore_errors=True)


@pytest.fixture
def client(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    yield from open_client(sqlite_url, tmp_path)


@pytest.fixture(params=["journal", "database"])
def audit_folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where records go first: to journals, or to the database at once."""
    return str(tmp_path / "audit") if request.param == "journal" else ""


@pytest.fixture
def any_client(store_url: str, tmp_path: Path, audit_folder: str) -> Iterator[Client]:
    """The same on each kind of database, with a journal and without."""
    yield from open_client(store_url, tmp_path, audit_folder=audit_folder)
