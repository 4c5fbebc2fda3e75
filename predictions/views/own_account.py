"""The account of who is signed in: profile, API tokens, its end."""

from dataclasses import asdict

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from predictions.account import delete_account, save_profile
from predictions.account_forms import DeleteAccountForm, ProfileForm, TokenForm
from predictions.callers import make_token, revoke_token
from predictions.chosen_units import units_of
from predictions.keeping import InFlight
from predictions.models import ApiToken
from predictions.throttle import TooMany, check_account_rate
from predictions.views.accounts import too_often

_FORM_METHODS = ["GET", "HEAD", "POST"]


class SignedInRequest(HttpRequest):
    """What a view behind `login_required` is given."""

    user: User


@never_cache
@login_required
@require_http_methods(_FORM_METHODS)
def profile(request: SignedInRequest) -> HttpResponse:
    theme = getattr(getattr(request.user, "profile", None), "theme", "")
    kept = {"theme": theme, **asdict(units_of(request)), "email": request.user.email}
    form = ProfileForm(request.POST or None, initial=kept, user=request.user)
    if request.POST.get("password") and (refusal := _too_many_tries(request)):
        return refusal
    if not form.is_valid():
        return render(request, "accounts/profile.html", {"form": form}, status=422 if form.is_bound else 200)
    theme, email = form.cleaned_data["theme"], form.cleaned_data["email"]
    save_profile(user=request.user, theme=theme, units=form.units(), email=email)
    messages.success(request, "Your profile is saved.")
    return redirect("profile")


@never_cache
@login_required
@require_http_methods(_FORM_METHODS)
def tokens(request: SignedInRequest) -> HttpResponse:
    form = TokenForm(request.POST or None, user=request.user)
    key, status = "", 200
    if form.is_valid():
        # Shown in this answer and nowhere else: a redirect would have to keep the key somewhere.
        _, key = make_token(user=request.user, name=form.cleaned_data["name"])
        form, status = TokenForm(user=request.user), 201
    elif form.is_bound:
        status = 422
    own = ApiToken.objects.filter(user=request.user).order_by("-created_at")
    return render(request, "accounts/tokens.html", {"form": form, "key": key, "tokens": own}, status=status)


@login_required
@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=request.user)
    revoke_token(token)
    messages.success(request, f"{token.name} is refused from now on.")
    return redirect("tokens")


@never_cache
@login_required
@require_http_methods(_FORM_METHODS)
def delete(request: SignedInRequest) -> HttpResponse:
    form = DeleteAccountForm(request.POST or None, user=request.user)
    if form.is_bound and (refusal := _too_many_tries(request)):
        return refusal
    if not form.is_valid() or not _deleted(request.user, form):
        return render(request, "accounts/delete.html", {"form": form}, status=422 if form.is_bound else 200)
    logout(request)
    messages.success(request, "Your account and all that belonged to it are deleted.")
    return redirect("home")


def _deleted(user: User, form: DeleteAccountForm) -> bool:
    try:
        delete_account(user=user, password=form.cleaned_data["password"])
    except InFlight:
        form.add_error(None, "Some of your questions are on their way. Try again when they are answered.")
        return False
    return True


def _too_many_tries(request: SignedInRequest) -> HttpResponse | None:
    """A password asked again is guessed no faster than at the sign-in."""
    try:
        check_account_rate(action="password-asked", key=str(request.user.pk))
    except TooMany as error:
        return too_often(request, error)
    return None
