"""Scoring: features records -> Celery batches (the scorer), and a batch -> `prediction_score_topic` (the worker)."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from confluent_kafka import Consumer, Message

from mlmodel.features import matrix
from mlmodel.scoring import Estimates, LiveModels
from mlmodel.support import nearest_km
from predictions import life_log
from predictions.location import location_flags, unsupported
from streaming import messages
from streaming.kafka import Publisher, handling, position, read_batch
from streaming.messages import InvalidMessage
from streaming.metrics import BATCHES, SCORING
from streaming.stopped_lines import StoppableLine
from streaming.topics import Topic

# A record, and why it can't be read.
Unreadable = tuple[Message, InvalidMessage]

KILLED_WORKER = "It could not be scored: each worker that tried it died of it, or was ended after too long."


# -- the scorer ----------------------------------------------------------------------------------------------------
class BatchScorer:
    """Consumes features records and enqueues what is there as one Celery task. It never scores."""

    def __init__(
        self,
        *,
        consumer: Consumer,
        dead_letters: Publisher,
        enqueue: Callable[[list[dict]], None],
        wait_for_room: Callable[[], bool],
        batch_size: int,
        line: StoppableLine,
    ):
        self._consumer = consumer
        self._dead_letters = dead_letters
        self._enqueue = enqueue
        self._wait_for_room = wait_for_room
        self._batch_size = batch_size
        self._line = line
        # What was read and may have to be read again, if not in the same batches: topic, partition and offset.
        self._judged: set[tuple[str, int, int]] = set()

    def run_once(self) -> int:
        """One batch: read it, enqueue it, then let its offsets be committed; how many predictions.

        A batch is read only when a worker has room for it, so that batches grow under load instead of the queue.

        Raises:
            LineStopped: most records can't be read; none is lost, and an operator must look.
        """
        self._line.check_open()
        if not self._wait_for_room():
            return 0
        records = read_batch(self._consumer, limit=self._batch_size)
        if not records:
            return 0
        with handling(self._consumer, records):
            batch, unreadable = self._read(records)
            if batch:
                self._enqueue(batch)
                BATCHES.labels("scorer").observe(len(batch))
                life_log.tell("enqueued", ids_of(batch))
            # After what may have to be tried again: each try would bury them once more.
            self._bury(unreadable)
        self._judged.clear()
        return len(batch)

    def _read(self, records: Sequence[Message]) -> tuple[list[dict], list[Unreadable]]:
        batch: list[dict] = []
        bad: list[Unreadable] = []
        are_bad: dict[tuple[str, int, int], bool] = {}
        for record in records:
            try:
                batch.append(messages.read_features(record))
                are_bad[position(record)] = False
            except InvalidMessage as error:
                bad.append((record, error))
                are_bad[position(record)] = True
        self._line.judge(is_bad for place, is_bad in are_bad.items() if place not in self._judged)
        self._judged |= are_bad.keys()
        for item in batch:
            item["headers"]["at-enqueued"] = str(messages.now_ms())
        return batch, bad

    def _bury(self, bad: Sequence[Unreadable]) -> None:
        for record, error in bad:
            letter = messages.dead_letter(record, error, stage="scorer")
            self._dead_letters.publish(Topic.DEAD_LETTERS, key=letter.key, value=letter.value, headers=letter.headers)
        if bad:
            self._dead_letters.flush()


# -- the worker ----------------------------------------------------------------------------------------------------
class BatchScoring:
    """Scores batches with every live model and publishes the scores. It writes no row.

    `watch`: what to run the models in, for a caller that must not wait for one that hangs.
    """

    def __init__(
        self,
        *,
        models: LiveModels,
        publisher: Publisher,
        watch: Callable[[], AbstractContextManager[None]] = nullcontext,
    ):
        self._models = models
        self._publisher = publisher
        self._watch = watch

    def score(self, batch: Sequence[dict]) -> None:
        """Score every live model over the whole batch and publish; returns when the broker has acknowledged.

        Raises:
            NotDelivered: nothing is certain; score the batch again.
        """
        self._models.refresh()
        x = matrix([item["features"] for item in batch])
        with self._watch(), SCORING.time():
            estimates = self._models.estimate(x)
        for row, (item, km) in enumerate(zip(batch, nearest_km(x), strict=True)):
            self._publish(item, scores=scores_of(estimates, row), km=float(km))
        self._publisher.flush()
        life_log.tell("scored", ids_of(batch))

    def give_up(self, item: dict) -> None:
        """Make the item of which workers died a dead letter; returns when the broker has acknowledged.

        Raises:
            NotDelivered: give it up again.
        """
        self._bury(item, InvalidMessage("killed_worker", KILLED_WORKER))
        self._publisher.flush()

    def _bury(self, item: dict, error: InvalidMessage) -> None:
        letter = messages.dead_letter_of_item(item, error, stage="worker")
        self._publisher.publish(Topic.DEAD_LETTERS, key=letter.key, value=letter.value, headers=letter.headers)

    def _publish(self, item: dict, *, scores: list[dict], km: float) -> None:
        if (error := unsupported(km)) is not None:
            self._bury(item, InvalidMessage(error.code, error.detail, error.field))
            return
        flags = location_flags(km, item["flags"])
        key, value, headers = messages.score_message(item, scores=scores, flags=flags)
        self._publisher.publish(Topic.SCORES, key=key, value=value, headers=headers)


def ids_of(batch: Sequence[dict]) -> list[str]:
    """The ids of the predictions in a batch."""
    return [item["id"] for item in batch]


def scores_of(estimates: Sequence[Estimates], row: int) -> list[dict]:
    """What each model says of one row of the batch, champion first; money in model units ($100,000)."""
    return [
        {
            "model": one.model,
            "sha256": one.sha256,
            "role": one.role,
            "price": float(one.price[row]),
            "low": float(one.low[row]),
            "high": float(one.high[row]),
        }
        for one in estimates
    ]
