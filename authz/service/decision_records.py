"""The records of decisions: what each says of who asked, what came of it, and why (N-49)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from authz.audit import log
from authz.audit.record import Entry, Form, Ref, spelt, timestamp
from authz.decision import answer
from authz.decision.catalogue import About
from authz.engine.policy import Policy
from authz.service.decided import Caller, Decided
from authz.vocabulary import Event


@dataclass(frozen=True, slots=True)
class DecisionRecords:
    """Makes the records of what one request asked, at the moment when it was decided."""

    policy: Policy
    caller: Caller
    request_id: str
    now: datetime

    def spelt(self, store: Engine, found: Sequence[Decided]) -> list[bytes]:
        """The bytes of the decisions' records."""
        if not log.names_people(store):
            return [spelt(each) for each in log.hidden_in(store, [*map(self.entry, found)])]
        time, caller = timestamp(self.now), self.caller
        bodies = []
        for one in found:
            form = one.stands.forms.get(caller.client) if one.stands else None
            if form is None:
                form = Form.of(self.entry(one))
                if one.stands is not None:
                    one.stands.keep(caller.client, form)
            bodies.append(form.spelt(self.request_id, time, caller.token_id))
        return bodies

    def what_if(self, one: Decided, at: datetime) -> Entry:
        """The record of a what-if about the moment ``at``."""
        return replace(self.entry(one), event=Event.WHAT_IF, what_if_at=at)

    def entry(self, one: Decided) -> Entry:
        """The record of a decision."""
        decision = one.decision
        about = one.question.request if one.question else None
        people = self.policy.catalogue.about is About.PEOPLE
        context = dict(about.context) if about and people else {}
        if one.question and people:
            context["mfa"] = one.question.mfa or None
        return Entry(
            event=Event.DECISION,
            time=self.now,
            application=self.caller.client,
            request_id=self.request_id,
            subject=Ref(about.subject.type, about.subject.id) if about else None,
            action=about.action.name if about else "",
            resource=Ref(about.resource.type, about.resource.id) if about else None,
            properties=about.resource.properties if about and people else {},
            context=context,
            purpose=decision.purpose or (one.question.purpose if one.question else None) or "",
            decision=decision.permit,
            rules=decision.rules,
            reason=decision.reason or "",
            obligations=answer.obligations(decision),
            policy=self.policy.digest,
            directory_revision=one.revision,
            token_id=self.caller.token_id,
            people=(about.subject.id, about.resource.id) if about and people else (),
        )
