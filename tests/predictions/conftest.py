"""Clients: a browser of a visitor, a signed-in browser, a program with a token."""

import pytest
from django.http import HttpResponse
from django.test import Client

from predictions.callers import VISITOR_COOKIE, Caller, make_token, remember_visitor
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
