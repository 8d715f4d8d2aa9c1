"""``authz demo``: the demo school, loaded and served; what `make run` runs (4.1)."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from authz import clock
from authz.cli.demo.scene import Scene
from authz.cli.demo.school import Demo, write
from authz.cli.output import say, settings
from authz.config import Settings
from authz.config import load as load_settings
from authz.errors import ConflictError
from authz.policy.load import load
from authz.service import users
from authz.service.database import upgrade
from authz.service.journals import open_settings
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from authz.service.tokens import create_token
from authz.vocabulary import Scope

FOLDER = Path("var/demo")
TOKEN_LASTS = timedelta(days=1)
BY = "demo"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--prepare-only", is_flag=True, help="Load the school and print, but do not serve.")
def demo(host: str, port: int, workers: int, prepare_only: bool) -> None:  # noqa: FBT001 (as click calls it)
    """Serve a demo school of three Thai schools, on a database of its own."""
    found = settings()
    if "public_url" not in found.model_fields_set:
        os.environ["AUTHZ_PUBLIC_URL"] = f"https://{host}:{port}"
    found, school = prepare(found)
    store = open_settings(found)
    token = create_token(store, found, "demo", [Scope.PDP], TOKEN_LASTS, asserts=["mfa"], by=BY)
    base = f"http://{host}:{port}"
    say(
        f"\nThe demo school is loaded: three schools, their people in {school.roster},\n"
        f"facts in {school.facts}.\n\nThe screens are at {base}/admin/; sign in as\n"
    )
    for name, (who, password) in sign_ins(store, found).items():
        say(f"  {name:10} {password:22} {who}")
    say(f"\nRead the API at {base}/docs. Stop with Ctrl-C. Ask, in another terminal:\n")
    for title, scene in _shown(school):
        click.echo(f"# {title}: {scene.title['en']}\n{curl(base, token, scene.request)}\n")
    if not prepare_only:
        from authz.cli.serve import THREADS, run  # noqa: PLC0415 (costly, and only to serve)

        run(host, port, workers=workers, threads=THREADS, policy=found.policy)


def prepare(found: Settings) -> tuple[Settings, Demo]:
    """The demo school of today in a database of its own, and the settings that name it.

    The school's dates are counted from the day it is loaded, so each day has its own.
    """
    today = clock.now().astimezone(found.local).date()
    folder = FOLDER / today.isoformat()
    for old in FOLDER.glob("*"):
        if old != folder and old.is_dir():
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["AUTHZ_DATABASE_URL"] = f"sqlite:///{folder.resolve()}/authz.db"
    found = load_settings()
    school = write(folder, today)
    store = open_settings(found)
    upgrade(store)
    import_oneroster(
        store,
        school.roster,
        local=found.local,
        by=BY,
        because="demo school",
        allow_mass_change=True,
    )
    import_facts(
        store,
        lambda: school.facts.read_text("utf-8").splitlines(),
        name=str(school.facts),
        catalogue=load(found.policy).catalogue,
        local=found.local,
        by=BY,
        because="demo school",
    )
    store.dispose()
    return found, school


SIGN_INS = {
    "siri": ("dpo-siri", "the data-protection officer"),
    "prapai": ("admin-prapai", "the head of a school"),
    "area": ("admin-area", "an administrator of the district"),
    "krung": ("ops-krung", "who runs the platform"),
    "somchai": ("parent-somchai", "a father"),
    "danai": ("teacher-danai", "a teacher"),
    "aom": ("support-aom", "an auditor, in this demo"),
}


def sign_ins(store: Engine, settings: Settings) -> dict[str, tuple[str, str]]:
    """Who can sign in to the demo, each with a first password made now (4.1)."""
    found, catalogue = {}, load(settings.policy).catalogue
    for name, (person, who) in SIGN_INS.items():
        try:
            password = users.add(
                store, name, person=person, by=BY, because="demo school", auditor=name == "aom",
                catalogue=catalogue,
            )  # fmt: skip
        except ConflictError:
            password = users.reset(store, name, by=BY, because="demo school")
        found[name] = (who, password)
    return found


def _shown(school: Demo) -> list[tuple[str, Scene]]:
    """One permit and one refusal, that hold on any day."""
    permit = next(s for s in school.scenes if s.decision and s.rule == "parent-read")
    refusal = next(s for s in school.scenes if not s.decision and s.rule == "custody")
    return [("A permit", permit), ("A refusal", refusal)]


def curl(base: str, token: str, request: dict[str, Any]) -> str:
    """The command that asks this question."""
    return (
        f"curl -s {base}/access/v1/evaluation \\\n"
        f"  -H 'Authorization: Bearer {token}' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(request, ensure_ascii=False)}'"
    )
