"""The end of an account: all that is known by it goes, whatever happens meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client

from predictions import account, keeping, services
from predictions.callers import Caller, make_token
from predictions.keeping import InFlight
from predictions.models import FeedEvent, IntegrationSource, Note, Prediction, Sale
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse"


def answered_of(user: User, count: int) -> list[Prediction]:
    """So many predictions of theirs, answered in one go."""
    ids = [making.accepted(Caller.of_user(user)).pk for _ in range(count)]
    services.record_answers([making.answer(pk) for pk in ids])
    return list(Prediction.objects.filter(pk__in=ids))


@contextmanager
def at_the_deletion(number: int, do: Callable[[], None]) -> Iterator[None]:
    """Do something when predictions are about to be deleted for this time, counted from 1."""
    count = 0

    def look(execute, sql, params, many, context):
        nonlocal count
        if sql.startswith('DELETE FROM "predictions_prediction"'):
            count += 1
            if count == number:
                do()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield


def go_away() -> None:
    raise OperationalError("the database went away")


def test_an_account_of_more_than_a_chunk_is_deleted_with_all_that_is_kept_with_it(ada):
    count = 2 * account._CHUNK + 1
    for prediction in answered_of(ada, count)[:: account._CHUNK]:
        keeping.write_note(prediction=prediction, text="mine", tags=[])
        keeping.report_sale(prediction=prediction, price=1, sold_on=None)
    others = making.answered()
    account.delete_account(user=ada, password=PASSWORD)
    assert list(Prediction.objects.all()) == [others]
    assert list(FeedEvent.objects.values_list("prediction", flat=True)) == [others.pk]
    assert not Note.objects.exists()
    assert not Sale.history.exists()
    assert not User.objects.exists()


def test_a_deletion_that_broke_off_is_asked_again_after_a_new_sign_in(client, ada, monkeypatch):
    monkeypatch.setattr(account, "_CHUNK", 2)
    answered_of(ada, 5)
    with at_the_deletion(3, go_away), pytest.raises(OperationalError):
        account.delete_account(user=ada, password=PASSWORD)
    assert Prediction.objects.count() == 1, "what was done is done, a chunk at a time"
    client.post("/accounts/login/", {"username": "ada", "password": PASSWORD})
    client.post("/accounts/delete/", {"password": PASSWORD})
    assert not Prediction.objects.exists()
    assert not User.objects.exists()


def test_nobody_asks_for_an_account_while_it_is_deleted(ada, program, signed_in, house):
    IntegrationSource.objects.create(name="listings", owner=ada)
    answered_of(ada, 1)
    assert client_may_ask(program, house)
    assert client_may_ask(signed_in, house)
    services.record_answers([making.answer(pk) for pk in Prediction.objects.values_list("pk", flat=True)])
    found = []

    def ask() -> None:
        found.extend([client_may_ask(program, house), client_may_ask(signed_in, house), services.integration_sources()])

    with at_the_deletion(1, ask):
        account.delete_account(user=ada, password=PASSWORD)
    assert found == [False, False, {}]


def client_may_ask(client: Client, house: dict[str, float]) -> bool:
    return client.post("/api/v1/predictions", house, content_type="application/json").status_code == 202


def test_what_is_asked_at_the_last_moment_keeps_the_account_until_it_is_answered(ada, monkeypatch):
    monkeypatch.setattr(account, "_CHUNK", 2)
    answered_of(ada, 3)
    late = []
    with at_the_deletion(2, lambda: late.append(making.accepted(Caller.of_user(ada)))), pytest.raises(InFlight):
        account.delete_account(user=ada, password=PASSWORD)
    assert list(Prediction.objects.all()) == late
    services.record_answers([making.answer(late[0].pk)])
    account.delete_account(user=ada, password=PASSWORD)
    assert not User.objects.exists()


def test_a_question_on_its_way_leaves_the_account_as_it_is(ada, signed_in):
    _, key = make_token(user=ada, name="laptop")
    making.published(Caller.of_user(ada))
    answered_of(ada, 1)
    with pytest.raises(InFlight):
        account.delete_account(user=ada, password=PASSWORD)
    assert Prediction.objects.count() == 2
    for client in (signed_in, Client(headers={"Authorization": f"Token {key}"})):
        assert client.get("/api/v1/predictions").status_code == 200


def test_a_sale_that_was_withdrawn_leaves_no_past_behind(ada):
    prediction = making.answered(Caller.of_user(ada))
    keeping.report_sale(prediction=prediction, price=1, sold_on=None)
    keeping.withdraw_sale(prediction)
    account.delete_account(user=ada, password=PASSWORD)
    assert not Sale.history.exists()
