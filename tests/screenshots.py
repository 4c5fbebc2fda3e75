"""Every page as a picture, in both themes and on a phone and a desk: `python -m tests.screenshots [NAME ...]`.

Starts a real run, lives a small story in it with a real Chromium, and writes `docs/screenshots/`. Names pick pictures.
"""

import base64
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.browsing import ANSWER_MS, ask, expect_answered, expect_connection
from tests.requisites import chromium_path
from tests.stack import ROOT, RunningStack, running_stack

FOLDER = ROOT / "docs" / "screenshots"
THEMES = ("light", "dark")
WIDTHS = (390, 1440)
_QUALITY = 45  # Of WebP: letters are still clean, and all pictures together stay below 4 MB.
_PASSWORD = "a-long-passphrase-1990"
_MOST_HEIGHT = 2600  # Of a picture; what is below has been seen above.


@dataclass(frozen=True)
class Story:
    """What the pictures show: the member's session, and the addresses of what the member asked and shared."""

    member: dict
    operator: dict
    asked: str
    shared: str


@dataclass(frozen=True)
class Picture:
    """`show` brings a page, opened as `who` ("visitor", "member", "operator"), to what is to be seen."""

    name: str
    who: str
    show: Callable[[Page, Story], None]


# -- the story -------------------------------------------------------------------------------------------------------
_PLACES = (  # name, income, age, tags, words, what it sold for
    ("San Francisco", 38_000, 52, "city", "Fog until noon, the park around the corner.", 310_000),
    ("The coast at Monterey", 52_000, 31, "coast, to visit", "Ask again in spring.", None),
    ("Fresno", 27_500, 24, "valley", "", 72_500),
    ("Truckee, in the mountains", 41_000, 14, "", "", None),
)


def live(running: RunningStack, browser: Browser) -> Story:
    """Somebody signs up, asks for four places, and keeps what is to be kept; an operator signs in."""
    context = browser.new_context(base_url=running.base_url)
    page = context.new_page()
    page.goto("/accounts/signup/")
    page.locator("[name=username]").fill("ada")
    for name in ("password1", "password2"):
        page.locator(f"[name={name}]").fill(_PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    asked = [_ask_and_keep(page, *place) for place in _PLACES]
    for address in asked[:3]:
        page.goto(address)
        page.get_by_role("button", name="Pin").first.click()
    page.goto(asked[0])
    page.get_by_role("button", name="Share by a link").click()
    shared = page.locator("a.key").get_attribute("href") or ""
    page.goto("/accounts/tokens/")
    page.locator("[name=name]").fill("spreadsheet")
    page.get_by_role("button", name="Make a token").click()
    member = context.storage_state()
    context.close()
    return Story(member, _signed_in_operator(running, browser), asked[0], shared)


def _ask_and_keep(page: Page, place: str, income: int, age: int, tags: str, words: str, sold_for: int | None) -> str:
    """Ask for a place with this income and age; the address of the answer, with what is kept of it."""
    page.goto("/")
    _ask_for(page, place, median_income_usd=income, house_age=age)
    page.goto("/history")
    page.locator("[data-id] a").first.click()
    address = page.url
    if tags:
        page.goto(f"{address}/note")
        page.locator("[name=tags]").fill(tags)
        page.locator("[name=text]").fill(words)
        page.get_by_role("button", name="Save").click()
    if sold_for:
        page.goto(f"{address}/sale")
        page.locator("[name=price]").fill(str(sold_for))
        page.get_by_role("button", name="Save").click()
    return address


def _ask_for(page: Page, place: str, **values: object) -> None:
    page.get_by_role("link", name=place).click()
    expect(page.locator("[data-known]")).to_contain_text("median of")
    ask(page, **values)
    expect_answered(page)
    expect(page.locator("[data-part=reasons] table")).to_be_visible(timeout=ANSWER_MS)


def _signed_in_operator(running: RunningStack, browser: Browser) -> dict:
    context = browser.new_context(base_url=running.base_url)
    page = context.new_page()
    page.goto("/admin/")
    page.locator("[name=username]").fill("operator")
    page.locator("[name=password]").fill(running.logins["operator"])
    page.get_by_role("button", name="Log in").click()
    state = context.storage_state()
    context.close()
    return state


# -- the pictures ----------------------------------------------------------------------------------------------------
def _at(path: str) -> Callable[[Page, Story], None]:
    return lambda page, story: _go(page, path)


def _below(part: str) -> Callable[[Page, Story], None]:
    """A page of the prediction that the story asked first."""
    return lambda page, story: _go(page, f"{story.asked}{part}")


def _go(page: Page, path: str) -> None:
    page.goto(path)


def _shared(page: Page, story: Story) -> None:
    page.goto(story.shared)


def _home(page: Page, story: Story) -> None:
    page.goto("/")
    expect_connection(page, "Live")


def _answered(page: Page, story: Story) -> None:
    _home(page, story)
    _ask_for(page, "Los Angeles")
    page.evaluate("scrollTo(0, 0)")


def _refused(page: Page, story: Story) -> None:
    _home(page, story)
    ask(page, median_income_usd=9_000_000, ave_occup=-1, latitude=36.1, longitude=-123.5)
    expect(page.locator("[aria-invalid]").first).to_be_visible()


def _offline(page: Page, story: Story) -> None:
    _home(page, story)
    page.context.set_offline(True)
    ask(page)
    expect(page.locator("[data-form-message]")).to_contain_text("No network")


def _taken_name(page: Page, story: Story) -> None:
    page.goto("/accounts/signup/")
    for name, text in {"username": "ada", "password1": "1234", "password2": "12345"}.items():
        page.locator(f"[name={name}]").fill(text)
    page.get_by_role("button", name="Make the account").click()


def _api(page: Page, story: Story) -> None:
    page.goto("/api/docs/")
    page.get_by_text("Ask for a price, with or").click()


PICTURES = (
    Picture("home", "visitor", _home),
    Picture("home-answered", "visitor", _answered),
    Picture("home-refused", "visitor", _refused),
    Picture("home-offline", "visitor", _offline),
    Picture("prediction", "member", _below("")),
    Picture("shared", "visitor", _shared),
    Picture("note", "member", _below("/note")),
    Picture("sale", "member", _below("/sale")),
    Picture("delete", "member", _below("/delete")),
    Picture("history", "member", _at("/history")),
    Picture("history-empty", "visitor", _at("/history")),
    Picture("history-nothing-found", "member", _at("/history?words=castle")),
    Picture("compare", "member", _at("/compare")),
    Picture("compare-empty", "visitor", _at("/compare")),
    Picture("about", "visitor", _at("/about")),
    Picture("units", "visitor", _at("/units")),
    Picture("sign-up", "visitor", _at("/accounts/signup/")),
    Picture("sign-up-refused", "visitor", _taken_name),
    Picture("sign-in", "visitor", _at("/accounts/login/")),
    Picture("password-reset", "visitor", _at("/accounts/reset/")),
    Picture("profile", "member", _at("/accounts/")),
    Picture("tokens", "member", _at("/accounts/tokens/")),
    Picture("account-delete", "member", _at("/accounts/delete/")),
    Picture("api", "visitor", _api),
    Picture("nothing-here", "visitor", _at("/nowhere")),
    Picture("admin", "operator", _at("/admin/")),
    Picture("admin-ledger", "operator", _at("/admin/ledger/")),
)


def take(picture: Picture, story: Story, browser: Browser, base_url: str, folder: Path) -> Iterator[Path]:
    """Write the picture in every theme and width; the files."""
    for theme in THEMES:
        for width in WIDTHS:
            with _context(picture.who, story, browser, base_url, theme, width) as context:
                page = context.new_page()
                picture.show(page, story)
                file = folder / f"{picture.name}-{theme}-{width}.webp"
                file.write_bytes(_webp(page))
                yield file


def _context(who: str, story: Story, browser: Browser, base_url: str, theme: str, width: int) -> BrowserContext:
    state = {"member": story.member, "operator": story.operator}.get(who)
    return browser.new_context(
        base_url=base_url,
        storage_state=state,  # type: ignore[arg-type]
        color_scheme=theme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )


def _webp(page: Page) -> bytes:
    """The whole page. Chromium writes WebP itself; Playwright's own screenshots are PNG and JPEG alone."""
    page.evaluate("document.fonts.ready")
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    # A window as high as the page: what sticks to the window's edge would stand in the middle of the picture.
    page.set_viewport_size({"width": width, "height": min(height, _MOST_HEIGHT)})
    page.evaluate("scrollTo(0, 0)")
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    return base64.b64decode(taken["data"])


def _write_index() -> None:
    """The folder's own page: every picture by its name."""
    heads = [(theme, width) for theme in THEMES for width in WIDTHS]
    lines = [
        "# Every page",
        "",
        "Written by `make screenshots` from a real run, in both themes, 390 and 1440 pixels wide.",
        "",
        "| page | " + " | ".join(f"{theme}, {width}" for theme, width in heads) + " |",
        "| --- |" + " --- |" * len(heads),
    ]
    for picture in PICTURES:
        links = (f"[picture]({picture.name}-{theme}-{width}.webp)" for theme, width in heads)
        lines.append(f"| {picture.name} | " + " | ".join(links) + " |")
    (FOLDER / "README.md").write_text("\n".join([*lines, ""]))


def main(names: list[str]) -> int:
    expect.set_options(timeout=ANSWER_MS)
    FOLDER.mkdir(exist_ok=True)
    chosen = [picture for picture in PICTURES if not names or picture.name in names]
    with (
        tempfile.TemporaryDirectory(prefix="housevalue-screenshots-") as var_dir,
        running_stack(Path(var_dir), env={"VISITOR_RATE": "0/m", "ACCOUNT_RATE": "0/h"}) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"])
        story = live(running, browser)
        for picture in chosen:
            files = list(take(picture, story, browser, running.base_url, FOLDER))
            print(f"  {picture.name}: {sum(file.stat().st_size for file in files) / 1024:.0f} kB", flush=True)
        browser.close()
    _write_index()
    whole = sum(file.stat().st_size for file in FOLDER.glob("*.webp"))
    print(f"  {len(list(FOLDER.glob('*.webp')))} pictures, {whole / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
