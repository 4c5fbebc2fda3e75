"""Files to take along: the history as it is filtered, and all that an account holds; by a browser, or with a token."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from predictions import export
from predictions.account import represent_account
from predictions.callers import BadToken, Caller, caller_of, user_of_token
from predictions.chosen_units import units_of
from predictions.contract import FieldError
from predictions.filters import HistoryFilter
from predictions.models import Prediction
from predictions.problems import asking_problem, problem
from predictions.reading import own_predictions
from predictions.views.own_account import SignedInRequest


def takes_token(view: Callable[[Any], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A token names the user, as in REST; one that is unknown or revoked is refused, never ignored."""

    @wraps(view)
    def view_of_user(request: HttpRequest) -> HttpResponseBase:
        if authorization := request.headers.get("Authorization"):
            try:
                request.user = user_of_token(authorization)
            except BadToken as error:
                return asking_problem(error)
        return view(request)

    return view_of_user


@never_cache
@takes_token
@require_safe
def history_csv(request: HttpRequest) -> HttpResponseBase:
    return _history(request, export.as_csv, "text/csv; charset=utf-8", "predictions.csv")


@never_cache
@takes_token
@require_safe
def history_json(request: HttpRequest) -> HttpResponseBase:
    return _history(request, export.as_json, "application/json", "predictions.json")


@never_cache
@takes_token
@login_required
@require_safe
def account_json(request: SignedInRequest) -> HttpResponseBase:
    own = own_predictions(Caller.of_user(request.user))
    return _download(_account(json.dumps(represent_account(request.user)), own), "application/json", "my-data.json")


def _account(account: str, own) -> Iterator[str]:
    yield f'{{"account": {account},\n"predictions": '
    yield from export.as_json(own)
    yield "}\n"


def _history(
    request: HttpRequest, write: Callable[[QuerySet[Prediction]], Iterator[str]], content_type: str, name: str
) -> HttpResponseBase:
    search = HistoryFilter(request.GET, own_predictions(caller_of(request)), units=units_of(request))
    if not search.is_valid():
        errors = [FieldError(field, "invalid", str(error)) for field, told in search.errors.items() for error in told]
        return problem(400, "invalid_search", "the history can't be searched by this", errors=errors)
    return _download(write(search.qs), content_type, name)


def _download(pieces: Iterator[str], content_type: str, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_from_thread(pieces), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _from_thread(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Each piece is read in a thread; a plain iterator would be read to its end before the first byte is out."""
    while piece := await sync_to_async(_next_of)(pieces):
        yield piece


def _next_of(pieces: Iterator[str]) -> str:
    """The next piece; "" after the last."""
    return next(pieces, "")
