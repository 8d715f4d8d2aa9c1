"""Pictures of every screen in both languages, for ``docs/screens``: ``make screens``.

    python -m tests.admin.screenshots [SCREEN ...]

Each screen of the tour is taken at the width of a desk and of a phone, in few colours, so that
the pictures are small. Nothing else writes them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.admin.kit import PASSWORD, Kit, build, serve
from tests.admin.tour import Stop, stops
from tests.conftest import ROOT

FOLDER: Final = ROOT / "docs" / "screens"
LANGUAGES: Final = {"th": "th-TH", "en": "en-GB"}
WIDTHS: Final = {1280: 800, 390: 844}
SHOWN: Final = {1280: 560, 390: 180}
TALLEST: Final = 2000
COLOURS: Final = 48


def main(arguments: list[str]) -> int:
    """Take the pictures; 1 where there is no browser."""
    path = shutil.which("chromium")
    if path is None:
        print("authz: install Debian's package chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        kit, server = serve(Path(folder), build(Path(folder)))
        found = stops(kit)
        wanted = [each for each in found if not arguments or each.name in arguments]
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        titles = {language: _take_all(kit, browser, wanted, language) for language in LANGUAGES}
        browser.close()
        server.shutdown()
        server.server_close()
        kit.store.dispose()
    if not arguments:
        _index(found, titles)
    return 0


def files(name: str) -> list[str]:
    """The pictures of a screen."""
    return [f"{name}.{language}.{width}.png" for language in LANGUAGES for width in WIDTHS]


def arrive(
    kit: Kit, page: Page, stop: Stop, until: Literal["load", "domcontentloaded"] = "load"
) -> None:
    """Open the screen."""
    page.goto(f"{kit.url}{stop.address}", wait_until=until)
    if stop.name == "with_code":
        page.fill("[name=name]", "head")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.locator("[name=code]").wait_for()
        page.wait_for_load_state(until)


def _take_all(kit: Kit, browser: Browser, wanted: Sequence[Stop], language: str) -> dict[str, str]:
    """Take the screens in one language; their titles."""
    titles = {}
    for who in dict.fromkeys(each.who for each in wanted):
        context = browser.new_context(locale=LANGUAGES[language], timezone_id="Asia/Bangkok")
        page = kit.page(context, who)
        for stop in wanted:
            if stop.who == who:
                arrive(kit, page, stop)
                _take(page, stop.name, language)
                titles[stop.name] = page.locator("h1").first.inner_text()
        context.close()
    return titles


def _take(page: Page, name: str, language: str) -> None:
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        with Image.open(BytesIO(page.screenshot(full_page=True))) as picture:
            cut = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
            small = cut.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(FOLDER / f"{name}.{language}.{width}.png", optimize=True)


def _index(found: Sequence[Stop], titles: dict[str, dict[str, str]]) -> None:
    """The page that shows them, and no picture of a screen that is gone."""
    lines = [
        "# The screens",
        "",
        "Every screen of the demo school, in Thai and English, at the width of a desk and of a",
        "phone. `make screens` takes the pictures and writes this page anew; `make run` shows the",
        "screens themselves.",
    ]
    for stop in found:
        thai, english = (titles[language][stop.name] for language in LANGUAGES)
        lines += [
            "",
            f"## {english}",
            "",
            f"{thai} · `{stop.name}` for `{stop.who or 'anybody'}`",
            "",
        ]
        for language in LANGUAGES:
            lines.append(
                " ".join(
                    f'<img src="{stop.name}.{language}.{width}.png" width="{SHOWN[width]}"'
                    f' alt="{titles[language][stop.name]} ({width} px)">'
                    for width in WIDTHS
                )
            )
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = {"README.md", *(name for stop in found for name in files(stop.name))}
    for path in FOLDER.iterdir():
        if path.name not in kept:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
