"""A small district with rights to review, and the steps of a review in one call each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select

from authz.directory.facts import Place
from authz.review.definition import Definition, Scope, Stage
from authz.review.tables import CampaignItem
from authz.review.words import Kind, NoAnswer, Reviewers, Verdict
from authz.service.database import reading
from authz.service.reviews import answering, defining, previewing, starting
from authz.service.reviews.answering import Given
from authz.service.reviews.campaigns import Bench
from authz.service.reviews.records import Actor
from authz.service.tables import SignIn
from tests.world import BANGKOK, NOW, World, frozen, policy

HEAD, BOSS, DPO, SECOND = Actor("head"), Actor("boss"), Actor("dpo"), Actor("dpo2")
TEACHER = "danai"


def district() -> World:
    """Two schools below an office; who holds what is told where it is used."""
    world = World().school("D").school("S1", below="D").school("S2", below="D")
    world.person("head", "danai", "mali", "mum", "boss", "dpo", "dpo2", "pim", "other")
    world.person("kid", born="2015-01-01", at="S1").person("kid2", born="2015-01-01", at="S2")
    world.grant("head", "school_admin", "S1", from_="2025-01-01")
    world.grant("boss", "school_admin", "D", from_="2025-01-01")
    world.grant(TEACHER, "school_admin", "S1", from_="2025-01-01")
    world.grant("other", "school_admin", "S2", from_="2025-01-01")
    world.grant("dpo", "dpo", from_="2025-01-01").grant("dpo2", "dpo", from_="2025-01-01")
    world.grant("pim", "mentor", "S1", from_="2025-01-01")
    world.guardian("mum", "kid", from_="2025-01-01")
    world.fact("mentoring", mentor="pim", person="kid", from_="2025-01-01")
    world.fact("processor", id="P", name="Learning Ltd", country="TH", members=["svc-p"])
    world.fact(
        "contract",
        id="K",
        processor="P",
        purposes=["service"],
        categories={"assessment_result": []},
        actions=["read"],
        schools=["S1"],
        transfer="domestic",
        country="TH",
        sub_processing=False,
        from_="2025-01-01",
    )
    world.fact(
        "elevation",
        person="head",
        school="S2",
        justification="flood",
        from_="2026-11-15T08:00:00+07:00",
        until="2026-11-16T07:00:00+07:00",
    )
    return world


GRANTS = Definition(
    name="Each term",
    scope=Scope(kinds=(Kind.GRANT,), organisation="S1"),
    stages=(Stage(Reviewers.SCHOOL, 14),),
    fallbacks=("dpo", "dpo2"),
)


@dataclass
class Desk:
    """Where a test runs reviews; ``at`` is the present moment of every step."""

    store: Engine
    at: datetime = NOW
    world: World = field(default_factory=district)

    @property
    def bench(self) -> Bench:
        return Bench(self.store, policy(), Place(BANGKOK))

    @contextmanager
    def now(self, **later: float) -> Iterator[Bench]:
        """The bench, at the present moment or later."""
        self.at += timedelta(**later)
        with frozen(self.at):
            yield self.bench

    def started(self, definition: Definition = GRANTS) -> str:
        """A campaign that asks its reviewers."""
        with self.now() as bench:
            campaign = defining.define(bench, definition, DPO, "it is time", None)
            previewing.preview(bench, campaign, DPO, None)
            starting.start(bench, campaign, DPO, "as seen", None)
        return campaign

    def items(self, campaign: str) -> list[Any]:
        with reading(self.store) as connection:
            asked = select(CampaignItem.__table__).where(CampaignItem.campaign == campaign)
            return list(connection.execute(asked.order_by(CampaignItem.number)))

    def item(self, campaign: str, holder: str, kind: Kind = Kind.GRANT) -> Any:
        """The item about somebody's right."""
        return next(
            row for row in self.items(campaign) if (row.holder, row.kind) == (holder, kind.value)
        )

    def say(
        self, campaign: str, verdicts: Mapping[int, str], reason: str = "seen", **more: Any
    ) -> None:
        """Answer items as their own reviewers."""
        for row in self.items(campaign):
            if row.number in verdicts:
                given = Given(Verdict(verdicts[row.number]), reason, **more)
                with self.now() as bench:
                    who = Actor(row.reviewer)
                    answering.answer(bench, campaign, [row.number], given, who)

    def submit_all(self, campaign: str) -> None:
        """Submit, as each reviewer with an answer."""
        for reviewer in {r.reviewer for r in self.items(campaign) if r.state == "answered"}:
            with self.now() as bench:
                answering.submit(bench, campaign, Actor(reviewer))

    def permits(self, subject: str, category: str = "assessment_result", person: str = "kid",
                **asked: Any) -> bool:  # fmt: skip
        """Whether the decision point permits reading now."""
        from tests.world import question  # noqa: PLC0415

        request = question(subject, "read", category, person, **asked)
        return self.world.ask(self.store, request, at=self.at).permit


def sign_in(store: Engine, name: str, person: str) -> None:
    """A sign-in of somebody."""
    row = {"name": name, "person": person, "password_hash": "x", "must_change": False}
    with store.begin() as connection:
        connection.execute(
            insert(SignIn).values(**row, recovery_codes=[], created_at=NOW, created_by="t")
        )


__all__ = ["BOSS", "DPO", "GRANTS", "HEAD", "SECOND", "Desk", "NoAnswer", "district", "sign_in"]
