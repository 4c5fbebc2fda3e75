"""Asking on the page in a real Chromium: the map, the sliders, what follows the price, what-if."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browsing import (
    ANSWER_MS,
    answer,
    ask,
    box,
    cut_words,
    expect_answered,
    expect_connection,
    expect_explained,
    recent,
    sideways,
    slider,
    violations,
)

pytestmark = pytest.mark.browser


def county(page: Page) -> Locator:
    return page.locator("[data-county-name]")


# -- the place -------------------------------------------------------------------------------------------------------
def test_a_click_on_the_map_moves_the_place_and_names_its_county(open_page) -> None:
    page = open_page()
    page.locator("[data-county=Fresno]").click(position={"x": 40, "y": 40}, force=True)
    expect(county(page)).to_have_text("Fresno County")
    assert 35.9 < float(box(page, "latitude").input_value()) < 37.6
    assert -120.9 < float(box(page, "longitude").input_value()) < -118.3


def test_the_pin_is_dragged_over_the_map(open_page) -> None:
    page = open_page()
    area = page.locator("[data-map]").bounding_box()
    page.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + area["height"] * 0.4)
    page.mouse.down()
    before = box(page, "latitude").input_value()
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + area["height"] * 0.6, steps=5)
    page.mouse.up()
    assert float(box(page, "latitude").input_value()) < float(before)


def test_arrow_keys_move_the_place(open_page) -> None:
    page = open_page()
    box(page, "latitude").fill("37")
    box(page, "longitude").fill("-120")
    page.locator("[data-map]").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    expect(box(page, "latitude")).to_have_value("37.02")
    expect(box(page, "longitude")).to_have_value("-120.2")


def test_typed_coordinates_move_the_pin(open_page) -> None:
    page = open_page()
    box(page, "latitude").fill("32.8")
    box(page, "longitude").fill("-117")
    expect(county(page)).to_have_text("San Diego County")
    box(page, "longitude").fill("-122")
    expect(county(page)).to_have_text("Outside California")


@pytest.mark.parametrize("place", ["San Francisco", "Los Angeles", "Fresno", "coast", "mountains"])
def test_an_example_fills_in_what_the_census_found_there(open_page, place: str) -> None:
    page = open_page()
    page.get_by_role("link", name=place).click()
    expect(page.locator("[data-known]")).to_contain_text("The census found a median of $")
    expect(box(page, "population")).not_to_have_value("1166")


def test_the_data_of_the_nearest_block_group_fill_the_boxes_and_move_the_sliders(open_page) -> None:
    page = open_page()
    box(page, "latitude").fill("37.77")
    box(page, "longitude").fill("-122.42")
    before = slider(page, "population").input_value()
    page.get_by_role("button", name="Use this block group's data").click()
    expect(box(page, "population")).to_have_value("589")
    assert slider(page, "population").input_value() != before


def test_where_no_block_group_is_near_the_page_says_so(open_page) -> None:
    page = open_page()
    box(page, "longitude").fill("-124.3")
    page.get_by_role("button", name="Use this block group's data").click()
    expect(page.locator("[data-known]")).to_contain_text("No block group")


def test_an_example_after_an_answer_is_asked_once_with_the_numbers_of_its_place(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)
    questions = []
    page.on("request", lambda request: questions.append(request) if "/predict_api" in request.url else None)
    page.get_by_role("link", name="Fresno").click()
    expect(page.locator("[data-known]")).to_contain_text("The census found a median of $")
    population = box(page, "population").input_value()
    expect(page.locator("[data-part=reasons]")).to_contain_text(f"{int(population):,} against", timeout=ANSWER_MS)
    assert [f"{question.post_data_json['population']:g}" for question in questions] == [population]


def test_at_a_place_that_is_refused_no_similar_block_groups_of_the_last_answer_are_left(open_page) -> None:
    page = open_page()
    ask(page)
    expect_answered(page)
    expect(page.locator("[data-dots] circle")).to_have_count(5, timeout=ANSWER_MS)
    ask(page, latitude=36.1, longitude=-115.1)
    expect(page.locator("[data-error=latitude]")).to_contain_text("within 40 km", timeout=ANSWER_MS)
    expect(page.locator("[data-dots] circle")).to_have_count(0)


def test_at_an_empty_box_the_page_says_what_to_type(open_page) -> None:
    page = open_page()
    ask(page, latitude="")
    expect(page.locator("[data-error=latitude]")).to_have_text("Type the latitude, between 32.54 and 41.95.")


# -- the numbers -----------------------------------------------------------------------------------------------------
def test_a_slider_and_its_box_follow_each_other(open_page) -> None:
    page = open_page()
    box(page, "house_age").fill("52")
    expect(slider(page, "house_age")).to_have_value("200")
    slider(page, "house_age").focus()
    page.keyboard.press("Home")
    expect(box(page, "house_age")).to_have_value("1")


def test_an_unusual_number_is_said_at_its_box(open_page) -> None:
    page = open_page()
    box(page, "ave_rooms").fill("60")
    expect(page.locator("[data-hint=ave_rooms]")).to_contain_text("most lie between 1.75 and 34.2")


# -- what follows the price ------------------------------------------------------------------------------------------
def test_reasons_add_up_to_the_price_and_similar_block_groups_follow(open_page) -> None:
    page = open_page()
    page.get_by_role("link", name="Fresno").click()
    expect(page.locator("[data-known]")).to_contain_text("$")
    ask(page)
    expect_answered(page)
    expect_explained(page)
    amounts = [dollars(text) for text in page.locator(".reasons .number").all_inner_texts()]
    assert sum(amounts[:-1]) == amounts[-1]
    assert amounts[-1] == pytest.approx(dollars(answer(page).locator("[data-fill=price]").inner_text()), abs=10)
    expect(page.locator("[data-part=alike] tbody tr")).to_have_count(5)
    expect(page.locator("[data-dots] circle")).to_have_count(5)
    expect(page.locator("[data-part=travel] tbody tr")).not_to_have_count(0)


def dollars(text: str) -> int:
    return int(re.sub(r"[^\d−]", "", text).replace("−", "-"))


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_when_the_answer_arrives(open_page, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    expect_connection(page, "Live")
    tops = """() => [...document.querySelectorAll("[data-answer], [data-after], .recent")]
      .map((element) => element.getBoundingClientRect().top + scrollY)"""
    page.get_by_role("button", name="Estimate").evaluate("button => button.click()")
    asked = page.evaluate(tops)
    expect_answered(page)
    expect_explained(page)
    assert page.evaluate(tops) == asked


def test_an_answer_that_takes_long_is_waited_for_by_the_second(open_page) -> None:
    page = open_page()
    page.route("**/predict_api", lambda route: None)
    ask(page)
    expect(answer(page)).to_contain_text("Waiting for the answer, 2 s")
    page.unroute_all(behavior="ignoreErrors")


# -- what if ---------------------------------------------------------------------------------------------------------
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


# -- for everybody ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("width", [390, 640, 1440])
def test_an_answer_and_what_follows_it_are_for_everybody(open_page, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    ask(page)
    expect_answered(page)
    expect_explained(page)
    assert (sideways(page), cut_words(page)) == (0, [])
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
