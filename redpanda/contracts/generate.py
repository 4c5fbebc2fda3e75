#!/usr/bin/env python3
"""Write the JSON Schema of each topic into `schemas/`, from the field table `fields.json`. Needs nothing but Python."""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"

ANY_CASE_UUID = {
    "type": "string",
    "pattern": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}
REQUESTED_AT = {"type": "string", "minLength": 1, "maxLength": 40, "description": "RFC 3339"}
FLAGS = {"type": "array", "items": {"type": "string"}, "maxItems": 64}
MODEL_ID = {"type": "string", "minLength": 1, "maxLength": 128}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
MODEL_UNITS = {"type": "number", "minimum": -1e9, "maximum": 1e9, "description": "$100,000 of 1990"}
DOLLARS = {"type": "integer", "minimum": 0, "description": "whole dollars of 1990"}
PRICE_NAMES = ("price", "low", "high")
# Where a record can end: transforms, processes, the transform host, and the pipelines of Connect.
STAGES = [
    *("prepare-request", "format-result"),
    *("scorer", "worker", "deliverer"),
    "transform-host",
    *("feed", "archive"),
]
DIGITS = {"type": "string", "pattern": "^[0-9]+$"}


def message(title: str, properties: dict, optional: tuple[str, ...] = ()) -> dict:
    """A JSON object to which members may be added later."""
    required = [name for name in properties if name not in optional]
    return {"$schema": DIALECT, "title": title, "type": "object", "required": required, "properties": properties}


def bounds(field: dict, divide_by: float) -> dict:
    """The hard range of a field in the unit of one of its spellings."""
    keywords = {"min": "minimum", "above": "exclusiveMinimum", "max": "maximum"}
    return {keywords[end]: value * divide_by for end, value in field["hard"].items()}


def spellings(field: dict) -> dict[str, float]:
    """Every accepted name of a field, and what a value by that name is divided by."""
    return {field["name"]: 1} | {alias["name"]: alias.get("divide_by", 1) for alias in field["aliases"]}


def asked_features(fields: list[dict]) -> dict:
    """Eight features, each by exactly one of its names."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"type": "number", "description": f"{field['label']} ({field['unit']})", **bounds(field, divide_by)}
            if divide_by == 1
            else {"type": "number", "description": f"{field['name']} times {divide_by}", **bounds(field, divide_by)}
            for field in fields
            for name, divide_by in spellings(field).items()
        },
        "allOf": [{"oneOf": [{"required": [name]} for name in spellings(field)]} for field in fields],
    }


def normalised_features(fields: list[dict]) -> dict:
    """The eight features by their canonical names."""
    names = [field["name"] for field in fields]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": names,
        "properties": {field["name"]: {"type": "number", "description": field["unit"]} for field in fields},
    }


def schemas(fields: list[dict]) -> dict[str, dict]:
    """Topic -> the schema of its values (of the headers, for dead letters)."""
    features = normalised_features(fields)
    estimate = dict.fromkeys(PRICE_NAMES, MODEL_UNITS)
    score = {"model": MODEL_ID, "sha256": SHA256, "role": {"enum": ["champion", "shadow"]}, **estimate}
    dollars = dict.fromkeys(PRICE_NAMES, DOLLARS)
    return {
        "prediction_topic": message(
            "A question as it was asked",
            {"id": ANY_CASE_UUID, "features": asked_features(fields), "requested_at": REQUESTED_AT},
        ),
        "prediction_features_topic": message(
            "A question, checked and normalised",
            {"id": UUID, "features": features, "flags": FLAGS, "requested_at": REQUESTED_AT},
        ),
        "prediction_score_topic": message(
            "What the models said",
            {
                "id": ANY_CASE_UUID,
                "features": features,
                "flags": FLAGS,
                "requested_at": REQUESTED_AT,
                "scores": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 32,
                    "items": {"type": "object", "required": list(score), "properties": score},
                    "contains": {"properties": {"role": {"const": "champion"}}},
                    "minContains": 1,
                    "maxContains": 1,
                },
            },
        ),
        "prediction_result_topic": message(
            "What a front end shows",
            {
                "id": UUID,
                **dollars,
                "model": {
                    "type": "object",
                    "required": ["id", "sha256"],
                    "properties": {"id": MODEL_ID, "sha256": SHA256},
                },
                "flags": FLAGS,
                "features": features,
                "requested_at": REQUESTED_AT,
                "shadows": {
                    "type": "object",
                    "propertyNames": MODEL_ID,
                    "additionalProperties": {
                        "type": "object",
                        "required": list(PRICE_NAMES),
                        "properties": dollars,
                    },
                },
            },
        ),
        "prediction_dead_letter_topic": message(
            "The headers of a dead letter, as text; its key and value are those of the record",
            {
                "error": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
                "error-detail": {"type": "string", "maxLength": 500},
                "error-field": {"type": "string", "maxLength": 64},
                "stage": {"enum": STAGES},
                "source-topic": {"type": "string"},
                "source-timestamp-ms": DIGITS,
                "source-partition": DIGITS,
                "source-offset": DIGITS,
                "truncated-from-bytes": DIGITS,
                "key-truncated-from-bytes": DIGITS,
            },
            optional=(
                "error-field",
                "source-partition",
                "source-offset",
                "truncated-from-bytes",
                "key-truncated-from-bytes",
            ),
        ),
    }


def texts() -> dict[Path, str]:
    """What each file under `schemas/` should say."""
    fields = json.loads((HERE / "fields.json").read_text())["fields"]
    return {
        HERE / "schemas" / f"{topic}.json": json.dumps(schema, indent=2) + "\n"
        for topic, schema in schemas(fields).items()
    }


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text)
