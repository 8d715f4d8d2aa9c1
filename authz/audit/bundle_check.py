"""Checking a bundle with a public key alone: without the store, its settings, its service.

Whoever made the file may want to harm who checks it, or to show others something else than
what is checked. So it has the members of a bundle once each and no others, packed as we pack
them; a line is as we write it, and none is longer than a record can be; and no more is read
than the signed tree has.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from struct import error as StructError  # noqa: N812 (a class)
from typing import Annotated, Any, Final, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812 (a class)

import msgspec

from authz.audit.bundle import ABOUT, CHECKPOINT, KEYS, RECORDS, VERSION
from authz.audit.chain import Damage, Kind, Link, Tip, Verdict, follows, genesis
from authz.audit.finding import Damaged
from authz.audit.marks import Mark, Source, read
from authz.audit.merkle import SIZE, Frontier, entry, leaf_hash, verify_inclusion
from authz.audit.note import Verifier
from authz.errors import MalformedError

_LARGEST: Final = 1_000_000
"""Bytes of a member that is not the records; what claims to be more is none of ours."""
_LONGEST: Final = 32 * 1024 * 1024
"""Bytes of a line; a longer one is no record."""
_FAR: Final = 1_000_000
"""Lines after its place where a leaf is looked for that does not stand there."""
_NUMBERS: Final = 2**63
_BLOCK: Final = 1024 * 1024
_MEMBERS: Final = {ABOUT, CHECKPOINT, KEYS, RECORDS}
_PACKED: Final = {ZIP_STORED, ZIP_DEFLATED}
_NO_BUNDLE: Final = (
    *(OSError, EOFError, RuntimeError, BadZipFile, ZlibError, StructError),
    *(LookupError, TypeError, AttributeError, ValueError),
)
"""What reading a file that is no bundle may fail with."""
_STEP: Final = 1000
_TOGETHER: Final = 1024
"""Leaves that are put into the tree at a time."""

Progress = Callable[[int, int], None]


class _Line(NamedTuple):
    leaf: int
    chain: str
    sequence: int
    body: bytes
    hash: bytes
    proof: list[bytes]


def verify_bundle(
    path: Path,
    *,
    keys: Sequence[Verifier],
    copies: Sequence[Source] = (),
    progress: Progress | None = None,
) -> Verdict:
    """Whether each record of a bundle is a leaf of the tree that one of the keys signed.

    ``copies`` are checkpoints from elsewhere, which a whole bundle must agree with.
    MalformedError where the file is no bundle.
    """
    try:
        with ZipFile(path) as file:
            _require_members(file)
            about, checkpoint = _about(file), _member(file, CHECKPOINT).decode()
            check = _Check(file, about, progress)
            return check.run(Source("the checkpoint", checkpoint), copies, keys)
    except _NO_BUNDLE as error:
        raise MalformedError("It is no bundle of the audit trail.", where=str(path)) from error


class _Check:
    """One pass over a bundle: ``count`` records are good."""

    def __init__(self, file: ZipFile, about: dict[str, Any], progress: Progress | None) -> None:
        self.file = file
        self.whole = about["whole"]
        self.expected = about["records"]
        self.progress = progress
        self.count = 0
        self.checkpoints = 0
        self.last: _Line | None = None
        self.tree, self.tips = _begun(about.get("retired"))
        self.leaves: list[bytes] = []
        self.size = self.tree.size
        self.stops: set[int] = set()

    def run(self, own: Source, copies: Sequence[Source], keys: Sequence[Verifier]) -> Verdict:
        """The verdict over the records."""
        try:
            marks = [_mark(each, keys) for each in (own, *copies)]
            self.stops = {mark.size for mark in marks}
            for line in self._lines():
                self._leaf(line, marks) if self.whole else self._part(line, marks[0])
                self.count += 1
                self.last = line
                if self.progress is not None and self.count % _STEP == 0:
                    self.progress(self.count, self.expected)
            self._end(marks)
        except Damaged as found:
            return Verdict(self.count, self.size, self.checkpoints, found.damage)
        return Verdict(self.count, self.size, self.checkpoints)

    def _leaf(self, line: _Line, marks: Sequence[Mark]) -> None:
        """A line of a whole bundle: the next leaf, and the next of its chain."""
        if line.leaf != self.size:
            raise Damaged(self._elsewhere(line))
        if self.size >= marks[0].size:
            text = f"the checkpoint knows {marks[0].size} leaves only"
            raise Damaged(_damage(Kind.APPENDED, line, text))
        tip = self.tips.get(line.chain) or genesis(line.chain)
        if not follows(tip, Link(line.sequence, line.body, line.hash)):
            raise self._changed(line)
        self.tips[line.chain] = Tip(line.sequence, line.hash)
        self.leaves.append(leaf_hash(entry(line.chain, line.sequence, line.body)))
        self.size += 1
        if len(self.leaves) == _TOGETHER or self.size in self.stops:
            self._hold(marks, line)

    def _hold(self, marks: Sequence[Mark], line: _Line | None) -> None:
        """Put the leaves into the tree, which costs less for many, and hold it against marks."""
        self.tree.extend(self.leaves)
        self.leaves.clear()
        for mark in marks:
            if mark.size == self.size:
                if mark.root != self.tree.root():
                    text = f"the records up to here are not those that {mark.name} was signed over"
                    raise Damaged(_damage(Kind.REWRITTEN, line, text))
                self.checkpoints += 1

    def _part(self, line: _Line, mark: Mark) -> None:
        """A line of a part: some leaf, which its proof must lead from."""
        if self.last is not None and line.leaf <= self.last.leaf:
            kind = Kind.DUPLICATED if line.leaf == self.last.leaf else Kind.REORDERED
            raise Damaged(_damage(kind, line, "it stands after a later record, or a second time"))
        leaf = leaf_hash(entry(line.chain, line.sequence, line.body))
        if not verify_inclusion(leaf, line.leaf, mark.size, line.proof, mark.root):
            raise self._changed(line)

    def _end(self, marks: Sequence[Mark]) -> None:
        if self.whole and self.size < marks[0].size:
            text = f"the bundle has {self.size} of {marks[0].size} leaves"
            raise Damaged(_damage(Kind.TAIL_CUT, self.last, text))
        if self.count != self.expected:
            text = f"the bundle has {self.count} records, and {self.expected} were written"
            kind = Kind.TAIL_CUT if self.count < self.expected else Kind.APPENDED
            raise Damaged(_damage(kind, self.last, text))
        if not self.count:
            self._hold(marks, None)
        if not self.whole:
            self.checkpoints = 1

    def _elsewhere(self, line: _Line) -> Damage:
        """What a leaf is that does not stand in its place."""
        place = self.size
        if line.leaf < place:
            return _damage(Kind.DUPLICATED, line, "it stands in the bundle a second time")
        lines = islice(self._lines(), self.count + _FAR)
        home = next((each for each in lines if each.leaf == place), None)
        if home is not None:
            return _damage(Kind.REORDERED, home, f"it stands after leaf {line.leaf}")
        return _damage(
            Kind.MISSING, line, f"the leaves {place} to {line.leaf - 1} before it are missing"
        )

    def _changed(self, line: _Line) -> Damaged:
        return Damaged(_damage(Kind.CHANGED, line, "it is not as it was written"))

    def _lines(self) -> Iterator[_Line]:
        with self.file.open(RECORDS) as packed, BufferedReader(packed, _BLOCK) as stream:  # type: ignore[type-var]  # a ZipExtFile is read as a raw file is
            for number, text in enumerate(iter(partial(stream.readline, _LONGEST), b""), 1):
                try:
                    yield _line(text, whole=self.whole)
                except ValueError as error:
                    text_ = f"line {number} of the bundle is no record"
                    raise Damaged(Damage(Kind.CHANGED, 0, text_, chain="")) from error


def _mark(source: Source, keys: Sequence[Verifier]) -> Mark:
    found = read(source, keys)
    if isinstance(found, Damage):
        raise Damaged(found)
    return found


class _Whole(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line of a whole bundle, as it is written: these members and no others."""

    leaf: Annotated[int, msgspec.Meta(ge=0)]
    chain: str
    sequence: int
    body: str
    hash: str


class _Part(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line of a part."""

    leaf: Annotated[int, msgspec.Meta(ge=0)]
    chain: str
    sequence: int
    body: str
    proof: list[str]


_encode: Final = msgspec.json.Encoder().encode
_whole: Final = msgspec.json.Decoder(_Whole).decode
_part: Final = msgspec.json.Decoder(_Part).decode


def _line(text: bytes, *, whole: bool) -> _Line:
    """The record of a line, which has these members and no others; ValueError and the like.

    A member that stands there twice, say, would be read otherwise by others.
    """
    told = _whole(text) if whole else _part(text)
    if _encode(told) + b"\n" != text:
        raise ValueError("not as we write it")
    own, proof = b"", list[bytes]()
    if isinstance(told, _Whole):
        own = bytes.fromhex(told.hash)
    else:
        proof = [b64decode(each, validate=True) for each in told.proof]
        if any(len(each) != SIZE for each in proof):
            raise ValueError("no hashes")
    return _Line(told.leaf, told.chain, told.sequence, told.body.encode(), own, proof)


def _require_members(file: ZipFile) -> None:
    """ValueError unless each member is one of ours, once, and packed as we pack it."""
    found = file.infolist()
    names = [each.filename for each in found]
    if len({*names}) < len(names) or not {*names} <= _MEMBERS:
        raise ValueError("other members")
    if any(each.compress_type not in _PACKED for each in found):
        raise ValueError("packed otherwise")


def _about(file: ZipFile) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(_member(file, ABOUT))
    known = about["v"] == VERSION and _is_number(about["records"])
    if not known or not isinstance(about["whole"], bool):
        raise ValueError("another version")
    return about


def _begun(retired: Any) -> tuple[Frontier, dict[str, Tip]]:
    """The tree and the chains as they were when the oldest records were retired."""
    if retired is None:
        return Frontier(), {}
    sizes = [size for size, _ in retired["subtrees"]]
    nodes = [b64decode(each, validate=True) for _, each in retired["subtrees"]]
    tips = {chain: Tip(at, bytes.fromhex(tip)) for chain, (at, tip) in retired["tips"].items()}
    if not all(map(_is_number, [*sizes, *(tip.sequence for tip in tips.values())])):
        raise ValueError("no numbers")
    return Frontier(sum(sizes), nodes), tips


def _is_number(found: Any) -> bool:
    """Whether it is one of those that a database has."""
    return type(found) is int and 0 <= found < _NUMBERS


def _member(file: ZipFile, name: str) -> bytes:
    """A small member; what it claims to be is not believed."""
    with file.open(name) as stream:
        found = stream.read(_LARGEST + 1)
    if len(found) > _LARGEST:
        raise ValueError("too large")
    return found


def _damage(kind: Kind, line: _Line | None, text: str) -> Damage:
    return Damage(kind, line.sequence if line else 0, text, line.chain if line else "")
