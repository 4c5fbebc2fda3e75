"""Clients: a browser of a visitor, a signed-in browser, a program with a token."""

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client

from mlmodel import artefact
from mlmodel.catalogue import CHAMPION
from predictions import services
from predictions.callers import VISITOR_COOKIE, Caller, make_token, remember_visitor
from predictions.models import Prediction
from tests import making


def browser_of(caller: Caller) -> Client:
    """A browser that was here before as this visitor, or in which this user is signed in."""
    client = Client()
    if caller.user is None:
        response = HttpResponse()
        remember_visitor(response, caller)
        client.cookies[VISITOR_COOKIE] = response.cookies[VISITOR_COOKIE].value
    else:
        client.force_login(caller.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def streamed(response: StreamingHttpResponse) -> str:
    """All that a streamed response says."""

    async def joined() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(joined)().decode()


def kinds(feed_key: str = "v1") -> list[str]:
    """What a feed tells, in order."""
    return [event.kind for event in services.events_after(feed_key=feed_key, cursor=0, limit=100)]


@pytest.fixture
def ada(db):
    return making.user("ada")


@pytest.fixture
def program(ada) -> Client:
    """A client that sends ada's token."""
    _, key = make_token(user=ada, name="tests")
    return Client(headers={"Authorization": f"Token {key}"})


@pytest.fixture
def signed_in(ada) -> Client:
    return browser_of(Caller.of_user(ada))


@pytest.fixture
def visitor_browser(db) -> Client:
    return browser_of(making.visitor())


@pytest.fixture
def champions_answer(ada) -> Prediction:
    """A prediction of ada's that the committed champion answered."""
    prediction = making.accepted(Caller.of_user(ada))
    sha256 = artefact.read_manifest(CHAMPION)["sha256"]
    services.record_answers([making.answer(prediction.pk, model_id=CHAMPION, model_sha256=sha256)])
    prediction.refresh_from_db()
    return prediction
