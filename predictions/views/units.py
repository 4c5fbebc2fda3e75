"""The units of a visitor, kept by a cookie; an account keeps its own with its profile."""

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from predictions.account_forms import UnitsForm
from predictions.chosen_units import remember_units, units_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def units(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("profile")
    form = UnitsForm(request.POST or None, initial=asdict(units_of(request)))
    if not form.is_valid():
        return render(request, "predictions/units.html", {"form": form}, status=422 if form.is_bound else 200)
    messages.success(request, "Your units are kept in this browser.")
    response = redirect("home")
    remember_units(response, form.units())
    return response
