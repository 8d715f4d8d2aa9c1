"""Screens and what opens them: every route says which decision it needs (N-41, 3.1).

A screen about a person asks the console's decision point about that person; a place of work
(a list, the policy, the trail) asks about the one who opens it. The decision leaves its
record like any other. Nobody is told whether what they may not open exists: it is 404.
A route that declares nothing cannot be added.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from authz import clock
from authz.admin import names
from authz.admin.context import here
from authz.decision.request import Request, parse
from authz.service.database import reading
from authz.service.decided import Caller, Decided

CONSOLE: Final = Caller("authz-console", asserts_mfa=True)
"""The screens as an application that asks; they assert the second factor of a session."""

FIRST: Final = frozenset({"new_password", "change_password"})
"""What somebody with a first password may open: nothing but a new one."""

FILES: Final = Path(__file__).parents[1] / "static"
"""Style, script and fonts, as files of ours; printed reports have the same fonts."""

_OURS: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
"""A path of ours: one slash, and nothing that a browser drops or turns into one."""

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One route: its address, what shows it, and the decision that opens it.

    ``category`` and ``action`` are of ``policies/console``; ``person`` names the argument of
    the view that holds the person's id, and is empty for a place of work. Without a category
    the route is public (signing in), which is said by ``public``.
    """

    path: str
    endpoint: str
    view: View
    category: str = ""
    action: str = "read"
    person: str = ""
    methods: tuple[str, ...] = ("GET",)
    public: bool = False

    def __post_init__(self) -> None:
        if bool(self.category) == self.public:
            raise ValueError(f"the screen {self.endpoint} declares no decision")
        if self.person and f"<{self.person}>" not in self.path.replace("path:", ""):
            raise ValueError(f"the screen {self.endpoint} has no person in its address")
        if self.action == "read" and self.methods != ("GET",) and not self.public:
            raise ValueError(f"the screen {self.endpoint} changes by reading")


def change(path: str, endpoint: str, view: View, category: str, *, person: str = "") -> Screen:
    """A route that takes a form, behind the decision about the change."""
    return Screen(
        path=path,
        endpoint=endpoint,
        view=view,
        category=category,
        action="update",
        person=person,
        methods=("POST",),
    )


def register(app: Flask, screens: Sequence[Screen]) -> None:
    """Add the routes, each behind its decision."""
    for screen in screens:
        view = screen.view if screen.public else _opened(screen)
        app.add_url_rule(screen.path, screen.endpoint, view, methods=list(screen.methods))
    app.extensions["authz.screens"] = tuple(screens)


def may(category: str, action: str = "read", person: str | None = None) -> bool:
    """Whether whoever is signed in may; recorded, like every decision."""
    return _decide(category, action, person).decision.permit


def open_places(categories: Sequence[str], action: str = "read") -> frozenset[str]:
    """Those of these places of work that open to whoever is signed in.

    For a menu, which shows no data: nothing is recorded before a place is opened.
    """
    return would(categories, None, action)


def would(categories: Sequence[str], person: str | None, action: str = "read") -> frozenset[str]:
    """The same of screens about a person, for links to them."""
    return frozenset(_allowed({category: (category, action) for category in categories}, person))


def allowed(category: str, action: str, person: str | None = None) -> bool:
    """Whether a form of this place of work is shown; what it sends is decided and recorded."""
    return bool(_allowed({category: (category, action)}, person))


def _allowed(asked: Mapping[str, tuple[str, str]], person: str | None) -> list[str]:
    point, now = here().own, clock.now()
    with reading(point.store) as connection:
        return [
            name
            for name, (category, action) in asked.items()
            if point.decide(
                connection, point.question(_request(category, action, person), CONSOLE), now
            ).decision.permit
        ]


def within(target: str) -> str:
    """The address to go on to: a page of ours, whatever a link said; home, where it is none."""
    if not _OURS.fullmatch(target):
        return url_for("home")
    return request.script_root + target


def go(address: str) -> ResponseReturnValue:
    """Go on to a page as a whole, also where only a part of one was asked for (HTMX)."""
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address)


@cache
def version() -> str:
    """What tells these files from those of another release: a digest of them."""
    digest = hashlib.sha256()
    for path in sorted(each for each in FILES.rglob("*") if each.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _opened(screen: Screen) -> View:
    @wraps(screen.view)
    def view(**arguments: Any) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            return go(url_for("sign_in", next=_asked()))
        if current_user.session.must_change and screen.endpoint not in FIRST:
            return go(url_for("new_password"))
        if not current_user.person:
            abort(403, _("This sign-in belongs to nobody in the directory."))
        person = arguments[screen.person] if screen.person else None
        decided = _decide(screen.category, screen.action, person)
        if not decided.decision.permit:
            if decided.decision.reason == "second-factor":
                return go(url_for("second_factor", next=_asked()))
            abort(404 if screen.person else 403)
        g.decided = decided
        reply = screen.view(**arguments)
        names.record(screen.category, person)
        return reply

    return view


def _asked() -> str:
    """What was asked for, for after the signing in; a change is not asked for again."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def _decide(category: str, action: str, person: str | None) -> Decided:
    asked = _request(category, action, person)
    (decided,) = here().own.evaluate([asked], CONSOLE, request_id=g.request_id)
    return decided


def _request(category: str, action: str, person: str | None) -> Request:
    return parse(
        {
            "subject": {"type": "user", "id": current_user.person},
            "action": {"name": action},
            "resource": {"type": category, "id": person or current_user.person},
            "context": {"mfa": True} if current_user.mfa else {},
        }
    )
