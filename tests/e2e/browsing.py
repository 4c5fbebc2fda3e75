"""What a person does on the page, and what that person waits for."""

import os
from collections.abc import Iterable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Response, expect

ANSWER_MS = 20_000
PASSWORD = "a-long-passphrase-1990"


# -- asking ----------------------------------------------------------------------------------------------------------
def ask(page: Page, **values: object) -> None:
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(str(value))
    page.get_by_role("button", name="Estimate").click()


def box(page: Page, name: str) -> Locator:
    return page.locator(f"[name={name}]")


def slider(page: Page, name: str) -> Locator:
    return page.locator(f"[data-slider-of={name}]")


def answer(page: Page) -> Locator:
    return page.locator("[data-answer]")


def recent(page: Page) -> Locator:
    return page.locator("[data-recent] [data-id]")


def expect_answered(page: Page) -> None:
    expect(answer(page)).to_have_attribute("data-state", "answered", timeout=ANSWER_MS)
    expect(answer(page).locator("[data-fill=price]")).to_contain_text("$")


def expect_explained(page: Page) -> None:
    expect(page.get_by_role("heading", name="Why this price")).to_be_visible()
    expect(page.locator("[data-part=reasons] tbody tr")).to_have_count(9, timeout=ANSWER_MS)


def expect_connection(page: Page, words: str, timeout: float = ANSWER_MS) -> None:
    expect(page.locator("[data-connection]")).to_contain_text(words, timeout=timeout)


# -- getting about ---------------------------------------------------------------------------------------------------
def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def expect_said(page: Page, words: str) -> None:
    expect(page.locator(".notice")).to_contain_text(words)


# -- accounts --------------------------------------------------------------------------------------------------------
def sign_up(page: Page, *, email: str = "") -> str:
    """Make an account; its user name."""
    name = f"newcomer-{os.urandom(4).hex()}"
    page.goto("/accounts/signup/")
    page.locator("[name=username]").fill(name)
    if email:
        page.locator("[name=email]").fill(email)
    for field in ("password1", "password2"):
        page.locator(f"[name={field}]").fill(PASSWORD)
    press(page, "Make the account")
    expect_signed_in(page, name)
    return name


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(password)
    press(page, "Sign in")
    expect_signed_in(page, name)


def expect_signed_in(page: Page, name: str) -> None:
    expect(page.locator(".menu summary")).to_have_text(name)


# -- for everybody ---------------------------------------------------------------------------------------------------
def violations(page: Page) -> list[tuple[str, list]]:
    """What axe finds, rule and places, when colours on their way have arrived."""
    page.evaluate(ARRIVED)
    found = Axe().run(page).response["violations"]
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found]


def sideways(page: Page) -> int:
    """Pixels by which the page has to be scrolled sideways."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def cut_words(page: Page) -> list[str]:
    """Words that can't be read to their end."""
    return page.evaluate(CUT)


# What is inherited sets out again when its parent has arrived.
ARRIVED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const moving = () => document.getAnimations().filter(
    (one) => one.playState === "running" && Number.isFinite(one.effect.getComputedTiming().endTime));
  await frame();
  do {
    await Promise.allSettled(moving().map((one) => one.finished));
    await frame();
    await frame();
  } while (moving().length);
}"""

# Words that reach over the edge of the window, or of a box that hides what reaches over its own and can't be scrolled.
CUT = """() => {
  const isHidden = (element) => !element.checkVisibility({ checkVisibilityCSS: true })
    || element.closest(".visually-hidden, .skip, template, svg");
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const cut = [];
  outer: while (words.nextNode()) {
    const { parentElement } = words.currentNode;
    if (!words.currentNode.data.trim() || isHidden(parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(words.currentNode);
    const { left, right } = range.getBoundingClientRect();
    let [begin, end] = [0, innerWidth];
    for (let box = parentElement; box; box = box.parentElement) {
      const { overflowX } = getComputedStyle(box);
      if (["auto", "scroll"].includes(overflowX)) continue outer;
      if (!["hidden", "clip"].includes(overflowX)) continue;
      const edges = box.getBoundingClientRect();
      [begin, end] = [Math.max(begin, edges.left), Math.min(end, edges.right)];
    }
    if (left < begin - 1 || right > end + 1) cut.push(words.currentNode.data.trim());
  }
  return cut;
}"""


def weight(heard: Iterable[Response]) -> int:
    """Bytes as they came over the wire, heads and bodies, without fonts."""
    sizes = [response.request.sizes() for response in heard if response.request.resource_type != "font"]
    return sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes)


def layout_shift(page: Page) -> float:
    """The sum of all shifts so far that no hand brought about, as Chromium scores them."""
    return page.evaluate(LAYOUT_SHIFT)


LAYOUT_SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  const add = ({ hadRecentInput, value }) => (sum += hadRecentInput ? 0 : value);
  new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(sum), 50));
})"""
