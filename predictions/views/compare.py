"""Up to four predictions side by side."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from predictions import pins
from predictions.callers import caller_of
from predictions.change import change_between
from predictions.chosen_units import units_of
from predictions.inputs import inputs
from predictions.reading import own_predictions


@never_cache
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    units = units_of(request)
    pinned = pins.pinned(request.session, caller_of(request))
    rows = [(box, [box.shown(one.features[box.field.name]) for one in pinned]) for box in inputs(units)]
    changes = [change_between(pinned[0], later) for later in pinned[1:]]
    context = {
        "pinned": pinned,
        "features": [(box, values, len(set(values)) > 1) for box, values in rows],
        "changes": [change.in_units(units) if change else None for change in changes],
        "most": pins.MOST,
    }
    return render(request, "keeping/compare.html", context)


@require_POST
def pin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    caller = caller_of(request)
    try:
        pins.pin(request.session, caller, get_object_or_404(own_predictions(caller), pk=pk))
    except pins.AllPinned:
        messages.error(request, f"There is room for {pins.MOST}: take one away first.")
    return _back(request)


@require_POST
def unpin(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    pins.unpin(request.session, get_object_or_404(own_predictions(caller_of(request)), pk=pk).pk)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page on which the button was pressed; `next` is its path, never another site's."""
    path = request.POST.get("next", "")
    return redirect(path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) else "compare")
