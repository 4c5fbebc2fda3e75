"""What travels on the topics, and the headers that go along; the shapes are those of `redpanda/contracts/`."""

import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from confluent_kafka import Message

from predictions.answers import Answer
from predictions.contract import CONTRACTS, FIELDS, FieldError
from predictions.services import Refusal, Unpublished
from streaming.kafka import Headers
from streaming.topics import Topic

# What a message may carry from hop to hop; anything else a stranger put there stays behind at the first Python hop.
KEPT_HEADERS = ("source", "attempt", "traceparent")
# A score or a dead letter that no topic takes would stop its stage: what goes into them is bounded where it is read.
MAX_HEADER_BYTES = 1024
MAX_FLAGS = 64
CARRIED_STAGES = ("accepted", "published", "prepared", "enqueued", "scored")
# Dead letters of these stages are verdicts on the question; those of others are faults of ours.
VERDICT_STAGES = ("prepare-request", "worker")
DEAD_LETTER_HEADERS = frozenset(
    json.loads((CONTRACTS / "schemas" / f"{Topic.DEAD_LETTERS}.json").read_text())["properties"]
)
MAX_DEAD_LETTER_HEADERS = 64
MAX_DETAIL_BYTES = 500
# In characters: what the inbox has columns for. A stranger's longer text is cut before it is stored, counted or pushed.
MAX_WORD, MAX_DETAIL, MAX_TOPIC_NAME = 64, 500, 249
# A longer value or key leaves its beginning in the dead letter, and its length in a header.
MAX_DEAD_LETTER_BYTES = 64 * 1024
MAX_DEAD_LETTER_KEY_BYTES = 1024
KEPT_BYTES = 1024


class InvalidMessage(Exception):
    """A record that no repetition will make readable: it goes to the dead-letter topic. `code` is stable."""

    def __init__(self, code: str, detail: str, field: str = ""):
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


class Readable(Protocol):
    """As much of a Kafka record as is needed to read what it says."""

    def key(self) -> bytes | None: ...

    def value(self) -> bytes | None: ...

    def headers(self) -> Any: ...

    def timestamp(self) -> tuple[int, int]: ...


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def to_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def as_text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


# -- headers -------------------------------------------------------------------------------------------------------
def travelling_headers(message: Readable) -> dict[str, str]:
    """The headers of `message` that go on to the next hop, as text; none that is longer than any of ours."""
    wanted = {*KEPT_HEADERS, *(f"at-{stage}" for stage in CARRIED_STAGES)}
    return {
        name: value.decode("utf-8", "replace")
        for name, value in headers_of(message)
        if name in wanted and value and len(value) <= MAX_HEADER_BYTES
    }


def headers_of(message: Readable) -> list[tuple[str, bytes | None]]:
    """The headers in their order; none where there are none."""
    return cast(list[tuple[str, bytes | None]], message.headers() or [])


def encode_headers(headers: dict[str, str]) -> Headers:
    return [(name, value.encode()) for name, value in headers.items()]


def stages_of(headers: dict[str, str]) -> dict[str, int]:
    """Stage -> epoch ms at which the prediction left it, as far as the headers tell."""
    texts = ((stage, headers.get(f"at-{stage}", "")) for stage in CARRIED_STAGES)
    return {stage: int(text) for stage, text in texts if text.isascii() and text.isdigit() and len(text) <= 15}


# -- prediction_topic ----------------------------------------------------------------------------------------------
def request_message(row: Unpublished) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of an outbox row."""
    value = {"id": str(row.id), "features": row.features, "requested_at": as_text(row.requested_at)}
    headers = {
        "source": row.source,
        "attempt": str(row.attempts + 1),
        "at-accepted": str(int(row.requested_at.timestamp() * 1000)),
        "at-published": str(now_ms()),
    }
    return str(row.id).encode(), to_json(value), encode_headers(headers)


# -- prediction_features_topic -------------------------------------------------------------------------------------
def read_features(message: Readable) -> dict:
    """A features record as an item of a scoring batch: id, features, flags, requested_at, headers.

    Raises:
        InvalidMessage: not what `prepare-request` writes.
    """
    value = _object(message)
    _prediction_id(value)
    flags, requested_at = value.get("flags", []), str(value.get("requested_at", ""))
    if not isinstance(flags, list) or len(flags) > MAX_FLAGS or not all(_is_word(flag) for flag in flags):
        raise InvalidMessage("bad_message", "the flags must be a list of at most 64 short texts", "flags")
    if not _is_word(requested_at):
        raise InvalidMessage("bad_message", "the time must be a short text", "requested_at")
    headers = travelling_headers(message) | {"at-prepared": str(message.timestamp()[1])}
    return {
        "id": value["id"],
        "features": _features(value),
        "flags": flags,
        "requested_at": requested_at,
        "headers": headers,
    }


# -- prediction_score_topic ----------------------------------------------------------------------------------------
def score_message(item: dict, *, scores: list[dict], flags: list[str]) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a scored batch item; `scores` has the champion first, money in model units."""
    value = {name: item[name] for name in ("id", "features", "requested_at")} | {"flags": flags, "scores": scores}
    headers = item["headers"] | {"at-scored": str(now_ms())}
    return item["id"].encode(), to_json(value), encode_headers(headers)


# -- prediction_result_topic ---------------------------------------------------------------------------------------
def read_result(message: Readable) -> Answer:
    """The answer that a result record brings.

    Raises:
        InvalidMessage: not what `format-result` writes.
    """
    value = _object(message)
    headers = travelling_headers(message)
    try:
        return Answer(
            id=_prediction_id(value),
            **_money(value),
            model_id=_text(value["model"]["id"], "model", 128),
            model_sha256=_text(value["model"]["sha256"], "model", 64),
            flags=[_text(flag, "flags", 64) for flag in value["flags"]],
            features=_features(value),
            shadows={_text(model, "shadows", 128): _money(said) for model, said in value.get("shadows", {}).items()},
            requested_at=_moment(value["requested_at"]),
            source=headers.get("source", ""),
            stages=stages_of(headers) | {"formatted": message.timestamp()[1]},
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidMessage("bad_result", f"not a result: {type(error).__name__} {error}") from error


# -- prediction_dead_letter_topic ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class DeadLetter:
    """A record as it was, to be published to the dead-letter topic with why and where it failed."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def dead_letter(message: Message, error: InvalidMessage, *, stage: str) -> DeadLetter:
    """The dead letter of a record that `stage` read from a topic."""
    where = {
        "source-topic": str(message.topic()),
        "source-partition": str(message.partition()),
        "source-offset": str(message.offset()),
        "source-timestamp-ms": str(message.timestamp()[1]),
    }
    key, value = message.key(), message.value()
    if value is not None and len(value) > MAX_DEAD_LETTER_BYTES:
        where["truncated-from-bytes"] = str(len(value))
        value = value[:KEPT_BYTES]
    if key is not None and len(key) > MAX_DEAD_LETTER_KEY_BYTES:
        where["key-truncated-from-bytes"] = str(len(key))
        key = key[:KEPT_BYTES]
    headers = [*_kept_headers(message), *_error_headers(error, stage), *encode_headers(where)]
    return DeadLetter(key, value, headers)


def dead_letter_of_item(item: dict, error: InvalidMessage, *, stage: str) -> DeadLetter:
    """The dead letter of an item of a scoring batch, which is no longer a record of the features topic."""
    value = {name: item[name] for name in ("id", "features", "flags", "requested_at")}
    where = {
        "source-topic": str(Topic.FEATURES),
        "source-timestamp-ms": item["headers"].get("at-prepared", str(now_ms())),
    }
    headers = [*encode_headers(item["headers"]), *_error_headers(error, stage), *encode_headers(where)]
    return DeadLetter(item["id"].encode(), to_json(value), headers)


@dataclass(frozen=True)
class Verdict:
    """What a dead letter says of itself, cut; any of it may be empty, since anybody may write to the topic."""

    prediction_id: uuid.UUID | None
    stage: str
    error: str
    field: str
    detail: str
    source_topic: str
    source_partition: int | None
    source_offset: int | None
    is_whole: bool


def read_dead_letter(message: Readable) -> Verdict:
    """Why and where a record failed."""
    headers = _texts(message)
    return Verdict(
        prediction_id=_uuid((message.key() or b"").decode("utf-8", "replace")),
        stage=headers.get("stage", "")[:MAX_WORD],
        error=headers.get("error", "")[:MAX_WORD],
        field=headers.get("error-field", "")[:MAX_WORD],
        detail=headers.get("error-detail", "")[:MAX_DETAIL],
        source_topic=headers.get("source-topic", "")[:MAX_TOPIC_NAME],
        # What a column holds: PostgreSQL's integers have 32 and 64 bits.
        source_partition=_whole_number(headers.get("source-partition", ""), digits=9),
        source_offset=_whole_number(headers.get("source-offset", ""), digits=18),
        is_whole=headers.keys().isdisjoint(("truncated-from-bytes", "key-truncated-from-bytes")),
    )


def read_refusal(message: Readable) -> Refusal | None:
    """What a dead letter says to the one who asked; None where it is no verdict on a question with an id."""
    verdict = read_dead_letter(message)
    if verdict.prediction_id is None or verdict.stage not in VERDICT_STAGES:
        return None
    detail = verdict.detail or "The question could not be read."
    reason = FieldError(verdict.field, verdict.error or "invalid", detail)
    return Refusal(verdict.prediction_id, reason, source=_texts(message).get("source", ""))


def is_of_dead_letter(name: str) -> bool:
    """Whether the header was added when the record became a dead letter."""
    return name in DEAD_LETTER_HEADERS


def _texts(message: Readable) -> dict[str, str]:
    """The headers as text; PostgreSQL stores no NUL, and a stranger may have put one into a field's name."""
    return {
        name: (value or b"").decode("utf-8", "replace").replace("\0", "\ufffd") for name, value in headers_of(message)
    }


def _whole_number(text: str, *, digits: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def _kept_headers(message: Message) -> Headers:
    """The record's own headers, as far as there is room: a dead letter the broker refuses would stop its stage."""
    kept: Headers = []
    room = MAX_DEAD_LETTER_BYTES
    for name, value in headers_of(message)[:MAX_DEAD_LETTER_HEADERS]:
        room -= len(name.encode()) + len(value or b"")
        if room < 0:
            break
        kept.append((name, value))
    return kept


def _error_headers(error: InvalidMessage, stage: str) -> Headers:
    detail = error.detail.encode()[:MAX_DETAIL_BYTES].decode("utf-8", "ignore")
    headers = {"error": error.code, "error-detail": detail, "stage": stage}
    return encode_headers(headers | ({"error-field": error.field} if error.field else {}))


# -- reading JSON --------------------------------------------------------------------------------------------------
def _object(message: Readable) -> dict:
    try:
        value = json.loads((message.value() or b"").decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage("bad_json", f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidMessage("bad_json", "not a JSON object")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _prediction_id(value: dict) -> uuid.UUID:
    found = _uuid(value.get("id"))
    if found is None:
        raise InvalidMessage("bad_id", "the id is not a UUID", "id")
    return found


def _uuid(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) and len(text) == 36 else None
    except ValueError:
        return None


def _features(value: dict) -> dict[str, float]:
    features = value.get("features")
    if not isinstance(features, dict) or not all(_is_number(features.get(field.name)) for field in FIELDS):
        raise InvalidMessage("bad_message", "the features must be eight numbers", "features")
    return {field.name: float(features[field.name]) for field in FIELDS}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_WORD


def _money(value: dict) -> dict[str, int]:
    """Price and range of one model; a range that does not hold the price would fail the row's constraint for ever."""
    money = {name: _dollars(value, name) for name in ("price", "low", "high")}
    if not money["low"] <= money["price"] <= money["high"]:
        raise ValueError("the price is outside its range")
    return money


def _moment(text: str) -> datetime:
    """A moment in UTC; one that UTC can't express raises OverflowError here and not in the database."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _dollars(value: dict, name: str) -> int:
    dollars = value[name]
    if not isinstance(dollars, int) or isinstance(dollars, bool) or not 0 <= dollars < 2**31:
        raise ValueError(f"{name} is not an amount of whole dollars")
    return dollars


def _text(value: object, name: str, length: int) -> str:
    # Unprintable: NUL and lone surrogates, which PostgreSQL refuses.
    if not isinstance(value, str) or len(value) > length or not value.isprintable():
        raise ValueError(f"{name} is not a printable text of at most {length} characters")
    return value
