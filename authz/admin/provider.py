"""Signing in at an OpenID Connect provider, and the invitation that links an account (N-40).

The way out is a link, and the way back a page: so no form of ours leads to another host, and
the content policy can say so.
"""

from __future__ import annotations

from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from authz.admin import sign_in, signed_in
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.config.parties import SignInProvider
from authz.errors import ConflictError, NotFoundError, SettingError, UnauthenticatedError
from authz.service import console_key, links, providers

KEPT, INVITATION, TARGET = "provider", "invitation", "provider_next"
"""Members of the signed cookie on the way there and back; the first is encrypted."""
PURPOSE = "provider"
SECONDS = 600
"""How long somebody may take at the provider."""


def leave(key: str) -> ResponseReturnValue:
    """Go to the provider."""
    provider = _provider(key)
    try:
        started = providers.start(provider, _back(provider))
    except UnauthenticatedError as error:
        return sign_in.form("sign_in.html", error)
    folder = here().settings.key_folder
    session[KEPT] = console_key.encrypt(folder, started.kept, purpose=PURPOSE)
    session[TARGET] = request.args.get("next", "")
    return redirect(started.url)


def back(key: str) -> ResponseReturnValue:
    """Come back from the provider; what was kept is used once, whatever comes of it."""
    console, provider = here(), _provider(key)
    kept, target = session.pop(KEPT, ""), session.pop(TARGET, "")
    invitation = session.pop(INVITATION, "")
    folder = console.settings.key_folder
    try:
        known = console_key.decrypt(folder, kept, purpose=PURPOSE, seconds=SECONDS)
        who = providers.finish(provider, _back(provider), known, request.args)
        attempt = signed_in.attempt("")
        name, step = links.enter(console.store, folder, who, attempt, invitation)
    except SettingError:
        return sign_in.form("sign_in.html", providers.refusal(), target="")
    except (UnauthenticatedError, NotFoundError, ConflictError) as error:
        told = error if error.where == "provider" else UnauthenticatedError("", where="account")
        return sign_in.form("sign_in.html", told, target=target)
    return sign_in.go_on(name, step, target)


def invited(text: str) -> ResponseReturnValue:
    """The invitation: which sign-in it opens. Nobody accepts one by following a link."""
    return _invitation(text, accepted=False)


def accepted(text: str) -> ResponseReturnValue:
    """Keep that it was accepted, and show where to sign in."""
    shown = _invitation(text, accepted=True)
    session[INVITATION] = text
    return shown


def _invitation(text: str, *, accepted: bool) -> str:
    return render_template(
        "invitation.html",
        name=links.invited(here().store, text),
        text=text,
        accepted=accepted,
        providers=here().settings.oidc,
    )


def signed_out(key: str) -> ResponseReturnValue:
    """Signed out here; the browser goes on to sign out at the provider, if it offers that."""
    address = providers.leaving(_provider(key), _address(url_for("sign_in")))
    return render_template("signed_out.html", address=address)


def _provider(key: str) -> SignInProvider:
    found = next((each for each in here().settings.oidc if each.key == key), None)
    return found or abort(404)


def _back(provider: SignInProvider) -> str:
    """Our return address: one for each provider, so that no answer is taken for another's."""
    return _address(url_for("provider_back", key=provider.key))


def _address(path: str) -> str:
    """An address of ours as others know it; never by the ``Host`` of a request."""
    return here().settings.public_url + path


SCREENS = (
    Screen(path="/sign-in/at/<key>", endpoint="provider_leave", view=leave, public=True),
    Screen(path="/sign-in/back/<key>", endpoint="provider_back", view=back, public=True),
    Screen(path="/invitation/<text>", endpoint="invitation", view=invited, public=True),
    Screen(
        path="/invitation/<text>",
        endpoint="invitation_accept",
        view=accepted,
        methods=("POST",),
        public=True,
    ),
    Screen(path="/signed-out/<key>", endpoint="signed_out", view=signed_out, public=True),
)
