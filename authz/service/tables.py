"""The tables of the service itself: callers' tokens, sign-ins and sessions of the screens (4.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from authz.directory.tables import UtcTime


class Base(DeclarativeBase):
    """The base of the service's own tables."""

    metadata = MetaData(
        naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
    )
    type_annotation_map: ClassVar = {
        datetime: UtcTime,
        list[str]: JSON,
        dict[str, Any]: JSON,
        str: String,
    }


class ClientToken(Base):
    """A token that was given out; never the token itself, only what it says.

    A token without its row is not valid, and neither is one with ``revoked_at``.
    """

    __tablename__ = "client_token"
    jti: Mapped[str] = mapped_column(primary_key=True)
    client: Mapped[str] = mapped_column(index=True)
    scopes: Mapped[list[str]]
    asserts: Mapped[list[str]]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Standing(Base):
    """What the service last started with: ``policy`` and ``settings``, as they were recorded.

    ``digest`` tells one state from another; ``value`` is what a record compares with.
    """

    __tablename__ = "standing"
    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    value: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class SignIn(Base):
    """A sign-in of the screens; of its password an argon2id hash only (N-40).

    Whoever signs in at a provider only has no password here, and an empty hash.
    """

    __tablename__ = "sign_in"
    name: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str | None] = mapped_column(index=True)
    password_hash: Mapped[str]
    must_change: Mapped[bool]
    totp_secret: Mapped[str | None]
    """The secret of the second factor, encrypted; set when its first code was right."""
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    """The time step of the last code taken: no code is taken twice."""
    recovery_codes: Mapped[list[str]] = mapped_column(default=list)
    """Hashes of the recovery codes that are left."""
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    disabled_at: Mapped[datetime | None]


class ConsoleSession(Base):
    """Somebody signed in at the screens; the row ends, and the session has ended (N-40).

    ``id_hash`` is the SHA-256 of what the browser holds: who reads the table holds nothing.
    """

    __tablename__ = "console_session"
    id_hash: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    mfa: Mapped[bool]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    browser: Mapped[str]
    """What kind of browser, in a word or two, so that its owner knows it again."""
    provider: Mapped[str] = mapped_column(default="")
    """The issuer at which its owner signed in; empty for a password."""


class SignInLink(Base):
    """That a subject of an OpenID Connect provider is the owner of a sign-in (N-40).

    Nothing else links them: an address of e-mail can be given to somebody else.
    """

    __tablename__ = "sign_in_link"
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    linked_at: Mapped[datetime]
    linked_by: Mapped[str]


class SignInInvitation(Base):
    """That whoever holds a text of chance may link their provider's account to a sign-in, once.

    ``id_hash`` is the SHA-256 of the text.
    """

    __tablename__ = "sign_in_invitation"
    id_hash: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    invited_by: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInRequest(Base):
    """That somebody who runs the platform asks for a way in to a sign-in, and the answer (N-44).

    ``more`` are the account to be linked, or of which kind the sign-in to be added is. Where it
    was taken back, ``answered_by`` is whoever asked, and ``answer`` says why.
    """

    __tablename__ = "sign_in_request"
    id: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[str]
    name: Mapped[str] = mapped_column(index=True)
    person: Mapped[str] = mapped_column(index=True)
    more: Mapped[dict[str, Any]]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(index=True)
    why: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]


class SignInNotice(Base):
    """That the owner of a sign-in is told by e-mail of such a request; ``about`` says of what."""

    __tablename__ = "sign_in_notice"
    request: Mapped[str] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime | None] = mapped_column(index=True)
    tries: Mapped[int]
    problem: Mapped[str]


class SignInFailure(Base):
    """Failures in a row of one sign-in from one place; the key is a hash, and says neither."""

    __tablename__ = "sign_in_failure"
    bucket: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
