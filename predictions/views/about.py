"""How far to trust the answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mlmodel.support import HARD_KM, SOFT_KM
from predictions.models import Profile
from predictions.trust import trust_in_champion
from predictions.units import CPI_1990, CPI_2024, Units


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    context = {
        "trust": trust_in_champion(),
        "soft_km": SOFT_KM,
        "hard_km": HARD_KM,
        "of_2024": Units(money=Profile.Money.OF_2024),
        "cpi_1990": CPI_1990,
        "cpi_2024": CPI_2024,
    }
    return render(request, "predictions/about.html", context)
