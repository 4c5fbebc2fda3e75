"""Other units on the page in a real Chromium: what scripts show and send."""

from datetime import UTC, datetime

import pytest
from django.template.defaultfilters import date
from playwright.sync_api import Page, expect

from tests.e2e.browsing import ANSWER_MS, answer, ask, expect_answered, expect_connection

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_page) -> Page:
    """The page as a visitor who chose dollars of 2024 and miles."""
    page = open_page("/units")
    page.locator("[name=money]").select_option("2024")
    page.locator("[name=distance]").select_option("mi")
    page.get_by_role("button", name="Save").click()
    expect_connection(page, "Live")  # Before its scripts run, the form is sent by the browser.
    return page


def test_an_income_in_dollars_of_2024_is_asked_as_one_of_1990_and_the_price_is_told_in_them(page: Page) -> None:
    with page.expect_request("**/predict_api") as asking:
        ask(page, median_income_usd=84_000)
    assert asking.value.post_data_json["med_inc"] == 3.5
    expect_answered(page)
    here = page.locator("[data-recent] a").first.get_attribute("href")
    price = page.request.get(f"/api/v1{here}").json()["price"]
    expect(answer(page).locator("[data-fill=price]")).to_have_text(f"${round(price * 2.4):,}")
    expect(page.locator("[data-part=alike] table")).to_contain_text("miles")


def test_after_other_units_were_chosen_elsewhere_a_reload_shows_no_answer_to_other_numbers(page: Page) -> None:
    ask(page, house_age=7)
    expect_answered(page)
    page.context.clear_cookies(name="units")
    page.reload(wait_until="networkidle")
    expect(page.locator("[name=house_age]")).not_to_have_value("7")
    expect(answer(page)).to_have_attribute("data-state", "empty")


def test_a_block_groups_income_is_filled_in_in_dollars_of_2024(page: Page) -> None:
    page.get_by_role("link", name="San Francisco").click()
    expect(page.locator("[data-known]")).to_contain_text("found a median of $600,000 here", timeout=ANSWER_MS)
    expect(page.locator("[name=median_income_usd]")).to_have_value("60446.4")


def test_what_is_out_of_range_is_told_in_the_units_of_its_box(page: Page) -> None:
    ask(page, median_income_usd=400_000)
    expect(page.locator("[data-error=med_inc]")).to_contain_text("between 11,997.6 and 360,002.4")


def test_how_far_a_place_may_be_is_told_in_miles(page: Page) -> None:
    ask(page, longitude=-124.3)
    expect(page.locator("[data-error=latitude]")).to_contain_text("within 25 miles of this place")


def test_scripts_write_days_as_the_server_does(page: Page) -> None:
    days = [datetime(2026, month, 5, 1, 2, 3, tzinfo=UTC) for month in range(1, 13)]
    told = page.evaluate(
        """(days) => import("house/wording").then(({ asked }) => days.map((day) => asked({ requested_at: day })))""",
        [day.isoformat() for day in days],
    )
    assert told == [date(day, "j M Y, H:i:s") for day in days]
