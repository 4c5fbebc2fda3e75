"""The operator's view."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from predictions import keeping, services
from predictions.callers import BadToken, Caller, make_token, user_of_token
from predictions.models import ApiToken
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PREDICTIONS, TOKENS = "/admin/predictions/prediction/", "/admin/predictions/apitoken/"


@pytest.fixture
def operator() -> Client:
    client = Client()
    user = get_user_model().objects.create_superuser("root", password="correct horse")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


# -- predictions -----------------------------------------------------------------------------------------------------
def test_a_prediction_is_read_in_full_and_not_changed(operator, ada):
    prediction = making.answered(Caller.of_user(ada))
    address = f"{PREDICTIONS}{prediction.pk}/change/"
    page = operator.get(address).content.decode()
    for words in ("$452,600", "&quot;baseline&quot;", "&quot;med_inc&quot;", "capped", "monotone-hgb-1"):
        assert words in page
    assert 'name="_save"' not in page
    assert operator.post(address, {"price": 1}).status_code == 403
    assert operator.get(f"{PREDICTIONS}add/").status_code == 403
    assert operator.post(f"{PREDICTIONS}{prediction.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_reported_sale_is_read_with_its_changes_and_not_changed(operator, ada):
    prediction = making.answered(Caller.of_user(ada))
    for price in (123_000, 456_000):
        keeping.report_sale(prediction=prediction, price=price, sold_on=None)
    sales = "/admin/predictions/sale/"
    assert "$452,600" in operator.get(sales).content.decode()
    history = operator.get(f"{sales}{prediction.pk}/history/").content.decode()
    assert "123000" in history
    assert "456000" in history
    assert operator.post(f"{sales}{prediction.pk}/change/", {"price": 1}).status_code == 403
    assert operator.get(f"{sales}add/").status_code == 403


def test_a_refused_prediction_shows_its_reason(operator):
    prediction = making.accepted()
    services.record_refusals([making.refusal(prediction.pk)])
    assert "too far away" in operator.get(f"{PREDICTIONS}{prediction.pk}/change/").content.decode()


@pytest.mark.parametrize("term", ["id", "start of id", "ada", "monotone-hgb-1", "feed key"])
def test_a_prediction_is_found_by_id_owner_model_and_feed(operator, ada, term):
    mine = making.answered(Caller.of_user(ada))
    other = making.accepted(making.visitor())
    terms = {"id": str(mine.pk), "start of id": str(mine.pk)[:12], "feed key": mine.feed_key}
    page = operator.get(PREDICTIONS, {"q": terms.get(term, term)}).content.decode()
    assert str(mine.pk) in page
    assert str(other.pk) not in page


@pytest.mark.parametrize("query", ["status__exact=answered", "source__exact=api", "requested_at__year=2026", "q=%00"])
def test_the_list_is_filtered(operator, query):
    making.answered()
    assert operator.get(f"{PREDICTIONS}?{query}").status_code == 200


# -- tokens ----------------------------------------------------------------------------------------------------------
def test_a_token_is_made_and_its_key_is_shown_once(operator, ada):
    made = operator.post(f"{TOKENS}add/", {"user": ada.pk, "name": "reports"}, follow=True)
    key = re.search(r"shown only now: (\w+)", made.content.decode())[1]
    assert user_of_token(f"Token {key}") == ada
    token = ApiToken.objects.get()
    for address in (TOKENS, f"{TOKENS}{token.pk}/change/"):
        assert key not in operator.get(address).content.decode()
    assert operator.post(f"{TOKENS}{token.pk}/change/", {"name": "other"}).status_code == 403


def test_a_second_token_of_the_same_name_is_refused_at_the_form(operator, ada):
    make_token(user=ada, name="reports")
    response = operator.post(f"{TOKENS}add/", {"user": ada.pk, "name": "reports"})
    assert response.status_code == 200
    assert response.context["errors"]


def test_a_token_is_revoked_for_good(operator, ada):
    token, key = make_token(user=ada, name="reports")
    operator.post(TOKENS, {"action": "revoke", "_selected_action": [token.pk]})
    with pytest.raises(BadToken):
        user_of_token(f"Token {key}")
    token.refresh_from_db()
    revoked_at = token.revoked_at
    operator.post(TOKENS, {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at == revoked_at


@pytest.mark.parametrize(
    "address", ["", "predictions/integrationsource/", "predictions/integrationsource/add/", "auth/user/"]
)
def test_the_other_pages_of_the_admin_are_there(operator, address):
    assert operator.get(f"/admin/{address}").status_code == 200


# -- the command -----------------------------------------------------------------------------------------------------
def test_make_token_prints_a_key_that_works(ada, capsys):
    call_command("make_token", "ada", "nightly")
    assert user_of_token(f"Token {capsys.readouterr().out.strip()}") == ada


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["nobody", "x"], "no user"), (["ada", "taken"], "already"), (["ada", "x" * 65], "64"), (["ada", ""], "64")],
)
def test_make_token_says_what_is_wrong(ada, arguments, reason):
    make_token(user=ada, name="taken")
    with pytest.raises(CommandError, match=reason):
        call_command("make_token", *arguments)
