"""`POST /predict_api`: flat JSON features in, 202 and where to hear the answer out. The busiest view of the site."""

import logging
import uuid

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt

from predictions.asking import ask_json
from predictions.callers import Caller, identify_request, remember_visitor
from predictions.contract import MAX_BODY_BYTES
from predictions.database_threads import in_database_thread
from predictions.doorway import LET_IN
from predictions.idempotency import KEY_HEADER
from predictions.models import Door, Prediction
from predictions.problems import ASKING_ERRORS, asking_problem, problem
from predictions.representation import accepted

logger = logging.getLogger(__name__)


class CrossSite(Exception):
    """A session's request without the CSRF token."""


@csrf_exempt  # A visitor or a token has nothing to forge; a session is checked in `_ask`.
async def predict_api(request: HttpRequest) -> HttpResponseBase:
    if request.method != "POST":
        return problem(405, "method_not_allowed", "ask with POST", headers={"Allow": "POST"})
    if request.content_type != "application/json":
        return problem(415, "unsupported_media_type", "send the features as application/json")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit():
        return problem(400, "bad_request", "Content-Length is not one number")
    if int(length) > MAX_BODY_BYTES:
        return _too_large()
    try:
        # One thread hop for all that blocks: who asks, how often, the insert, the doorbell.
        caller, prediction = await in_database_thread(_ask, request)
    except ASKING_ERRORS as error:
        return asking_problem(error)
    except RequestDataTooBig:  # A chunked body, which did not say its length.
        return _too_large()
    except CrossSite as error:
        return problem(403, "csrf_failed", str(error))
    except OperationalError:
        logger.exception("a question could not be stored")
        return problem(503, "not_available", "the question could not be stored", headers={"Retry-After": "5"})
    body = accepted(prediction)
    response = JsonResponse(body, status=202, headers={"Location": body["status_url"]})
    remember_visitor(response, caller)
    return response


def _too_large() -> HttpResponseBase:
    return problem(413, "too_large", f"a question has at most {MAX_BODY_BYTES} bytes")


def _ask(request: HttpRequest) -> tuple[Caller, Prediction]:
    caller = identify_request(request)
    if caller.by_session:
        _check_csrf(request)
    prediction = ask_json(
        body=request.body,
        caller=caller,
        address=request.META.get("REMOTE_ADDR", ""),
        source=_door(request),
        key_header=request.headers.get(KEY_HEADER),
        is_let_in=LET_IN in getattr(request, "scope", {}),
        gesture=_gesture(request),
    )
    return caller, prediction


def _door(request: HttpRequest) -> Door:
    """Browsers say of a script's request whether the script is the site's own; programs say nothing."""
    return Door.PAGE if request.headers.get("Sec-Fetch-Site") == "same-origin" else Door.API


def _gesture(request: HttpRequest) -> uuid.UUID | None:
    """The movement that the page's script says this is a step of; what can't be read is none."""
    try:
        return uuid.UUID(request.headers.get("X-Gesture", ""))
    except ValueError:
        return None


def _check_csrf(request: HttpRequest) -> None:
    refused = _SessionCsrf(lambda request: None).process_view(request, None, (), {})  # type: ignore[arg-type]
    if refused is not None:
        raise CrossSite("a signed-in browser's request needs the X-CSRFToken header")


class _SessionCsrf(CsrfViewMiddleware):
    """Django's check, asked by hand as rest_framework.authentication does; it answers None or a refusal."""

    def _reject(self, request, reason):
        return reason
