"""What is shown when something is wrong: a page for people, a problem document for programs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from predictions.problems import problem

_FOR_PROGRAMS = ("/api/", "/predict_api", "/stream", "/feed")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "bad_request", "the request can't be read")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "permission_denied", "this is not yours to see or do")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, "not_found", "there is nothing at this address")


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500, "server_error", "this is our fault; it was logged")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if request.path.startswith(_FOR_PROGRAMS):
        return problem(403, "csrf_failed", reason)
    return render(request, "errors/csrf.html", status=403)


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    if request.path.startswith(_FOR_PROGRAMS):
        return problem(status, code, detail)
    return render(request, f"errors/{status}.html", status=status)
