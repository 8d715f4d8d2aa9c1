"""Who is signed in: the session of a request, and the cookie of a known browser (N-40)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, current_app, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from itsdangerous import BadSignature, URLSafeSerializer

from authz import clock
from authz.admin.context import here
from authz.service import sessions
from authz.service.sessions import Session
from authz.service.signing_in import Attempt

DEVICE: Final = "authz-device"
DEVICE_DAYS: Final = 400
LANGUAGE: Final = "language"
_BROWSERS: Final = re.compile(r"Edg|OPR|Firefox|Chrome|Safari|CriOS|FxiOS|Line")
_SYSTEMS: Final = re.compile(r"Windows|Android|iPhone|iPad|Mac OS|Linux")


@dataclass(frozen=True)
class Person(UserMixin):  # type: ignore[misc]  # Flask-Login is not typed
    """Whoever is signed in, as the screens know them."""

    session: Session

    @property
    def name(self) -> str:
        """The name of the sign-in."""
        return self.session.name

    @property
    def person(self) -> str:
        """The person of the directory; empty for a sign-in that belongs to nobody."""
        return self.session.person

    @property
    def mfa(self) -> bool:
        """Whether this session has shown a second factor."""
        return self.session.mfa

    def get_id(self) -> str:
        """What the cookie holds: the session's token."""
        return self.session.token


def register(app: Flask) -> None:
    """Look up the session of each request."""
    manager = LoginManager(app)
    manager.session_protection = None  # an address changes on a phone; the token is the proof
    manager.user_loader(_load)
    app.context_processor(lambda: {"me": current_user if current_user.is_authenticated else None})


def _load(token: str) -> Person | None:
    found = sessions.find(here().store, token, clock.now())
    return Person(found) if found else None


def begin(token: str) -> None:
    """The browser holds this session from now on; of what it held before, only the language."""
    _clear()
    found = sessions.find(here().store, token, clock.now())
    if found is not None:
        login_user(Person(found))


def forget() -> None:
    """The browser holds no session any more."""
    logout_user()
    _clear()


def _clear() -> None:
    kept = session.get(LANGUAGE)
    session.clear()
    if kept:
        session[LANGUAGE] = kept
        session.permanent = True


def attempt(name: str) -> Attempt:
    """Where this request comes from, for whoever signs in under this name."""
    return Attempt(request.remote_addr or "", _device(name), browser())


def remember_device(response: Response, name: str) -> None:
    """The browser is one in which this sign-in's owner has been."""
    response.set_cookie(
        DEVICE,
        _signer().dumps([name, secrets.token_urlsafe(12)]),
        max_age=DEVICE_DAYS * 86_400,
        secure=current_app.session_interface.get_cookie_secure(current_app),
        httponly=True,
        samesite="Lax",
    )


def browser() -> str:
    """The browser and its system, as their owner would name them."""
    agent = request.headers.get("User-Agent", "")
    found = (_BROWSERS.search(agent), _SYSTEMS.search(agent))
    return " · ".join(each[0] for each in found if each) or "?"


def request_id() -> str:
    """An id for the records of this request: half the time, half chance."""
    return f"{int(clock.now().timestamp() * 1_000_000):016x}{secrets.token_hex(8)}"


def _device(name: str) -> str | None:
    try:
        owner, device = _signer().loads(request.cookies.get(DEVICE, ""))
    except (BadSignature, ValueError, TypeError):
        return None
    return str(device) if owner == name else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="authz known browser 1")
