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
    approvals: int = Field(
        1,
        ge=1,
        le=5,
        description="People who must approve a right with an end; never the one it is for.",
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
    audit_folder: str | None = Field(
        None,
        description="Folder of the journals, on a local disk of this node: where the records "
        "of decisions go first. By default `audit` beside the SQLite database, else "
        "`var/audit`. Set and empty: no journals, records go to the database at once.",
    )
    audit_backlog: int = Field(
        1024 * 1024 * 1024,
        ge=0,
        description="Bytes of full journals that may wait to be moved to the database; with "
        "more, nothing is answered.",
    )
    audit_interval: float = Field(
        1.0,
        gt=0,
        le=3600,
        description="Seconds between two rounds of `authz audit keep`, which moves records "
        "from the journals to the database.",
    )
    audit_pseudonyms: bool = Field(
        default=False,
        description="Whether the trail names people by a keyed hash whose key can be destroyed "
        "(N-34), and not by their id. Records written before stay as they are.",
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, description="Largest request body.")
    max_depth: int = Field(32, ge=4, le=200, description="Deepest nesting of a request body.")
    max_evaluations: int = Field(1000, ge=1, le=100_000, description="Most items in a batch.")
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
