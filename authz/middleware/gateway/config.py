"""What ``routes.toml`` may say: every member typed, described, and named where it is wrong.

The reference (docs/reference/routes.md) is generated from these classes. What the members mean
together, as two routes for one path, is looked at by :mod:`authz.middleware.gateway.lint`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator, model_validator

from authz.middleware.gateway import pattern, pointer
from authz.middleware.gateway.parties import ForwardTable, IdentityTable, PointTable, Typed

METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
"""Methods that a route may have; ``CONNECT`` and ``TRACE`` are always refused."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_POINTER: Final = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")
MOST_ROWS: Final = 1000
"""Rows of a list, whose people are asked about in one call."""
OBLIGATIONS = Literal["fields", "classes", "pseudonymise", "notify", "review"]
CONTEXT = Literal["ticket", "order", "case", "justification"]


class Source(Typed):
    """Where a value of the question comes from: exactly one of these."""

    path: str = Field("", description="A name in braces of the route's path.")
    query: str = Field("", description="A parameter of the query; it must stand there once.")
    header: str = Field("", description="A header; it must be there once.")
    json_: str = Field("", alias="json", description="A member of the JSON body: `student.id`.")
    claim: str = Field("", description="A claim of the verified token, such as `sub`.")
    value: str = Field("", description="This very text.")

    @model_validator(mode="after")
    def _one(self) -> Source:
        if len(self.model_fields_set) != 1 or not self.named[1]:
            raise ValueError("it is one of path, query, header, json, claim, value, and not empty")
        kind, name = self.named
        if kind == "header" and not _TOKEN.fullmatch(name):
            raise ValueError("a header has letters, digits and dashes")
        if kind == "json" and not _POINTER.fullmatch(name):
            raise ValueError("a member is named as in student.id")
        return self

    @property
    def named(self) -> tuple[str, str]:
        """The kind and the name: ``("path", "student")``."""
        kind = next(iter(self.model_fields_set), "value")
        return kind.rstrip("_"), str(getattr(self, kind))


class ShapeTable(Typed):
    """What the names in the upstream's JSON mean, so that obligations can be carried out on it."""

    names: dict[str, str] = Field(
        default_factory=dict, description="The catalogue's field for a name that is another."
    )
    keep: list[str] = Field(
        default_factory=list,
        description="Names that are no personal data; what they hold is looked at in turn.",
    )
    whole: list[str] = Field(
        default_factory=list, description="Fields that stay with all that they hold."
    )
    class_of: str = Field("", description="The name that holds the class of a record.")
    identifiers: list[str] | None = Field(
        None, description="Names that identify the person; needed to pseudonymise."
    )


class ListTable(Typed):
    """Where in the upstream's JSON the rows of several people are, and whose each of them is."""

    rows: str = Field(
        description="Where the array of rows is, as a JSON pointer through objects: "
        "`/data/items`; empty where it is the whole."
    )
    person: str = Field(description="Where in each row the person's id is: `/student/id`.")
    own: list[str] = Field(
        default_factory=list,
        description="Names in a row that hold the person's own records, where the last name of "
        "`person` may be the id of something else than a person.",
    )
    most: int = Field(500, ge=1, le=MOST_ROWS, description="Rows; an answer with more is refused.")

    @field_validator("rows", "person")
    @classmethod
    def _place(cls, value: str) -> str:
        pointer.read(value)
        return value

    @model_validator(mode="after")
    def _whose(self) -> ListTable:
        if not self.person:
            raise ValueError("a row is not its person's id: name where in it that is")
        return self


class Route(Typed):
    """One route: what it is asked as, or why it is public."""

    path: str = Field(
        description="`/students/{student}/results`; `{rest...}` at the end stands for one or "
        "more segments. Another case is another path."
    )
    methods: list[Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]] = Field(
        min_length=1, description="`GET` brings `HEAD` with it."
    )
    public: str = Field("", description="Why the route uses nobody's data; asks nothing then.")
    action: str = Field("", description="The action of the policy.")
    category: str = Field("", description="The category of personal data.")
    person: Source | None = Field(None, description="Whose data it is.")
    list_: ListTable | None = Field(
        None,
        alias="list",
        description="In place of `person`: the answer is a list of several people. See below.",
    )
    class_: Source | None = Field(None, alias="class", description="The class, if it names one.")
    record: Source | None = Field(None, description="The record, if it names one.")
    purpose: Source | None = Field(None, description="The purpose; without, the rule's default.")
    context: dict[CONTEXT, Source] = Field(
        default_factory=dict, description="`ticket`, `order`, `case`, `justification`."
    )
    fields: list[str] | None = Field(
        None, min_length=1, description="The fields asked for; all without it."
    )
    carries: list[OBLIGATIONS] = Field(
        default_factory=list,
        description="Obligations that the upstream carries out itself, told in `X-Authz-…`.",
    )
    accepts: list[str] = Field(
        default_factory=lambda: ["application/json"],
        description="Media types of bodies that the route takes.",
    )
    shape: ShapeTable = Field(default_factory=ShapeTable, description="See below.")
    response_headers: list[str] = Field(
        default_factory=list,
        description="Further headers of the upstream that may leave where fields are limited.",
    )
    stream: bool = Field(
        default=False,
        description="Hand on an answer without a length as it comes, as for server-sent events. "
        "Where the upstream breaks off, the caller cannot tell that it did.",
    )
    upstream: str = Field("", description="Another upstream than the gateway's, by its URL.")

    @field_validator("path")
    @classmethod
    def _pattern(cls, value: str) -> str:
        pattern.read(value)
        return value

    @field_validator("upstream")
    @classmethod
    def _url(cls, value: str) -> str:
        return _upstream(value) if value else value

    @field_validator("accepts", "response_headers")
    @classmethod
    def _small(cls, value: list[str]) -> list[str]:
        return [each.lower() for each in value]

    @property
    def sources(self) -> dict[str, Source]:
        """Where the values of the question come from, by what they are for."""
        named: dict[str, Source | None] = {
            "person": self.person,
            "class": self.class_,
            "record": self.record,
            "purpose": self.purpose,
        }
        return {name: one for name, one in (named | self.context).items() if one is not None}


class GatewayTable(Typed):
    """The upstream, and the limits that hold for every route."""

    upstream: str = Field(description="The application behind: `http://127.0.0.1:9000`.")
    hosts: list[str] = Field(
        default_factory=list,
        description="The names that the gateway answers to; any, if there are none.",
    )
    connect_seconds: float = Field(2.0, gt=0, le=60, description="Longest wait for a connection.")
    read_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="Longest silence of the upstream, and longest time for "
        "the whole of an answer that is filtered.",
    )
    max_body: int = Field(
        10 * 1024 * 1024, ge=0, description="Bytes of the largest body that is sent on."
    )
    max_json: int = Field(
        1024 * 1024, ge=1024, description="Bytes of the largest JSON that is read or filtered."
    )
    bodies: int = Field(
        32,
        ge=1,
        le=1024,
        description="Bodies that one process waits for at a time: half of the requests that it "
        "answers at a time (`--threads`), so that whoever sends slowly keeps nobody else out.",
    )
    connections: int = Field(
        64, ge=1, le=1024, description="Connections to an upstream that are kept open."
    )
    ca: Path | None = Field(None, description="A file with the certificates of https upstreams.")
    pass_authorization: bool = Field(
        default=False, description="Whether the upstream is sent the caller's `Authorization`."
    )
    pass_cookies: bool = Field(
        default=False,
        description="Whether cookies pass, in both directions. An upstream that takes its user "
        "from a cookie may take another one than the token names.",
    )
    strip: list[str] = Field(
        default_factory=list,
        description="Further request headers that never reach the upstream.",
    )
    assertion_key: Path | None = Field(
        None,
        description="A file with a secret of 32 bytes or more: each request that is sent on "
        "carries `X-Authz-Assertion`, a JWT (HS256) of one minute.",
    )
    pseudonym_key: Path | None = Field(
        None, description="A file with the secret of pseudonyms, 32 bytes or more."
    )
    pseudonym_contract: str = Field(
        "gateway", min_length=1, description="Under another name people have other pseudonyms."
    )

    metrics_token: Path | None = Field(
        None,
        description="A file with a secret of 32 bytes or more: who sends it as a bearer token "
        "reads `GET /.authz/metrics`. Without it, there is no such path.",
    )

    @field_validator("upstream")
    @classmethod
    def _url(cls, value: str) -> str:
        return _upstream(value)

    @field_validator("hosts", "strip")
    @classmethod
    def _small(cls, value: list[str]) -> list[str]:
        return [each.lower() for each in value]


class Config(Typed):
    """All of ``routes.toml``."""

    gateway: GatewayTable | None = Field(None, description="Needed by `authz gateway`.")
    identity: IdentityTable = Field(description="Whose tokens are believed.")
    point: PointTable | None = Field(None, description="Needed by `authz gateway`.")
    forward_auth: ForwardTable | None = Field(None, description="Needed by `/forward-auth`.")
    routes: Annotated[list[Route], Field(alias="route", min_length=1)] = Field(
        description="What is not a route is refused."
    )


def _upstream(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError("an upstream is http://host:port or https://host:port")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("an upstream has no path: what is matched is what is sent")
    return value.rstrip("/")


def members(model: type[BaseModel]) -> list[tuple[str, Any]]:
    """The members of a table as they are written, with what is known of each."""
    return [(info.alias or name, info) for name, info in model.model_fields.items()]
