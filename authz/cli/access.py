"""``authz token`` and ``authz user``: who may use `authz` itself (N-40, N-45)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

from authz.cli.output import opened, operator, say, settings
from authz.policy.load import load
from authz.service import erasing, links, tokens, users
from authz.vocabulary import Scope

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[timedelta]):
    """A time such as 30m, 12h or 90d."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        """The time that the text says."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,6})([smhd])", str(value))
        if match is None or not int(match[1]):
            self.fail(f"{value!r} is no time; say 30m, 12h or 90d.", param, ctx)
        return timedelta(seconds=int(match[1]) * UNITS[match[2]])


because = click.option(
    "--because", default="", help="Why, for the record; without it, the name of the command."
)


@click.group()
def token() -> None:
    """Credentials of the applications that ask."""


@token.command()
@click.option("--client", required=True, help="Name of the application.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    default=[Scope.PDP.value],
    show_default=True,
    help="What it may be used for; repeatable.",
)
@click.option(
    "--ttl",
    type=Duration(),
    default="90d",
    show_default=True,
    help="How long it lasts; AUTHZ_TOKEN_DAYS says how long at most.",
)
@click.option(
    "--asserts",
    multiple=True,
    type=click.Choice(["mfa"]),
    help="What of its users the application may state.",
)
@because
def create(
    client: str,
    scopes: tuple[str, ...],
    ttl: timedelta,
    asserts: tuple[str, ...],
    because: str,
) -> None:
    """Make a token and print it; it cannot be shown again."""
    found = settings()
    store = opened(found)
    why = because or "authz token create"
    click.echo(
        tokens.create_token(
            store, found, client, scopes, ttl, asserts=asserts, by=operator(), because=why
        )
    )


@token.command()
@click.option("--client", default="", help="End all tokens of this application.")
@click.option("--id", "jti", default="", help="End the token of this id (its `jti`).")
@because
def revoke(client: str, jti: str, because: str) -> None:
    """End tokens; the next request with one is refused."""
    if bool(client) == bool(jti):
        raise click.UsageError("Say either --client or --id.")
    found = settings()
    store = opened(found)
    number = tokens.revoke(
        store, client=client, jti=jti, by=operator(), because=because or "authz token revoke"
    )
    say(f"{number} tokens ended.")


@click.group()
def user() -> None:
    """Sign-ins of the screens."""


@user.command()
@click.argument("name")
@click.option("--person", help="The person of the directory who signs in.")
@click.option("--auditor", is_flag=True, help="The person reads in all screens, changes nothing.")
@click.option("--no-password", is_flag=True, help="It opens by a linked account only.")
@because
def add(name: str, person: str | None, because: str, *, auditor: bool, no_password: bool) -> None:
    """Add a sign-in and print its first password; it must be changed at once."""
    found = settings()
    password = users.add(
        opened(found),
        name,
        person=person,
        by=operator(),
        because=because,
        auditor=auditor,
        catalogue=load(found.policy).catalogue,
        local=not no_password,
    )
    if no_password:
        say(f"The sign-in {name} is added; link or invite its owner.")
    else:
        click.echo(password)


account = click.option("--issuer", required=True, help="The provider, as AUTHZ_OIDC spells it.")
subject = click.option("--subject", required=True, help="The account there: its `sub`, or claim.")


@user.command()
@click.argument("name")
@account
@subject
@because
def link(name: str, issuer: str, subject: str, because: str) -> None:
    """Let an account at an OpenID Connect provider open a sign-in."""
    found = settings()
    if issuer not in {each.issuer for each in found.oidc}:
        raise click.UsageError(f"AUTHZ_OIDC names no issuer {issuer}.")
    why = because or "authz user link"
    links.link(opened(found), name, issuer=issuer, subject=subject, by=operator(), because=why)
    say(f"The account opens the sign-in {name}.")


@user.command()
@click.argument("name")
@account
@subject
@because
def unlink(name: str, issuer: str, subject: str, because: str) -> None:
    """Let that account open the sign-in no more; its sessions end."""
    why = because or "authz user unlink"
    links.unlink(_store(), name, issuer=issuer, subject=subject, by=operator(), because=why)
    say(f"The account opens the sign-in {name} no more.")


@user.command()
@click.argument("name")
@because
def invite(name: str, because: str) -> None:
    """Print an address at which the owner links their own account, once, within a week."""
    found = settings()
    why = because or "authz user invite"
    text = links.invite(opened(found), name, by=operator(), because=why)
    click.echo(f"{found.public_url}/admin/invitation/{text}")


@user.command()
@click.argument("name")
@because
def disable(name: str, because: str) -> None:
    """End a sign-in."""
    users.disable(_store(), name, by=operator(), because=because or "authz user disable")
    say(f"The sign-in {name} is ended.")


@user.command()
@click.argument("name")
@because
def reset(name: str, because: str) -> None:
    """Give a sign-in a new password and print it; it must be changed at once."""
    click.echo(users.reset(_store(), name, by=operator(), because=because or "authz user reset"))


@click.command()
@click.argument("person")
@click.option("--because", required=True, help="Why, for the record: the request and who decided.")
def erase(person: str, because: str) -> None:
    """Forget who a person was in the trail, once an erasure of theirs is approved.

    Requests of ways in to their sign-ins go too; docs/reference/erasure.md says what stays.
    """
    erasing.erase(_store(), person, by=operator(), because=because)
    say("It is erased. The records stay; where they name people by pseudonyms, the key is gone.")


def _store() -> Any:
    found = settings()
    return opened(found)
