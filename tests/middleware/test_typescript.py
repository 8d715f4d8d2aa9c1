"""The client of front ends: fresh, and true to the endpoint of a real server."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.middleware import flask_site, serving
from tests.middleware.points import CountingPoint
from tests.middleware.signing import mint
from tests.middleware.site import KID, MUM, OTHER

CLIENT = Path(__file__).parents[2] / "clients" / "typescript"
SCRIPT = """
const { Authz } = await import(process.argv[1]);
const [base, token] = process.argv.slice(2);
const faults = [];
const options = (headers, path = "/authz/may") => ({
  path: base + path, headers: () => headers, onFault: (fault) => faults.push(fault.status ?? 0),
});
const mother = { Authorization: `Bearer ${token}` };
const about = (person) => ({ action: "read", category: "assessment_result", person });
const authz = new Authz(options(mother));
const many = Array.from({ length: 250 }, (_, number) => about(`S${number}`));
const together = await Promise.all([
  authz.may(about("KID")), authz.may(about("OTHER")), authz.mayEach(many),
]);
const nobody = await new Authz(options({})).may(about("KID"));
const strange = await new Authz(options(mother, "/")).may(about("KID"));
const elsewhere = { ...options({}), fetch: async () => new Response('{"answers": ["yes"]}') };
const rubbish = await new Authz(elsewhere).may(about("KID"));
console.log(JSON.stringify({ together, nobody, strange, rubbish, faults }));
""".replace("KID", KID).replace("OTHER", OTHER)


def test_types_and_javascript_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("build", CLIENT / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert list(build.stale()) == [], "run clients/typescript/build.py"


def test_questions_of_a_turn_go_out_together_and_only_a_clear_yes_is_one() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("NO NODE: install nodejs")
    point = CountingPoint()
    with serving.wsgi(flask_site.create(point)) as (host, port):
        done = subprocess.run(
            [node, "--input-type=module", "-e", SCRIPT, str(CLIENT / "authz.js"),
             f"http://{host}:{port}", mint(MUM)],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["together"] == [True, False, [False] * 250]
    assert [told[name] for name in ("nobody", "strange", "rubbish")] == [False, False, False]
    assert sorted(len(batch) for batch in point.asked) == [52, 200]
    assert told["faults"][0] == 401
