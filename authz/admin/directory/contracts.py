"""Outside processors and their contracts, with a warning before they end (N-24, N-26)."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from authz import clock
from authz.admin import changes
from authz.admin.context import here
from authz.admin.opening import Screen, change, open_places
from authz.errors import MalformedError, NotFoundError
from authz.service import contracts, named

TRANSFERS: Final[dict[str, Any]] = {
    "domestic": _l("stays in the country"),
    "adequate": _l("abroad, with adequate protection"),
    "safeguards": _l("abroad, with appropriate safeguards"),
    "none": _l("abroad, without a basis: refused"),
}


def show() -> ResponseReturnValue:
    """All processors with their contracts."""
    point = here().point
    processors = contracts.register(point, clock.now())
    schools = (
        each for firm in processors for held in firm.contracts for each in held.schools or ()
    )
    return render_template(
        "contracts.html",
        processors=processors,
        places_named=named.organisations(point.store, schools),
        catalogue=point.policy.catalogue,
        transfers=TRANSFERS,
        may="contracts" in open_places(["contracts"], "update"),
    )


def form() -> ResponseReturnValue:
    """The form of a contract, new or as it stands."""
    ident = request.args.get("id", "")
    try:
        agreed = contracts.find(here().point, ident, clock.now()) if ident else None
    except NotFoundError:
        abort(404)
    until = agreed.until if agreed and agreed.state != "ended" else None
    return _page(agreed, _day(agreed.since) if agreed else "", _day(until), known=bool(ident))


def _page(agreed: object, since: str, until: str, *, known: bool) -> str:
    """The form with these values; the number of a contract that is known stands."""
    return render_template(
        "contract.html",
        agreed=agreed,
        known=known,
        since=since,
        until=until,
        processors=contracts.register(here().point, clock.now()),
        catalogue=here().point.policy.catalogue,
        transfers=TRANSFERS,
    )


def _day(value: datetime | None) -> str:
    """A moment as the local day that a date field holds."""
    return value.astimezone(here().settings.local).date().isoformat() if value else ""


def record() -> ResponseReturnValue:
    """Put the contract of the form on file; what was typed stays where that fails."""
    typed = _typed()
    if changes.done(lambda: _record(typed), _("The contract is on file.")):
        return redirect(url_for("contracts"))
    schools = None if typed["schools"] == "all" else typed["schools"]
    shown = SimpleNamespace(**{**typed, "schools": schools})
    since, until = request.form.get("since", ""), request.form.get("until", "")
    return _page(shown, since, until, known=False), 400


def _typed() -> dict[str, Any]:
    said = request.form
    return {
        "id": said.get("id", "").strip(),
        "processor": said.get("processor", ""),
        "purposes": said.getlist("purposes"),
        "categories": {
            category: said.getlist(f"fields-{category}") for category in said.getlist("categories")
        },
        "actions": said.getlist("actions"),
        "schools": "all" if said.get("everywhere") == "yes" else said.get("schools", "").split(),
        "transfer": said.get("transfer", ""),
        "country": said.get("country", "").strip().upper(),
        "sub_processing": said.get("sub_processing") == "yes",
    }


def _record(typed: dict[str, Any]) -> None:
    dates = {"from": changes.moment("since"), "until": changes.moment("until")}
    contracts.record(here().point, {**typed, **dates}, by=changes.me(), why=changes.why())


def end() -> ResponseReturnValue:
    """End a contract now."""
    changes.done(
        lambda: contracts.end(here().point, changes.named(), by=changes.me(), why=changes.why()),
        _("The contract has ended. Nothing is given to the processor on it any more."),
    )
    return redirect(url_for("contracts"))


def processor() -> ResponseReturnValue:
    """Put a processor on file, or change it."""
    changes.done(_processor, _("The processor is on file."))
    return redirect(url_for("contracts"))


def _processor() -> None:
    said = request.form
    if not said.get("name", "").strip():
        raise MalformedError("A processor has a name.", where="name")
    named = {name: said.get(name, "").strip() for name in ("id", "name", "country")}
    members = said.get("members", "").split()
    contracts.record_processor(
        here().point, {**named, "members": members}, by=changes.me(), why=changes.why()
    )


SCREENS = (
    Screen(path="/contracts", endpoint="contracts", view=show, category="contracts"),
    Screen(
        path="/contracts/form",
        endpoint="contract",
        view=form,
        category="contracts",
        action="update",
    ),
    *(
        change(f"/contracts/{endpoint}", endpoint, view, "contracts")
        for endpoint, view in (
            ("record_contract", record),
            ("end_contract", end),
            ("record_processor", processor),
        )
    ),
)
