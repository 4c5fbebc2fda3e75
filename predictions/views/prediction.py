"""One prediction: what was asked, what came of it, and how it travelled."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from predictions.callers import caller_of
from predictions.contract import FIELDS
from predictions.models import Prediction
from predictions.reading import readable_prediction
from predictions.representation import links
from predictions.wording import waterfall


@never_cache
@require_safe
def prediction(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    try:
        found = readable_prediction(str(pk), caller_of(request))
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    context = {
        "prediction": found,
        "features": [(field, found.features.get(field.name)) for field in FIELDS],
        "steps": waterfall(found.stages),
        **links(found),
    }
    return render(request, "predictions/prediction.html", context)
