"""Who is who: several people at once, sessions that end, going back and forth, and asking twice."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import (
    ANSWER_MS,
    answer,
    ask,
    box,
    expect_answered,
    expect_connection,
    expect_explained,
    follow,
    press,
    recent,
    sign_in,
    sign_up,
    slider,
)
from tests.stack import RunningStack

pytestmark = pytest.mark.browser


def history_of(page: Page) -> list[str]:
    """Ids of all that is in the history, newest first."""
    page.goto("/history")
    return [str(row.get_attribute("data-id")) for row in page.locator("main [data-id]").all()]


# -- several people --------------------------------------------------------------------------------------------------
def test_two_accounts_at_once_each_see_only_their_own(open_page) -> None:
    people = [open_page(), open_page()]
    for person in people:
        sign_up(person)
        expect_connection(person, "Live")
    for person, age in zip(people, (10, 50), strict=True):
        ask(person, house_age=age)
    for person in people:
        expect_answered(person)
        expect(recent(person)).to_have_count(1)
    [first], [second] = [history_of(person) for person in people]
    assert first != second
    people[0].goto(f"/predictions/{second}")
    expect(people[0].locator("h1")).to_have_text("Nothing here")


# -- a session that ended --------------------------------------------------------------------------------------------
def test_a_page_whose_account_was_signed_out_elsewhere_says_so_goes_on_and_loses_nothing(open_page) -> None:
    page = open_page()
    name = sign_up(page)
    expect_connection(page, "Live")
    other = page.context.new_page()
    other.goto("/")
    other.locator(".menu summary").click()
    press(other, "Sign out")
    expect(other.get_by_role("link", name="Sign in")).to_be_visible()
    ask(page)
    expect(page.get_by_role("alert").filter(has_text="You are signed out")).to_be_visible()
    expect_answered(page)
    sign_in(other, name)
    assert len(history_of(other)) == 1


def test_a_page_on_which_nobody_is_signed_in_any_more_asks_to_sign_in_and_leads_back(open_page) -> None:
    page = open_page()
    name = sign_up(page)
    page.context.clear_cookies(name="sessionid")
    page.goto("/accounts/tokens/")
    expect(page.locator("h1")).to_have_text("Sign in")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill("a-long-passphrase-1990")
    press(page, "Sign in")
    expect(page.locator("h1")).to_have_text("API tokens")


def test_a_page_that_was_loaded_before_signing_in_elsewhere_says_what_to_do(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    sign_up(page.context.new_page())
    ask(page)
    expect(page.locator("[data-form-message]")).to_contain_text("Reload it and ask again")
    page.reload()
    ask(page)
    expect_answered(page)


# -- back and forth --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["back", "reload"])
def test_going_back_and_reloading_find_the_numbers_and_the_answer_as_they_were(open_page, way: str) -> None:
    page = open_page()
    ask(page, house_age=7, latitude=36.74, longitude=-119.79)
    expect_answered(page)
    price = answer(page).locator("[data-fill=price]").inner_text()
    if way == "back":
        follow(page, "How it travelled")
        expect(page.locator("h1")).to_contain_text("Fresno")
        page.go_back()
    else:
        page.reload()
    expect(box(page, "house_age")).to_have_value("7")
    expect(slider(page, "house_age")).to_have_js_property("value", "24")
    expect(page.locator("[data-county-name]")).to_have_text("Fresno County")
    expect(answer(page)).to_contain_text(price)
    expect(recent(page).first).to_contain_text(price)
    expect_explained(page)
    slider(page, "house_age").press("End")  # It goes on from there.
    expect(answer(page)).not_to_contain_text(price, timeout=ANSWER_MS)
    follow(page, "House value")
    expect(box(page, "house_age")).not_to_have_value("52")


def test_the_way_back_leads_to_each_visit_of_the_page_as_it_was_left(open_page) -> None:
    page = open_page("/?latitude=36.74&longitude=-119.79")
    box(page, "house_age").fill("11")
    follow(page, "House value")
    expect(box(page, "house_age")).not_to_have_value("11")
    box(page, "latitude").fill("34.05")
    page.go_back()
    expect(box(page, "latitude")).to_have_value("36.74")
    expect(box(page, "house_age")).to_have_value("11")
    page.go_forward()
    expect(box(page, "latitude")).to_have_value("34.05")


def test_a_reload_while_other_numbers_are_asked_shows_no_answer_beside_them(open_page) -> None:
    page = open_page()
    ask(page, house_age=7)
    expect_answered(page)
    page.route("**/predict_api", lambda route: None)
    with page.expect_request("**/predict_api"):
        box(page, "house_age").fill("33")
    page.reload(wait_until="networkidle")
    expect(box(page, "house_age")).to_have_value("33")
    expect(answer(page)).to_have_attribute("data-state", "empty")
    expect(answer(page).locator("[data-fill=price]")).to_have_text("$–")
    page.unroute_all(behavior="ignoreErrors")


def test_a_reload_after_numbers_that_were_refused_shows_no_answer_beside_them(open_page) -> None:
    page = open_page()
    ask(page, house_age=7)
    expect_answered(page)
    ask(page, house_age=99)
    expect(page.locator("[data-error=house_age]")).to_contain_text("between")
    page.reload(wait_until="networkidle")
    expect(box(page, "house_age")).to_have_value("99")
    expect(answer(page)).to_have_attribute("data-state", "empty")


def test_a_reload_while_the_answer_is_awaited_goes_on_waiting_by_the_second(open_page, stack: RunningStack) -> None:
    page = open_page()
    expect_connection(page, "Live")
    with stack.frozen("publisher"):
        ask(page)
        expect(recent(page)).to_have_count(1)
        page.reload()
        expect(answer(page)).to_contain_text("Waiting for the answer, 2 s")
    expect_answered(page)


def test_going_back_without_javascript_and_asking_something_else_asks_it(open_page) -> None:
    page = open_page(java_script_enabled=False)
    ask(page, house_age=7)
    expect_answered(page)
    page.go_back()
    expect(box(page, "house_age")).to_have_value("7")
    ask(page, house_age=33)
    expect_answered(page)
    expect(
        page.get_by_role("region", name="What was asked").get_by_role("row", name="Age of the homes")
    ).to_contain_text("33")
    assert len(history_of(page)) == 2


# -- twice -----------------------------------------------------------------------------------------------------------
def test_a_double_click_asks_once(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    page.get_by_role("button", name="Estimate").dblclick()
    expect_answered(page)
    expect_explained(page)
    assert len(history_of(page)) == 1


def test_a_double_click_without_javascript_asks_once(open_page) -> None:
    page = open_page(java_script_enabled=False)
    page.get_by_role("button", name="Estimate").dblclick()
    expect_answered(page)
    assert len(history_of(page)) == 1
