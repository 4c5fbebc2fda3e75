"""What OpenAPI can't see by itself: the features as the contract has them, problems, and the doors beside REST."""

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from predictions.contract import FIELDS, Field
from predictions.idempotency import KEY_HEADER, LONGEST_KEY

QUESTION = {"application/json": {"$ref": "#/components/schemas/Features"}}
_KEY_NOTE = (
    "Sent again with the same key, the same question is the same prediction, for 24 hours; another question is refused."
    " A key belongs to its caller: the account, or the visitor whom the cookie names; without either it does nothing."
    " With or without the quotes of draft-ietf-httpapi-idempotency-key-header."
)
_KEY_SCHEMA: dict = {"type": "string", "pattern": f"^[0-9A-Za-z-]{{1,{LONGEST_KEY}}}$"}
WEBSOCKET = "/ws/predictions/"
WEBSOCKET_NOTE = (
    "It knows its caller as HTTP does: by the header `Authorization: Token <key>`, or by the cookie of a page of this"
    " site; pages of other sites are refused with 403. Each message is an Event; `ready`, with a `cursor`, says that"
    " the past has been told. `ping` is answered by `pong`."
)
CLOSE_CODES = {  # As streaming sends them.
    4400: "the cursor is none",
    4401: "the token is unknown or revoked, or the session has ended",
    4408: "too slow, come back with your cursor",
    4503: "the feed can't be read now, come back",
}
_STREAM_NOTE = "The caller's own events; a visitor is known by cookie."


def problems(*statuses: int) -> dict:
    """Responses of these statuses for `extend_schema`."""
    return {
        (status, "application/problem+json"): OpenApiResponse(
            {"$ref": "#/components/schemas/Problem"}, description=_REASONS[status]
        )
        for status in statuses
    }


def idempotency_key() -> OpenApiParameter:
    """The header by which a question that is sent twice is known again, for `extend_schema`."""
    return OpenApiParameter(KEY_HEADER, _KEY_SCHEMA, OpenApiParameter.HEADER, description=_KEY_NOTE)


def features_schema() -> dict:
    """A question, from the contract's field table. The other spellings that are taken stand in the descriptions."""
    return {
        "type": "object",
        "description": "A block group of California in 1990. Latitude and longitude must lie near its known ones.",
        "properties": {field.name: _field_schema(field) for field in FIELDS},
        "required": [field.name for field in FIELDS],
        "additionalProperties": False,
        "example": {field.name: field.typical for field in FIELDS},
    }


def _field_schema(field: Field) -> dict:
    spellings = ", ".join(spelling for spelling, _ in field.aliases)
    is_open = field.hard.min == float("-inf")
    return {
        "type": "number",
        "title": field.label,
        "description": f"{field.unit}; {field.hard}, typically {field.typical:g}. Also taken as: {spellings}.",
        "minimum": field.hard.above if is_open else field.hard.min,
        **({"exclusiveMinimum": True} if is_open else {}),
        "maximum": field.hard.max,
        "example": field.typical,
    }


def add_doors(result: dict, generator, request, public) -> dict:
    """Postprocessing hook of drf-spectacular: add the addresses that are not REST views, and the schemas they share."""
    result["components"]["schemas"] |= {"Features": features_schema(), "Problem": _PROBLEM, "Event": _EVENT}
    result["paths"] |= {
        reverse("predict_api"): {"post": _predict_api()},
        reverse("stream"): {"get": _stream()},
        reverse("feed"): {"get": _feed()},
    }
    return result


def _predict_api() -> dict:
    return {
        "operationId": "predict_api",
        "tags": ["predict_api"],
        "summary": "Ask for a price, with or without an account",
        "description": "A browser's session needs the X-CSRFToken header. A visitor's question is readable by whoever"
        " holds its id.",
        "security": [{"token": []}, {"cookieAuth": []}, {}],
        "parameters": [_KEY],
        "requestBody": {"required": True, "content": {"application/json": {"schema": QUESTION["application/json"]}}},
        "responses": {
            "202": _json("Stored; it will be answered.", {"$ref": "#/components/schemas/Accepted"}),
            **_problem_responses(400, 401, 403, 413, 415, 422, 429, 503),
        },
    }


def _stream() -> dict:
    return {
        "operationId": "stream",
        "tags": ["feed"],
        "summary": "Answers as they come, as server-sent events",
        "description": f"{_STREAM_NOTE} The id of an event is its cursor; `Last-Event-ID` resumes after it."
        " Each `data` is an Event; `ready` says that the past has been told."
        f" The same over WebSocket: `{WEBSOCKET}?after=<cursor>`. {WEBSOCKET_NOTE} It is closed with"
        f" {'; '.join(f'{code}: {words}' for code, words in CLOSE_CODES.items())}.",
        "security": [{"token": []}, {"cookieAuth": []}, {}],
        "parameters": [
            _CURSOR,
            {**_CURSOR, "name": "Last-Event-ID", "in": "header"},
            {
                "name": "prediction",
                "in": "query",
                "description": "That prediction alone.",
                "schema": {"type": "string", "format": "uuid"},
            },
        ],
        "responses": {
            "200": {
                "description": "Events without end.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **_problem_responses(400, 401, 404),
        },
    }


def _feed() -> dict:
    page = {
        "type": "object",
        "properties": {
            "cursor": {"type": "integer"},
            "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
        },
        "required": ["cursor", "events"],
    }
    return {
        "operationId": "feed",
        "tags": ["feed"],
        "summary": "The next events after a cursor, for polling",
        "description": _STREAM_NOTE,
        "security": [{"token": []}, {"cookieAuth": []}, {}],
        "parameters": [_CURSOR],
        "responses": {"200": _json("Up to 200 events.", page), **_problem_responses(400, 401)},
    }


def _problem_responses(*statuses: int) -> dict:
    return {
        str(status): {
            "description": _REASONS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def _json(description: str, schema: dict) -> dict:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_CURSOR = {
    "name": "after",
    "in": "query",
    "description": "Events after this cursor.",
    "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
}
_KEY = {"name": KEY_HEADER, "in": "header", "description": _KEY_NOTE, "schema": _KEY_SCHEMA}
_REASONS = {
    400: "It can't be read.",
    401: "No account, or a token that is unknown or revoked.",
    403: "A session without its CSRF token.",
    404: "There is none, or it is somebody else's.",
    406: "Only JSON is spoken here.",
    409: "It has no answer.",
    413: "More than 64 KiB.",
    415: "Not application/json.",
    422: "Something in it can't be taken, and `errors` names each; or the key was used for another question.",
    429: "Too often, or an answer would take too long; `Retry-After` says how many seconds to wait.",
    503: "It could not be stored; `Retry-After` says how many seconds to wait.",
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "detail": {"type": "string", "description": "A sentence, for people."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
                "required": ["field", "code", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}
_EVENT = {
    "type": "object",
    "properties": {
        "cursor": {"type": "integer"},
        "type": {
            "type": "string",
            "enum": ["answered", "rejected", "failed", "reset"],
            "description": "`reset`: the cursor asked for is of another database; read anew and go on from this one.",
        },
        "prediction": {"allOf": [{"$ref": "#/components/schemas/Prediction"}], "description": "Of all but `reset`."},
    },
    "required": ["cursor", "type"],
}
