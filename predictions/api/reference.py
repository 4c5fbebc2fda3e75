"""The OpenAPI document as a page that everybody can read: plain HTML, small, without a script."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from predictions.api.schema import CLOSE_CODES, WEBSOCKET, WEBSOCKET_NOTE

_TAGS = {  # In the order in which they are told.
    "predict_api": "Ask, with or without an account",
    "predictions": "Predictions",
    "feed": "Hear the answers",
    "keeping": "Notes, tags and sales",
    "block groups": "Block groups",
}


@dataclass(frozen=True)
class Value:
    """A parameter, or a member of a JSON object. `shape` is the name of the object it is or has, or empty."""

    name: str
    words: str
    shape: str
    about: str
    is_required: bool


@dataclass(frozen=True)
class Operation:
    """What can be done at an address; `answers` are status, description and the shape of what is sent back."""

    method: str
    path: str
    summary: str
    about: str
    needs_account: bool
    parameters: list[Value]
    body: str
    answers: list[tuple[str, str, str]]

    @property
    def anchor(self) -> str:
        """Its id on the page."""
        return "-".join([self.method, *filter(str.isalnum, self.path.replace("{", "").replace("}", "").split("/"))])


@dataclass(frozen=True)
class Group:
    title: str
    operations: list[Operation]


@dataclass(frozen=True)
class Shape:
    """A JSON object, or one of a few texts."""

    name: str
    about: str
    members: list[Value]


@dataclass(frozen=True)
class Reference:
    groups: list[Group]
    shapes: list[Shape]


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    context = {
        "reference": _reference(),
        "websocket": f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}{WEBSOCKET}",
        "websocket_note": WEBSOCKET_NOTE.replace("`", ""),
        "close_codes": CLOSE_CODES,
    }
    return render(request, "api/docs.html", context)


@cache
def _reference() -> Reference:
    return reference_of(SchemaGenerator().get_schema(public=True))


def reference_of(document: Mapping[str, Any]) -> Reference:
    """What an OpenAPI document says, in the order in which it is told."""
    order = list(_TAGS)
    tagged = sorted(_operations(document), key=lambda pair: order.index(pair[0]))
    groups = [
        Group(_TAGS[tag], [operation for _, operation in pairs]) for tag, pairs in groupby(tagged, lambda pair: pair[0])
    ]
    schemas = document["components"]["schemas"]
    return Reference(groups, [_shape(name, schema) for name, schema in sorted(schemas.items())])


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield (
                told["tags"][0],
                Operation(
                    method=method.upper(),
                    path=path,
                    summary=told["summary"],
                    about=_about(told),
                    needs_account={} not in told.get("security", [{}]),
                    parameters=[_parameter(parameter) for parameter in told.get("parameters", [])],
                    body=_content(told.get("requestBody", {})),
                    answers=[
                        (status, _about(answer), _content(answer)) for status, answer in told["responses"].items()
                    ],
                ),
            )


def _parameter(parameter: Mapping[str, Any]) -> Value:
    schema, where = parameter["schema"], parameter["in"]
    words = f"{_words(schema)}, in the {where}"
    return Value(parameter["name"], words, "", _about(parameter), parameter.get("required", False))


def _content(told: Mapping[str, Any]) -> str:
    """The name of the JSON object that a body is; empty where it has none of its own."""
    return next((_name(media.get("schema", {})) for media in told.get("content", {}).values()), "")


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    required = schema.get("required", [])
    members = [
        Value(member, _words(inner), _name(inner), _about(inner), member in required)
        for member, inner in schema.get("properties", {}).items()
    ]
    choices = schema.get("enum", [])
    return Shape(name, f"One of {', '.join(choices)}." if choices else _about(schema), members)


def _about(told: Mapping[str, Any]) -> str:
    """The description without the marks that the document has for code."""
    return told.get("description", "").replace("`", "")


# -- schemas in words ------------------------------------------------------------------------------------------------
def _words(schema: Mapping[str, Any]) -> str:
    return f"{_kind(schema)}{_bounds(schema)}{' or null' if schema.get('nullable') else ''}"


def _kind(schema: Mapping[str, Any]) -> str:
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return name
    if wrapped := schema.get("allOf") or schema.get("oneOf"):
        return _kind(wrapped[0])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema['items'])}"
        case "object" if "additionalProperties" in schema:
            return f"{_kind(schema['additionalProperties'])} by name"
        case kind:
            return schema.get("format", kind) if kind == "string" else str(kind)


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None or high is None:
        return ""
    return f" {'above' if schema.get('exclusiveMinimum') else 'from'} {low:g} to {high:,}"


def _name(schema: Mapping[str, Any]) -> str:
    """The object that a schema is, or that its parts are."""
    inner = schema.get("allOf") or schema.get("oneOf") or [schema.get("items") or {}]
    return schema.get("$ref", "").rpartition("/")[2] or (_name(inner[0]) if inner[0] else "")
