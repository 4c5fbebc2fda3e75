"""Every error of REST as a problem document."""

import logging
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS

from predictions.api.unknown import UnknownNames
from predictions.contract import MAX_BODY_BYTES, FieldError
from predictions.models import Prediction
from predictions.problems import ASKING_ERRORS, asking_problem, problem

logger = logging.getLogger(__name__)


def exception_handler(error: Exception, context: dict) -> JsonResponse | None:
    """The answer to what a view raised; None for a fault of ours, which goes on to the server's 500 page."""
    if isinstance(error, ASKING_ERRORS):
        return asking_problem(error)
    if isinstance(error, exceptions.ValidationError):
        part = "query" if context["request"].method in SAFE_METHODS else "body"
        return problem(400, f"invalid_{part}", f"the {part} can't be read", errors=_field_errors(error))
    if isinstance(error, UnknownNames):
        return problem(422, error.default_code, str(error.detail), errors=error.errors)
    if isinstance(error, exceptions.APIException):
        return problem(error.status_code, str(error.get_codes()), str(error.detail), headers=_headers(error))
    if isinstance(error, Http404 | Prediction.DoesNotExist):
        return problem(404, "not_found", "there is no such prediction")
    if isinstance(error, PermissionDenied):
        return problem(403, "permission_denied", "this is not yours to do")
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too_large", f"a question has at most {MAX_BODY_BYTES} bytes")
    if isinstance(error, SuspiciousOperation | MultiPartParserError):
        return problem(400, "bad_request", "the request can't be read")
    if isinstance(error, OperationalError):
        logger.error("a request could not be answered", exc_info=error)
        return problem(503, "not_available", "the database can't be reached", headers={"Retry-After": "5"})
    return None


def _field_errors(error: exceptions.ValidationError) -> Iterator[FieldError]:
    by_field: Any = error.get_full_details()
    for field, faults in by_field.items():
        for fault in _each(faults):
            yield FieldError(field, fault["code"], str(fault["message"]))


def _each(faults: Any) -> Iterator[dict]:
    """A field has a list of faults, each with message and code; a field that is a list has such lists by position."""
    lists = faults.values() if isinstance(faults, dict) else [faults]
    return chain.from_iterable(lists)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    challenge = getattr(error, "auth_header", None)
    return {"WWW-Authenticate": challenge} if challenge else {}
