"""What an owner does with a prediction: note, share, report a sale, delete; each by a form of its own page."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from predictions import keeping, pins
from predictions.asking import ask
from predictions.callers import caller_of
from predictions.chosen_units import units_of
from predictions.contract import FeatureErrors
from predictions.idempotency import form_key
from predictions.keeping_forms import NoteForm, SaleForm
from predictions.models import Door, Prediction
from predictions.reading import own_predictions
from predictions.templatetags.wording import headline, place
from predictions.throttle import TooMany
from predictions.views.accounts import too_often
from predictions.views.prediction import shown_to_all
from predictions.wording import refusal

_FORM_METHODS = ["GET", "HEAD", "POST"]


@never_cache
@require_http_methods(_FORM_METHODS)
def note(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    own = _own(request, pk)
    form = NoteForm.of(own, request.POST)
    if not form.is_valid():
        return _form_page(request, "keeping/note.html", own, form)
    keeping.write_note(prediction=own, text=form.cleaned_data["text"], tags=form.cleaned_data["tags"])
    messages.success(request, "Your note is saved.")
    return redirect("prediction", pk=pk)


@never_cache
@require_http_methods(_FORM_METHODS)
def sale(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    own = _own(request, pk)
    if not keeping.can_report_sale(own):
        raise Http404
    form = SaleForm.of(own, request.POST, units_of(request))
    if not form.is_valid():
        return _form_page(request, "keeping/sale.html", own, form)
    keeping.report_sale(prediction=own, price=form.cleaned_data["price"], sold_on=form.cleaned_data["sold_on"])
    messages.success(request, "What it sold for is kept.")
    return redirect("prediction", pk=pk)


@require_POST
def withdraw_sale(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    keeping.withdraw_sale(_own(request, pk))
    messages.success(request, "The sale is withdrawn.")
    return redirect("prediction", pk=pk)


@never_cache
@require_http_methods(_FORM_METHODS)
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    own = _own(request, pk)
    if request.method != "POST":
        return render(request, "keeping/delete.html", {"prediction": own})
    try:
        keeping.delete_prediction(own)
    except keeping.InFlight:
        messages.error(request, "It is on its way; delete it when it is answered.")
        return redirect("prediction", pk=pk)
    pins.unpin(request.session, pk)
    messages.success(request, "The prediction is deleted.")
    return redirect("history")


@require_POST
def ask_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The same inputs as a new question, which today's model answers; both are pinned to be compared."""
    own, caller = _own(request, pk), caller_of(request)
    try:
        again = ask(
            features=own.features,
            caller=caller,
            address=request.META.get("REMOTE_ADDR", ""),
            source=Door.PAGE,
            key=form_key(request.POST.get("key", ""), own.features),
        )
    except FeatureErrors as error:
        messages.error(request, f"It can't be asked again: {refusal(error.errors[0], units_of(request))}")
        return redirect("prediction", pk=pk)
    except TooMany as error:
        return too_often(request, error)
    unpinned = pins.pin_pair(request.session, caller, own, again)
    messages.success(request, "Asked again. Both answers are pinned, side by side they tell why they differ.")
    for other in unpinned:
        told = f"{headline(other, units_of(request))}, {place(other)}"
        messages.info(request, f"There is room for {pins.MOST}: {told} is no longer pinned.")
    return redirect("prediction", pk=again.pk)


# -- sharing ---------------------------------------------------------------------------------------------------------
@require_POST
def share(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    keeping.share(_own(request, pk))
    messages.success(request, "Whoever has the link below can read this prediction now.")
    return redirect("prediction", pk=pk)


@require_POST
def stop_sharing(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    keeping.stop_sharing(_own(request, pk))
    messages.success(request, "The link leads nowhere from now on.")
    return redirect("prediction", pk=pk)


@never_cache
@require_safe
def shared(request: HttpRequest, key: str) -> HttpResponse:
    """A prediction for whoever holds its link: to read, without what its owner keeps with it."""
    try:
        found = keeping.shared_prediction(key)
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    response = render(request, "keeping/shared.html", shown_to_all(found, units_of(request)))
    response["X-Robots-Tag"] = "noindex"
    return response


def _own(request: HttpRequest, pk: uuid.UUID) -> Prediction:
    own = own_predictions(caller_of(request)).select_related("note", "sale", "shared_link")
    return get_object_or_404(own, pk=pk)


def _form_page(request: HttpRequest, template: str, prediction: Prediction, form) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, template, {"form": form, "prediction": prediction}, status=status)
