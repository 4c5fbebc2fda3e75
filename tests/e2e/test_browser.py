"""The page in a real Chromium against the real run."""

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import ANSWER_MS, answer, ask, expect_answered, expect_connection, press, sign_up
from tests.stack import RunningStack

pytestmark = pytest.mark.browser


def test_the_answer_appears_on_the_page_without_a_reload(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    page.evaluate("window.sameDocument = true")
    ask(page, median_income_usd=83000)
    expect_answered(page)
    assert page.evaluate("window.sameDocument") is True


def test_two_browsers_at_once_each_see_only_their_own_answer(open_page) -> None:
    first, second = open_page(), open_page()
    expect_connection(first, "Live")
    expect_connection(second, "Live")
    ask(first, house_age=10)
    ask(second, house_age=50)
    for page in (first, second):
        expect_answered(page)
        expect(page.locator("[data-recent] [data-id]")).to_have_count(1)
    ids = [page.locator("[data-recent] [data-id]").get_attribute("data-id") for page in (first, second)]
    assert ids[0] != ids[1]


def test_a_value_out_of_range_is_told_at_its_field_and_the_others_stay(open_page) -> None:
    page = open_page()
    page.locator("form[data-question]").evaluate("form => form.noValidate = true")
    ask(page, median_income_usd=990000, house_age=12)
    field = page.locator("[name=median_income_usd]")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-error=med_inc]")).to_contain_text("between 4,999 and 150,001")
    expect(page.locator("[name=house_age]")).to_have_value("12")


def test_without_websockets_the_page_falls_back_to_sse_and_says_so(open_page) -> None:
    page = open_page("/healthz")
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.goto("/")
    expect_connection(page, "spare line")
    ask(page)
    expect_answered(page)


def test_without_any_push_the_page_polls_and_says_so(open_page) -> None:
    page = open_page("/healthz")
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.route("**/stream*", lambda route: route.abort())
    page.goto("/")
    expect_connection(page, "every second")
    ask(page)
    expect_answered(page)


def test_without_javascript_the_form_leads_to_a_page_that_shows_the_answer(open_page) -> None:
    page = open_page(java_script_enabled=False)
    ask(page, latitude=37.88, longitude=-122.23)
    assert "/predictions/" in page.url
    expect(page.get_by_text("$").first).to_be_visible()
    expect(answer(page)).to_have_attribute("data-state", "answered", timeout=ANSWER_MS)


def test_a_visitor_who_signs_up_keeps_what_was_asked_before(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    ask(page)
    expect_answered(page)
    sign_up(page)
    page.goto("/history")
    expect(page.locator("main")).to_contain_text("$")


def test_the_demo_user_logs_in_and_the_operator_sees_the_audit_in_admin(open_page, stack: RunningStack) -> None:
    page = open_page("/admin/")
    page.locator("[name=username]").fill("operator")
    page.locator("[name=password]").fill(stack.logins["operator"])
    page.get_by_role("button", name="Log in").click()
    page.goto("/admin/predictions/prediction/")
    expect(page.locator("#result_list")).to_be_visible()
    expect(page.get_by_role("link", name="Add prediction")).to_have_count(0)


# -- the page of the API ---------------------------------------------------------------------------------------------
def test_when_swagger_ui_can_not_be_loaded_the_page_says_so_and_another_try_opens_it(open_page) -> None:
    page = open_page("/api/docs/")
    page.route("**/swagger-ui-bundle*.js", lambda route: route.abort())
    press(page, "Open Swagger UI")
    expect(page.get_by_role("alert")).to_contain_text("can't be loaded right now")
    page.unroute_all()
    press(page, "Open Swagger UI")
    expect(page.locator("#api-docs .opblock").first).to_be_visible(timeout=ANSWER_MS)
    expect(page.locator("head link[href*=swagger-ui]")).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_empty()
