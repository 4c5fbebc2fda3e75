"""Up to four predictions side by side."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from predictions import pins
from predictions.callers import caller_of
from predictions.inputs import INPUTS
from predictions.reading import own_predictions


@never_cache
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    pinned = pins.pinned(request.session, caller_of(request))
    rows = [(box, [box.shown(one.features[box.field.name]) for one in pinned]) for box in INPUTS]
    features = [(box, values, len(set(values)) > 1) for box, values in rows]
    return render(request, "keeping/compare.html", {"pinned": pinned, "features": features, "most": pins.MOST})


@require_POST
def pin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    caller = caller_of(request)
    try:
        pins.pin(request.session, caller, get_object_or_404(own_predictions(caller), pk=pk))
    except pins.AllPinned:
        messages.error(request, f"There is room for {pins.MOST}: take one away first.")
    return redirect("compare")


@require_POST
def unpin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    pins.unpin(request.session, get_object_or_404(own_predictions(caller_of(request)), pk=pk))
    return redirect("compare")
