"""The Cerbos server: fetched from the npm registry, checked, and given the same five rules.

It knows no directory, so a question brings what the rules ask: the roles (``cerbos.roles`` is how
its AuthZEN endpoint takes them) and the attributes of both people.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import platform
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.directories import Case
from benchmarks.optional import VAR

VERSION = "0.55.0"
PACKAGE = "@cerbos/cerbos-linux-x64"
INTEGRITY = (
    "sha512-eLZUycJfaQWK0XTRgH/Oz2E3XiNCUavDd1LhzFxhUpZ3s5CuQqmqG327ta0On8YOTxuZO/19cG4"
    "kvfC22r03/Q=="
)
"""As the registry gives it for this version; what is fetched must have it."""
REGISTRY = "https://registry.npmjs.org"
POLICY = {
    "apiVersion": "api.cerbos.dev/v1",
    "resourcePolicy": {
        "version": "default",
        "resource": "assessment_result",
        "rules": [
            {
                "actions": ["read"],
                "effect": effect,
                "roles": [role],
                "condition": {"match": {"expr": expression}},
            }
            for role, effect, expression in (
                ("parent", "EFFECT_ALLOW", "R.id in P.attr.children && R.attr.minor"),
                ("teacher", "EFFECT_ALLOW", "R.attr.running && R.attr.class in P.attr.classes"),
                ("school_admin", "EFFECT_ALLOW", "R.attr.school == P.attr.school"),
                ("student", "EFFECT_ALLOW", "R.id == P.id"),
                ("parent", "EFFECT_DENY", "R.id in P.attr.restricted"),
            )
        ],
    },
}
ROLES = {"parent": "parent", "admin": "school_admin", "student": "student"}


def binary() -> Path:
    """The server's file, fetched once; OSError or ValueError say why there is none."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise OSError("the Cerbos binary measured here is for Linux on x86_64")
    found = VAR / f"cerbos-{VERSION}"
    if not found.exists():
        found.parent.mkdir(parents=True, exist_ok=True)
        fresh = found.with_suffix(f".{os.getpid()}")  # another may fetch it too
        fresh.write_bytes(_unpacked(_fetched()))
        fresh.chmod(0o755)
        fresh.replace(found)
    return found


def _fetched() -> bytes:
    url = f"{REGISTRY}/{PACKAGE}/-/{PACKAGE.split('/')[1]}-{VERSION}.tgz"
    with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310 (a constant, https)
        data: bytes = answer.read()
    digest = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if digest != INTEGRITY:
        raise ValueError(f"{url} is not what the registry vouches for: {digest}")
    return data


def _unpacked(data: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        member = archive.extractfile(f"package/{PACKAGE.split('/')[1]}")
        if member is None:
            raise ValueError("the package holds no server")
        return member.read()


def settings(folder: Path, port: int, other: int) -> Path:
    """Write policy and configuration: audit and telemetry off, loopback only."""
    policies = folder / "policies"
    policies.mkdir(parents=True, exist_ok=True)
    # JSON is YAML, and the server reads both.
    (policies / "five.json").write_text(json.dumps(POLICY), "utf-8")
    path = folder / "cerbos.json"
    config = {
        "server": {
            "httpListenAddr": f"127.0.0.1:{port}",
            "grpcListenAddr": f"127.0.0.1:{other}",
        },
        "audit": {"enabled": False},
        "telemetry": {"disabled": True},
        "storage": {
            "driver": "disk",
            "disk": {"directory": str(policies), "watchForChanges": False},
        },
    }
    path.write_text(json.dumps(config), "utf-8")
    return path


def request(case: Case) -> dict[str, Any]:
    """The same question, with what the rules ask of both people."""
    own = case.klass if case.kind == "teacher" else f"{case.school}.other"
    asked = case.request()
    asked["subject"]["properties"] = {
        "cerbos.roles": [ROLES.get(case.kind, "teacher")],
        "children": [case.person] if case.kind == "parent" else [],
        "restricted": [],
        "classes": [f"{own[:-4]}{name}" for name in ("home", "math", "sci")]
        if case.kind == "teacher"
        else [own],
        "school": case.school if case.kind == "admin" else "",
    }
    asked["resource"]["properties"] = {
        "minor": True,
        "running": True,
        "class": case.klass,
        "school": case.school,
    }
    return asked
