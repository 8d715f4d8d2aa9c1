"""The settings: the only reader of the environment (page 4.3).

Every setting is an environment variable ``AUTHZ_…``, typed, and checked at start; one
that cannot be used is a :class:`SettingError` that names it.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from authz.errors import SettingError


class TrustedIssuer(BaseModel):
    """An issuer of callers' tokens besides ourselves; no issuer without an audience (4.3)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks: Path = Field(description="A file with the issuer's public keys (a JWK set).")
    scopes: list[str] = Field(default_factory=lambda: ["pdp"])
    asserts: list[str] = Field(default_factory=list)


class Settings(BaseSettings):
    """The service's settings, from the environment."""

    model_config = SettingsConfigDict(env_prefix="AUTHZ_", extra="ignore", frozen=True)

    database_url: str = Field(
        "sqlite:///var/authz.db",
        description="SQLAlchemy URL of the store: SQLite by default, or "
        "`postgresql+psycopg://user@host/name` where several nodes share state.",
    )
    policy: Path = Field(Path("policies/school"), description="Folder of the policy pack.")
    timezone: str = Field("Asia/Bangkok", description="Zone in which dates are compared.")
    age_of_majority: int = Field(
        20, ge=1, le=100, description="Age from which somebody is no minor."
    )
    country: str = Field(
        "TH",
        min_length=2,
        max_length=2,
        description="The country in which a transfer counts as domestic.",
    )
    public_url: str = Field(
        "https://127.0.0.1:8080",
        description="The https URL by which callers know the decision point; it is the "
        "issuer and audience of its tokens and the base of its metadata.",
    )
    issuers: list[TrustedIssuer] = Field(
        default_factory=list,
        description="JSON list of further token issuers: issuer, audience, jwks (file), "
        "scopes, asserts.",
    )
    console_policy: Path = Field(
        Path("policies/console"), description="Folder of the policy pack of the screens."
    )
    proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Proxies in front of the service whose `X-Forwarded-…` headers are believed.",
    )
    key_folder: Path = Field(
        Path("var/keys"), description="Folder of the signing keys, readable by the service only."
    )
    audit_durability: Literal["fsync", "os"] = Field(
        "fsync",
        description="`fsync`: a record is on disk before its answer leaves; `os`: the "
        "operating system has it.",
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, description="Largest request body.")
    max_depth: int = Field(32, ge=4, le=200, description="Deepest nesting of a request body.")
    max_evaluations: int = Field(1000, ge=1, le=100_000, description="Most items in a batch.")
    smtp_url: str = Field(
        "",
        description="Where reminders go out by e-mail: `smtp://user:password@host:port`, or "
        "`smtps://…`; empty: they are shown in the screens only.",
    )
    smtp_from: str = Field("authz@localhost", description="The sender of e-mail.")
    mail_domain: str = Field(
        "",
        description="Where a sign-in whose name is no e-mail address has its own: "
        "`head` at `school.ac.th`.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level of what is logged to standard error."
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("it is no IANA time zone, such as Asia/Bangkok")
        return value

    @field_validator("public_url")
    @classmethod
    def _https(cls, value: str) -> str:
        plain = value.startswith("https://") and "?" not in value and "#" not in value
        if not plain or len(value) <= len("https://"):
            raise ValueError("it must be an https URL without query or fragment")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str) -> str:
        if value and not value.startswith(("smtp://", "smtps://")):
            raise ValueError("it must begin with smtp:// or smtps://")
        return value

    @cached_property
    def local(self) -> ZoneInfo:
        """The zone in which dates are compared."""
        return ZoneInfo(self.timezone)


def load(**overrides: Any) -> Settings:
    """The settings of this process; SettingError names the first that cannot be used."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "AUTHZ_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingError(f"It cannot be used: {first['msg']}.", where=name) from error
