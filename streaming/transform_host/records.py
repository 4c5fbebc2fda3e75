"""A record as a guest sees it: the tail of a Kafka v2 record (key, value and headers, sizes as zigzag varints)."""

from dataclasses import dataclass, field

Header = tuple[bytes | None, bytes | None]

_MAX_VARINT_SHIFT = 63


class BadPayload(ValueError):
    """Bytes from a guest that are no record."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `timestamp` in epoch ms, -1 where the broker has none."""

    key: bytes | None
    value: bytes | None
    headers: list[Header] = field(default_factory=list)
    timestamp: int = -1
    offset: int = 0


def encode_varint(number: int) -> bytes:
    zigzag = ((number << 1) ^ (number >> 63)) & 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while zigzag >= 0x80:
        encoded.append((zigzag & 0x7F) | 0x80)
        zigzag >>= 7
    encoded.append(zigzag)
    return bytes(encoded)


def decode_varint(payload: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends."""
    zigzag = shift = 0
    while True:
        if at >= len(payload) or shift > _MAX_VARINT_SHIFT:
            raise BadPayload("a varint has no end")
        byte = payload[at]
        at += 1
        zigzag |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (zigzag >> 1) ^ -(zigzag & 1), at
        shift += 7


_NULL = encode_varint(-1)
_SMALL = [encode_varint(size) for size in range(1024)]


def _sized(content: bytes | None) -> bytes:
    if content is None:
        return _NULL
    size = len(content)
    return (_SMALL[size] if size < len(_SMALL) else encode_varint(size)) + content


def encode_payload(record: Record) -> bytes:
    parts = [_sized(record.key), _sized(record.value), encode_varint(len(record.headers))]
    for name, value in record.headers:
        parts.append(_sized(name))
        parts.append(_sized(value))
    return b"".join(parts)


def decode_sized(payload: bytes, at: int) -> tuple[bytes | None, int]:
    """The bytes (or null) whose size stands at `at`, and where they end."""
    size, at = decode_varint(payload, at)
    if size == -1:
        return None, at
    end = at + size
    if size < 0 or end > len(payload):
        raise BadPayload("a size is out of bounds")
    return payload[at:end], end


def decode_payload(payload: bytes) -> Record:
    """The record that a guest wrote.

    Raises:
        BadPayload: by the rules of Redpanda's own check.
    """
    key, at = decode_sized(payload, 0)
    value, at = decode_sized(payload, at)
    count, at = decode_varint(payload, at)
    if count < 0:
        raise BadPayload("a negative number of headers")
    headers: list[Header] = []
    for _ in range(count):
        name, at = decode_sized(payload, at)
        content, at = decode_sized(payload, at)
        headers.append((name, content))
    if at != len(payload):
        raise BadPayload("bytes after the record")
    return Record(key, value, headers)
