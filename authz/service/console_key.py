"""The secret of the screens: signs their cookies, encrypts second factors (N-45).

A file of the key folder, made once. Whoever loses it has everybody sign in again and set
up their second factor anew; nothing else depends on it.
"""

from __future__ import annotations

import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from authz.errors import SettingError

FILE: Final = "console.key"
SIZE: Final = 32
FACTOR: Final = "second factor"
"""What a text is encrypted for, where nothing else is said."""


def secret(folder: Path) -> bytes:
    """The secret, 32 bytes; SettingError where it can neither be read nor made."""
    path = folder / FILE
    try:
        with suppress(FileNotFoundError):
            return _checked(path)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{secrets.token_hex(16)}"
        draft.touch(mode=0o600)
        draft.write_bytes(secrets.token_bytes(SIZE))
        with suppress(FileExistsError):  # another process was first: its secret is the one
            os.link(draft, path)
        draft.unlink()
        return _checked(path)
    except OSError as error:
        raise SettingError(
            f"The screens' key cannot be used ({type(error).__name__}).", where="AUTHZ_KEY_FOLDER"
        ) from error


def cookie_key(folder: Path) -> bytes:
    """What signs the cookies of the screens."""
    return hmac.digest(secret(folder), b"authz console cookie 1", "sha256")


def encrypt(folder: Path, text: str, *, purpose: str = FACTOR) -> str:
    """A text that only this service reads, for that purpose and no other."""
    return _box(folder, purpose).encrypt(text.encode()).decode()


def decrypt(folder: Path, text: str, *, purpose: str = FACTOR, seconds: int | None = None) -> str:
    """What was encrypted for that purpose, no longer ago than that.

    SettingError where it was under another key, for another purpose, or too long ago.
    """
    try:
        return _box(folder, purpose).decrypt(text.encode(), ttl=seconds).decode()
    except InvalidToken as error:
        raise SettingError(
            "A second factor was set up under another key.",
            where="AUTHZ_KEY_FOLDER",
            hint=f"Put {FILE} back, or reset the sign-in.",
        ) from error


def _box(folder: Path, purpose: str) -> Fernet:
    key = hmac.digest(secret(folder), f"authz console {purpose} 1".encode(), "sha256")
    return Fernet(urlsafe_b64encode(key))


def _checked(path: Path) -> bytes:
    found = path.read_bytes()
    if len(found) != SIZE:
        raise SettingError(f"It does not hold {SIZE} bytes.", where=str(path))
    return found
