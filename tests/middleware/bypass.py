"""Ways past an enforcement, as raw HTTP: one table for every framework and for the gateway.

Each row is bytes to send to a server that serves :mod:`tests.middleware.site`, in the name of
the parent, who may read the first child's assessments and scores and nothing else. Use it so::

    @pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
    def test_no_way_past(attempt, address, tokens):
        check(attempt, send(address, attempt, tokens))

``CONTROLS`` are the requests that are permitted: where they fail, the table proves nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tests.middleware.site import CHANGED, KID, NEVER, OPEN, OTHER
from tests.waiting import PATIENCE

Address = tuple[str, int]
CLOSE = "Connection: close\r\n"
SECONDS = 2.0
SILENT = 0.3
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
LENGTH = re.compile(rb"^content-length: *(\d+)\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A trick: its bytes, and what must not be in what comes back.

    ``{token}``, ``{forged}``, ``{expired}``, ``{foreign}`` and ``{host}`` are filled in.
    ``opens`` says that a 2xx may come, as of ``OPTIONS``, though nothing of ``never`` with it.
    """

    kind: str
    name: str
    request: str
    never: tuple[bytes, ...] = (*NEVER, CHANGED)
    opens: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


@dataclass(frozen=True, slots=True)
class Answered:
    """Everything that came back, of one answer or of several."""

    data: bytes

    @property
    def statuses(self) -> list[int]:
        return [int(found) for found in STATUS.findall(self.data)]

    @property
    def status(self) -> int:
        """The first status; 0 where the server hung up without a word."""
        return self.statuses[0] if self.statuses else 0

    def header(self, name: str) -> str:
        head = self.data.partition(b"\r\n\r\n")[0].decode("latin-1")
        found = re.search(rf"^{name}:\s*(.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
        return found[1] if found else ""

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who is signed in: ``token`` is the parent's; the others are none, and say they are a head."""

    token: str
    forged: str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJoZWFkIn0."
    expired: str = ""
    foreign: str = ""
    others: Mapping[str, str] = field(default_factory=dict)


def request(
    method: str, path: str, *headers: str, body: str = "", who: str = "{token}", close: bool = True
) -> str:
    """An ordinary request, with these headers beside its own."""
    length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
    signed = f"Authorization: Bearer {who}\r\n" if who else ""
    ending = CLOSE if close else ""
    more = "".join(f"{header}\r\n" for header in headers)
    return f"{method} {path} HTTP/1.1\r\nHost: {{host}}\r\n{signed}{ending}{length}{more}\r\n{body}"


KIDS = f"/students/{KID}/results"
OTHERS = f"/students/{OTHER}/results"
FILE = f"/students/{OTHER}/report"
JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"


def _paths() -> Iterator[Attempt]:
    """Other spellings of the other child's page, and ways to it from the first child's."""
    tricks = {
        "as it is": OTHERS,
        "dot segments": f"/students/{KID}/../{OTHER}/results",
        "encoded dot segments": f"/students/{KID}/%2e%2e/{OTHER}/results",
        "encoded twice": f"/students/{KID}/%252e%252e/{OTHER}/results",
        "encoded slash": f"/students/{KID}%2f..%2f{OTHER}/results",
        "two slashes": f"//students//{OTHER}/results",
        "a slash at the end": f"{OTHERS}/",
        "a dot segment within": f"/students/./{OTHER}/results",
        "backslash": f"/students/{KID}/..\\{OTHER}/results",
        "encoded backslash": f"/students/{KID}%5c..%5c{OTHER}/results",
        "parameters of a segment": f"/students/{OTHER};x=1/results",
        "parameters before dots": f"/students/{KID}/..;/{OTHER}/results",
        "a null": f"/students/{OTHER}%00/results",
        "a null after the child": f"/students/{KID}%00{OTHER}/results",
        "a line break": f"/students/{KID}%0d%0a/results/../../{OTHER}/results",
        "a letter encoded": "/students/%6fther/results",
        "another case": f"/STUDENTS/{OTHER}/RESULTS",
        "another case of the child": f"/students/{OTHER.upper()}/results",
        "a dot at the end": f"/students/{OTHER}./results",
        "a space at the end": f"/students/{OTHER}%20/results",
        "wide letters": "/students/%EF%BD%8Fther/results",
        "overlong UTF-8": f"/students/{KID}/%c0%ae%c0%ae/{OTHER}/results",
        "a fragment": f"/students/{OTHER}/results#/{KID}",
        "an ending": f"{OTHERS}.json",
        "the whole address": f"http://other.example{OTHERS}",
        "a public page before": f"/..{OTHERS}",
        "static before": f"/static/..{OTHERS}",
        "two children": f"/students/{KID}/{OTHER}/results",
        "a list of children": f"/students/{KID},{OTHER}/results",
        "a wildcard": "/students/*/results",
        "an empty child": "/students//results",
    }
    for name, path in tricks.items():
        yield Attempt("path", name, request("GET", path))


def _methods() -> Iterator[Attempt]:
    """Reading passed off as something else, and changing passed off as reading."""
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        yield Attempt(
            "method", f"{header} on a read", request("GET", KIDS, f"{header}: DELETE"), opens=True
        )
        yield Attempt("method", f"{header} to a read", request("POST", OTHERS, f"{header}: GET"))
        yield Attempt("method", f"{header} to HEAD", request("GET", OTHERS, f"{header}: OPTIONS"))
    yield Attempt("method", "_method in the query", request("GET", f"{KIDS}?_method=DELETE"),
                  opens=True)  # fmt: skip
    for name in ("_method", "[_method]", "%5Fmethod", "_METHOD"):
        yield Attempt("method", f"{name} in a form",
                      request("POST", OTHERS, FORM, body=f"{name}=GET"))  # fmt: skip
    for method in ("DELETE", "POST", "PUT", "PATCH", "get", "TRACE", "PROPFIND", "X"):
        yield Attempt("method", f"{method} on the first child", request(method, KIDS))
    yield Attempt("method", "HEAD of the other", request("HEAD", OTHERS))
    yield Attempt("method", "HEAD of the other's file", request("HEAD", FILE))
    yield Attempt("method", "OPTIONS of the other", request("OPTIONS", OTHERS), opens=True)
    yield Attempt("method", "OPTIONS of everything", request("OPTIONS", "*"), opens=True)
    yield Attempt("method", "a preflight", request(
        "OPTIONS", OTHERS, "Origin: https://other.example",
        "Access-Control-Request-Method: GET"), opens=True)  # fmt: skip


def _headers() -> Iterator[Attempt]:
    """Somebody else's name, another path or another address, by a header that is believed."""
    names = (
        "X-Remote-User", "Remote-User", "X-Forwarded-User", "X-Authenticated-User",
        "X-Authz-Subject", "X-User", "X_Remote_User", "Remote_User", "X-Auth-Request-User",
        "X-WEBAUTH-USER", "X-SSL-Client-S-DN", "Forwarded-User",
    )  # fmt: skip
    for name in names:
        yield Attempt("header", name, request("GET", OTHERS, f"{name}: head"))
        yield Attempt("header", f"{name} alone", request("GET", OTHERS, f"{name}: head", who=""))
    for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Uri",
                 "X-Script-Name", "Script-Name"):  # fmt: skip
        yield Attempt("header", name, request("GET", "/", f"{name}: {OTHERS}", who=""), opens=True)
        yield Attempt("header", f"{name} back", request("GET", OTHERS, f"{name}: {KIDS}"))
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "X-Forwarded-Host"):
        yield Attempt("header", name, request("GET", OTHERS, f"{name}: 127.0.0.1"))
    yield Attempt("header", "nobody", request("GET", KIDS, who=""))
    for kind in ("forged", "expired", "foreign"):
        yield Attempt("header", f"a token {kind}", request("GET", KIDS, who=f"{{{kind}}}"))
    yield Attempt("header", "two tokens", request(
        "GET", OTHERS, "Authorization: Bearer {forged}"))  # fmt: skip
    yield Attempt("header", "two tokens, forged first", request(
        "GET", KIDS, "Authorization: Bearer {forged}", "Authorization: Bearer {token}",
        who=""))  # fmt: skip
    yield Attempt("header", "two tokens in one", request(
        "GET", KIDS, "Authorization: Bearer {forged}, Bearer {token}", who=""))  # fmt: skip
    yield Attempt("header", "a token in the query",
                  request("GET", f"{KIDS}?access_token={{token}}", who=""))  # fmt: skip
    yield Attempt("header", "Basic", request("GET", KIDS, "Authorization: Basic bXVtOm11bQ==",
                                             who=""))  # fmt: skip


def _twice() -> Iterator[Attempt]:
    """A value that stands there twice: whoever decides reads one, whoever answers the other."""
    both = (f"student={KID}&student={OTHER}", f"student={OTHER}&student={KID}")
    tricks = {
        "the other": f"student={OTHER}",
        "the first, then the other": both[0],
        "the other, then the first": both[1],
        "with a semicolon": f"student={KID};student={OTHER}",
        "with brackets": f"student={KID}&student[]={OTHER}",
        "with an index": f"student={KID}&student[0]={OTHER}",
        "in another case": f"student={KID}&Student={OTHER}",
        "encoded name": f"student={KID}&%73tudent={OTHER}",
        "in brackets": f"student={KID}&[student]={OTHER}",
        "a null in the name": f"student={KID}&student%00x={OTHER}",
        "an encoded ampersand": f"student={KID}%26student={OTHER}",
        "an empty one": f"student=&student={OTHER}",
        "no value": f"student&student={OTHER}",
        "a null": f"student={KID}%00{OTHER}",
        "none": "",
    }
    for name, query in tricks.items():
        yield Attempt("twice", f"query: {name}", request("GET", f"/results?{query}"))
    bodies = {
        "the other": f'{{"student": "{OTHER}"}}',
        "a name twice": f'{{"student": "{KID}", "student": "{OTHER}"}}',
        "a name twice, turned": f'{{"student": "{OTHER}", "student": "{KID}"}}',
        "an escaped name": f'{{"student": "{KID}", "\\u0073tudent": "{OTHER}"}}',
        "a list": f'{{"student": ["{KID}", "{OTHER}"]}}',
        "an object": f'{{"student": {{"id": "{OTHER}"}}}}',
        "no object": f'["{OTHER}"]',
        "a comment": f'{{"student": "{KID}" /* */, "student": "{OTHER}"}}',
        "a byte order mark": f'\ufeff{{"student": "{OTHER}"}}',
        "null": '{"student": null}',
    }
    for name, body in bodies.items():
        yield Attempt("twice", f"body: {name}", request("POST", "/lookup", JSON, body=body))
    yield Attempt("twice", "query and body", request(
        "POST", f"/lookup?student={KID}", JSON, body=f'{{"student": "{OTHER}"}}'))  # fmt: skip
    yield Attempt("twice", "query beside the path",
                  request("GET", f"{OTHERS}?student={KID}"))  # fmt: skip


def _chunked() -> Iterator[Attempt]:
    """Two readings of where a request ends: a second one would be nobody's."""
    inner = f"GET {OTHERS} HTTP/1.1\r\nHost: {{host}}\r\nX: "
    body = f'{{"student": "{OTHER}"}}'
    sized = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    start = "POST /lookup HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n" + JSON
    chunked = f"{start}\r\nTransfer-Encoding: chunked\r\n\r\n"
    tricks = {
        "in chunks": f"{chunked}{sized}",
        "a length and chunks": f"{start}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        f"0\r\n\r\n{inner}",
        "chunks and a length": f"{start}\r\nTransfer-Encoding: chunked\r\n"
        f"Content-Length: {len(inner) + 5}\r\n\r\n0\r\n\r\n{inner}",
        "two lengths": f"{start}\r\nContent-Length: 0\r\n"
        f"Content-Length: {len(inner)}\r\n\r\n{inner}",
        "a strange coding": f"{start}\r\nTransfer-Encoding: xchunked\r\n\r\n{sized}",
        "a coding twice": f"{start}\r\nTransfer-Encoding: chunked, identity\r\n\r\n{sized}",
        "a space before the colon": f"{start}\r\nTransfer-Encoding : chunked\r\n\r\n{sized}",
        "a wrong chunk size": f"{chunked}0x5\r\nabcde\r\n0\r\n\r\n",
        "a negative length": f"{start}\r\nContent-Length: -1\r\n\r\n{body}",
        "a trailer": f"{chunked}0\r\nAuthorization: Bearer x\r\n\r\n",
        "a body of a read": request("GET", OTHERS, JSON, body=f'{{"student": "{KID}"}}'),
        "a second request": request("GET", "/", close=False)
        + request("GET", OTHERS, who=""),
    }  # fmt: skip
    for name, text in tricks.items():
        yield Attempt("chunked", name, text, opens=name == "a second request")


def _cached() -> Iterator[Attempt]:
    """What a cache, a condition or a range would let out."""
    for name, header in {
        "any copy": "If-None-Match: *",
        "a date": "If-Modified-Since: Tue, 01 Jan 2036 00:00:00 GMT",
        "a range": "Range: bytes=0-20",
        "ranges": "Range: bytes=0-20,30-40",
        "the end of it": "Range: bytes=-30",
        "a range if": 'If-Range: "x"\r\nRange: bytes=0-20',
    }.items():
        for place in (FILE, OTHERS):
            yield Attempt("cached", f"{name} of {place}", request("GET", place, header))
        yield Attempt(
            "cached", f"{name} of what is withheld", request("GET", KIDS, header), opens=True
        )
    yield Attempt("cached", "only if cached",
                  request("GET", OTHERS, "Cache-Control: only-if-cached"))  # fmt: skip


def _unfiltered() -> Iterator[Attempt]:
    """The first child's page, of which the comments are withheld, in other forms."""
    for name, text in {
        "as HTML": request("GET", f"/students/{KID}/page"),
        "compressed": request("GET", KIDS, "Accept-Encoding: gzip, br, zstd"),
        "as another kind": request("GET", KIDS, "Accept: text/csv"),
        "by another callback": request("GET", f"{KIDS}?callback=x"),
        "HTTP/1.0": request("GET", KIDS).replace("HTTP/1.1", "HTTP/1.0"),
    }.items():  # fmt: skip
        yield Attempt("unfiltered", name, text, opens=name != "as HTML")
    yield Attempt("unfiltered", "by a WebSocket", request(
        "GET", OTHERS, "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13", "Connection: Upgrade", close=False))  # fmt: skip


ATTEMPTS: tuple[Attempt, ...] = (
    *_paths(), *_methods(), *_headers(), *_twice(), *_chunked(), *_cached(), *_unfiltered(),
)  # fmt: skip
CONTROLS: dict[str, str] = {
    "a path": request("GET", KIDS),
    "a file": request("GET", f"/students/{KID}/report"),
    "a query": request("GET", f"/results?student={KID}"),
    "a body": request("POST", "/lookup", JSON, body=f'{{"student": "{KID}"}}'),
}
"""Requests of the parent for the first child: permitted, with what may be seen of it."""


def send(address: Address, text: str, tokens: Tokens) -> Answered:
    """All that comes back until the server is done, or says nothing more for a while.

    Whoever is told ``Connection: close`` answers and hangs up: a whole answer is waited for,
    however slow the machine is. Nobody knows what a server makes of the other requests.
    """
    filled = text
    named = {"token": tokens.token, "forged": tokens.forged, "expired": tokens.expired,
             "foreign": tokens.foreign, "host": f"{address[0]}:{address[1]}"}  # fmt: skip
    for name, value in named.items():
        filled = filled.replace(f"{{{name}}}", value)
    closes = CLOSE in text
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(filled.encode())
        connection.settimeout(PATIENCE if closes else SECONDS)
        return Answered(_all(connection, closes=closes))


def _all(connection: socket.socket, *, closes: bool) -> bytes:
    """What comes until the server hangs up, or is silent though it heard that we are done."""
    found = bytearray()
    told = False
    while True:
        try:
            data = connection.recv(65536)
        except TimeoutError:
            if told:
                return bytes(found)
            with suppress(OSError):  # it may be gone in this moment
                connection.shutdown(socket.SHUT_WR)
            told = True
            continue
        except OSError:  # reset: what came is what is looked at
            return bytes(found)
        if not data:
            return bytes(found)
        found += data
        connection.settimeout(PATIENCE if closes and not _whole(found) else SILENT)


def _whole(found: bytearray) -> bool:
    """Whether an answer is there to its end, as far as it says where that is."""
    head, ended, body = found.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    if length:
        return bool(ended) and len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n")


def check(attempt: Attempt, answered: Answered) -> None:
    """Nothing came back that must not, and what is refused does not look permitted."""
    for never in attempt.never:
        assert never not in answered.data, (str(attempt), answered.data)
    if not attempt.opens:
        assert not any(200 <= status < 300 for status in answered.statuses), answered.data
        assert 304 not in answered.statuses, answered.data


def check_control(answered: Answered) -> None:
    """What is permitted came, without what is withheld."""
    assert answered.status == 200, answered.data
    assert OPEN in answered.data, answered.data
    for never in NEVER:
        assert never not in answered.data, answered.data
