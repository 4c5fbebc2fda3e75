"""Accounts: sign up, sign in, lock-out, passwords; and what a visitor asked comes along."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.db.models import F
from django.test import Client

from predictions import services
from predictions.callers import VISITOR_COOKIE, Caller
from predictions.models import FeedEvent, Prediction
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PASSWORD = "correct horse"
NEW_PASSWORD = "a-better-battery-9"


def sign_in(client: Client, name: str = "ada", password: str = PASSWORD, **fields):
    return client.post("/accounts/login/", {"username": name, "password": password, **fields})


# -- sign up ---------------------------------------------------------------------------------------------------------
def test_who_signs_up_is_signed_in_with_what_was_asked_before(visitor_browser):
    before = making.answered(making.visitor())
    response = visitor_browser.post(
        "/accounts/signup/",
        {"username": "bea", "email": "bea@example.org", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )
    assert response["Location"] == "/"
    before.refresh_from_db()
    assert before.owner.username == "bea"
    page = visitor_browser.get("/").content.decode()
    assert "1 prediction that you asked as a visitor is in your history now." in page
    assert str(before.pk) in visitor_browser.get("/history").content.decode()


def test_a_name_that_is_taken_is_said_at_its_field(client, ada):
    response = client.post(
        "/accounts/signup/",
        {"username": "ADA", "email": "x@example.org", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )
    assert response.context["form"].errors.keys() == {"username"}
    assert 'aria-invalid="true"' in response.content.decode()


# -- sign in ---------------------------------------------------------------------------------------------------------
def test_who_signs_in_takes_along_rows_and_feed_of_the_visitor(visitor_browser, ada):
    answered, waiting = making.answered(making.visitor()), making.accepted(making.visitor())
    sign_in(visitor_browser)
    page = visitor_browser.get("/").content.decode()
    assert "2 predictions that you asked as a visitor are in your history now." in page
    own = Caller.of_user(ada)
    assert set(Prediction.objects.filter(owner=ada, feed_key=own.feed_key)) == {answered, waiting}
    services.record_answers([making.answer(waiting.pk)])
    events = services.events_after(feed_key=own.feed_key, cursor=0, limit=10)
    assert [event.prediction_id for event in events] == [answered.pk, waiting.pk]
    assert not FeedEvent.objects.filter(feed_key=making.visitor().feed_key).exists()


def test_nobody_elses_predictions_come_along(visitor_browser, ada):
    other = making.answered(making.visitor("2"))
    eves = making.answered(Caller.of_user(making.user("eve")))
    sign_in(visitor_browser)
    assert not Prediction.objects.filter(owner=ada).exists()
    assert "as a visitor" not in visitor_browser.get("/").content.decode()
    assert set(Prediction.objects.exclude(owner=ada)) == {other, eves}


def test_a_forged_visitor_cookie_takes_nothing_along(client, ada):
    making.answered(making.visitor())
    client.cookies[VISITOR_COOKIE] = "v1:forged"
    sign_in(client)
    assert not Prediction.objects.filter(owner=ada).exists()


def test_too_many_wrong_passwords_lock_the_name_out_with_a_page(client, ada, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = sign_in(client, password="wrong")
    assert response.status_code == 429
    assert "Too many tries" in response.content.decode()
    assert "try again in\n      15 minutes" in response.content.decode()
    assert sign_in(client).status_code == 429


def test_tries_during_a_lock_out_do_not_make_it_longer_and_are_told_what_is_left(client, ada):
    lock_out(client)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=14, seconds=30))
    response = sign_in(client, password="wrong")
    assert "try again in\n      1 minute;" in response.content.decode()
    assert 0 < int(response["Retry-After"]) <= 30
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=1))
    assert sign_in(client)["Location"] == "/"


def test_a_lock_out_made_by_two_browsers_ends_when_the_older_failures_are_old_enough(client, ada, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        sign_in(client, password="wrong")
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=12))
    response = sign_in(Client(HTTP_USER_AGENT="another"), password="wrong")
    assert "try again in\n      3 minutes;" in response.content.decode()


def lock_out(client: Client) -> None:
    while sign_in(client, password="wrong").status_code != 429:
        pass


def test_after_signing_in_one_is_where_one_wanted_to_be_but_on_no_other_site(client, ada):
    assert sign_in(client, next="/history")["Location"] == "/history"
    client.post("/accounts/logout/")
    assert sign_in(client, next="https://evil.example/")["Location"] == "/"


def test_signing_out_needs_a_post_and_ends_the_session(signed_in):
    assert signed_in.get("/accounts/logout/").status_code == 405
    signed_in.post("/accounts/logout/")
    assert "Sign in" in signed_in.get("/").content.decode()


# -- passwords -------------------------------------------------------------------------------------------------------
def test_a_password_is_changed_by_who_knows_it(signed_in, ada):
    fields = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert signed_in.post("/accounts/password/", fields)["Location"] == "/accounts/password/done/"
    ada.refresh_from_db()
    assert ada.check_password(NEW_PASSWORD)


def test_a_changed_password_ends_a_lock_out(signed_in):
    lock_out(stranger := Client())
    fields = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    signed_in.post("/accounts/password/", fields)
    assert sign_in(stranger, password=NEW_PASSWORD)["Location"] == "/"


def test_a_forgotten_password_is_reset_by_mail(client, ada):
    ada.email = "ada@example.org"
    ada.save()
    lock_out(client)
    client.post("/accounts/reset/", {"email": "ada@example.org"})
    [letter] = mail.outbox
    link = re.search(r"http://testserver(\S+)", letter.body)[1]
    form = client.get(link, follow=True)
    fields = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    done = client.post(form.redirect_chain[-1][0], fields, follow=True)
    assert "Your new password is set" in done.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(NEW_PASSWORD)
    assert "was used already" in client.get(link, follow=True).content.decode()
    assert sign_in(client, password=NEW_PASSWORD)["Location"] == "/"


def test_an_unknown_address_is_not_told_from_a_known_one(client):
    response = client.post("/accounts/reset/", {"email": "nobody@example.org"}, follow=True)
    assert "Look into your mail" in response.content.decode()
    assert mail.outbox == []


@pytest.mark.parametrize("address", ["signup/", "login/", "reset/", "reset/sent/", "reset/complete/", "reset/MQ/x/"])
def test_every_page_is_there_for_a_stranger(client, address):
    assert client.get(f"/accounts/{address}").status_code == 200


def test_what_needs_an_account_leads_to_the_sign_in(client):
    assert client.get("/accounts/password/")["Location"] == "/accounts/login/?next=/accounts/password/"
