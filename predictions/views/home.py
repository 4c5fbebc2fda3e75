"""The page: ask, and see the answer arrive. A browser without JavaScript posts the form here."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from predictions import projection, services
from predictions.asking import ask, supported
from predictions.callers import Caller, caller_of, remember_visitor
from predictions.chosen_units import units_of
from predictions.contract import FeatureErrors, normalise_features
from predictions.forms import HouseForm
from predictions.inputs import EXAMPLES, filled_in
from predictions.location import NoBlockGroup, block_group_near
from predictions.models import Door, Prediction
from predictions.reading import own_predictions, without_steps
from predictions.throttle import TooMany
from predictions.units import Units
from predictions.wording import flag_words

RECENT = 5


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    units = units_of(request)
    if request.method != "POST":
        return _page(request, caller, _form_at_place(request.GET, units))
    form = HouseForm.sent(request.POST, units)
    if form.is_valid():
        try:
            prediction = _ask(request, caller, form)
        except FeatureErrors as error:
            form.refuse(error.errors)
        except TooMany as error:
            return _page(request, caller, form, status=429, refusal=error)
        else:
            response = redirect("prediction", pk=prediction.pk)
            remember_visitor(response, caller)
            return response
    return _page(request, caller, form, status=422)


def _form_at_place(query: Mapping[str, str], units: Units) -> HouseForm:
    """The form as it begins: where the address names a place, with the numbers of the nearest block group."""
    given = {name: query[name] for name in ("latitude", "longitude") if name in query}
    if not given:
        return HouseForm(units=units)
    try:
        features = block_group_near(float(query["latitude"]), float(query["longitude"]))["features"]
    except (KeyError, ValueError, NoBlockGroup):
        return _form_of_no_place(given, units)
    return HouseForm(initial=filled_in(features, units), units=units)


def _form_of_no_place(given: Mapping[str, str], units: Units) -> HouseForm:
    """A form that says at its fields what is wrong with the place."""
    form = HouseForm.filled_in({"latitude": "", "longitude": "", **given}, units)
    if form.is_valid():
        try:
            supported(normalise_features(form.features()))
        except FeatureErrors as error:
            form.refuse(error.errors)
    return form


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
    request: HttpRequest, caller: Caller, form: HouseForm, *, status: int = 200, refusal: TooMany | None = None
) -> HttpResponse:
    # The cursor first: what is answered between the two reads is told twice rather than never.
    cursor = services.latest_cursor(caller.feed_key)
    context = {
        "form": form,
        "cursor": cursor,
        "recent": without_steps(own_predictions(caller))[:RECENT],
        "refusal": refusal,
        "flag_words": flag_words(units_of(request)),
        "examples": EXAMPLES,
        "projection": projection,
    }
    response = render(request, "predictions/home.html", context, status=status)
    if refusal is not None:
        response["Retry-After"] = str(refusal.retry_after)
    remember_visitor(response, caller)
    return response
