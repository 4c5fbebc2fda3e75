"""What a person does on the page, and what that person waits for."""

from playwright.sync_api import Locator, Page, expect

ANSWER_MS = 20_000


def ask(page: Page, **values: object) -> None:
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(str(value))
    page.get_by_role("button", name="Estimate").click()


def answer(page: Page) -> Locator:
    return page.locator("[data-answer]")


def expect_answered(page: Page) -> None:
    expect(answer(page)).to_have_attribute("data-state", "answered", timeout=ANSWER_MS)
    expect(answer(page).locator("[data-fill=price]")).to_contain_text("$")


def expect_connection(page: Page, words: str) -> None:
    expect(page.locator("[data-connection]")).to_contain_text(words, timeout=ANSWER_MS)
