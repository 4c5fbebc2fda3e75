"""The whole site as its people see it: each signed in, and a member who has some of everything."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e import pages
from tests.e2e.browsing import ask, expect_answered, follow, press, sign_in, sign_up
from tests.e2e.clients import until
from tests.stack import RunningStack

MEMBERS_PAGES = {**pages.FOR_MEMBERS, **pages.IN_OTHER_STATES, **pages.WRONG}
EVERY_PAGE = {**pages.FOR_VISITORS, **MEMBERS_PAGES, **pages.FOR_OPERATORS}


@dataclass(frozen=True)
class Site:
    """A browser for each of those who see pages, and the addresses of what belongs to its member."""

    contexts: dict[str, BrowserContext]
    things: dict[str, str]

    def context_of(self, name: str) -> BrowserContext:
        """The browser of who sees the page of this name."""
        if name in pages.FOR_VISITORS:
            return self.contexts["visitor"]
        return self.contexts["operator" if name in pages.FOR_OPERATORS else "member"]

    def address_of(self, name: str) -> str:
        return EVERY_PAGE[name].format(**self.things)


@contextmanager
def furnished_site(stack: RunningStack, chromium: Browser) -> Iterator[Site]:
    contexts = {who: chromium.new_context(base_url=stack.base_url) for who in ("visitor", "member", "operator")}
    try:
        sign_in(contexts["operator"].new_page(), "operator", stack.logins["operator"])
        yield Site(contexts, _furnished(contexts["member"].new_page(), stack))
    finally:
        for context in contexts.values():
            context.close()


@contextmanager
def with_empty_cache(site: Site, name: str) -> Iterator[Page]:
    """A page of a browser that was never here before, but as who sees the page of this name."""
    who = site.context_of(name)
    browser = who.browser
    assert browser is not None
    context = browser.new_context(base_url=site.things["base"], storage_state=who.storage_state())
    yield context.new_page()
    context.close()


def _furnished(page: Page, stack: RunningStack) -> dict[str, str]:
    """A new account with some of everything; where that is."""
    email = f"{os.urandom(4).hex()}@example.org"
    sign_up(page, email=email)
    page.goto("/accounts/tokens/")
    page.locator("[name=name]").fill("laptop")
    press(page, "Make a token")
    page.goto("/")
    ask(page)
    expect_answered(page)
    page.goto("/history")
    page.locator("[data-id] a").first.click()
    things = {"base": stack.base_url, "prediction": page.url.removeprefix(stack.base_url)}
    follow(page, "Add a note or tags")
    page.locator("[name=tags]").fill("coast")
    page.locator("[name=text]").fill("A" + "h" * 60)
    press(page, "Save")
    press(page, "Share by a link")
    things["shared"] = page.locator("a.key").get_attribute("href") or ""
    press(page, "Ask again with today's model")
    page.goto("/accounts/reset/")
    page.locator("[name=email]").fill(email)
    already = len(stack.log("web"))
    press(page, "Mail me the link")
    mailed = until(
        lambda: re.search(r"/accounts/reset/\S+/\S+/", stack.log("web")[already:]), seconds=10, what="the mail"
    )
    return {**things, "reset": mailed[0]}
