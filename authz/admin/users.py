"""The sign-ins: who may sign in, added and ended by whoever runs the platform (N-40, N-45).

The list shows ids and states, and nobody's name: running the platform opens no data. A role
is not given here but the auditor's, which is no role of the directory's facts.
"""

from __future__ import annotations

from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from authz import clock
from authz.admin import changes, opening
from authz.admin.context import here
from authz.admin.opening import Screen, change
from authz.errors import (
    AuthzError,
    ConflictError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    SeparationError,
)
from authz.service import links, sessions, users, ways_in, ways_in_notices
from authz.service.ways_in import Given, What

LONGEST_WHY = 500
PROBLEMS = {
    ("add", ConflictError): _l("There is a sign-in of that name already."),
    ("add", MalformedError): _l(
        "A name has up to 64 letters, digits or . @ + - _; an auditor is a person on file."
    ),
    ("add", NotFoundError): _l("The register holds no person with that number."),
    ("disable", ConflictError): _l(
        "This is the last sign-in of somebody who runs the platform. Add another one first."
    ),
    ("link", ConflictError): _l("That account opens a sign-in already."),
    ("link", MalformedError): _l("Name the provider and the number of the account there."),
}
KINDS: Final[dict[str, Any]] = {
    What.ADD: _l("A new sign-in"),
    What.LINK: _l("An account at a provider is to open it"),
    What.INVITE: _l("An invitation to link an account"),
    What.RESET: _l("A new first password"),
}
"""What is asked for, in words."""
BY_OPERATOR = _l(
    "Who was granted a role, or is to be an auditor with a password, gets a way in from the "
    "operator, at the command line, and not here."
)
ENDED = _l("The sign-in is not in force any more.")


def show_list() -> ResponseReturnValue:
    """The sign-ins, a page at a time."""
    text = request.args.get("q", "").strip()
    after = request.args.get("after", "")
    found = users.listed(here().store, text=text, after=after, limit=users.PAGE + 1)
    page = found[: users.PAGE]
    return render_template(
        "users.html",
        found=page,
        text=text,
        after=after,
        waiting=ways_in.of(here().store),
        kinds=KINDS,
        further=page[-1].name if len(found) > users.PAGE else "",
        changes=_changes(),
    )


def show_one(name: str) -> ResponseReturnValue:
    """One sign-in: its state, the accounts that open it, and where it is open."""
    return _one(name)


def show_form() -> ResponseReturnValue:
    """The form of a new sign-in."""
    return _form("")


def add() -> ResponseReturnValue:
    """Ask for a sign-in; its first password is shown once, to whoever approves it."""
    name, person = _given("name"), _given("person") or None
    kind = {"local": _given("way") != "provider", "auditor": _given("auditor") == "yes"}
    return _asked(What.ADD, name, person=person, **kind)


def disable(name: str) -> ResponseReturnValue:
    """End a sign-in, and every session of it."""
    return _changed(name, "disable", _("The sign-in is ended."), users.disable)


def reset(name: str) -> ResponseReturnValue:
    """Ask for a new first password."""
    return _asked(What.RESET, name)


def end_sessions(name: str) -> ResponseReturnValue:
    """Sign the owner out everywhere."""
    users.one(here().store, name)
    return _changed(name, "sessions", _("Every session is ended."), users.end_sessions)


def link(name: str) -> ResponseReturnValue:
    """Ask that an account at a provider opens the sign-in."""
    return _asked(What.LINK, name, **_account())


def unlink(name: str) -> ResponseReturnValue:
    """Let that account open it no more."""
    text = _("The account opens this sign-in no more.")
    return _changed(name, "unlink", text, links.unlink, **_account())


def invite(name: str) -> ResponseReturnValue:
    """Ask for an invitation."""
    return _asked(What.INVITE, name)


def take_back() -> ResponseReturnValue:
    """Take back what one asked for oneself."""
    found: list[tuple[What, str]] = []

    def withdraw() -> None:
        store, ident = here().store, changes.named()
        found.append(ways_in.withdraw(store, ident, by=changes.me(), why=changes.why()))

    changes.done(withdraw, _("The request is taken back."))
    return _to_where_it_waits(*found[0]) if found else redirect(url_for("users"))


def _to_where_it_waits(what: What, name: str) -> ResponseReturnValue:
    """A sign-in that is asked for has no page yet."""
    return redirect(url_for("users") if what is What.ADD else url_for("user", name=name))


def _asked(what: What, name: str, **more: Any) -> ResponseReturnValue:
    """Ask for a way in; of a sign-in that is nobody's on file, show what opens it."""
    console = here()
    try:
        given = ways_in.ask(
            *(console.store, console.point.policy.catalogue, what, name),
            by=current_user.person,
            why=_why(),
            **more,
        )
    except AuthzError as error:
        told = _told(what.value, error)
        return _form(told, status=400) if what is What.ADD else _one(name, told, status=400)
    if given is not None and (given.password or given.invitation):
        return shown_once(given)
    flash(_("It is done.") if given else _("It waits for a second person."), "good")
    return _to_where_it_waits(what, name)


def _account() -> dict[str, str]:
    return {"issuer": _given("issuer"), "subject": _given("subject")}


def _changed(name: str, what: str, done: str, change: Any, **more: Any) -> ResponseReturnValue:
    """Carry out a change, say so, and show the sign-in."""
    try:
        change(here().store, name, by=current_user.person, because=_why(), **more)
    except AuthzError as error:
        return _one(name, _told(what, error), status=400)
    flash(done, "good")
    return redirect(url_for("user", name=name))


def _one(name: str, problem: str = "", *, status: int = 200) -> ResponseReturnValue:
    console = here()
    try:
        found = users.one(console.store, name)
    except NotFoundError:
        abort(404)
    page = render_template(
        "user.html",
        found=found,
        problem=problem,
        links=links.of(console.store, name),
        sessions=sessions.listed(console.store, name, clock.now()),
        providers=console.settings.oidc,
        named={each.issuer: each.name for each in console.settings.oidc},
        waiting=ways_in.of(console.store, name),
        kinds=KINDS,
        changes=_changes(),
    )
    return page, status


def _form(problem: str, *, status: int = 200) -> ResponseReturnValue:
    providers = here().settings.oidc
    page = render_template(
        "user_new.html",
        problem=problem,
        providers=providers,
        days=ways_in_notices.LASTS.days,
    )
    return page, status


def shown_once(given: Given) -> ResponseReturnValue:
    """What opens a sign-in, to whoever hands it to its owner."""
    invitation = given.invitation
    address = here().settings.public_url + url_for("invitation", text=invitation)
    return render_template(
        "user_secret.html",
        name=given.name,
        password=given.password,
        address=address if invitation else "",
        back=url_for("users" if "users" in opening.open_places(["users"]) else "approvals"),
    )


def _told(what: str, error: AuthzError) -> str:
    """The error in words of the screens; one that is not for people goes on."""
    if isinstance(error, SeparationError):
        return changes.told(error)
    if (what, type(error)) in PROBLEMS:
        return str(PROBLEMS[what, type(error)])
    if isinstance(error, ForbiddenError):
        return str(BY_OPERATOR)
    if isinstance(error, NotFoundError):
        return str(ENDED)
    raise error


def _why() -> str:
    why = _given("why")
    if not why:
        abort(400, _("Say why: it stands in the record."))
    return why[:LONGEST_WHY]


def _given(name: str) -> str:
    return request.form.get(name, "").strip()


def _changes() -> bool:
    """Whether whoever looks may change sign-ins: forms are shown to nobody else."""
    return opening.allowed("users", "update")


SCREENS = (
    Screen(path="/users", endpoint="users", view=show_list, category="users"),
    Screen(
        path="/users/new", endpoint="user_new", view=show_form, category="users", action="update"
    ),
    change("/users/new", "user_add", add, "users"),
    Screen(path="/users/of/<name>", endpoint="user", view=show_one, category="users"),
    change("/users/of/<name>/disable", "user_disable", disable, "users"),
    change("/users/of/<name>/reset", "user_reset", reset, "users"),
    change("/users/of/<name>/sessions", "user_sessions", end_sessions, "users"),
    change("/users/of/<name>/link", "user_link", link, "users"),
    change("/users/of/<name>/unlink", "user_unlink", unlink, "users"),
    change("/users/of/<name>/invite", "user_invite", invite, "users"),
    change("/users/take-back", "user_take_back", take_back, "users"),
)
