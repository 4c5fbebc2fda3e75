"""Every page of the site in a real Chromium: for everybody, from nobody else, and light."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response

from tests.e2e import pages
from tests.e2e.browsing import (
    ask,
    cut_words,
    expect_answered,
    follow,
    press,
    sideways,
    sign_in,
    sign_up,
    violations,
)
from tests.e2e.clients import until
from tests.stack import RunningStack

pytestmark = pytest.mark.browser
MEMBERS_PAGES = {**pages.FOR_MEMBERS, **pages.IN_OTHER_STATES, **pages.WRONG}
EVERY_PAGE = [*pages.FOR_VISITORS, *MEMBERS_PAGES, *pages.FOR_OPERATORS]
MOST_BYTES = 150 * 1024
PHONE, DESK = 390, 1440
ZOOMED = 640  # What 1280 px are to a page at 200 %.


@dataclass(frozen=True)
class Site:
    """A browser that is signed in as each of those who see pages, and what belongs to its member."""

    contexts: dict[str, BrowserContext]
    things: dict[str, str]

    def context_of(self, name: str) -> BrowserContext:
        if name in pages.FOR_VISITORS:
            return self.contexts["visitor"]
        return self.contexts["operator" if name in pages.FOR_OPERATORS else "member"]

    def address_of(self, name: str) -> str:
        return {**pages.FOR_VISITORS, **MEMBERS_PAGES, **pages.FOR_OPERATORS}[name].format(**self.things)


@pytest.fixture(scope="module")
def site(stack: RunningStack, chromium: Browser) -> Iterator[Site]:
    contexts = {who: chromium.new_context(base_url=stack.base_url) for who in ("visitor", "member", "operator")}
    sign_in(contexts["operator"].new_page(), "operator", stack.logins["operator"])
    yield Site(contexts, furnished(contexts["member"].new_page(), stack))
    for context in contexts.values():
        context.close()


def furnished(page: Page, stack: RunningStack) -> dict[str, str]:
    """A new account with some of everything; where that is."""
    email = "newcomer@example.org"
    sign_up(page, email=email)
    page.goto("/accounts/tokens/")
    page.locator("[name=name]").fill("laptop")
    press(page, "Make a token")
    page.goto("/")
    ask(page)
    expect_answered(page)
    page.goto("/history")
    page.locator("[data-id] a").first.click()
    things = {"prediction": page.url}
    follow(page, "Add a note or tags")
    page.locator("[name=tags]").fill("coast")
    page.locator("[name=text]").fill("A" + "h" * 60)
    press(page, "Save")
    press(page, "Share by a link")
    things["shared"] = page.locator("a.key").get_attribute("href") or ""
    press(page, "Ask again with today's model")
    page.goto("/accounts/reset/")
    page.locator("[name=email]").fill(email)
    press(page, "Mail me the link")
    things["reset"] = until(lambda: re.search(r"/accounts/reset/\S+/\S+/", stack.log("web")), seconds=5, what="mail")[0]
    return things


def test_a_page_that_is_added_is_listed_here() -> None:
    listed = {*pages.FOR_VISITORS, *pages.FOR_MEMBERS, *pages.FOR_OPERATORS, *pages.NO_PAGES}
    assert pages.names_in_router() == listed


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_is_for_everybody_in_both_themes_at_any_width(site: Site, name: str) -> None:
    page = site.context_of(name).new_page()
    # Colours on their way from one theme to the other are none that anybody reads.
    page.emulate_media(reduced_motion="reduce")
    page.goto(site.address_of(name))
    for width in (ZOOMED, PHONE, DESK):
        page.set_viewport_size({"width": width, "height": 900})
        assert (sideways(page), cut_words(page)) == (0, [])
        for scheme in ("light", "dark") if width != ZOOMED else ():
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []
    page.close()


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_is_light_asks_nobody_else_and_runs_nothing_that_is_not_its_own(
    site: Site, chromium: Browser, stack: RunningStack, name: str
) -> None:
    signed_in = site.context_of(name).storage_state()
    context = chromium.new_context(base_url=stack.base_url, storage_state=signed_in)  # Its cache is empty.
    page = context.new_page()
    heard: list[Response] = []
    page.on("response", lambda response: heard.append(response))
    page.goto(site.address_of(name), wait_until="networkidle")
    assert {response.url.split("/")[2] for response in heard} == {f"127.0.0.1:{stack.port}"}
    policy = heard[0].headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    weight = sum(sum(sizes(response)) for response in heard if response.request.resource_type != "font")
    assert 5_000 < weight <= MOST_BYTES
    context.close()


def sizes(response: Response) -> tuple[int, int]:
    found = response.request.sizes()
    return found["responseHeadersSize"], found["responseBodySize"]
