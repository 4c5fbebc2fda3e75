"""Errors of the API as `application/problem+json` (RFC 9457)."""

from collections.abc import Iterable
from typing import get_args

from django.http import JsonResponse

from predictions.admission import LineFull
from predictions.callers import BadToken
from predictions.contract import ContractError, FeatureErrors, FieldError
from predictions.idempotency import BadKey, KeyReused
from predictions.throttle import TooMany

AskingError = ContractError | FeatureErrors | BadKey | KeyReused | LineFull | TooMany | BadToken
ASKING_ERRORS = get_args(AskingError)


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


def asking_problem(error: AskingError) -> JsonResponse:
    """Why a question was not taken; every door answers the same."""
    match error:
        case ContractError():
            return problem(413 if error.code == "too_large" else 400, error.code, error.detail)
        case FeatureErrors():
            return problem(422, "invalid_features", str(error), errors=error.errors)
        case BadKey():
            return problem(400, "bad_idempotency_key", str(error))
        case KeyReused():
            return problem(422, "idempotency_key_reused", str(error))
        case LineFull():
            return problem(429, "line_full", str(error), headers={"Retry-After": str(error.retry_after)})
        case TooMany():
            return problem(429, "too_many_requests", str(error), headers={"Retry-After": str(error.retry_after)})
        case BadToken():
            return problem(401, "bad_token", str(error), headers={"WWW-Authenticate": "Token"})


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
    409: "Not in this state",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    500: "Server error",
    503: "Not available",
}
