"""A browser, and the screens to look at with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, expect, sync_playwright

from authz import clock
from authz.cli.demo.school import Demo
from tests.admin.kit import PATIENT, Kit, build, patient, serve
from tests.world import frozen

expect.set_options(timeout=PATIENT)


@pytest.fixture
def one_moment() -> Iterator[None]:
    """The service's clock stands still: nobody waits long enough, and no day ends in between."""
    with frozen(clock.now()):
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Demo]:
    """The demo school with sign-ins, made once; tests get copies."""
    folder = tmp_path_factory.mktemp("console")
    return folder, build(folder)


@pytest.fixture
def kit(built: tuple[Path, Demo], tmp_path: Path) -> Iterator[Kit]:
    """The screens of this test."""
    with _served(built, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def standing(built: tuple[Path, Demo], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """The screens of a module whose tests leave them as they are."""
    with _served(built, tmp_path_factory.mktemp("standing")) as made:
        yield made


@contextmanager
def _served(built: tuple[Path, Demo], folder: Path) -> Iterator[Kit]:
    """The screens, on a copy of the demo school in that folder."""
    kept, demo = built
    shutil.copytree(kept, folder / "console")
    made, server = serve(folder / "console", demo)
    yield made
    server.shutdown()
    server.server_close()
    made.store.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("NO CHROMIUM: install Debian's package chromium")
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox"], timeout=PATIENT
            )
        except Error as error:
            pytest.skip(f"CHROMIUM DOES NOT START: {error}")
        yield found
        found.close()


@pytest.fixture
def thai(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody who reads Thai."""
    context = browser.new_context(locale="th-TH", timezone_id="Asia/Bangkok")
    patient(context)
    yield context
    context.close()
