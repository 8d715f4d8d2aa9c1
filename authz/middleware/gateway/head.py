"""The head of an upstream's answer, read strictly.

The library reads a head as it reads an e-mail: what is malformed is put right or left out, and that
takes a tenth of all that the gateway does. Here it is lines of a name and a value, or no answer.
"""

from __future__ import annotations

import re
from http.client import HTTPException, HTTPResponse
from socket import socket
from typing import Final, cast

from authz.middleware.gateway.reader import Reader

MOST: Final = 100
LONGEST: Final = 64 * 1024
INTERIM: Final = 10
"""Answers such as ``100 Continue`` that may come before the one that counts."""
_STATUS: Final = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)\r\n")
_FIELDS: Final = re.compile(f"(?:{_FIELD.pattern})*\r\n")
"""White space around a value is taken away afterwards: looked for here, a long run of it would take
the time of its third power."""
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_SWITCHING, _FINAL, _NO_CONTENT, _NOT_MODIFIED = 101, 200, 204, 304


class StrictResponse(HTTPResponse):
    """An answer whose head has one reading; HTTPException where it has none."""

    def __init__(self, reader: Reader, method: str) -> None:
        super().__init__(cast("socket", reader), method=method)
        self._reader = reader
        self._asked = method
        self._fields: list[tuple[str, str]] = []
        self._values: dict[str, list[str]] = {}

    def begin(self) -> None:
        """Read the head, and find out how long the body is (RFC 9112, 6.3)."""
        for _ in range(INTERIM):
            status = self._read()
            if status >= _FINAL or status == _SWITCHING:
                break
        else:
            raise HTTPException("no answer, only interim ones")
        self.code = self.status = status
        self.reason = ""
        self._framed()

    def getheaders(self) -> list[tuple[str, str]]:
        """All headers in their order, each by the name that it came under."""
        return self._fields

    def joined(self, name: str, default: str) -> str:
        """What the headers of this name (in small letters) say, joined by commas."""
        found = self._values.get(name)
        return ", ".join(found) if found else default

    def _read(self) -> int:
        """Read one head, and return its status."""
        text = self._reader.head(LONGEST).decode("latin-1")
        line = _STATUS.match(text)
        if line is None:
            raise HTTPException("no status line")
        if not _FIELDS.fullmatch(text, line.end()):
            raise HTTPException("no head")
        fields = [(name, value.strip("\t ")) for name, value in _FIELD.findall(text, line.end())]
        if len(fields) >= MOST:
            raise HTTPException("no head")
        values: dict[str, list[str]] = {}
        for name, value in fields:
            values.setdefault(name.lower(), []).append(value)
        self._fields, self._values = fields, values
        self.version = 10 + int(line[1])
        return int(line[2])

    def _framed(self) -> None:
        coding = self._values.get("transfer-encoding")
        lengths = self._values.get("content-length", [])
        if (coding is not None and (lengths or coding != ["chunked"])) or len(lengths) > 1:
            raise HTTPException("two lengths")
        if lengths and not _LENGTH.fullmatch(lengths[0]):
            raise HTTPException("no length")
        self.chunked = coding is not None
        self.chunk_left = None
        self.length = int(lengths[0]) if lengths else None
        if self.status in (_NO_CONTENT, _NOT_MODIFIED) or self._asked == "HEAD":
            self.length, self.chunked = 0, False
        connection = self.joined("connection", "").lower()
        stays = self.version == 11 and "close" not in connection  # noqa: PLR2004 (HTTP/1.1)
        self.will_close = not stays or (not self.chunked and self.length is None)
