"""Where the keys of an issuer come from, and what happens while they are not to be had."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from threading import Event, Thread

import pytest
from joserfc.jwk import KeySet, OKPKey

from authz import clock
from authz.errors import KeysError, SettingError, UnauthenticatedError, http_status
from authz.keyfile import BRIEF, SETTLED, KeyFile
from authz.middleware.bearer import Bearer
from authz.middleware.gateway.parts import Verifier
from authz.middleware.keys import FRESH, KEPT, PAUSE, jwks_file, jwks_url
from tests.middleware.loopback import loopback
from tests.middleware.signing import AUDIENCE, ISSUER, key, mint
from tests.middleware.steady import Time
from tests.waiting import PATIENCE

URL = "https://id.example.test/jwks"
GOOD = json.dumps(KeySet([key()]).as_dict(private=False))
OTHER = json.dumps(KeySet([OKPKey.generate_key("Ed25519", {"kid": "two"})]).as_dict(private=False))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "jwks.json"
    found.write_text(GOOD)
    return found


def believes(reading: Bearer) -> bool:
    try:
        return reading.identity(f"Bearer {mint('mum')}") is not None
    except KeysError:
        return False


def test_keys_come_from_a_file_that_may_change(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KeySet([OKPKey.generate_key("Ed25519", {"kid": "two"})]).as_dict()))
    reading = Bearer(ISSUER, AUDIENCE, jwks_file(path))
    with pytest.raises(UnauthenticatedError):
        reading.identity(f"Bearer {mint('mum')}")
    path.write_text(json.dumps(KeySet([key()]).as_dict(private=False)) + "\n")
    assert reading.identity(f"Bearer {mint('mum')}") is not None


def test_keys_come_from_an_address_and_stay_while_it_is_away() -> None:
    asked: list[str] = []
    answers = [json.dumps(KeySet([key()]).as_dict(private=False)).encode()]

    def answer(url: str) -> bytes:
        asked.append(url)
        return answers.pop() if answers else b"<h1>away</h1>"

    reading = Bearer(ISSUER, AUDIENCE, jwks_url("https://id.example.test/jwks", answer))
    for _ in range(3):
        assert reading.identity(f"Bearer {mint('mum')}") is not None
    assert len(asked) == 1
    unknown = Bearer(ISSUER, AUDIENCE, jwks_url("http://127.0.0.1:9/jwks"))
    with pytest.raises(UnauthenticatedError):
        unknown.identity(f"Bearer {mint('mum')}")


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.test/jwks", "http://127.0.0.1.example.test/jwks",
        "http://localhost.example.test/jwks", "http://127.0.0.1@example.test/jwks", "file:///jwks",
    ],
)  # fmt: skip
def test_keys_that_anybody_on_the_way_could_change_are_no_setting(url: str) -> None:
    with pytest.raises(SettingError):
        jwks_url(url)


def test_nobody_waits_for_new_keys_while_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer that hangs, and a token of an unknown key, hold up one request and no other."""
    entered, leave = Event(), Event()
    good = json.dumps(KeySet([key()]).as_dict(private=False)).encode()
    asked: list[str] = []

    def hangs_later(url: str) -> bytes:
        asked.append(url)
        if len(asked) > 1:
            entered.set()
            leave.wait(PATIENCE)
        return good

    keys = jwks_url("https://id.example.test/jwks", hangs_later)
    assert keys(False)
    later = clock.monotonic() + KEPT / 2
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    waits = Thread(target=keys, args=(True,))
    waits.start()
    assert entered.wait(PATIENCE)
    assert keys(False)
    assert waits.is_alive()
    leave.set()
    waits.join(PATIENCE)
    assert not waits.is_alive()


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"{}", b"[]", b"5"])
def test_an_address_with_no_keys_or_no_end_is_none(body: bytes) -> None:
    good = json.dumps(KeySet([key()]).as_dict(private=False)).encode()
    endless = good + b" " * 1024 * 1024
    with loopback(lambda heard: heard.answer(body or endless)) as server:
        reading = Bearer(ISSUER, AUDIENCE, jwks_url(f"{server.url}/jwks"))
        with pytest.raises(UnauthenticatedError):
            reading.identity(f"Bearer {mint('mum')}")


def _away(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _without_its_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


@pytest.mark.parametrize("take", [_away, _a_folder, _without_its_folder])
def test_a_file_that_goes_away_takes_its_keys_with_it(
    take: Callable[[Path], None], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is believed by keys that an operator has taken away; they are back with the file."""
    reading = Bearer(ISSUER, AUDIENCE, jwks_file(path))
    assert believes(reading)
    caplog.set_level(logging.WARNING)
    take(path)
    assert [believes(reading) for _ in range(3)] == [False] * 3
    assert reading.counts() == {"keys_unavailable": 3}
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    if path.is_dir():
        path.rmdir()
    path.parent.mkdir(exist_ok=True)
    path.write_text(GOOD)
    assert believes(reading)
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]
    assert "3 tokens were refused" in caplog.text


def test_a_file_that_may_not_be_read_has_no_keys(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Bearer(ISSUER, AUDIENCE, jwks_file(path))
    assert believes(reading)
    os.utime(path, ns=(1, 1))

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", forbidden)
        assert not believes(reading)
    assert believes(reading)


@pytest.mark.parametrize(
    "broken",
    ["", GOOD[:40], "[]", '{"keys": [{"kty": "OKP"}]}', "[" * 9999],
    ids=["empty", "cut", "list", "no_key", "nested"],
)
def test_a_file_that_is_being_written_leaves_its_keys_for_seconds(
    broken: str, path: Path, steady: Time
) -> None:
    """An editor cuts the file off and writes it anew; for longer than that it is no set of keys."""
    reading = Bearer(ISSUER, AUDIENCE, jwks_file(path))
    assert believes(reading)
    path.write_text(broken)
    assert believes(reading)
    steady.now += BRIEF - 0.01
    path.write_text(f"{broken} ")
    assert believes(reading)
    steady.now += 0.01
    assert not believes(reading)
    path.write_text(broken)
    assert not believes(reading)
    path.write_text(GOOD)
    assert believes(reading)
    path.write_text(broken)
    assert believes(reading)


def test_a_file_that_holds_no_keys_from_the_beginning_is_given_no_time(path: Path) -> None:
    path.write_text("")
    with pytest.raises(KeysError):
        jwks_file(path)(False)


def test_a_set_without_keys_is_a_set(path: Path) -> None:
    """An operator who writes an empty set down means it."""
    reading = Bearer(ISSUER, AUDIENCE, jwks_file(path))
    assert believes(reading)
    path.write_text('{"keys": []}')
    with pytest.raises(UnauthenticatedError) as caught:
        reading.identity(f"Bearer {mint('mum')}")
    assert not isinstance(caught.value, KeysError)


def test_a_file_put_in_place_by_a_rename_leaves_no_gap(path: Path) -> None:
    keys = jwks_file(path)
    assert keys(False).keys[0].kid == "one"
    draft = path.with_name("draft")
    draft.write_text(OTHER)
    draft.replace(path)
    assert keys(False).keys[0].kid == "two"


def test_a_change_within_one_tick_of_the_files_clock_is_seen(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same length, at the same time, in the same file: only its bytes tell."""
    keys = KeyFile(path)
    before = path.stat()
    monkeypatch.setattr(clock, "microseconds", lambda: before.st_mtime_ns // 1000)
    assert keys.keys().keys[0].kid == "one"
    with path.open("r+") as file:
        file.write(GOOD.replace('"one"', '"two"'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert keys.keys().keys[0].kid == "two"


def test_a_file_that_has_settled_is_not_read_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request costs one look at the file's state, and the same keys are the same object."""
    old = (clock.microseconds() - 2 * SETTLED) * 1000
    os.utime(path, ns=(old, old))
    keys = KeyFile(path)
    first = keys.keys()
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was read again"))
    assert keys.keys() is first


def _address(
    steady: Time, *, kept: float = KEPT
) -> tuple[Bearer, list[bytes | Exception], list[float]]:
    """A reader of tokens, what the address says next, and when it was asked."""
    says: list[bytes | Exception] = [GOOD.encode()]
    asked: list[float] = []

    def fetch(_url: str) -> bytes:
        asked.append(steady.now)
        if isinstance(says[0], Exception):
            raise says[0]
        return says[0]

    return Bearer(ISSUER, AUDIENCE, jwks_url(URL, fetch, kept=kept)), says, asked


@pytest.mark.parametrize("fault", [b"<h1>away</h1>", OSError("no route"), ValueError("404")])
def test_keys_of_an_address_are_believed_for_a_bounded_time(
    fault: bytes | Exception, steady: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """From the last fetch that went well, and not from the first that failed."""
    reading, says, asked = _address(steady)
    assert believes(reading)
    steady.now += FRESH
    assert believes(reading)
    caplog.set_level(logging.WARNING)
    says[0] = fault
    last = steady.now
    while steady.now < last + KEPT:
        assert believes(reading)
        steady.now += FRESH
    assert not believes(reading)
    assert [each.levelname for each in caplog.records] == ["ERROR"]
    before = len(asked)
    assert not believes(reading)
    assert len(asked) == before
    says[0] = GOOD.encode()
    steady.now += PAUSE
    assert believes(reading)
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]


def test_the_time_for_which_keys_are_kept_is_a_setting(steady: Time) -> None:
    reading, says, _asked = _address(steady, kept=60)
    assert believes(reading)
    says[0] = b""
    steady.now += 59
    assert believes(reading)
    steady.now += 1
    assert not believes(reading)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(SettingError):
            jwks_url(URL, kept=wrong)


def test_who_cannot_be_verified_is_told_to_come_again() -> None:
    """503, not 401: the token may be good, and whoever throws it away signs in over and over."""
    assert http_status(KeysError("")) == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_remembered_token_is_forgotten_with_its_keys(path: Path) -> None:
    """The gateway remembers whom it verified; never by keys that are no more."""
    reads = Verifier(Bearer(ISSUER, AUDIENCE, jwks_file(path)), "user")
    header = f"Bearer {mint('mum')}"
    first = reads(header)
    assert first is not None
    assert reads(header) is first
    path.write_text(OTHER)
    with pytest.raises(UnauthenticatedError):
        reads(header)
    path.unlink()
    with pytest.raises(KeysError):
        reads(header)
    assert reads("") is None
    path.write_text(GOOD)
    assert reads(header) is not None
