"""The settings: the only reader of the environment (page 4.3).

Every setting is an environment variable ``AUTHZ_…``, typed, and checked at start; one
that cannot be used is a :class:`SettingError` that names it.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from authz.config.parties import Receiver, SignInProvider, TrustedIssuer
from authz.errors import SettingError

_zones = cache(available_timezones)
"""The names of all zones: all their files are looked at, once in a process."""


def _beside(database_url: str) -> Path:
    """The folder of an embedded database; ``var`` for any other."""
    name = database_url.removeprefix("sqlite:///")
    embedded = name != database_url and not name.startswith(("file:", ":memory:"))
    return Path(name).parent if embedded else Path("var")


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
    token_days: int = Field(
        365,
        ge=1,
        le=3650,
        description="Days that a token of an application lasts at most (N-45); those that are "
        "out already keep their end.",
    )
    oidc: list[SignInProvider] = Field(
        default_factory=list,
        description="JSON list of OpenID Connect providers at which people sign in to the "
        "screens: key, issuer, client_id, client_secret (file), name (th, en), claim, and the "
        "values of `amr` and `acr` that stand for a second factor.",
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
    audit_retention_days: int = Field(
        0,
        ge=0,
        description="Days that `authz audit retire` keeps records for; 0 keeps them for ever. "
        "Nothing is retired unless that command is run.",
    )
    audit_origin: str = Field(
        "",
        description="Name of the log in its checkpoints, which must never change; if empty, "
        "what follows `https://` in `AUTHZ_PUBLIC_URL`.",
    )
    checkpoint_folder: Path = Field(
        default_factory=lambda known: _beside(known["database_url"]) / "checkpoints",
        description="Folder that signed checkpoints are published into: `latest`, and a file "
        "for each in a folder a day. By default beside the SQLite database, else "
        "`var/checkpoints`.",
    )
    checkpoint_seconds: int = Field(
        60, ge=1, le=86_400, description="Seconds from one checkpoint to the next."
    )
    audit_receivers: list[Receiver] = Field(
        default_factory=list,
        description="JSON list of whom the trail is sent to: name, url, form (`records`, `ocsf` "
        "or `otlp`), secrets (file), token (file), ca (file), private, begins (`first` or "
        "`now`), batch, seconds.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="A bearer token for `GET /metrics`, for a Prometheus that has no token of "
        "scope `audit:read`.",
    )
    report_staff: bool = Field(
        default=False,
        description="Whether a person who asks who used their data is told the accounts of "
        "those who did, and not only their roles.",
    )
    bulk_floor: int = Field(
        100, ge=1, description="People's data that anybody may use in an hour without question."
    )
    bulk_factor: float = Field(
        3.0,
        ge=1,
        description="How many times the habit of a subject and of its peers an hour of "
        "reading must be to be told of.",
    )
    bulk_quantile: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Which hours make the habit: 0.95 is the busiest but one in twenty.",
    )
    threads: int = Field(
        64,
        ge=1,
        le=1024,
        description="Requests that one process answers at a time; `authz serve` sets it to its "
        "`--threads`, under another server say what it has. A quarter of them may wait for forms "
        "that are slow to come, half for bodies of the API, an eighth for those of one "
        "application, so that nobody keeps decisions from being answered.",
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
    forward_auth: Path | None = Field(
        None,
        description="A `routes.toml` with a table `forward_auth`: `/forward-auth` answers proxies "
        "by its routes. Without it, there is no such path.",
    )
    gateway_routes: Path | None = Field(
        None,
        description="The file of routes of `authz gateway`, which sets it from `--config`.",
    )
    gateway_counters: Path | None = Field(
        None,
        description="The folder in which the processes of one `authz gateway` count, which makes "
        "it. An embedded gateway counts where its service does.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level of what is logged to standard error."
    )

    @field_validator("oidc")
    @classmethod
    def _told_apart(cls, value: list[SignInProvider]) -> list[SignInProvider]:
        for names in ([each.key for each in value], [each.issuer for each in value]):
            if len(set(names)) != len(names):
                raise ValueError("two providers have the same key or issuer")
        for language in ("th", "en"):
            if len({getattr(each.name, language) for each in value}) != len(value):
                raise ValueError(f"two providers have the same name in {language}")
        return value

    @field_validator("issuers")
    @classmethod
    def _one_of_an_issuer(cls, value: list[TrustedIssuer]) -> list[TrustedIssuer]:
        if len({each.issuer for each in value}) != len(value):
            raise ValueError("two entries have the same issuer, of which one would not count")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value not in _zones():
            raise ValueError("it is no IANA time zone, such as Asia/Bangkok")
        return value

    @field_validator("public_url")
    @classmethod
    def _https(cls, value: str) -> str:
        plain = value.startswith("https://") and "?" not in value and "#" not in value
        if not plain or len(value) <= len("https://"):
            raise ValueError("it must be an https URL without query or fragment")
        return value.rstrip("/")

    @field_validator("audit_receivers")
    @classmethod
    def _one_of_a_name(cls, value: list[Receiver]) -> list[Receiver]:
        if len({each.name for each in value}) < len(value):
            raise ValueError("two receivers have the same name")
        return value

    @field_validator("audit_origin")
    @classmethod
    def _one_word(cls, value: str) -> str:
        if not value.isprintable() or any(c.isspace() or c == "+" for c in value):
            raise ValueError("it must be one word without a plus")
        return value

    @cached_property
    def origin(self) -> str:
        """The name of the log, under which its checkpoints are signed (C2SP: no plus in it)."""
        return self.audit_origin or quote(self.public_url.removeprefix("https://"), safe="/:%[]@~")

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
