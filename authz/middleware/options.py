"""How patient a client is, and how much it takes on, with bounds for everything."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from authz.errors import SettingError

LONGEST_KEPT: Final = 300.0
_HTTPS: Final = 443
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
Token = str | Callable[[], str]
"""The bearer token, or what gives the one that is good now; empty for a point that wants none."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. ``total`` is for everything, from the question to its answer or refusal.

    ``connect`` and ``read`` are for one connection to be made, and for one piece of an answer.
    """

    connect: float = 1.0
    read: float = 2.0
    total: float = 3.0

    def __post_init__(self) -> None:
        for name in ("connect", "read", "total"):
            if not 0 < getattr(self, name) <= LONGEST_KEPT:
                raise SettingError(
                    f"It must be more than 0 and at most {LONGEST_KEPT}.", where=name
                )


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once: ``lanes`` exchanges with the point, the rest waits for one.

    What waits goes out together, at most ``batch`` questions in one; when ``waiting`` wait,
    another is refused at once. ``answer_bytes`` bounds an answer, ``failures`` in a row stop the
    asking for ``rest`` seconds, twice as long each time up to ``longest_rest``.
    """

    lanes: int = 8
    batch: int = 100
    waiting: int = 10_000
    answer_bytes: int = 4 * 1024 * 1024
    failures: int = 5
    rest: float = 0.5
    longest_rest: float = 10.0

    def __post_init__(self) -> None:
        for name in ("lanes", "batch", "waiting", "answer_bytes", "failures"):
            if getattr(self, name) < 1:
                raise SettingError("It must be 1 or more.", where=name)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether answers are kept: for ``seconds`` (0: not at all), at most ``most`` of them.

    A kept answer is given again without a record in the trail (docs/explanation/client.md).
    """

    seconds: float = 0.0
    most: int = 10_000

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= LONGEST_KEPT:
            raise SettingError(f"It must be from 0 to {LONGEST_KEPT}.", where="seconds")
        if self.most < 1:
            raise SettingError("It must be 1 or more.", where="most")


@dataclass(frozen=True, slots=True)
class Options:
    """How a client behaves; ``language`` is that of a refusal's sentence, ``en`` or ``th``."""

    patience: Patience = Patience()
    limits: Limits = Limits()
    keeping: Keeping = Keeping()
    language: str = "en"


DEFAULT: Final = Options()


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a point is asked; empty where it does not offer that.

    ``by_point`` are the obligations of its answers that it carries out itself.
    ``independent``: whether a batch may hold questions that differ in nothing but what is said
    of one subject or resource; Cerbos 0.55 answers them all as the first of them. Plain http is
    for a point on this machine or behind a network that is trusted. SettingError where one is
    no address.
    """

    evaluation: str
    evaluations: str = ""
    search_resource: str = ""
    by_point: frozenset[str] = frozenset()
    independent: bool = False

    def __post_init__(self) -> None:
        for name in ("evaluation", "evaluations", "search_resource"):
            address = getattr(self, name)
            if (address or name == "evaluation") and not is_address(address, ("https", "http")):
                raise SettingError("It must be a URL without query.", where=name)


@dataclass(frozen=True, slots=True)
class Remote:
    """A point as its callers know it: its identifier, an https URL (AuthZEN 9.1).

    ``reached_at`` is another address at which this network reaches it. ``endpoints`` stand in
    the place of its metadata, for a point that publishes none. ``origins`` are those besides its
    own at which its metadata may have it asked, as ``https://decide.example.org``: a metadata
    document alone sends neither a token nor a question to another host. SettingError where an
    address is not https: plain http must be asked for, by ``reached_at`` or ``endpoints``.
    """

    identifier: str
    reached_at: str = ""
    endpoints: Endpoints | None = None
    origins: Collection[str] = ()

    def __post_init__(self) -> None:
        if not is_address(self.identifier, ("https",)):
            raise SettingError("It must be an https URL without query.", where="identifier")
        if self.reached_at and not is_address(self.reached_at, ("https", "http")):
            raise SettingError("It must be a URL without query.", where="reached_at")
        if isinstance(self.origins, str):
            raise SettingError("It must be a list.", where="origins")
        for each in self.origins:
            if not is_address(each, ("https",)) or urlsplit(each).path not in ("", "/"):
                raise SettingError("It must be an https URL without path.", where="origins")

    @property
    def exposed(self) -> str:
        """An address beyond this machine at which questions and tokens go unencrypted (E-06)."""
        places = self.endpoints
        told = (places.evaluation, places.evaluations) if places else (self.reached_at,)
        open_ = [each for each in told if each.startswith("http:")]
        return next((each for each in open_ if urlsplit(each).hostname not in LOOPBACK), "")

    @property
    def metadata(self) -> str:
        """Where the metadata stands: between the host and the path (AuthZEN 9.2)."""
        parts = urlsplit(self.identifier)
        path = parts.path.rstrip("/")
        whole = f"{parts.scheme}://{parts.netloc}/.well-known/authzen-configuration{path}"
        return whole if not self.reached_at else self.here(whole)

    def here(self, address: str) -> str:
        """The address as this network reaches it; "" where it may not be used."""
        if not is_address(address, ("https",)):
            return ""
        place = origin(address)
        if self.reached_at and place == origin(self.identifier):
            base = urlsplit(self.reached_at)
            path = urlsplit(address).path
            return f"{base.scheme}://{base.netloc}{base.path.rstrip('/')}{path}"
        known = {origin(each) for each in (self.identifier, *self.origins)}
        return address if place in known else ""


def origin(address: str) -> str:
    """Scheme, host and port of an https address, in the one way to write them (RFC 6454, 6.2)."""
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return f"https://{host}" + ("" if parts.port in (None, _HTTPS) else f":{parts.port}")


def is_address(text: object, schemes: tuple[str, ...]) -> bool:
    """Whether this is the URL of a host, without query, fragment or anybody's name."""
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
        known = parts.port is None or parts.port > 0
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or "@" in parts.netloc or "?" in text or "#" in text)
    return known and bare and parts.scheme in schemes and bool(parts.hostname) and text.isascii()
