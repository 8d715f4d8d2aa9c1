"""Signed notes and checkpoints, as C2SP writes them (signed-note, tlog-checkpoint; N-49).

A *note* is a text of lines, a blank line, and a line for each signature: ``— <name>
<base64 of four bytes that name the key, and the Ed25519 signature of the text>``. The text
of a *checkpoint* names the log (its origin), the number of leaves and the root, and of ours
the moment it was signed at, as an extension line ``time <moment>``. Whoever has the public
key, as a line of its own (*vkey*), can check one with any tool that knows the format.

The parser takes the one spelling there is and refuses all others; it believes no input.
This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from authz.errors import AuditDamagedError, MalformedError

_ED25519: Final = b"\x01"
_ID: Final = 4
_KEY: Final = 32
_ROOT: Final = 32
_LONGEST: Final = 1_000_000
_MOST_SIGNATURES: Final = 100
_SMALLEST_TEXT: Final = 3
_TIME: Final = "time "
_DASH: Final = "— "


class Verifier(NamedTuple):
    """A public key of Ed25519 (32 bytes) and the name it signs under."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:_ID]

    @property
    def vkey(self) -> str:
        """The key as one line: ``<name>+<id in hex>+<base64 of 0x01 and the key>``."""
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.key).decode()}"


class Signature(NamedTuple):
    """A line under a note: who, with which key (four bytes), and what was made with it."""

    name: str
    id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ended by a line feed, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        lines = (
            f"{_DASH}{each.name} {b64encode(each.id + each.signature).decode()}\n"
            for each in self.signatures
        )
        return f"{self.text}\n{''.join(lines)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree of ``size`` leaves with that root; ``time`` as records spell it, or empty."""

    origin: str
    size: int
    root: bytes
    time: str = ""
    others: tuple[str, ...] = ()
    """Extension lines that are not ours."""

    def __str__(self) -> str:
        own = (self.origin, str(self.size), b64encode(self.root).decode())
        time = (_TIME + self.time,) if self.time else ()
        return "".join(f"{line}\n" for line in (*own, *time, *self.others))


def is_name(name: str) -> bool:
    """Whether a key, and so a log, may have that name: no white space, no plus, one line."""
    return bool(name) and name.isprintable() and not any(c.isspace() or c == "+" for c in name)


def verifier(vkey: str) -> Verifier:
    """The public key that a vkey names; MalformedError where it names none of Ed25519."""
    name, _, rest = vkey.strip().partition("+")
    id_, _, encoded = rest.partition("+")
    content = _decoded(encoded)
    found = Verifier(name, content[1:])
    if not is_name(name) or content[:1] != _ED25519 or len(found.key) != _KEY:
        raise MalformedError("It is no public key of Ed25519 in the form of a signed note.")
    if found.id.hex() != id_:
        raise MalformedError("The public key and the id in its line do not belong together.")
    return found


def public(name: str, key: Ed25519PrivateKey) -> Verifier:
    """The public half of a key that signs under that name."""
    return Verifier(name, key.public_key().public_bytes_raw())


def sign(text: str, name: str, keys: Iterable[Ed25519PrivateKey]) -> Note:
    """The note with a signature of each key, all under one name."""
    if not _is_text(text) or not is_name(name):
        raise ValueError("this is no text of a note, or no name of a key")
    return Note(
        text,
        tuple(Signature(name, public(name, key).id, key.sign(text.encode())) for key in keys),
    )


def parse(source: str) -> Note:
    """The note that is written there; MalformedError where it is none, to the letter."""
    text, blank, block = source[: _LONGEST + 1].rpartition("\n\n")
    lines = block.split("\n")
    if not blank or len(source) > _LONGEST or not _is_text(text + "\n") or lines.pop():
        raise _no_note()
    if not 0 < len(lines) <= _MOST_SIGNATURES:
        raise _no_note()
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def signers(note: Note, known: Iterable[Verifier]) -> tuple[Verifier, ...]:
    """Those of the known keys that signed the note, which may be none.

    A signature that claims to be of a known key and is not is an AuditDamagedError.
    """
    found = []
    keys = {(each.name, each.id): each for each in known}
    for line in note.signatures:
        key = keys.get((line.name, line.id))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.key).verify(line.signature, note.text.encode())
        except (InvalidSignature, ValueError) as error:
            raise AuditDamagedError(
                f"The signature of {key.name} ({key.id.hex()}) is not of this text."
            ) from error
        found.append(key)
    return tuple(dict.fromkeys(found))


def checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text is; MalformedError where it is none."""
    lines = text.split("\n")
    if lines.pop() or len(lines) < _SMALLEST_TEXT or not all(lines):
        raise _no_checkpoint()
    origin, size, root, *others = lines
    digits = size.isascii() and size.isdecimal() and (size == "0" or size[0] != "0")
    # No tree is larger than the numbers of a database, and int() is slow on long texts.
    if not digits or len(size) > len(str(2**63)) or int(size) >= 2**63:
        raise _no_checkpoint()
    times = [line.removeprefix(_TIME) for line in others[:1] if line.startswith(_TIME)]
    decoded = _decoded(root)
    if len(decoded) != _ROOT or times == [""]:
        raise _no_checkpoint()
    rest = others[len(times) :]
    return Checkpoint(origin, int(size), decoded, times[0] if times else "", tuple(rest))


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    content = _decoded(encoded)
    if not line.startswith(_DASH) or not is_name(name) or len(content) <= _ID:
        raise _no_note()
    return Signature(name, content[:_ID], content[_ID:])


def _is_text(text: str) -> bool:
    """Whether it is lines of UTF-8, ended, without control characters (signed-note)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    control = any((c < " " and c != "\n") or c == "\x7f" for c in text)
    return len(text) > 1 and text.endswith("\n") and not control


def _decoded(text: str) -> bytes:
    """The bytes of a base64 text in the one spelling there is; nothing where it is none."""
    try:
        content = b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        return b""
    return content if b64encode(content).decode() == text else b""


def _no_note() -> MalformedError:
    return MalformedError("It is no signed note.", hint="See docs/how-to/verify-the-trail.md.")


def _no_checkpoint() -> MalformedError:
    return MalformedError(
        "It is no checkpoint of a log.", hint="See docs/how-to/verify-the-trail.md."
    )
