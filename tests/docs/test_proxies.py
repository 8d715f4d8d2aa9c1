"""What the how-to shows is what the tests run and what lies beside it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from authz.middleware.gateway import onward
from authz.middleware.gateway.config import Config
from authz.middleware.gateway.lint import load
from tests.gateway import site

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("path", sorted((FOLDER / "proxies").iterdir()), ids=lambda path: path.name)
def test_the_page_shows_the_file(path: Path) -> None:
    page = (FOLDER / "ask-from-a-proxy.md").read_text("utf-8")
    assert f"(proxies/{path.name})" in page
    assert f"\n{path.read_text('utf-8').rstrip()}\n```" in page
    if path.suffix == ".yaml":
        assert yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile", "traefik.yaml"])
def test_each_proxy_hands_on_all_that_a_permit_says(name: str) -> None:
    """A header that is left out is an obligation unheard, and a word of the caller's."""
    told = (FOLDER / "proxies" / name).read_text("utf-8")
    assert not [each for each in onward.NOBODY if not re.search(rf"\b{each}\b(?!-)", told)]


@pytest.mark.parametrize("page", ["put-a-gateway-in-front.md", "ask-from-a-proxy.md"])
def test_the_routes_of_the_page_start(page: str, tmp_path: Path) -> None:
    """All TOML of a page together is a file."""
    text = (FOLDER / page).read_text("utf-8")
    whole = "\n".join(
        re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in TOML.findall(text)
    )
    assert Config.model_validate(tomllib.loads(whole)).routes
    forward = page.startswith("ask")
    _, table = load(site.write(tmp_path, whole), forward=forward)
    assert table.declared
