"""Which headers go on, in either direction.

To the upstream goes what the caller sent, but for what belongs to one connection (RFC 9110,
7.6.1), what says who somebody is or where a request comes from (the gateway says that itself),
and what would make the request another one. A server joins or overrides headers whose names
differ in case or in ``-`` and ``_`` only, so an upstream is never sent two of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from authz.errors import MalformedError
from authz.middleware.telling import caching
from authz.recent import remembered

HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-authentication-info",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "http2-settings",
        "content-length",
        "host",
    }
)
OVERRIDES: Final = frozenset(
    {"x-http-method-override", "x-http-method", "x-method-override", "x-original-method"}
)
IDENTITY: Final = frozenset(
    {
        "forwarded",
        "from",
        "remote-user",
        "remote-addr",
        "via",
        "client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "proxy",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-remote-user",
        "x-webauth-user",
        "x-user",
        "x-user-id",
        "x-username",
        "x-email",
        "x-groups",
        "x-roles",
        "x-authenticated-user",
        "x-authenticated-userid",
        "x-ssl-client-dn",
        "x-ssl-client-s-dn",
        "x-client-cert",
        "x-client-dn",
        "x-rewrite-url",
        "x-original-uri",
        "x-original-url",
        "x-original-host",
        "x-host",
        "x-forwarded",
        "x-sendfile-type",
        "x-accel-mapping",
        "x-request-id",
    }
)
PREFIXES: Final = (
    "x-authz-",
    "x-forwarded-",
    "x-auth-request-",
    "x-goog-authenticated-",
    "x-ms-client-principal",
    "x-amzn-oidc-",
    "x-envoy-",
)
CONDITIONS: Final = frozenset(
    {
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
        "if-range",
        "range",
        "accept-encoding",
        "a-im",
        "want-digest",
        "want-repr-digest",
        "want-content-digest",
    }
)
"""Not sent on where the answer is filtered: it must come whole, and as it is."""
LEAVING: Final = frozenset(
    {
        "allow",
        "content-language",
        "content-security-policy",
        "date",
        "location",
        "permissions-policy",
        "referrer-policy",
        "retry-after",
        "server",
        "set-cookie",
        "strict-transport-security",
        "vary",
        "www-authenticate",
        "x-content-type-options",
        "x-frame-options",
    }
)
"""All that may leave of an upstream's headers where fields are limited."""
NEVER_BACK: Final = frozenset({"x-accel-redirect", "x-sendfile", "x-lighttpd-send-file"})
"""Would have a proxy in front of the gateway send something that nobody filtered."""
OF_ANY: Final = frozenset({"", "close", "keep-alive", "te"})
"""What a caller's ``Connection`` may say."""
_NEVER: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_NAMES: Final = 1024
"""Names of headers that are remembered with what they are; the rest is looked at again."""


@remembered(_NAMES)
def reserved(name: str) -> bool:
    """Whether no caller has a say about this header (in small letters, with dashes)."""
    return name in HOP or name in IDENTITY or name in OVERRIDES or name.startswith(PREFIXES)


def incoming(environ: Mapping[str, Any]) -> dict[str, str]:
    """The caller's headers as WSGI has them, by names in small letters with dashes."""
    found = {
        _name(key): value
        for key, value in environ.items()
        if key.startswith("HTTP_") and isinstance(value, str)
    }
    if kind := environ.get("CONTENT_TYPE"):
        found["content-type"] = kind
    return found


@remembered(_NAMES)
def _name(key: str) -> str:
    return key[5:].replace("_", "-").lower()


def onward(sent: Mapping[str, str], *, drop: frozenset[str], filtered: bool) -> dict[str, str]:
    """What of it goes to the upstream."""
    away = drop | CONDITIONS if filtered else drop
    kept = {name: value for name, value in sent.items() if not (name in away or reserved(name))}
    if filtered:
        kept["accept-encoding"] = "identity"
    return kept


def back(
    told: Iterable[tuple[str, str]], *, filtered: bool, more: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """What of the upstream's headers goes to the caller, in their order."""
    listed = [(name.lower(), value) for name, value in told]
    named = frozenset().union(*(_named(v) for n, v in listed if n == "connection"))
    return [
        (name, value)
        for name, value in listed
        if _may_return(name)
        and name not in named
        and (not filtered or name in LEAVING or name in more)
    ]


@remembered(_NAMES)
def _may_return(name: str) -> bool:
    """Whether the header is the upstream's to say; of ``X-Request-ID`` the gateway says its own."""
    return not (
        name in HOP or name in NEVER_BACK or name == "x-request-id" or name.startswith("x-authz-")
    )


def private(kept: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an answer to one caller: kept by nobody else, and asked for anew each time."""
    said = ",".join(value for name, value in kept if name == "cache-control").lower()
    word = "no-store" if "no-store" in said else "private, no-cache"
    return [*((n, v) for n, v in kept if not caching(n)), ("cache-control", word)]


def check(sent: Mapping[str, str]) -> None:
    """MalformedError where a request wants to be another one, or more than one."""
    if "upgrade" in sent:
        raise MalformedError("No other protocol is spoken here.", where="Upgrade")
    if "connection" in sent and _named(sent["connection"]) - OF_ANY:
        raise MalformedError(
            "It takes headers away that belong to the request.", where="Connection"
        )
    if "transfer-encoding" in sent:
        raise MalformedError("A body says its length.", where="Transfer-Encoding")
    for name in sent.keys() & OVERRIDES:
        raise MalformedError("A request has one method.", where=name)
    if _NEVER.search("".join(sent.values())):
        name = next(name for name, value in sent.items() if _NEVER.search(value))
        raise MalformedError("The header holds what no header may.", where=name)


def once(sent: Mapping[str, str], name: str) -> str:
    """The value of a header that a decision hangs on; a server joins several by commas."""
    value = sent.get(name.lower(), "")
    if "," in value or not value.isascii():
        raise MalformedError("The header can be read in two ways.", where=name)
    return value.strip()


def _named(connection: str) -> frozenset[str]:
    """The headers that a ``Connection`` header names as its own."""
    return frozenset(word.strip().lower() for word in connection.split(","))
