"""Who may open which screen: every route is in the table, and is tried as everybody else.

Each family of screens has its rows in ``OPENINGS`` of a module ``openings_<family>.py``.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from authz.admin.opening import Screen
from authz.admin.screens import SCREENS
from tests.admin.kit import BASE, ORDINARY, PRIVILEGED, Kit, token

EVERYBODY: Final = frozenset({*PRIVILEGED, *ORDINARY})
OPENINGS: Final[dict[str, tuple[str, frozenset[str]]]] = {
    name: row
    for path in sorted(Path(__file__).parent.glob("openings_*.py"))
    for name, row in import_module(f"tests.admin.{path.stem}").OPENINGS.items()
}
"""Endpoint → an address of it, and the sign-ins for whom it opens."""
GUARDED: Final = [screen for screen in SCREENS if not screen.public]
PUBLIC: Final = frozenset(
    {
        *("sign_in", "with_password", "with_code", "sign_out", "language"),
        *("provider_leave", "provider_back", "invitation", "invitation_accept", "signed_out"),
    }
)


def test_every_screen_is_in_the_table_and_only_screens_are() -> None:
    assert set(OPENINGS) == {screen.endpoint for screen in GUARDED}
    assert {screen.endpoint for screen in SCREENS if screen.public} == PUBLIC


@pytest.fixture(scope="module")
def visits(standing: Kit) -> Visits:
    """Everybody, before the screens of this module."""
    return Visits(standing)


class Visits:
    """Everybody's browser, signed in once; a session that a screen ended is begun again."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.clients = {name: kit.client() for name in EVERYBODY}

    def status(self, screen: Screen, address: str, name: str) -> int:
        """The status of the screen; of a change, sent with nothing in its form but the token."""
        client = self.clients[name] if name else self.kit.client()
        at = "/admin/profile" if name else "/admin/sign-in"
        shown = client.get(at, base_url=BASE)
        if name and shown.status_code == 302:
            self.kit.enter(client, name)
            shown = client.get(at, base_url=BASE)
        if screen.methods == ("GET",):
            return client.get(address, base_url=BASE).status_code
        form = {"csrf_token": token(shown)}
        return client.post(address, data=form, base_url=BASE).status_code


def test_every_route_is_a_screen(standing: Kit) -> None:
    routes = {rule.endpoint for rule in standing.admin.url_map.iter_rules()}
    assert routes == {screen.endpoint for screen in SCREENS} | {"static"}


@pytest.mark.parametrize("screen", GUARDED, ids=lambda screen: screen.endpoint)
def test_a_screen_opens_for_those_of_its_row_and_for_nobody_else(
    visits: Visits, screen: Screen
) -> None:
    address, welcome = OPENINGS[screen.endpoint]
    assert re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", f"/admin{screen.path}"), address.split("?")[0])
    opened = {name for name in EVERYBODY if visits.status(screen, address, name) not in {403, 404}}
    assert opened == welcome
    assert visits.status(screen, address, "") == 302
