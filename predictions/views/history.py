"""The caller's own predictions: searched, sorted, paged, and drawn over time."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from predictions import chart, pins
from predictions.callers import caller_of
from predictions.chosen_units import units_of
from predictions.filters import HistoryFilter
from predictions.reading import own_predictions, steps_on_the_way, without_steps

PAGE_SIZE = 20


@never_cache
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    own = own_predictions(caller_of(request)).select_related("note", "sale")
    search = HistoryFilter(request.GET, own, units=units_of(request))
    # A search that can't be read finds nothing, and says why at its fields.
    found = search.qs if search.is_valid() else own.none()
    steps = steps_on_the_way(found)
    is_folded = "steps" not in request.GET and not any(
        request.GET.get(name) for name in search.form.fields if name != "order"
    )
    if is_folded:
        found = without_steps(found)
    newest = found.filter(price__isnull=False).order_by("-requested_at")[: chart.MOST_POINTS]
    context = {
        "form": search.form,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "is_narrowed": any(request.GET.get(name) for name in search.form.fields),
        "steps": steps.count() if is_folded or "steps" in request.GET else 0,
        "is_folded": is_folded,
        "chart": chart.price_chart(newest),
        "pinned_ids": pins.pinned_ids(request.session),
    }
    return render(request, "predictions/history.html", context)
