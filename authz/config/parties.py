"""Whom the service trusts and writes to, as settings name them: issuers, providers, receivers."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that are this machine itself."""


class TrustedIssuer(BaseModel):
    """An issuer of callers' tokens besides ourselves; no issuer without an audience (4.3)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks: Path = Field(description="A file with the issuer's public keys (a JWK set).")
    scopes: list[str] = Field(default_factory=lambda: ["pdp"])
    asserts: list[str] = Field(default_factory=list)


class Words(BaseModel):
    """A name in both languages of the screens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    th: str = Field(min_length=1)
    en: str = Field(min_length=1)


CHANGING_CLAIMS = frozenset({"email", "preferred_username", "upn", "phone_number", "name"})
"""Claims that may be given to somebody else: they name nobody (OpenID Connect Core 5.7)."""


class SignInProvider(BaseModel):
    """An OpenID Connect provider at which people sign in to the screens (N-40)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(pattern=r"^[a-z0-9-]{1,40}$", description="It stands in the return address.")
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: Path | None = Field(None, description="A file; none for a public client.")
    name: Words
    claim: str = Field("sub", description="The claim that names the person, for ever.")
    amr: list[str] = Field(default_factory=list, description="Methods that are a second factor.")
    acr: list[str] = Field(default_factory=list, description="Classes that are a second factor.")

    @field_validator("issuer")
    @classmethod
    def _safe(cls, value: str) -> str:
        parts = urlsplit(value)
        loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
        if not (parts.scheme == "https" or loopback) or not parts.hostname:
            raise ValueError("an issuer is an https URL (or http on this machine itself)")
        if parts.query or parts.fragment:
            raise ValueError("an issuer has no query and no fragment")
        return value

    @field_validator("claim")
    @classmethod
    def _lasting(cls, value: str) -> str:
        if value in CHANGING_CLAIMS:
            raise ValueError(f"{value} may be given to somebody else; take sub, or oid")
        return value


class Receiver(BaseModel):
    """Somebody whom the trail is sent to (N-49); secrets are in files, never in here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z0-9-]{1,40}$")
    url: str = Field(max_length=1000)
    form: Literal["records", "ocsf", "otlp"] = "records"
    secrets: Path | None = Field(None, description="A file with a signing secret in each line.")
    token: Path | None = Field(None, description="A file with a bearer token.")
    ca: Path | None = Field(None, description="A file with the certificates to trust.")
    private: bool = Field(default=False, description="Whether it has an address of our networks.")
    begins: Literal["first", "now"] = "first"
    batch: int = Field(500, ge=1, le=1000)
    seconds: float = Field(10, gt=0, le=60, description="Longest time for one batch.")

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str) -> str:
        parts = urlsplit(value)
        loopback = parts.hostname in LOOPBACK
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise ValueError("it must be https, or http on this machine")
        if not parts.hostname or parts.username or parts.password or parts.fragment:
            raise ValueError("it must be an address without user, password or fragment")
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("it must be plain ASCII")
        return value
