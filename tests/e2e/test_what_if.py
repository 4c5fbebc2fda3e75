"""What if: after an answer the price follows whatever is moved."""

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.browsing import (
    ANSWER_MS,
    answer,
    ask,
    box,
    expect_answered,
    expect_connection,
    expect_explained,
    recent,
    slider,
)

pytestmark = pytest.mark.browser
SPACING_MS = 900  # After so long the page asks at once.


def questions_of(page: Page) -> list[Request]:
    """Every question that the page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if "/predict_api" in request.url else None)
    return sent


def test_a_hundred_moves_in_ten_seconds_cost_few_questions_and_the_last_is_answered(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)
    expect_explained(page)
    questions = []
    page.on("request", lambda request: questions.append(request) if "/predict_api" in request.url else None)
    page.evaluate(
        """async () => {
          const slider = document.querySelector("[data-slider-of=ave_rooms]");
          for (let move = 1; move <= 100; move++) {
            slider.value = move;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }"""
    )
    wanted = float(box(page, "ave_rooms").input_value())
    expect(page.locator("[data-part=reasons]")).to_contain_text(f"{wanted:g} against", timeout=ANSWER_MS)
    assert 2 <= len(questions) <= 15
    assert questions[-1].post_data_json["ave_rooms"] == wanted


def test_a_movement_of_many_questions_is_one_recent_one_in_the_history_and_its_steps_are_there_for_who_wants_them(
    open_page,
) -> None:
    page = open_page()
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)
    page.evaluate(
        """async () => {
          const slider = document.querySelector("[data-slider-of=ave_rooms]");
          for (let move = 1; move <= 30; move++) {
            slider.value = 3 * move;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }"""
    )
    wanted = float(box(page, "ave_rooms").input_value())
    expect(page.locator("[data-part=reasons]")).to_contain_text(f"{wanted:g} against", timeout=ANSWER_MS)
    expect(recent(page)).to_have_count(2)
    expect(recent(page).first).to_contain_text(answer(page).locator(".answer-price").inner_text())
    page.goto("/history")
    expect(page.locator(".rows .row")).to_have_count(2)
    expect(page.locator(".subtitle")).to_contain_text("on the way, while something was moved")
    page.get_by_role("link", name="show").click()
    expect(page.get_by_role("link", name="hide")).to_be_visible()
    assert page.locator(".rows .row").count() > 2


def test_the_price_is_drawn_over_the_input_that_was_moved(open_page) -> None:
    page = open_page()
    ask(page)
    expect_answered(page)
    expect(page.locator("[data-part=curve]")).to_contain_text("household income")
    slider(page, "ave_occup").press("End")
    expect(page.locator("[data-part=curve]")).to_contain_text("people per home", timeout=ANSWER_MS)
    expect(page.locator(".curve-line")).to_be_visible()


def test_before_the_first_question_moving_something_asks_nothing(open_page) -> None:
    page = open_page()
    questions = []
    page.on("request", lambda request: questions.append(request.url) if "/predict_api" in request.url else None)
    slider(page, "house_age").fill("10")
    expect(box(page, "house_age")).to_have_value("4")
    assert questions == []


def test_steps_of_a_slider_by_hand_are_one_movement_from_the_first(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)
    page.wait_for_timeout(SPACING_MS)
    questions = questions_of(page)
    for _ in range(12):
        slider(page, "ave_rooms").press("ArrowRight", delay=100)
    wanted = float(box(page, "ave_rooms").input_value())
    expect(page.locator("[data-part=reasons]")).to_contain_text(f"{wanted:g} against", timeout=ANSWER_MS)
    assert len(questions) > 1
    assert len({question.headers["x-gesture"] for question in questions}) == 1
    expect(recent(page)).to_have_count(2)


def test_a_move_after_a_double_click_is_a_step_and_no_question_by_hand(open_page) -> None:
    page = open_page()
    page.get_by_role("button", name="Estimate").dblclick()
    expect_answered(page)
    questions = questions_of(page)
    slider(page, "house_age").press("End")
    expect(page.locator("[data-part=reasons]")).to_contain_text("52 against", timeout=ANSWER_MS)
    assert [("x-gesture" in question.headers) for question in questions] == [True]


def test_reasons_of_the_last_price_do_not_stand_beside_a_new_one_and_its_own_come_when_they_can(open_page) -> None:
    page = open_page()
    ask(page)
    expect_answered(page)
    expect_explained(page)
    page.route("**/explanation?*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    price = answer(page).locator("[data-fill=price]").inner_text()
    slider(page, "house_age").press("End")
    expect(answer(page).locator("[data-fill=price]")).not_to_have_text(price, timeout=ANSWER_MS)
    expect(page.locator("[data-part=reasons]")).to_be_hidden()
    page.unroute_all()
    page.context.set_offline(True)
    expect_connection(page, "Offline")
    page.context.set_offline(False)
    expect(page.locator("[data-part=reasons]")).to_contain_text("52 against", timeout=ANSWER_MS)
    expect(page.locator("[data-part=reasons]")).to_be_visible()
