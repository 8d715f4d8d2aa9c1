"""Sign-ins by the command line, and those that the demo prints (4.1, 4.2, N-40)."""

from __future__ import annotations

import json
import re

from authz.admin import create_admin
from authz.admin.context import Console
from authz.cli.demo.command import SIGN_INS
from authz.config import load
from authz.service.point import open_point
from tests.cli.conftest import ROOT, Shell

ISSUER = "https://login.school.test"
OIDC = [{"key": "a", "issuer": ISSUER, "client_id": "us", "name": {"th": "ก", "en": "a"}}]


def test_the_demo_prints_sign_ins_that_open_the_screens(demo: Shell) -> None:
    printed = demo("demo", "--prepare-only").stderr
    (address,) = re.findall(r"The screens are at (\S+);", printed)
    assert address.endswith("/admin/")
    found = dict(re.findall(r"^  (\w+) +([\w-]{20}) ", printed, re.MULTILINE))
    assert set(found) == set(SIGN_INS)
    assert len(set(found.values())) == len(found)
    settings = load(
        database_url=demo.environment["AUTHZ_DATABASE_URL"],
        key_folder=demo.environment["AUTHZ_KEY_FOLDER"],
        policy=ROOT / "policies/school",
        console_policy=ROOT / "policies/console",
    )
    point = open_point(settings)
    admin = create_admin(Console.open(settings, point))
    for name, password in found.items():
        client = admin.test_client()
        page = client.get("/sign-in", base_url="http://127.0.0.1").text
        (csrf,) = re.findall(r'name="csrf_token" value="([^"]+)"', page)[:1]
        form = {"name": name, "password": password, "csrf_token": csrf}
        assert client.post("/sign-in", data=form, base_url="http://127.0.0.1").status_code == 302
        inside = client.get("/profile/password", base_url="http://127.0.0.1")
        assert inside.status_code == 200, name
    point.store.dispose()


def test_an_account_is_invited_linked_and_taken_away(shell: Shell) -> None:
    shell.environment["AUTHZ_OIDC"] = json.dumps(OIDC)
    shell.environment["AUTHZ_PUBLIC_URL"] = "https://authz.school.test"
    added = shell("user", "add", "somying", "--no-password", "--because", "new")
    assert (added.returncode, added.stdout) == (0, "")
    invited = shell("user", "invite", "somying")
    assert invited.stdout.startswith("https://authz.school.test/admin/invitation/")
    account = ["somying", "--issuer", ISSUER, "--subject", "7"]
    statuses = [shell("user", what, *account).returncode for what in ("link", "link", "unlink")]
    assert statuses == [0, 1, 0]
    unknown = shell("user", "link", "somying", "--issuer", "https://evil.test", "--subject", "7")
    assert unknown.returncode == 2
