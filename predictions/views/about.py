"""How far to trust the answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mlmodel.support import HARD_KM, SOFT_KM
from predictions.trust import trust_in_champion


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    context = {"trust": trust_in_champion(), "soft_km": SOFT_KM, "hard_km": HARD_KM}
    return render(request, "predictions/about.html", context)
