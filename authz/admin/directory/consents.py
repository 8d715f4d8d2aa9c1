"""A person's consents: recorded and withdrawn (E-03, N-36)."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.opening import Screen, change, may
from authz.service import consents


def show(person: str) -> ResponseReturnValue:
    """What the person consented to, and took back."""
    point = here().point
    return render_template(
        "consents.html",
        person=person,
        name=names.people([person])[person],
        consents=consents.of(point, person),
        purposes=consents.purposes(point),
        titles=point.policy.catalogue.purposes,
        projects=consents.projects(point),
        may=may("consent", "update", person),
    )


def give(person: str) -> ResponseReturnValue:
    """Record a consent."""
    changes.done(
        lambda: consents.give(
            here().point,
            person,
            request.form.get("purpose", ""),
            project=request.form.get("project") or None,
            given_at=changes.moment("given_at"),
            by=changes.me(),
            why=changes.why(),
        ),
        _("The consent is on file."),
    )
    return redirect(url_for("consents", person=person))


def withdraw(person: str) -> ResponseReturnValue:
    """Withdraw one."""
    changes.done(
        lambda: consents.withdraw(
            here().point, person, changes.named(), by=changes.me(), why=changes.why()
        ),
        _("The consent is withdrawn. No decision counts on it any more."),
    )
    return redirect(url_for("consents", person=person))


SCREENS = (
    Screen(
        path="/consents/<path:person>",
        endpoint="consents",
        view=show,
        category="consent",
        person="person",
    ),
    *(
        change(f"/consents/<path:person>/{endpoint}", endpoint, view, "consent", person="person")
        for endpoint, view in (("give_consent", give), ("withdraw_consent", withdraw))
    ),
)
