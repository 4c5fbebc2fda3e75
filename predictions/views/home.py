"""The page: ask, and see the answer arrive. A browser without JavaScript posts the form here."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from predictions import projection, services
from predictions.asking import ask
from predictions.callers import Caller, caller_of, remember_visitor
from predictions.contract import FeatureErrors
from predictions.forms import HouseForm
from predictions.inputs import EXAMPLES, filled_in
from predictions.location import NoBlockGroup, block_group_near
from predictions.models import Door, Prediction
from predictions.reading import own_predictions
from predictions.throttle import TooMany
from predictions.wording import FLAG_WORDS

RECENT = 5


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    form = HouseForm(request.POST) if request.method == "POST" else HouseForm(initial=_numbers_at(request))
    if form.is_valid():
        try:
            prediction = _ask(request, caller, form)
        except FeatureErrors as error:
            form.refuse(error.errors)
        except TooMany as error:
            return _page(request, caller, form, status=429, retry_after=error.retry_after)
        else:
            response = redirect("prediction", pk=prediction.pk)
            remember_visitor(response, caller)
            return response
    return _page(request, caller, form, status=422 if form.is_bound else 200)


def _numbers_at(request: HttpRequest) -> dict[str, float]:
    """What the boxes begin with where the address names a place: the nearest block group's numbers."""
    try:
        latitude, longitude = (float(request.GET[name]) for name in ("latitude", "longitude"))
        return filled_in(block_group_near(latitude, longitude)["features"])
    except (KeyError, ValueError, NoBlockGroup):
        return {}


def _ask(request: HttpRequest, caller: Caller, form: HouseForm) -> Prediction:
    features = form.features()
    return ask(
        features=features,
        caller=caller,
        address=request.META.get("REMOTE_ADDR", ""),
        source=Door.PAGE,
        key=form.key_of(features),
    )


def _page(
    request: HttpRequest, caller: Caller, form: HouseForm, *, status: int, retry_after: int | None = None
) -> HttpResponse:
    # The cursor first: what is answered between the two reads is told twice rather than never.
    cursor = services.latest_cursor(caller.feed_key)
    context = {
        "form": form,
        "cursor": cursor,
        "recent": own_predictions(caller)[:RECENT],
        "retry_after": retry_after,
        "flag_words": FLAG_WORDS,
        "examples": EXAMPLES,
        "projection": projection,
    }
    response = render(request, "predictions/home.html", context, status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    remember_visitor(response, caller)
    return response
