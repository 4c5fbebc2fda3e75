"""Names that nobody knows, in a body or a query, are refused: a misspelt one would be left out without a word."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers
from rest_framework.exceptions import APIException

from predictions.contract import MAX_ERRORS, MAX_NAME_LENGTH, FieldError


class UnknownNames(APIException):
    """A body or a query has names that are not known; `errors` are one for each."""

    status_code = 422
    default_code = "unknown_names"
    default_detail = "not all of these names are known"

    def __init__(self, errors: list[FieldError]):
        super().__init__()
        self.errors = errors


def refuse_unknown(given: Iterable[str], known: Collection[str], what: str) -> None:
    """Let pass what is `known`; `what` a name stands for is a word of the errors: "parameter".

    Raises:
        UnknownNames: there are others.
    """
    there_are = f"there are: {', '.join(known)}"
    if unknown := [str(name)[:MAX_NAME_LENGTH] for name in given if name not in known]:
        raise UnknownNames(
            [FieldError(name, f"unknown_{what}", f"{name} is no {what}; {there_are}") for name in unknown[:MAX_ERRORS]]
        )


class StrictSerializer(serializers.Serializer):
    """Refuses the members that it doesn't have, and says so in OpenAPI."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            refuse_unknown(data, self.fields.keys(), "field")
        return super().to_internal_value(data)


class StrictShape(OpenApiSerializerExtension):
    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema, direction) -> dict:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}
