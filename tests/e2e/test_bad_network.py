"""The page while its network, its server or its session is not what it was; and many pages at once."""

import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browsing import (
    ANSWER_MS,
    answer,
    ask,
    box,
    expect_answered,
    expect_connection,
    recent,
)
from tests.e2e.wire import Wire, wire_to
from tests.stack import RunningStack

pytestmark = pytest.mark.browser
CUT_SECONDS = 20
TABS = 6


@pytest.fixture
def wire(stack: RunningStack) -> Iterator[Wire]:
    with wire_to(stack.port) as whole:
        yield whole


def without_websockets(page: Page) -> Page:
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    return page


# -- cut and back ----------------------------------------------------------------------------------------------------
def test_a_question_asked_while_the_network_is_cut_for_20_seconds_is_answered_when_it_is_back(open_page, wire) -> None:
    page = open_page("/", base_url=wire.url)
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)
    first = answer(page).locator("[data-fill=price]").inner_text()
    wire.cut()
    cut_at = time.monotonic()
    expect_connection(page, "Offline")
    ask(page, house_age=3, median_income_usd=20_000)
    expect(page.locator("[data-form-message]")).to_contain_text("asked when it is back")
    # Whether or not it was tried again meanwhile.
    expect(answer(page)).to_contain_text("Waiting for the answer, 14 s", timeout=ANSWER_MS)
    time.sleep(max(0, cut_at + CUT_SECONDS - time.monotonic()))
    wire.mend()
    expect_answered(page)
    expect(answer(page).locator("[data-fill=price]")).not_to_have_text(first)
    expect(recent(page)).to_have_count(2)
    expect_connection(page, "Live")


def test_a_question_asked_offline_is_answered_when_the_network_is_back(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    page.context.set_offline(True)
    expect_connection(page, "Offline")
    ask(page, house_age=17)
    expect(page.locator("[data-form-message]")).to_contain_text("asked when it is back")
    page.context.set_offline(False)
    expect_answered(page)
    expect(page.locator("[data-form-message]")).to_be_empty()


def test_a_question_that_waits_for_the_network_says_so_once_however_often_it_is_tried(open_page) -> None:
    page = open_page()
    page.route("**/predict_api", lambda route: route.abort())
    ask(page)
    message = page.locator("[data-form-message]")
    expect(message).to_contain_text("asked when it is back")
    message.evaluate(
        "(message) => new MutationObserver(() => (window.said = true)).observe(message, { childList: true })"
    )
    with page.expect_event("requestfailed", lambda request: "/predict_api" in request.url, timeout=ANSWER_MS):
        pass
    expect(answer(page)).to_contain_text("Waiting for the answer")
    assert page.evaluate("window.said") is None
    expect(message).to_contain_text("asked when it is back")


def test_a_question_whose_acceptance_was_lost_on_the_way_back_is_asked_once(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    lost = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().json()["id"])
            route.abort()

    page.route("**/predict_api", lose_the_first)
    ask(page)
    expect_answered(page)
    page.goto("/history")
    assert [row.get_attribute("data-id") for row in page.locator("main [data-id]").all()] == lost


def test_a_question_whose_acceptance_was_cut_off_after_its_head_is_asked_once(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    keys = []

    def cut_the_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
        else:
            accepted = route.fetch()
            route.fulfill(status=accepted.status, content_type="application/json", body=accepted.text()[:20])

    page.route("**/predict_api", cut_the_first)
    ask(page)
    expect_answered(page)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    expect(recent(page)).to_have_count(1)


def test_while_a_moved_number_waits_for_the_network_the_last_price_stays_and_the_wait_is_told(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)
    price = answer(page).locator("[data-fill=price]").inner_text()
    page.context.set_offline(True)
    box(page, "house_age").fill("3")
    expect(page.locator("[data-form-message]")).to_contain_text("asked when it is back")
    expect(answer(page)).to_contain_text("Waiting for the answer, 2 s")
    expect(answer(page).locator("[data-fill=price]")).to_have_text(price)
    page.context.set_offline(False)
    expect(answer(page).locator("[data-fill=price]")).not_to_have_text(price, timeout=ANSWER_MS)


def test_the_page_of_a_prediction_that_is_offline_for_a_while_shows_the_answer_when_it_is_back(
    open_page, stack: RunningStack
) -> None:
    page = open_page()
    with stack.frozen("publisher"):
        ask(page)
        recent(page).first.get_by_role("link").click()
        expect(page.locator("#prediction")).to_be_visible()
        page.context.set_offline(True)
        page.wait_for_event("requestfailed", lambda request: request.resource_type == "fetch", timeout=ANSWER_MS)
        page.context.set_offline(False)
    expect_answered(page)


def test_an_open_page_comes_back_by_itself_when_the_web_process_was_killed(open_page, stack: RunningStack) -> None:
    page = open_page()
    expect_connection(page, "Live")
    killed = stack.kill("web", signal.SIGKILL)
    stack.wait_restarted("web", killed)
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)


# -- many tabs -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("push", ["WebSocket", "SSE"])
def test_six_tabs_of_one_person_each_hear_of_every_answer(open_page, push: str) -> None:
    tabs = [open_page("/healthz")]
    tabs += [tabs[0].context.new_page() for _ in range(TABS - 1)]
    for tab in tabs:
        if push == "SSE":
            without_websockets(tab)
        tab.goto("/")
        expect(
            tab.locator("[data-connection]:is([data-state=live], [data-state=stream], [data-state=polling])")
        ).to_be_visible(timeout=ANSWER_MS)
    for tab in tabs[:2]:
        ask(tab)
        expect_answered(tab)
    asked = recent(tabs[1]).first.get_attribute("data-id")
    for tab in tabs:
        expect(recent(tab).first).to_have_attribute("data-id", asked, timeout=ANSWER_MS)
        expect(tab.locator("[data-recent] [data-state=answered]")).to_have_count(2)
