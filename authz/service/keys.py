"""The signing keys: files of one folder that only the service can read (4.3, N-45).

``000001.json`` and so on; the last one signs. A key is made whole and then linked into
place, so that of two processes that make the first one at once, one wins and both use it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, OKPKey

from authz import clock
from authz.errors import SettingError
from authz.keyfile import KeyFile

State = tuple[object, ...]
"""What tells one content of a key file or folder from another."""

SETTLED: Final = 2_000_000_000
"""Nanoseconds after which a folder's time is surely another than that of its next change."""

UNREADABLE: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


def ring(folder: Path) -> tuple[tuple[Key, ...], State]:
    """The keys of the folder, the oldest first, and the state they were read in."""
    state = ring_state(folder)
    return (_ring(state), state) if state else ((), ())


def ring_state(folder: Path) -> State:
    """The state of the folder now, empty where there is none; asked with every request.

    Its time alone tells of a change, once that is so long ago that no other can have come at
    the same tick of the file system's clock; until then its names are looked at too.
    """
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116 (a third of Path.stat)
        known = _settled.get(folder)
        if known is not None and known[1] == changed:
            return known
        state = (str(folder), changed, *os.listdir(folder))  # noqa: PTH208 (likewise)
    except FileNotFoundError:
        return ()
    if clock.microseconds() * 1000 - changed > SETTLED:
        _settled[folder] = state
    return state


_settled: dict[Path, State] = {}


def signing_key(folder: Path) -> Key:
    """The key that signs; the first one is made where there is none."""
    keys, _ = ring(folder)
    return (keys or (new_key(folder, first=True),))[-1]


def retire(folder: Path, key: Key) -> None:
    """Destroy the private halves of all keys but that one."""
    for path in key_files(folder):
        older = OKPKey.import_key(json.loads(path.read_text(encoding="ascii")))
        if older.kid != key.kid and older.is_private:
            _write(path, older, private=False)


def remove(folder: Path, kid: str) -> None:
    """Take a key away with which nothing was signed; nothing to do where there is none."""
    for path in key_files(folder) if kid else ():
        if json.loads(path.read_text(encoding="ascii")).get("kid") == kid:
            path.unlink(missing_ok=True)


@lru_cache(maxsize=8)
def _ring(state: tuple[object, ...]) -> tuple[Key, ...]:
    """The keys of that folder, the oldest first; read anew when the folder changes."""
    files = key_files(Path(str(state[0])))
    return tuple(OKPKey.import_key(json.loads(file.read_text(encoding="ascii"))) for file in files)


def made_at(key: Key) -> float:
    """When the key was made, in seconds since 1970."""
    return float(str(key.as_dict().get("iat", 0)))


def public(key: Key) -> dict[str, Any]:
    """The key as anybody may see it."""
    members = key.as_dict(private=False)
    return {name: value for name, value in members.items() if name != "iat"}


def key_files(folder: Path) -> list[Path]:
    """The files of the keys, the oldest first."""
    return sorted(folder.glob("[0-9]*.json"))


def new_key(folder: Path, *, first: bool = False) -> Key:
    """A key under the next number; where only the first is wanted, whoever made it."""
    return made_key(folder, first=first)[0]


def made_key(folder: Path, *, first: bool = False) -> tuple[Key, bool]:
    """The same, and whether it was made here."""
    return put_in(folder, generate(), first=first)


def generate() -> Key:
    """A key that is in no folder yet."""
    about: dict[str, Any] = {"use": "sig", "alg": "EdDSA", "iat": int(clock.now().timestamp())}
    return OKPKey.generate_key("Ed25519", cast("Any", about), auto_kid=True)


def put_in(folder: Path, made: Key, *, first: bool = False) -> tuple[Key, bool]:
    """Put the key under the next number, unless only the first is wanted and there is one.

    The key that is there now, and whether it is this one.
    """
    _made(folder)
    while True:
        files = key_files(folder)
        if first and files:
            return OKPKey.import_key(json.loads(files[-1].read_text(encoding="ascii"))), False
        number = int(files[-1].stem) + 1 if files else 1
        with suppress(FileExistsError):
            _write(folder / f"{number:06}.json", made, private=True)
            return made, True


def _made(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> SettingError:
    return SettingError(
        f"The key cannot be written ({type(error).__name__}).", where="AUTHZ_KEY_FOLDER"
    )


def _write(path: Path, key: Key, *, private: bool) -> None:
    """Make the file whole under another name, then put it in place: new, or cut to public."""
    draft = path.with_name(f".{uuid4().hex}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(key.as_dict(private=private), file)
            file.flush()
            os.fsync(file.fileno())
        if private:
            os.link(draft, path)
        else:
            draft.replace(path)
    except FileExistsError:
        raise
    except OSError as error:
        raise _unwritable(error) from error
    finally:
        draft.unlink(missing_ok=True)


@lru_cache(maxsize=32)
def _key_file(path: Path) -> KeyFile:
    return KeyFile(path)


def key_set(path: Path) -> KeySet:
    """The public keys of another issuer, the same object while they are; KeysError without."""
    return _key_file(path).keys()
