"""How long a decision stands, for the same question asked again (3.5).

A decision hangs on the question, on whether its caller is believed about a second factor, on
the facts, and on how the moment compares with the ends of their intervals; policy and settings
never change under a process. So it stands while the directory has the same revision, which is
looked up for every decision, and from one end of an interval to the next, which
:class:`~authz.directory.moment.Moment` notes. A revoked guardianship moves the revision; of
one that ends by itself, the end was noted.

Every answer has a record of its own; only what both say is worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from authz.audit.record import Form

FORMS: Final = 8
"""How many applications' records of one decision are kept."""


@dataclass(frozen=True, slots=True)
class Stands:
    """The state of the directory that a decision is of, and the moments that it stands at.

    ``told`` is the answer as it is spelt in each language, ``forms`` the record of each
    application; whoever spells them keeps them here.
    """

    revision: int
    since: datetime | None
    until: datetime | None
    told: dict[str, bytes] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)

    def at(self, revision: int, now: datetime) -> bool:
        """Whether it would be decided alike of this revision at this moment."""
        return (
            revision == self.revision
            and (self.since is None or self.since <= now)
            and (self.until is None or now < self.until)
        )

    def form(self, revision: int, now: datetime, client: str) -> Form | None:
        """The form of this application's records, where it stands and there is one."""
        return self.forms.get(client) if self.at(revision, now) else None

    def keep(self, client: str, form: Form) -> None:
        """Keep the form of this application's records."""
        if len(self.forms) < FORMS:
            self.forms[client] = form
