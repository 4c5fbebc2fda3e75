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


class Finger:
    """One that comes down in the middle of an element."""

    def __init__(self, page: Page, selector: str):
        self._cdp = page.context.new_cdp_session(page)
        place = page.locator(selector).bounding_box()
        self._x, self._y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2

    def move(self, ways: list[tuple[int, int]]) -> None:
        """Down, along these ways from where it came down, in pixels, and up."""
        self._send("touchStart", [(0, 0)])
        for way in ways:
            self._send("touchMove", [way])
        self._send("touchEnd", [])

    def _send(self, kind: str, ways: list[tuple[int, int]]) -> None:
        points = [{"x": self._x + right, "y": self._y + down} for right, down in ways]
        self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_that_scrolls_past_the_map_leaves_the_place_and_one_that_taps_or_draws_moves_it(open_page) -> None:
    page = open_page(has_touch=True, viewport={"width": 390, "height": 844})
    page.locator("[data-map]").scroll_into_view_if_needed()
    page.evaluate(
        "for (const kind of ['input', 'scroll']) addEventListener(kind, () => (window[kind + 'Seen'] = true))"
    )
    Finger(page, "[data-map]").move([(0, -10 * step) for step in range(20)])
    page.wait_for_function("window.scrollSeen")
    assert page.evaluate("window.inputSeen") is None
    before = box(page, "latitude").input_value()
    page.locator("[data-map]").tap()
    expect(box(page, "latitude")).not_to_have_value(before)
    before = box(page, "longitude").input_value()
    Finger(page, "[data-map]").move([(5 * step, 0) for step in range(20)])
    expect(box(page, "longitude")).not_to_have_value(before)


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


def test_a_census_that_can_not_be_read_is_not_blamed_on_the_place(open_page) -> None:
    page = open_page()
    page.route("**/block-groups/nearest?*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    page.get_by_role("button", name="Use this block group").click()
    expect(page.locator("[data-known]")).to_have_text("The census can't be looked up right now.")


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
