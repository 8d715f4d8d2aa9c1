"""What is made before a transaction begins and written in it, however much it is."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

Item = TypeVar("Item")
MEMORY: Final = 64 * 1024 * 1024
"""Bytes that are kept in memory; what is more goes to a file without a name."""


class Spooled(Generic[Item]):
    """Items in their order, put first and read afterwards; gone at the end of the block."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](max_size=MEMORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, item: Item) -> None:
        """Keep one more."""
        pickle.dump(item, self._file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[Item]:
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            yield pickle.load(self._file)  # noqa: S301 (of this process, in a file without a name)
