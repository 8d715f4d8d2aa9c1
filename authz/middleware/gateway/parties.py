"""Tables of ``routes.toml`` about others: who is believed, who decides, which proxy may ask."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ALGORITHM = Literal["Ed25519", "ES256", "ES384", "RS256", "PS256"]


class Typed(BaseModel):
    """A table that knows each of its members, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class IdentityTable(Typed):
    """Whose tokens are believed. A token without an expiry is never believed."""

    issuer: str = Field(min_length=1, description="The `iss` that a token must have.")
    audience: str = Field(min_length=1, description="The `aud` that a token must have.")
    jwks: str = Field(
        min_length=1, description="The issuer's public keys: a file, or an https URL."
    )
    jwks_seconds: float = Field(
        3600.0,
        gt=0,
        le=86_400,
        description="How long keys of a URL are believed after they were last fetched, while it "
        "does not answer. A file's keys go with the file.",
    )
    algorithms: list[ALGORITHM] = Field(
        default=["Ed25519", "ES256", "RS256"],
        min_length=1,
        description="Signatures that are believed, `EdDSA` with `Ed25519`; `none` and shared "
        "secrets never are.",
    )
    subject: str = Field("sub", min_length=1, description="The claim that names the subject.")
    type: Literal["user", "service"] = Field("user", description="What kind of subject it is.")
    mfa: list[str] = Field(
        default_factory=list, description="Values of `amr` that stand for a second factor."
    )


class PointTable(Typed):
    """Who decides: this process (`embedded`), or a decision point by its URL (`remote`)."""

    mode: Literal["embedded", "remote"] = Field(
        description="`embedded` reads the settings `AUTHZ_…` of the service; `remote` needs a URL."
    )
    url: str = Field("", description="The decision point: `https://authz.school.example`.")
    reached_at: str = Field(
        "", description="Another address of it, in this network: `http://127.0.0.1:8080`."
    )
    origins: list[str] = Field(
        default_factory=list,
        description="Further origins at which its metadata may have it asked: "
        "`https://decide.school.example`. Without, it is asked at that of its URL alone.",
    )
    token: Path | None = Field(None, description="A file with the token of scope `pdp`.")
    ca: Path | None = Field(None, description="A file with the certificates of the point.")
    client: str = Field(
        "gateway", min_length=1, description="The name that the trail has for an embedded gateway."
    )
    seconds: float = Field(2.0, gt=0, le=60, description="Longest wait for an answer.")

    @model_validator(mode="after")
    def _whole(self) -> PointTable:
        if (self.mode == "remote") != bool(self.url):
            raise ValueError("a remote point has a url, an embedded one has none")
        if self.mode == "remote" and self.token is None:
            raise ValueError("a remote point needs a token")
        return self


class ForwardTable(Typed):
    """For `/forward-auth` of the service only: whose word about the first request is believed."""

    told: Literal["headers", "path"] = Field(
        "headers",
        description="`headers` (nginx, Caddy, Traefik): `X-Forwarded-Method` and "
        "`X-Forwarded-Uri`, as it was written; `path` (Envoy): the path behind `/forward-auth`.",
    )
    token: Path | None = Field(
        None, description="A file with a secret that the proxy sends as `X-Authz-Proxy-Token`."
    )
    networks: list[str] = Field(
        default_factory=lambda: ["127.0.0.1/32", "::1/128"],
        description="Where the proxy connects from; anybody else is refused.",
    )
