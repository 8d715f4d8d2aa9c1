"""The closing report of a review, to read, to print and to file (N-46)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response
from flask.typing import ResponseReturnValue

from authz.admin import names
from authz.admin.context import here
from authz.admin.reviews.common import bench, changed, me, page, reach
from authz.admin.reviews.printed import printed
from authz.admin.reviews.words import said
from authz.service.reviews import report as reports


@changed("/reviews/campaigns/{campaign}")
def report(campaign: str) -> ResponseReturnValue:
    """The closing report, to read or to print."""
    made = _made(campaign)
    return page("report", made=made, names=_names(made))


@changed("/reviews/campaigns/{campaign}")
def report_csv(campaign: str) -> ResponseReturnValue:
    """The closing report as a file for a spreadsheet."""
    body = "\ufeff" + reports.as_csv(_made(campaign))
    return _file(campaign, body, "csv", "text/csv; charset=utf-8")


@changed("/reviews/campaigns/{campaign}")
def report_json(campaign: str) -> ResponseReturnValue:
    """The closing report as the bytes that its hash is of."""
    return _file(campaign, _made(campaign).canonical, "json", "application/json")


@changed("/reviews/campaigns/{campaign}")
def report_pdf(campaign: str) -> ResponseReturnValue:
    """The closing report to print and to file."""
    made = _made(campaign)
    return _file(campaign, printed(made, said(), _names(made)), "pdf", "application/pdf")


def _names(made: reports.Report) -> Mapping[str, str]:
    """The names of those who reviewed and ran it; the report itself has their ids."""
    review = made.document["review"]
    told = {review[name] for name in ("started_by", "closed_by", "confirmed_by")}
    for name in ("reviewer", "verdict_by", "verdict_for"):
        told |= {item[name] for item in made.items}
    return names.people(told)


def _made(campaign: str) -> reports.Report:
    made = reports.report(bench(), campaign, me(), reach(), here().settings)
    names.shows(item["holder"] for item in made.items)
    return made


def _file(campaign: str, body: str | bytes, form: str, kind: str) -> Response:
    named = f"attachment; filename=review-{campaign[:8]}.{form}"
    return Response(body, content_type=kind, headers={"Content-Disposition": named})
