"""No column that may hold a person's id is forgotten by an erasure (N-34, E-04).

Every column of texts of every table is erased, is kept for a reason that is written down, or is
said here to be about nobody. That the last is so is held by what the service does: see
``test_every_write_leaves_a_record.py``, which looks for people in all tables after each change.
"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Column, MetaData, String, Table, inspect
from sqlalchemy.engine import Engine

from authz.service.personal import ENDED, ERASED, KEPT
from tests.architecture.people_in_tables import METADATA, texts

NOBODY = {
    "acknowledgement": "announcement at",
    "announcement": "id policy audience published_at",
    "audit_batch": "chain",
    "audit_checkpoint": "time root note",
    "audit_counted": "chain",
    "audit_head": "chain hash",
    "audit_hour": "hour decision",
    "audit_mention": "chain what time how",
    "audit_place_hour": "hour place decision",
    "audit_pseudonym": "key",
    "audit_receiver": "name due delivered error",
    "audit_record": (
        "chain hash time event application subject_type action resource_type purpose decision "
        "reason rules"
    ),
    "audit_segment": "root chains older_than checkpoint time seal",
    "audit_store": "id",
    "audit_tile": "hashes",
    "class": "id title course organisation terms origin",
    "client_token": "jti client scopes asserts",
    "consent": "purpose project origin",
    "console_session": "id_hash browser provider",
    "contract": "id processor purposes categories actions schools transfer country origin",
    "course": "id title organisation origin",
    "custody_restriction": "origin",
    "elevation": "school origin",
    "emancipation": "origin",
    "enrolment": "class role origin",
    "entity": "type origin",
    "erasure": "origin",
    "guardianship": "kind origin",
    "incident": "id state opened_at known_at reported_at closed_at",
    "incident_person": "incident",
    "incident_step": "incident at action",
    "legal_order": "id authority categories origin",
    "legal_order_person": "legal_order",
    "membership": "organisation role origin",
    "mentoring": "origin",
    "notice": "recipient rule opened_at sent_at",
    "objection": "purpose origin",
    "organisation": "id name type parent origin",
    "person": "status origin",
    "privacy_case": "id kind origin",
    "privacy_case_person": "privacy_case",
    "project": "id origin",
    "purchase": "origin",
    "reading_hour": "hour role",
    "recipient": "kind id name country origin",
    "recipient_member": "kind recipient",
    "restriction": "origin",
    "review_campaign": (
        "id definition trigger organisation state created_at started_at due_at closed_at "
        "applied_at undo_until digest trail_chain"
    ),
    "review_campaign_item": (
        "campaign kind organisation role until flags advice last_used fallback state verdict "
        "verdict_until verdict_at applied_at undone_at"
    ),
    "review_definition": "id organisation created_at",
    "review_handover": "id campaign since until at",
    "review_item": "rule opened_at due_at verdict",
    "review_reminder": "campaign occasion due_at sent_at problem",
    "review_snapshot": "campaign",
    "review_verdict": "id campaign verdict until at",
    "right_request": "id kind role organisation until begun asked_at state decided_at",
    "right_vote": "request at",
    "rights_request": "id kind state answered_at",
    "role_grant": "role organisation origin",
    "sign_in": "password_hash totp_secret recovery_codes",
    "sign_in_failure": "bucket",
    "sign_in_invitation": "id_hash",
    "sign_in_link": "issuer",
    "sign_in_notice": "request about problem",
    "sign_in_request": "id what state",
    "standing": "name digest value",
    "term": "id title type parent origin",
    "ticket": "origin",
}
"""Columns of numbers of things, of times and states, of hashes and secrets, by table."""


def declared() -> Counter[tuple[str, str]]:
    """Every column of which it is said what an erasure does with it."""
    groups = [each.columns for each in (*ERASED, *ENDED, *KEPT)]
    people = [(name, each) for group in groups for name, some in group.items() for each in some]
    return Counter(people + [(name, each) for name in NOBODY for each in NOBODY[name].split()])


def undeclared(*metadata: MetaData) -> set[tuple[str, str]]:
    return {(each.table.name, each.name) for each in texts(*metadata)} - declared().keys()


def test_of_every_column_it_is_said_what_an_erasure_does_with_it() -> None:
    assert undeclared(*METADATA) == set()
    known = {(each.table.name, each.name) for each in texts(*METADATA)}
    assert declared().keys() - known == set()
    assert [column for column, times in declared().items() if times > 1] == []
    assert all(each.why.endswith(".") for each in KEPT)


def test_the_next_table_is_not_forgotten() -> None:
    metadata = MetaData()
    Table("parcel", metadata, Column("id", String), Column("given_to", String))
    Table("sign_in_request", metadata, Column("told", String), Column("person", String))
    found = {("parcel", "id"), ("parcel", "given_to"), ("sign_in_request", "told")}
    assert undeclared(metadata) == found


def test_no_table_of_the_database_is_unknown_here(store: Engine) -> None:
    tables = {name for metadata in METADATA for name in metadata.tables}
    assert set(inspect(store).get_table_names()) == tables | {"alembic_version"}
