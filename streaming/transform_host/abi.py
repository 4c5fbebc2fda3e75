"""The functions that Redpanda gives a transform: a batch is read record by record, records are written to topics."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from streaming.transform_host.calls import HostCalls
from streaming.transform_host.memory import GuestMemory
from streaming.transform_host.records import (
    BadPayload,
    Record,
    decode_payload,
    decode_sized,
    encode_payload,
)

TRANSFORM = "redpanda_transform"
SCHEMA_REGISTRY = "redpanda_schema_registry"

NO_ACTIVE_TRANSFORM = -1
INVALID_BUFFER = -2
INVALID_WRITE = -3
REGISTRY_NOT_ENABLED = -1

# The out-parameters of read_batch_header, in order.
BATCH_HEADER_FORMATS = ("<q", "<i", "<i", "<h", "<i", "<q", "<q", "<q", "<h", "<i")
NO_PRODUCER = -1
TOPIC_OPTION = 1

RECORD_ATTRIBUTES = b"\x00"


@dataclass(frozen=True, slots=True)
class Output:
    """A record that a guest wrote to a topic."""

    topic: str
    record: Record


@dataclass
class Batch:
    """Records on their way through a guest. `outputs` are those of `completed` records, then the current one's."""

    records: list[Record]
    outputs: list[Output] = field(default_factory=list)
    taken: int = 0
    _outputs_before_current: int = 0

    def __post_init__(self) -> None:
        self.payloads = [encode_payload(record) for record in self.records]

    @property
    def completed(self) -> int:
        """How many records the guest was through with when it took its last one."""
        return max(self.taken - 1, 0)

    @property
    def completed_outputs(self) -> list[Output]:
        return self.outputs[: self._outputs_before_current]

    def take(self) -> None:
        self._outputs_before_current = len(self.outputs)
        self.taken += 1

    def header(self) -> tuple[int, ...]:
        first, timestamps = self.records[0], [record.timestamp for record in self.records]
        count = len(self.records)
        span = (first.timestamp, max(timestamps))
        return (first.offset, count, 0, 0, count - 1, *span, NO_PRODUCER, NO_PRODUCER, NO_PRODUCER)


class TransformAbi:
    """What the guest calls.

    `next_batch` blocks until there is one; `set_time(ms)` sets the guest's wall clock, `refuel` fills its tank.
    """

    def __init__(
        self,
        memory: GuestMemory,
        *,
        output_topics: tuple[str, ...],
        next_batch: Callable[[], Batch],
        set_time: Callable[[int], None],
        refuel: Callable[[], None],
    ):
        self._memory = memory
        self._output_topics = output_topics
        self._next_batch = next_batch
        self._set_time = set_time
        self._refuel = refuel
        self._batch: Batch | None = None

    def define(self, calls: HostCalls) -> None:
        markers = {"check_abi_version_1": ("", _nothing), "check_abi_version_2": ("", _nothing)}
        calls.define(TRANSFORM, markers, has_result=False)
        calls.define(
            TRANSFORM,
            {
                "read_batch_header": ("i" * len(BATCH_HEADER_FORMATS), self._read_batch_header),
                "read_next_record": ("iiiii", self._read_next_record),
                "write_record": ("ii", self._write_record),
                "write_record_with_options": ("iiii", self._write_record),
            },
        )
        calls.define(SCHEMA_REGISTRY, {"check_abi_version_0": ("", _nothing)}, has_result=False)
        calls.define(
            SCHEMA_REGISTRY,
            {
                "get_schema_definition_len": ("ii", _no_registry),
                "get_schema_definition": ("iii", _no_registry),
                "get_subject_schema_len": ("iiii", _no_registry),
                "get_subject_schema": ("iiiii", _no_registry),
                "create_subject_schema": ("iiiii", _no_registry),
            },
        )

    def _read_batch_header(self, *pointers: int) -> int:
        self._batch = None
        self._batch = batch = self._next_batch()
        self._set_time(batch.records[0].timestamp)
        for pointer, layout, number in zip(pointers, BATCH_HEADER_FORMATS, batch.header(), strict=True):
            self._memory.write(pointer, struct.pack(layout, number))
        return max(map(len, batch.payloads))

    def _read_next_record(self, attributes: int, timestamp: int, offset: int, buffer: int, size: int) -> int:
        batch = self._batch
        if batch is None or batch.taken >= len(batch.records):
            return NO_ACTIVE_TRANSFORM
        record, payload = batch.records[batch.taken], batch.payloads[batch.taken]
        self._memory.address(buffer, size)
        if size < len(payload):
            return INVALID_BUFFER
        batch.take()
        self._set_time(record.timestamp)
        self._memory.write(attributes, RECORD_ATTRIBUTES)
        self._memory.write(timestamp, struct.pack("<q", record.timestamp))
        self._memory.write(offset, struct.pack("<q", record.offset))
        self._memory.write(buffer, payload)
        self._refuel()
        return len(payload)

    def _write_record(self, buffer: int, size: int, options: int = 0, options_size: int = 0) -> int:
        batch = self._batch
        if batch is None:
            return NO_ACTIVE_TRANSFORM
        content = self._memory.read(buffer, size)
        try:
            record = decode_payload(content)
            topic = self._topic(self._memory.read(options, options_size))
        except BadPayload:
            return INVALID_BUFFER
        if topic not in self._output_topics:
            return INVALID_WRITE
        batch.outputs.append(Output(topic, record))
        return size

    def _topic(self, options: bytes) -> str:
        if not options:
            return self._output_topics[0]
        if options[0] != TOPIC_OPTION:
            raise BadPayload("an unknown option")
        name, end = decode_sized(options, 1)
        if name is None or end != len(options):
            raise BadPayload("bytes after the options")
        return name.decode("utf-8", "replace")


def _nothing() -> None:
    return None


def _no_registry(*_: int) -> int:
    return REGISTRY_NOT_ENABLED
