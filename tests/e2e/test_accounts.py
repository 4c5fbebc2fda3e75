"""Accounts in a real Chromium: the way in, the way out, and the way back in."""

import os
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import expect_signed_in, follow, press, sign_in, sign_up
from tests.e2e.clients import until
from tests.stack import RunningStack

pytestmark = pytest.mark.browser
MOST_FAILURES = 8


def test_a_forgotten_password_is_replaced_by_the_link_in_a_mail(open_page, stack: RunningStack) -> None:
    page = open_page()
    email = f"{os.urandom(4).hex()}@example.org"
    name = sign_up(page, email=email)
    forgetful = open_page("/accounts/login/")
    follow(forgetful, "Forgot your password?")
    forgetful.locator("[name=email]").fill(email)
    already = len(stack.log("web"))
    press(forgetful, "Mail me the link")
    expect(forgetful.locator("h1")).to_have_text("Look into your mail")
    mailed = until(
        lambda: re.search(r"/accounts/reset/\S+/\S+/", stack.log("web")[already:]), seconds=10, what="the mail"
    )
    forgetful.goto(mailed[0])
    for field in ("new_password1", "new_password2"):
        forgetful.locator(f"[name={field}]").fill("another-passphrase-1990")
    press(forgetful, "Set it")
    sign_in(forgetful, name, "another-passphrase-1990")
    forgetful.context.clear_cookies()
    forgetful.goto(mailed[0])
    expect(forgetful.locator("main")).to_contain_text("This link was used already")


def test_who_guesses_a_password_too_often_is_locked_out(open_page) -> None:
    page = open_page()
    name = sign_up(page)
    guesser = open_page("/accounts/login/")
    for _ in range(MOST_FAILURES):
        guesser.locator("[name=username]").fill(name)
        guesser.locator("[name=password]").fill("a guess")
        press(guesser, "Sign in")
        guesser.wait_for_load_state()
    expect(guesser.locator("h1")).to_have_text("Too many tries")
    page.reload()
    expect_signed_in(page, name)
