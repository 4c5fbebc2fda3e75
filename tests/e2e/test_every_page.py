"""Every page of the site in a real Chromium: for everybody, from nobody else, and light."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Response

from tests.e2e import pages
from tests.e2e.browsing import cut_words, sideways, violations, weight
from tests.e2e.site import EVERY_PAGE, Site, furnished_site, with_empty_cache
from tests.stack import RunningStack

pytestmark = pytest.mark.browser
MOST_BYTES = 150 * 1024
PHONE, DESK = 390, 1440
ZOOMED = 640  # What 1280 px are to a page at 200 %.


@pytest.fixture(scope="module")
def site(stack: RunningStack, chromium: Browser) -> Iterator[Site]:
    with furnished_site(stack, chromium) as furnished:
        yield furnished


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
    site: Site, stack: RunningStack, name: str
) -> None:
    heard: list[Response] = []
    with with_empty_cache(site, name) as page:
        page.on("response", lambda response: heard.append(response))
        page.goto(site.address_of(name), wait_until="networkidle")
        assert {response.url.split("/")[2] for response in heard} == {f"127.0.0.1:{stack.port}"}
        assert 5_000 < weight(heard) <= MOST_BYTES
    policy = heard[0].headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
