"""One partition of a transform: its guest, the records that wait for it, and what happens when it traps."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, cast

from confluent_kafka import Message

from streaming.transform_host.abi import Output
from streaming.transform_host.guest import Guest, Trapped
from streaming.transform_host.records import Record

logger = logging.getLogger("streaming.transforms")

# Redpanda would try for ever and stall the partition; so many traps on one record make it a dead letter here.
MAX_TRAPS = 3


@dataclass
class RestartDelay:
    """Seconds until the next start of a guest: doubling, and from the beginning after it ran well for a while."""

    first: float = 1.0
    longest: float = 30.0
    good: float = 10.0
    _next: float = field(default=0.0, init=False)

    def after(self, ran_seconds: float) -> float:
        if self._next == 0 or ran_seconds >= self.good:
            self._next = self.first
        delay = min(self._next, self.longest)
        self._next = delay * 2
        return delay


@dataclass(frozen=True)
class Step:
    """What a guest made of the first `done` records of a lane; `poison` is the last of them, given up for a reason."""

    done: int
    outputs: list[Output]
    poison: Message | None = None
    reason: str = ""


NOTHING = Step(0, [])


class _Waiting(NamedTuple):
    message: Message
    record: Record


class Lane:
    """Records wait here until what came of them is acknowledged: `step`, publish, `confirm`. `clock` in seconds."""

    def __init__(
        self, name: str, start: Callable[[], Guest], *, restart_delay: RestartDelay, clock: Callable[[], float]
    ):
        self._name = name
        self._start = start
        self._restart_delay = restart_delay
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._guest: Guest | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._suspect: int | None = None  # offset of the record on which the guest died last
        self._traps = 0
        self._one_by_one_until = -1  # offset of the last record of the batch in which it died

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_due(self) -> bool:
        """Whether `step` would do anything."""
        return bool(self._waiting) and self._clock() >= self._start_again_at

    def add(self, message: Message) -> None:
        self._waiting.append(_Waiting(message, record_of(message)))

    def step(self) -> Step:
        """Put what waits through the guest, as far as it gets; the records stay until `confirm`."""
        if not self.is_due:
            return NOTHING
        # After a trap one record at a time: a guest may die of a record before it takes it, and of whose then?
        limit = 1 if self._waiting[0].record.offset <= self._one_by_one_until else len(self._waiting)
        batch = list(islice(self._waiting, limit))
        try:
            if self._guest is None:
                self._guest = self._start()
                self._started_at = self._clock()
        except Trapped as trapped:
            self._restart_later(str(trapped), "while starting")
            return NOTHING
        try:
            return Step(len(batch), self._guest.transform([waiting.record for waiting in batch]))
        except Trapped as trapped:
            return self._after_trap(batch, trapped)

    def confirm(self, done: int) -> int:
        """What came of the first `done` records is acknowledged; the offset from which to go on."""
        for _ in range(done):
            last = self._waiting.popleft()
        return last.record.offset + 1

    def close(self) -> None:
        if self._guest is not None:
            self._guest.stop()
            self._guest = None

    def _after_trap(self, batch: list[_Waiting], trapped: Trapped) -> Step:
        message, record = batch[trapped.completed]
        self._traps = self._traps + 1 if self._suspect == record.offset else 1
        self._suspect = record.offset
        self._one_by_one_until = max(self._one_by_one_until, batch[-1].record.offset)
        self._restart_later(str(trapped), f"on offset {record.offset}, trap {self._traps}")
        if self._traps < MAX_TRAPS:
            return Step(trapped.completed, trapped.outputs)
        return Step(trapped.completed + 1, trapped.outputs, poison=message, reason=str(trapped))

    def _restart_later(self, reason: str, where: str) -> None:
        now = self._clock()
        delay = self._restart_delay.after(now - self._started_at if self._guest is not None else 0.0)
        self._guest = None
        self._start_again_at = now + delay
        logger.error("%s trapped %s: %s; next start in %g s", self._name, where, reason, delay)


def record_of(message: Message) -> Record:
    """A record from Kafka as a guest is given it."""
    _, timestamp = message.timestamp()
    headers = cast(list[tuple[str, bytes | None]], message.headers() or [])
    return Record(
        message.key(),
        message.value(),
        [(name.encode(), value) for name, value in headers],
        timestamp,
        cast(int, message.offset()),
    )
