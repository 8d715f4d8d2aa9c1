"""The client installs alone: it imports nothing of the service, and none of its libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ("sqlalchemy", "casbin", "flask", "pydantic", "granian", "alembic", "click", "werkzeug")
FRAMEWORKS = (
    "flask.py", "starlette.py", "fastapi.py", "django.py", "django_tags.py", "embedded.py",
)  # fmt: skip
BLOCKED = """
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
{rest}
"""
IMPORTS = """
for name in sys.argv[1:]:
    importlib.import_module(name)
import authz.middleware
for name in authz.middleware.__all__:
    if name != "EmbeddedPoint":
        getattr(authz.middleware, name)
print("authz.config" in sys.modules, "authz.service" in sys.modules)
"""
COMMAND = "from authz.command import main\nmain()"


def run(rest: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = BLOCKED.format(blocked=SERVICE, rest=rest)
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def modules() -> list[str]:
    """The client's own modules; frameworks and the gateway have extras of their own."""
    folder = ROOT / "authz" / "middleware"
    paths = [*folder.glob("*.py"), *(folder / "obligations").glob("*.py")]
    own = sorted(path for path in paths if path.name not in FRAMEWORKS)
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in own]
    return [".".join(part).removesuffix(".__init__") for part in parts]


def test_the_client_needs_nothing_of_the_service() -> None:
    done = run(IMPORTS, *modules())
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "False False"


def test_the_command_says_what_to_install_where_only_the_client_is() -> None:
    done = run(COMMAND)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'authz[server]'" in done.stderr
