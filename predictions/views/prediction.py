"""One prediction: what was asked, what came of it, and how it travelled."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from predictions import projection
from predictions.admission import admission
from predictions.callers import caller_of
from predictions.chosen_units import units_of
from predictions.explanation import in_full
from predictions.idempotency import fresh_form_key
from predictions.inputs import inputs
from predictions.models import Prediction
from predictions.pins import pinned_ids
from predictions.reading import readable_prediction
from predictions.representation import links
from predictions.units import Units
from predictions.what_if import curve_of
from predictions.wording import place_in_words, waterfall


@never_cache
@require_safe
def prediction(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = _found(request, pk)
    context = {
        **shown_to_all(found, units_of(request)),
        **links(found),
        "is_own": found.feed_key == caller_of(request).feed_key,
        "pinned_ids": pinned_ids(request.session),
        "again_key": fresh_form_key(),
    }
    return render(request, "predictions/prediction.html", context)


def shown_to_all(found: Prediction, units: Units) -> dict[str, Any]:
    """What a template shows of a prediction to whoever may read it."""
    return {
        "prediction": found,
        "place_in_line": place_in_words(admission.place_of(found)),
        "features": [(box, box.shown(found.features[box.field.name])) for box in inputs(units)],
        "steps": waterfall(found.stages),
        "projection": projection,
        "pin": found.features,
        **in_full(found, units),
    }


@never_cache
@require_safe
def explanation(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The parts of that page that follow the price, and the curve over the input that `moved` names."""
    found = _found(request, pk)
    units = units_of(request)
    curve = curve_of(found, request.GET.get("moved", ""), units)
    context = {"prediction": found, "steps": waterfall(found.stages), "curve": curve, **in_full(found, units)}
    return render(request, "predictions/_explanation.html", context)


def _found(request: HttpRequest, pk: uuid.UUID) -> Prediction:
    try:
        return readable_prediction(str(pk), caller_of(request))
    except Prediction.DoesNotExist as error:
        raise Http404 from error
