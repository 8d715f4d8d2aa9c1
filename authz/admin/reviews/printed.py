"""The closing report of a review as a document to print, in the reader's language (N-46)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from authz.admin.context import here
from authz.admin.languages import spoken
from authz.admin.reviews.words import Said
from authz.service.reports.cells import Reader
from authz.service.reports.document import Column, Fact, Rows, Table, Texts
from authz.service.reports.document import Report as Document
from authz.service.reports.printed import pdf
from authz.service.reviews.report import Report


def printed(made: Report, said: Said, names: Mapping[str, str]) -> bytes:
    """The PDF, with the hash, the checkpoint and the range of the trail that it stands on."""
    document, review = made.document, made.document["review"]
    table = Table("items", _say(_("All items")), tuple(_columns()), Rows(_rows(made, said, names)))
    return pdf(
        Document(
            id="review",
            title=_say(f"{_('Closing report')}: {review['name']}"),
            facts=[*_about(document, said, names), *_proof(made)],
            notes=[
                _say(
                    _(
                        "The hash is that of the report as JSON. `authz review check` holds that "
                        "file against the trail, the tree and the snapshot."
                    )
                )
            ],
            tables=[table],
            main="items",
        ),
        Reader(spoken(), here().settings.local),
    )


def _say(text: str) -> Texts:
    """A text of this request, as documents have texts."""
    return {spoken(): text}


def _fact(title: str, value: Any, *, moment: bool = False) -> Fact:
    return Fact(title, _say(title), value, moment)


def _about(document: Mapping[str, Any], said: Said, names: Mapping[str, str]) -> Iterator[Fact]:
    review = document["review"]
    yield _fact(_("School"), document["place"] or _("All schools"))
    yield _fact(_("State"), said.states[review["state"]])
    yield _fact(_("Started"), review["started_at"], moment=True)
    yield _fact(_("Closed"), review["closed_at"], moment=True)
    yield _fact(_("Closed by"), _named(review["closed_by"], names))
    yield _fact(_("Ended early, because"), review["ended_because"])
    yield _fact(_("Confirmed by a second person"), _named(review["confirmed_by"], names))
    yield _fact(_("Applied"), review["applied_at"], moment=True)
    yield _fact(_("Verdicts"), _counted(document["verdicts"], said.verdicts))
    yield _fact(_("What was done"), _counted(document["done"], said.remediations))


def _counted(numbers: Mapping[str, int], words: Mapping[str, str]) -> str:
    return ", ".join(f"{words.get(name, words[''])}: {n}" for name, n in numbers.items())


def _proof(made: Report) -> Iterator[Fact]:
    trail, review = made.document["trail"], made.document["review"]
    yield _fact(_("Hash of the report"), made.digest)
    yield _fact(_("Hash of the snapshot"), review["digest"])
    yield _fact(_("Records of the trail"), f"{trail['chain']} {trail['first']}–{trail['last']}")
    yield _fact(_("Hash of the last record"), trail["last_hash"])
    signed = trail["checkpoint"]
    if signed:
        leaves = f"{trail['first_leaf']}–{trail['last_leaf']}"
        yield _fact(_("Leaves of the tree"), leaves)
        size = _("%(size)s leaves, root %(root)s", size=signed["size"], root=signed["root"])
        yield _fact(_("Signed checkpoint"), size)
        yield _fact(_("Signed on"), signed["time"], moment=True)


def _columns() -> Iterator[Column]:
    titles = (_("Who"), _("What"), _("Last used"), _("Reviewer"), _("Verdict"), _("Why"))
    for number, title in enumerate((*titles, _("What was done"))):
        yield Column(str(number), _say(title), moment=number == 2)  # noqa: PLR2004 (last used)


def _named(ident: str, names: Mapping[str, str]) -> str:
    return names.get(ident) or ident


def _rows(made: Report, said: Said, names: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    for item in made.items:
        yield (
            item["holder_name"] or item["holder"],
            f"{said.kinds[item['kind']]} · {said.role(item['role'])}",
            item["last_used"],
            _named(item["verdict_by"] or item["reviewer"], names),
            said.verdicts[item["verdict"]],
            item["verdict_reason"],
            said.done(item),
        )
