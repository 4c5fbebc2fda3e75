"""What people do with their account: profile, API tokens, their data as a file, its end."""

import json
import re

import pytest
from axes.models import AccessLog
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from predictions import keeping, services
from predictions.callers import Caller, make_token
from predictions.models import ApiToken, FeedEvent, Prediction, Sale
from tests import making
from tests.predictions.conftest import browser_of, streamed

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PASSWORD = "correct horse"
UNITS = {"money": "2024", "income": "dollars", "distance": "mi"}
PAGES = ["/accounts/", "/accounts/tokens/", "/accounts/data.json", "/accounts/delete/"]


@pytest.fixture
def eve(db) -> Client:
    return browser_of(Caller.of_user(making.user("eve")))


@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_led_to_the_sign_in(client, address):
    assert client.get(address)["Location"] == f"/accounts/login/?next={address}"


# -- profile ---------------------------------------------------------------------------------------------------------
def test_the_theme_that_was_chosen_stands_on_every_page(signed_in):
    assert 'data-account-theme=""' in signed_in.get("/").content.decode()
    signed_in.post("/accounts/", {"theme": "dark", **UNITS})
    assert 'data-account-theme="dark"' in signed_in.get("/history").content.decode()


def test_a_new_email_address_needs_the_password(signed_in, ada):
    fields = {"theme": "", "email": "ada@example.org", **UNITS}
    for password in ("", "wrong"):
        refused = signed_in.post("/accounts/", {**fields, "password": password})
        assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["password"])
    signed_in.post("/accounts/", {**fields, "password": PASSWORD})
    ada.refresh_from_db()
    assert ada.email == "ada@example.org"
    signed_in.post("/accounts/", {**fields, "theme": "light"})
    assert ada.profile.theme == "light"


# -- tokens ----------------------------------------------------------------------------------------------------------
def test_a_tokens_key_is_shown_once_and_works_until_it_is_revoked(signed_in):
    page = signed_in.post("/accounts/tokens/", {"name": "laptop"})
    assert page.status_code == 201
    key = re.search(r"data-key>(\w{40})<", page.content.decode())[1]
    assert key not in signed_in.get("/accounts/tokens/").content.decode()

    program = Client(headers={"Authorization": f"Token {key}"})
    assert program.get("/api/v1/predictions").status_code == 200
    assert "never" not in signed_in.get("/accounts/tokens/").content.decode()
    signed_in.post(f"/accounts/tokens/{ApiToken.objects.get().pk}/revoke")
    assert program.get("/api/v1/predictions").status_code == 401
    assert "Revoked" in signed_in.get("/accounts/tokens/").content.decode()


def test_a_token_needs_a_name_that_is_not_taken(signed_in, ada):
    make_token(user=ada, name="laptop")
    for name in ("", "laptop", "x" * 65):
        assert signed_in.post("/accounts/tokens/", {"name": name}).status_code == 422
    assert ApiToken.objects.count() == 1


def test_nobody_sees_or_revokes_anothers_token(eve, ada):
    token, _ = make_token(user=ada, name="laptop")
    assert "laptop" not in eve.get("/accounts/tokens/").content.decode()
    assert eve.post(f"/accounts/tokens/{token.pk}/revoke").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


# -- one's data ------------------------------------------------------------------------------------------------------
def test_all_of_ones_data_and_nobody_elses_is_one_json_file(signed_in, ada):
    mine = making.answered(Caller.of_user(ada))
    making.answered(Caller.of_user(making.user("eve")))
    _, key = make_token(user=ada, name="laptop")
    response = signed_in.get("/accounts/data.json")
    text = streamed(response)
    data = json.loads(text)
    assert data["account"]["username"] == "ada"
    assert [token["name"] for token in data["account"]["api_tokens"]] == ["laptop"]
    assert [prediction["id"] for prediction in data["predictions"]] == [str(mine.pk)]
    assert "attachment" in response["Content-Disposition"]
    assert key not in text


# -- its end ---------------------------------------------------------------------------------------------------------
def test_an_account_is_deleted_with_all_that_belongs_to_it_and_nothing_else(client, ada):
    client.post("/accounts/login/", {"username": "ada", "password": PASSWORD})
    keeping.report_sale(prediction=making.answered(Caller.of_user(ada)), price=1, sold_on=None)
    make_token(user=ada, name="laptop")
    others = making.answered(Caller.of_user(making.user("eve")))
    client.post("/accounts/delete/", {"password": PASSWORD})
    assert "Sign in" in client.get("/").content.decode()
    assert list(Prediction.objects.all()) == [others]
    assert FeedEvent.objects.count() == 1
    assert not Sale.history.exists()
    assert not ApiToken.objects.exists()
    assert not User.objects.filter(username="ada").exists()
    assert not AccessLog.objects.filter(username="ada").exists()


def test_a_wrong_password_deletes_nothing(signed_in, ada):
    response = signed_in.post("/accounts/delete/", {"password": "wrong"})
    assert response.context["form"].errors == {"password": ["This is not your password."]}
    assert User.objects.filter(pk=ada.pk).exists()


def test_an_account_waits_for_its_questions_on_the_way(signed_in, ada):
    waiting = making.published(Caller.of_user(ada))
    response = signed_in.post("/accounts/delete/", {"password": PASSWORD})
    assert response.status_code == 422
    assert "on their way" in response.content.decode()
    services.record_answers([making.answer(waiting.pk)])
    signed_in.post("/accounts/delete/", {"password": PASSWORD})
    assert not User.objects.filter(pk=ada.pk).exists()


# -- how often -------------------------------------------------------------------------------------------------------
def test_sign_ups_from_one_address_are_limited(client, settings):
    settings.ACCOUNT_RATE = "1/h"
    fields = {"password1": "a-better-battery-9", "password2": "a-better-battery-9"}
    assert Client().post("/accounts/signup/", {"username": "one", **fields}).status_code == 302
    refused = client.post("/accounts/signup/", {"username": "two", **fields})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "That was tried too often from here; try again in" in refused.content.decode()
    assert not User.objects.filter(username="two").exists()


def test_password_mails_to_one_address_are_limited(client, ada, settings):
    settings.ACCOUNT_RATE = "1/h"
    ada.email = "ada@example.org"
    ada.save()
    answers = [client.post("/accounts/reset/", {"email": ada.email}).status_code for _ in range(2)]
    assert answers == [302, 429]
    assert len(mail.outbox) == 1


def test_the_password_that_is_asked_again_is_not_guessed_fast(signed_in, settings):
    settings.ACCOUNT_RATE = "1/h"
    answers = [signed_in.post("/accounts/delete/", {"password": "wrong"}).status_code for _ in range(2)]
    assert answers == [422, 429]
