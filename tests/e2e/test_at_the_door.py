"""Each question has a key of its own, waits at a closed door, and is told how long the line is."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browsing import ANSWER_MS, answer, ask, expect_answered, expect_connection, recent

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]


def test_the_next_question_has_a_key_of_its_own(open_page: Opened) -> None:
    page = open_page()
    expect_connection(page, "Live")
    with page.expect_request("**/predict_api") as first:
        ask(page, house_age=23)
    expect_answered(page)
    with page.expect_request("**/predict_api") as second:
        ask(page, house_age=24)
    assert first.value.headers["idempotency-key"] != second.value.headers["idempotency-key"]
    expect(recent(page)).to_have_count(2, timeout=ANSWER_MS)


def test_while_the_door_is_closed_the_page_says_so_and_asks_when_it_is_open(open_page: Opened) -> None:
    page = open_page()
    expect_connection(page, "Live")
    problem = {"type": "about:blank", "title": "Too many requests", "status": 429, "code": "line_full", "detail": ""}
    asked: list[Route] = []

    def close_for_the_first(route: Route) -> None:
        asked.append(route)
        if len(asked) > 1:
            route.continue_()
        else:
            route.fulfill(status=429, headers={"Retry-After": "3"}, json=problem)

    page.route("**/predict_api", close_for_the_first)
    ask(page)
    expect(page.locator("[data-form-message]")).to_have_text("Many people ask right now; yours is asked in 3 s.")
    expect(answer(page)).to_contain_text("Not asked yet")
    expect(answer(page)).not_to_contain_text("Waiting for the answer")
    expect_answered(page)
    assert len(asked) == 2


def test_who_waits_longer_than_a_moment_is_told_how_long_and_why(open_page: Opened) -> None:
    page = open_page()
    expect_connection(page, "Live")

    def stand_in_line(route: Route) -> None:
        body = route.fetch().json()
        body |= {"id": "00000000-0000-4000-8000-000000000000", "line": {"ahead": 1234, "expected_seconds": 9.0}}
        route.fulfill(status=202, json=body)

    page.route("**/predict_api", stand_in_line)
    ask(page)
    expect(answer(page)).to_contain_text("s to go, 1,234 questions ahead of yours")
