"""The message contract in Python: what a question may say, as `redpanda/contracts/` tells it.

The door (form, REST, `/predict_api`) asks this module; the transform `prepare-request` asks the same table in Rust,
and the tests compare the two on random questions.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

CONTRACTS = Path(settings.BASE_DIR) / "redpanda" / "contracts"
MAX_BODY_BYTES = 64 * 1024
MAX_NAME_LENGTH = 64
# A body full of unknown names would otherwise get an answer many times its own size.
MAX_ERRORS = 20


class ContractError(Exception):
    """A body that can't be read as a question at all. `code` is stable, the text is for people."""

    def __init__(self, code: str, detail: str):
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field. `code` is stable, `detail` is a sentence for people."""

    field: str
    code: str
    detail: str


class FeatureErrors(Exception):
    """The features can't be accepted; `errors` names the fields at fault (20 at most), in the order of the contract."""

    def __init__(self, errors: list[FieldError]):
        super().__init__("; ".join(error.detail for error in errors))
        self.errors = errors


@dataclass(frozen=True)
class Bounds:
    """An interval; `above` is an exclusive lower end."""

    max: float
    min: float = -math.inf
    above: float = -math.inf

    def hold(self, value: float) -> bool:
        return self.min <= value <= self.max and value > self.above

    def __str__(self) -> str:
        if self.min > -math.inf:
            return f"between {self.min:g} and {self.max:g}"
        return f"above {self.above:g} and at most {self.max:g}"


@dataclass(frozen=True)
class Field:
    """One input of the model as the contract describes it."""

    name: str
    label: str
    unit: str
    hard: Bounds
    soft: Bounds | None
    typical: float
    step: float
    aliases: tuple[tuple[str, float], ...]  # other spelling, what its value is divided by
    part_of: str | None = None  # the field that counts these too

    def out_of_range(self, value: float) -> FieldError:
        return FieldError(
            self.name,
            "out_of_range",
            f"{self.name} must be {self.hard} ({self.unit}), not {value:g}",
        )


@dataclass(frozen=True)
class Normalised:
    """Eight floats by canonical name in the order of the contract, and what is unusual about them."""

    features: dict[str, float]
    flags: list[str]


def _field(entry: dict) -> Field:
    return Field(
        name=entry["name"],
        label=entry["label"],
        unit=entry["unit"],
        hard=Bounds(**entry["hard"]),
        soft=Bounds(**entry["soft"]) if "soft" in entry else None,
        typical=entry["typical"],
        step=entry["step"],
        aliases=tuple((alias["name"], alias.get("divide_by", 1)) for alias in entry["aliases"]),
        part_of=entry.get("part_of"),
    )


def _read_fields() -> tuple[Field, ...]:
    table = json.loads((CONTRACTS / "fields.json").read_text())
    return tuple(_field(entry) for entry in table["fields"])


FIELDS = _read_fields()


@cache
def _spellings() -> dict[str, tuple[str, float]]:
    """Every accepted name -> canonical name and what its value is divided by."""
    return {
        spelling: (field.name, divide_by)
        for field in FIELDS
        for spelling, divide_by in ((field.name, 1), *field.aliases)
    }


class _Members(list):
    """The members of a JSON object as pairs, in document order and with repeated keys."""


def parse_json(body: bytes) -> object:
    """The JSON of a request body; objects come as pairs so that a repeated key is seen.

    Raises:
        ContractError: too large, not UTF-8, not JSON, or nested too deeply.
    """
    if len(body) > MAX_BODY_BYTES:
        raise ContractError("too_large", f"the body has {len(body)} bytes, at most {MAX_BODY_BYTES} are read")
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_Members, parse_int=_whole_number)
    except UnicodeDecodeError as error:
        raise ContractError("bad_json", f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ContractError(
            "bad_json", f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from error
    except RecursionError as error:
        raise ContractError("bad_json", "the body is nested too deeply") from error


def _whole_number(text: str) -> float:
    """A JSON integer as float: a thousand digits are infinity here, as in any other JSON reader."""
    return float(text)


def normalise_features(features: object) -> Normalised:
    """Check `features` (a JSON object, as pairs or a mapping) against the contract and give it canonical names.

    Raises:
        FeatureErrors: with every fault (20 at most), not only the first.
    """
    if isinstance(features, dict):
        features = _Members(features.items())
    if not isinstance(features, _Members):
        raise FeatureErrors([FieldError("features", "wrong_type", "the features must be a JSON object")])
    given, errors = _by_canonical_name(features)
    values: dict[str, float] = {}
    for field in FIELDS:
        if field.name not in given:
            errors.append(FieldError(field.name, "missing_field", f"{field.name} is missing ({field.unit})"))
            continue
        value, divide_by = given[field.name]
        if (error := _number_error(field, value)) is not None:
            errors.append(error)
            continue
        # Adding zero makes -0.0 the 0.0 that the integer "-0" already is in Python.
        number = float(value) / divide_by + 0.0  # type: ignore[arg-type]
        if not field.hard.hold(number):
            errors.append(field.out_of_range(number))
            continue
        values[field.name] = number
    if errors:
        raise FeatureErrors(errors[:MAX_ERRORS])
    return Normalised(values, [*_outside(values), *_above(values)])


def _outside(values: dict[str, float]) -> list[str]:
    """Flags of the values outside their soft ranges."""
    return [f"unusual_{field.name}" for field in FIELDS if field.soft and not field.soft.hold(values[field.name])]


def _above(values: dict[str, float]) -> list[str]:
    """Flags of the parts that are more than their whole."""
    parts = [(field.name, field.part_of) for field in FIELDS if field.part_of]
    return [f"{name}_above_{whole}" for name, whole in parts if values[name] > values[whole]]


def _by_canonical_name(
    members: Iterable[tuple[str, object]],
) -> tuple[dict[str, tuple[object, float]], list[FieldError]]:
    given: dict[str, tuple[object, float]] = {}
    errors = []
    for key, value in members:
        if key not in _spellings():
            key = key[:MAX_NAME_LENGTH]
            errors.append(FieldError(key, "unknown_field", f"{key} is not a field of a house"))
            continue
        name, divide_by = _spellings()[key]
        if name in given:
            errors.append(FieldError(name, "duplicate_field", f"{name} is given twice"))
            continue
        given[name] = (value, divide_by)
    return given, errors


def _number_error(field: Field, value: object) -> FieldError | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return FieldError(field.name, "wrong_type", f"{field.name} must be a number ({field.unit})")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        return FieldError(field.name, "not_finite", f"{field.name} must be a finite number ({field.unit})")
    return None
