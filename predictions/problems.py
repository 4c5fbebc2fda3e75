"""Errors of the API as `application/problem+json` (RFC 9457)."""

from collections.abc import Iterable

from django.http import JsonResponse

from predictions.contract import FieldError


def problem(
    status: int, code: str, detail: str, *, errors: Iterable[FieldError] = (), headers: dict[str, str] | None = None
) -> JsonResponse:
    """A problem document; `errors` names the fields at fault."""
    return JsonResponse(
        problem_body(status, code, detail, errors=errors),
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )


def problem_body(status: int, code: str, detail: str, *, errors: Iterable[FieldError] = ()) -> dict:
    body: dict = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status}
    body |= {"code": code, "detail": detail}
    if named := [{"field": error.field, "code": error.code, "detail": error.detail} for error in errors]:
        body["errors"] = named
    return body


_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    413: "Too large",
    415: "Unsupported media type",
    422: "These features can't be priced",
    429: "Too many requests",
    500: "Server error",
    503: "Not available",
}
