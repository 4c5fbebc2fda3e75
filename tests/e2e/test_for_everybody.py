"""The whole journey by those who have no mouse, no motion, no JavaScript, little room; and nobody's page jumps."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browsing import (
    ANSWER_MS,
    answer,
    ask,
    box,
    expect_answered,
    expect_connection,
    expect_explained,
    follow,
    layout_shift,
    press,
    recent,
    slider,
)
from tests.stack import RunningStack

pytestmark = pytest.mark.browser
MOST_TABS = 80
HAND_MS = 700  # What shifts within half a second of a click counts as wanted.


# -- by keyboard alone -----------------------------------------------------------------------------------------------
def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, and see on the way that the focus can be seen."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        unseen = page.evaluate(UNSEEN_FOCUS)
        assert unseen is None
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{MOST_TABS} times Tab do not lead to {wanted}")


def enter(page: Page) -> None:
    """Press Enter, which leads to another page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


UNSEEN_FOCUS = """() => {
  const element = document.activeElement;
  const { outlineStyle, boxShadow } = getComputedStyle(element);
  const isSeen = element === document.body || outlineStyle !== "none" || boxShadow !== "none"
    || element.matches(":has(:focus-visible)") || element.type === "range";
  return isSeen ? null : element.outerHTML.slice(0, 200);
}"""


def test_by_keyboard_alone_one_asks_plays_compares_and_deletes(open_page) -> None:
    page = open_page()
    expect_connection(page, "Live")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Skip to the content.
    tab_to(page, page.locator("[data-map]"))
    before = box(page, "latitude").input_value()
    page.keyboard.press("ArrowUp")
    expect(box(page, "latitude")).not_to_have_value(before)
    tab_to(page, page.get_by_role("link", name="Fresno"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-known]")).to_contain_text("The census found")
    tab_to(page, box(page, "house_age"))
    page.keyboard.press("Enter")
    expect_answered(page)
    first = answer(page).locator("[data-fill=price]").inner_text()

    expect_explained(page)
    tab_to(page, slider(page, "house_age"))
    page.keyboard.press("End")
    expect(page.locator("[data-part=reasons]")).to_contain_text("52 against", timeout=ANSWER_MS)
    expect(answer(page).locator("[data-fill=price]")).not_to_have_text(first)

    tab_to(page, page.get_by_role("link", name="All of your history"))
    enter(page)
    for _ in range(2):
        tab_to(page, page.get_by_role("button", name=re.compile("^Pin")).first)
        enter(page)
    tab_to(page, page.get_by_role("link", name="Compare the 2 pinned"))
    enter(page)
    expect(page.locator(".comparison thead a")).to_have_count(2)
    tab_to(page, page.locator(".comparison thead a").first)
    enter(page)
    tab_to(page, page.get_by_role("link", name="Delete this prediction"))
    enter(page)
    tab_to(page, page.get_by_role("button", name="Delete it"))
    enter(page)
    expect(page.locator(".notice")).to_contain_text("deleted")
    expect(page.locator("main [data-id]")).to_have_count(1)


def test_by_keyboard_alone_the_account_menu_opens_and_signs_out(open_page, stack: RunningStack) -> None:
    page = open_page("/accounts/login/")
    tab_to(page, page.locator("[name=username]"))
    page.keyboard.type("demo")
    page.keyboard.press("Tab")
    page.keyboard.type(stack.logins["demo"])
    page.keyboard.press("Enter")
    expect(page.locator(".menu summary")).to_have_text("demo")
    tab_to(page, page.locator(".menu summary"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Sign out"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


# -- without motion --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_moves_by_itself_for_who_wants_no_motion(open_page, stack: RunningStack, motion: str) -> None:
    page = open_page(reduced_motion=motion)
    expect_connection(page, "Live")
    with stack.frozen("publisher"):
        ask(page)
        expect(answer(page)).to_have_attribute("data-state", "accepted")
        page.locator("[data-theme-toggle]").click()
        moving = page.evaluate("document.getAnimations().length")
    assert (moving > 0) is (motion == "no-preference")


def test_who_is_at_a_button_of_a_waiting_prediction_is_still_there_when_the_answer_comes(
    open_page, stack: RunningStack
) -> None:
    page = open_page()
    with stack.frozen("publisher"):
        ask(page)
        recent(page).first.get_by_role("link").click()
        page.get_by_role("link", name="Add a note or tags").focus()
    expect_answered(page)
    expect(page.get_by_role("link", name="Add a note or tags")).to_be_focused()


# -- without jumps ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("width", [390, 1440])
def test_the_layout_does_not_shift_when_the_answer_arrives(open_page, stack: RunningStack, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    expect_connection(page, "Live")
    with stack.frozen("publisher"):
        ask(page)
        page.wait_for_timeout(HAND_MS)
    expect_answered(page)
    expect_explained(page)
    assert layout_shift(page) < 0.005


# -- without JavaScript ----------------------------------------------------------------------------------------------
def test_without_javascript_the_page_of_a_prediction_waits_for_its_answer(open_page, stack: RunningStack) -> None:
    page = open_page(java_script_enabled=False)
    with stack.frozen("publisher"):
        ask(page, house_age=12)
        expect(page).to_have_url(re.compile("/predictions/"))
        expect(answer(page)).to_contain_text("Waiting for the answer")
    expect_answered(page)
    expect(page.locator("[data-part=reasons] tbody tr")).to_have_count(9)
    follow(page, "Your history")
    expect(page.locator("main [data-id]")).to_have_count(1)
    page.locator("[name=words]").fill("nowhere to be found")
    press(page, "Search")
    expect(page.locator("main")).to_contain_text("Nothing matches")


def test_without_javascript_nothing_is_shown_that_needs_it(open_page) -> None:
    page = open_page(java_script_enabled=False)
    expect(page.get_by_role("slider")).to_have_count(0)
    expect(page.get_by_role("button", name="Use this block group's data")).to_be_hidden()
    expect(page.locator("[data-connection]")).to_be_hidden()
    follow(page, "Fresno")
    expect(box(page, "latitude")).to_have_value(re.compile(r"36\.7"))
