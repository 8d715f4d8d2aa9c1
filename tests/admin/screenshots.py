"""Pictures of every screen in both languages, for ``docs/screens``: ``make screens``.

    python -m tests.admin.screenshots [ENDPOINT ...]

Each screen is shown to one of those for whom it opens, at the width of a desk and of a phone.
The pictures are of few colours, so that they are small. Nothing else writes them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from authz.admin.screens import SCREENS
from tests.admin.kit import PASSWORD, Kit, build, serve
from tests.admin.test_openings import OPENINGS
from tests.conftest import ROOT

FOLDER: Final = ROOT / "docs" / "screens"
LANGUAGES: Final = {"th": "th-TH", "en": "en-GB"}
WIDTHS: Final = {1280: 800, 390: 844}
TALLEST: Final = 1800
COLOURS: Final = 64
SHOWN_TO: Final = ("head", "siri", "krung", "audit", "teacher", "parent")
"""Whose screen is taken, the first of those for whom it opens."""


class Taken(NamedTuple):
    """A screen of which there are pictures."""

    endpoint: str
    title: str
    name: str


def main(arguments: list[str]) -> int:
    """Take the pictures; 1 where there is no browser."""
    path = shutil.which("chromium")
    if path is None:
        print("authz: install Debian's package chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        kit, server = serve(Path(folder), build(Path(folder)))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        taken = list(_all(kit, browser, set(arguments)))
        browser.close()
        server.shutdown()
        server.server_close()
        kit.store.dispose()
    if not arguments:
        _index(taken)
    return 0


def _all(kit: Kit, browser: Browser, only: set[str]) -> Iterator[Taken]:
    wanted = [("sign_in", "/admin/sign-in", ""), ("with_code", "/admin/sign-in", "")]
    for screen in SCREENS:
        if screen.methods == ("GET",) and screen.endpoint in OPENINGS:
            address, welcome = OPENINGS[screen.endpoint]
            shown_to = next(each for each in SHOWN_TO if each in welcome)
            wanted.append((screen.endpoint, address, shown_to))
    chosen = [each for each in wanted if not only or each[0] in only]
    titles: dict[str, str] = {}
    for language, locale in LANGUAGES.items():
        for name in dict.fromkeys(each[2] for each in chosen):
            context = browser.new_context(locale=locale, timezone_id="Asia/Bangkok")
            page = kit.page(context, name)
            for endpoint, address, whose in chosen:
                if whose == name and _show(kit, page, endpoint, address):
                    _take(page, endpoint, language)
                    titles[endpoint] = page.locator("h1").first.inner_text()
            context.close()
    return (Taken(each[0], titles[each[0]], each[2]) for each in chosen if each[0] in titles)


def _show(kit: Kit, page: Page, endpoint: str, address: str) -> bool:
    """Open the screen; False where what is there is no page, such as a file."""
    if page.request.get(f"{kit.url}{address}").headers["content-type"][:9] != "text/html":
        return False
    page.goto(f"{kit.url}{address}")
    if endpoint == "with_code":
        page.fill("[name=name]", "head")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
    return True


def _take(page: Page, endpoint: str, language: str) -> None:
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        with Image.open(BytesIO(page.screenshot(full_page=True))) as picture:
            cut = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
            small = cut.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(FOLDER / f"{endpoint}.{language}.{width}.png", optimize=True)


def _index(taken: list[Taken]) -> None:
    """The page that shows them, and no picture of a screen that is gone."""
    lines = [
        "# The screens",
        "",
        "Every screen of the demo school, in Thai and English, at the width of a desk and of a",
        "phone. `make screens` takes the pictures anew; `make run` shows the screens themselves.",
    ]
    kept = {"README.md"}
    for endpoint, title, name in taken:
        lines += ["", f"## {title}", "", f"`{endpoint}`, as {name or 'anybody'} sees it.", ""]
        for language in LANGUAGES:
            files = [f"{endpoint}.{language}.{width}.png" for width in WIDTHS]
            kept |= set(files)
            lines.append(
                " ".join(
                    f'<img src="{file}" alt="{endpoint}, {language}" width="{width}">'
                    for file, width in zip(files, (560, 180), strict=True)
                )
            )
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for path in FOLDER.iterdir():
        if path.name not in kept:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
