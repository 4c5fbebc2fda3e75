"""Sign up, sign in and passwords. Who signs in takes along what this browser asked as a visitor."""

import math

from django.contrib import messages
from django.contrib.auth import login, views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy

from predictions.account import end_lockout, lockout_left
from predictions.callers import visitor_of
from predictions.forms import SignUpForm
from predictions.services import claim_visitor_predictions
from predictions.throttle import TooMany, check_account_rate


def sign_up(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("home")
    if request.method == "POST":
        try:
            check_account_rate(action="sign-up", key=_address(request))
        except TooMany as error:
            return too_often(request, error)
    form = SignUpForm(request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/signup.html", {"form": form})
    user = form.save()
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    _claim(request, user)
    return redirect("home")


class SignIn(views.LoginView):
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        _claim(self.request, form.get_user())
        return response


class PasswordChange(views.PasswordChangeView):
    template_name = "accounts/password_change.html"

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        response = super().form_valid(form)
        end_lockout(form.user)
        return response


class PasswordChangeDone(views.PasswordChangeDoneView):
    template_name = "accounts/password_change_done.html"


class PasswordReset(views.PasswordResetView):
    template_name = "accounts/password_reset.html"
    email_template_name = "accounts/password_reset_email.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("password_reset_done")

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            check_account_rate(action="password-mail", key=_address(request))
        except TooMany as error:
            return too_often(request, error)
        return super().post(request, *args, **kwargs)


class PasswordResetDone(views.PasswordResetDoneView):
    template_name = "accounts/password_reset_done.html"


class PasswordResetConfirm(views.PasswordResetConfirmView):
    template_name = "accounts/password_reset_confirm.html"

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        response = super().form_valid(form)
        end_lockout(form.user)
        return response


class PasswordResetComplete(views.PasswordResetCompleteView):
    template_name = "accounts/password_reset_complete.html"


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """The page of one whose name is locked from this address; django-axes shows it."""
    seconds = math.ceil(lockout_left(request).total_seconds())
    context = {"minutes": max(1, math.ceil(seconds / 60))}
    response = render(request, "accounts/locked.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def too_often(request: HttpRequest, error: TooMany) -> HttpResponse:
    """The page of one who asks at a closed door, or tried something more often than the rate allows."""
    context = {"why": error}
    response = render(request, "accounts/too_often.html", context, status=429)
    response["Retry-After"] = str(error.retry_after)
    return response


def _address(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR", "")


def _claim(request: HttpRequest, user: User) -> None:
    if (visitor := visitor_of(request.COOKIES)) is not None:
        claimed = claim_visitor_predictions(visitor_feed_key=visitor, user=user)
        if claimed == 1:
            messages.info(request, "1 prediction that you asked as a visitor is in your history now.")
        elif claimed:
            messages.info(request, f"{claimed:,} predictions that you asked as a visitor are in your history now.")
