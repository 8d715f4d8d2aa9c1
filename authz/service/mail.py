"""E-mail that leaves the service, by SMTP (AUTHZ_SMTP_URL).

The directory keeps no e-mail addresses (E-01): a sign-in whose name is an address has one,
and with AUTHZ_MAIL_DOMAIN every other has one there.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

from authz.config import Settings

SECONDS: Final = 15
HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
Post = Callable[[EmailMessage], str]
"""Sends a message; what went wrong, or nothing."""


def address(name: str, settings: Settings) -> str:
    """The address of a sign-in; empty where it has none."""
    if "@" in name:
        return name
    return f"{name}@{settings.mail_domain}" if settings.mail_domain else ""


@contextmanager
def opened(settings: Settings) -> Iterator[Post]:
    """One connection for some messages; where there is none, every message says so."""
    try:
        server = _connect(settings.smtp_url)
    except (OSError, smtplib.SMTPException) as error:
        problem = type(error).__name__
        yield lambda _message: problem
        return
    with server:
        yield lambda message: _send(server, message)


def _send(server: smtplib.SMTP, message: EmailMessage) -> str:
    if not message["To"]:
        return "no address"
    try:
        server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        return type(error).__name__
    return ""


def _connect(url: str) -> smtplib.SMTP:
    """``smtp://`` takes TLS where the server offers it, ``smtps://`` from the begin.

    A password is sent in clear to this machine alone: whoever is in between can take the offer
    away. SMTPNotSupportedError where it would be sent elsewhere.
    """
    parts = urlsplit(url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
        elif parts.username and host not in HERE:
            server.close()
            raise smtplib.SMTPNotSupportedError("The server offers no TLS.")
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
