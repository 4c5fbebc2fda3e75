"""Coming back in a real Chromium: notes, sharing, comparing, files, sales and the account."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import ANSWER_MS, PASSWORD, ask, expect_answered, expect_said, follow, press, sign_up

pytestmark = pytest.mark.browser


@pytest.fixture
def asked(open_page) -> Page:
    """Without JavaScript: the page of a prediction that somebody without an account has just asked."""
    page = open_page(java_script_enabled=False)
    ask(page)
    expect_answered(page)
    return page


@pytest.fixture
def member(open_page) -> Page:
    """The page of a prediction that somebody with a new account has just asked."""
    page = open_page()
    sign_up(page)
    ask(page)
    expect_answered(page)
    page.goto("/history")
    page.locator("[data-id] a").first.click()
    return page


# -- without JavaScript ----------------------------------------------------------------------------------------------
def test_a_note_is_written_and_found_again(asked: Page) -> None:
    follow(asked, "Add a note or tags")
    asked.locator("[name=tags]").fill("coast, to visit")
    asked.locator("[name=text]").fill("By the sea")
    press(asked, "Save")
    expect_said(asked, "Your note is saved")
    asked.goto("/history?words=sea")
    expect(asked.locator("[data-id]")).to_have_count(1)
    follow(asked, "coast")
    expect(asked.locator("[data-id]")).to_contain_text("By the sea")
    asked.goto("/history?words=mountain")
    expect(asked.locator("main")).to_contain_text("Nothing matches")


def test_a_shared_link_works_for_another_person_until_it_is_revoked(asked: Page, open_page) -> None:
    press(asked, "Share by a link")
    link = asked.locator("a.key").get_attribute("href")
    price = asked.locator("[data-fill=price]").inner_text()
    other = open_page(link)
    expect(other.locator("[data-fill=price]")).to_have_text(price)
    expect(other.locator("main").get_by_role("button")).to_have_count(0)
    press(asked, "Stop sharing")
    expect_said(asked, "leads nowhere")
    other.reload()
    expect(other.locator("h1")).to_have_text("This link leads nowhere")


def test_predictions_are_pinned_side_by_side_and_deleted(asked: Page) -> None:
    asked.goto("/")
    ask(asked, house_age=7)
    expect_answered(asked)
    asked.goto("/history")
    for _ in range(2):
        asked.get_by_role("button", name=re.compile("^Pin")).first.click()
    follow(asked, "Compare the 2 pinned")
    expect(asked.locator(".comparison thead a")).to_have_count(2)
    expect(asked.locator(".comparison .differs")).to_contain_text("Age of the homes")
    asked.locator(".comparison thead a").first.click()
    follow(asked, "Delete this prediction")
    press(asked, "Delete it")
    expect(asked.locator("[data-id]")).to_have_count(1)


# -- with an account -------------------------------------------------------------------------------------------------
def test_asking_again_is_answered_on_its_page_and_accounted_for(member: Page) -> None:
    first = member.url
    press(member, "Ask again with today's model")
    expect_said(member, "Asked again")
    expect(member.locator("[data-answer]")).to_have_attribute("data-state", "answered", timeout=ANSWER_MS)
    assert member.url != first
    follow(member, "Compare the 2 pinned")
    expect(member.get_by_role("row", name="by another model")).to_contain_text("+$0")


def test_a_sale_is_reported_and_the_history_taken_along(member: Page, tmp_path: Path) -> None:
    follow(member, "Tell what it sold for")
    member.locator("[name=price]").fill("312000")
    press(member, "Save")
    expect(member.locator(".keeping")).to_contain_text("Sold for $312,000")
    member.goto("/history")
    with member.expect_download() as downloading:
        follow(member, "CSV")
    downloading.value.save_as(tmp_path / "predictions.csv")
    [row] = csv.DictReader((tmp_path / "predictions.csv").read_text().splitlines())
    assert (row["status"], row["sold_for"]) == ("answered", "312000")


def test_the_theme_of_the_account_is_that_of_the_page_until_it_is_toggled(member: Page) -> None:
    root = member.locator("html")
    member.goto("/accounts/")
    member.locator("[name=theme]").select_option("dark")
    press(member, "Save")
    expect(root).to_have_attribute("data-theme", "dark")
    press(member, "Dark theme")
    member.goto("/")
    expect(root).to_have_attribute("data-theme", "light")


def test_an_account_makes_a_token_and_ends(member: Page) -> None:
    member.goto("/accounts/tokens/")
    member.locator("[name=name]").fill("laptop")
    press(member, "Make a token")
    key = member.locator("[data-key]").inner_text()
    asked = member.request.get("/api/v1/predictions", headers={"Authorization": f"Token {key}"})
    assert asked.json()["results"][0]["status"] == "answered"
    member.goto("/accounts/delete/")
    member.locator("[name=password]").fill(PASSWORD)
    press(member, "Delete everything")
    expect(member.get_by_role("link", name="Sign in")).to_be_visible()
    asked = member.request.get("/api/v1/predictions", headers={"Authorization": f"Token {key}"})
    assert asked.status == 401
