"""The keys that sign checkpoints: files of ``audit`` in the folder of keys (N-45, N-49).

Everybody may have the public halves; a checkpoint is worth what the private half is
guarded. The first key is made with the first checkpoint and never again: where the log has
checkpoints and no key, the key is lost or the folder is another one, and a silent new key
would look like another log. After a rotation the next checkpoint is signed by both keys, so
that whoever trusts the old one learns the new one; then the older private half is destroyed.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.jwk import Key
from sqlalchemy import Engine

from authz import clock
from authz.audit import log
from authz.audit.note import Verifier
from authz.audit.record import Entry, Ref
from authz.config import Settings
from authz.errors import NotFoundError, SettingError
from authz.service import keys
from authz.vocabulary import Event


def folder(settings: Settings) -> Path:
    """Where they are."""
    return settings.key_folder / "audit"


def verifiers(settings: Settings) -> tuple[Verifier, ...]:
    """All public keys there were, the newest first; NotFoundError before the first."""
    found = tuple(_verifier(settings, key) for key in reversed(_ring(settings)))
    if not found:
        raise NotFoundError("There is no key yet; the first checkpoint makes it.")
    return found


def signing(settings: Settings, *, first: bool) -> list[Ed25519PrivateKey]:
    """The private keys that sign the next checkpoint, the newest first.

    With ``first`` there may be none yet, and one is made; else that is a SettingError.
    """
    found = _ring(settings)
    if first and not found:
        found = (keys.new_key(folder(settings), first=True),)
    private = [
        key.private_key for key in reversed(found) if isinstance(key.private_key, Ed25519PrivateKey)
    ]
    if not private:
        raise SettingError(
            "The key of the audit trail is missing, and its log has checkpoints.",
            where="AUTHZ_KEY_FOLDER",
            hint="Put the folder of keys back; if it is lost, run `authz audit key rotate`.",
        )
    return private


def rotate(store: Engine, settings: Settings, *, by: str) -> Verifier:
    """A new key, recorded before it is there; the next checkpoint is signed by it too."""
    older = _ring(settings)
    made = keys.generate()
    public = _verifier(settings, made)
    detail = {
        "before": [_verifier(settings, key).vkey for key in older[-1:]],
        "after": public.vkey,
        "who": by,
    }
    entry = Entry(
        event=Event.AUDIT_KEY_ROTATED,
        time=clock.now(),
        application="authz",
        subject=Ref("operator", by),
        action=Event.AUDIT_KEY_ROTATED.value,
        resource=Ref("audit_key", public.id.hex()),
        detail=detail,
    )
    log.record(store, [entry])
    keys.put_in(folder(settings), made)
    return public


def settle(settings: Settings) -> None:
    """Destroy the older private halves; a checkpoint was signed with them and the newest."""
    found = _ring(settings)
    if any(key.is_private for key in found[:-1]):
        keys.retire(folder(settings), found[-1])


def _ring(settings: Settings) -> tuple[Key, ...]:
    """The keys, the oldest first."""
    try:
        return keys.ring(folder(settings))[0]
    except (OSError, *keys.UNREADABLE) as error:
        raise _unreadable(error) from error


def _verifier(settings: Settings, key: Key) -> Verifier:
    public = key.public_key
    if not isinstance(public, Ed25519PublicKey):
        raise _unreadable(TypeError())
    return Verifier(settings.origin, public.public_bytes_raw())


def _unreadable(error: Exception) -> SettingError:
    return SettingError(
        f"The key of the audit trail cannot be read ({type(error).__name__}).",
        where="AUTHZ_KEY_FOLDER",
        hint="It must be a file that the service alone can read.",
    )
