"""The deliverer: results -> rows and feeds, then the owners' bells. Store, ring, then let the offsets be committed."""

import logging
from collections.abc import Sequence

from confluent_kafka import Consumer, Message
from django.db import transaction

from predictions import life_log, services
from predictions.answers import Answer
from predictions.models import Door
from streaming import dead_letters, messages, metrics
from streaming.bells import Bells
from streaming.kafka import Publisher, handling, position, read_batch
from streaming.messages import InvalidMessage
from streaming.stopped_lines import StoppableLine
from streaming.topics import Topic

logger = logging.getLogger(__name__)

# A record, and why it can't be used.
Unusable = tuple[Message, InvalidMessage]

# Short transactions: SQLite has one writer, and the door and the publisher need it too.
BATCH_SIZE = 256


class Deliverer:
    """Stores what the log says of predictions and tells their owners."""

    def __init__(self, *, consumer: Consumer, dead_letters: Publisher, bells: Bells, line: StoppableLine):
        self._consumer = consumer
        self._dead_letters = dead_letters
        self._bells = bells
        self._line = line
        # What was read and may have to be read again, if not in the same batches: topic, partition and offset.
        self._judged: set[tuple[str, int, int]] = set()

    def run_once(self) -> int:
        """One batch of results and dead letters; how many records.

        Raises:
            LineStopped: most results can't be read; none is lost, and an operator must look.
        """
        self._line.check_open()
        records = read_batch(self._consumer, limit=BATCH_SIZE)
        if not records:
            return 0
        letters = [record for record in records if record.topic() == Topic.DEAD_LETTERS]
        results = [record for record in records if record.topic() != Topic.DEAD_LETTERS]
        with handling(self._consumer, records):
            answers, unusable = self._read(results)
            feeds = _store_answers(answers) if answers else set()
            feeds |= _store_letters(letters) if letters else set()
            self._bells.ring(feeds)
            # After what may have to be tried again: each try would bury them once more.
            self._bury(unusable)
        self._judged.clear()
        _tell_of(letters)
        metrics.BATCHES.labels("deliverer").observe(len(records))
        return len(records)

    def _read(self, results: Sequence[Message]) -> tuple[list[Answer], list[Unusable]]:
        answers: list[tuple[Message, Answer]] = []
        bad: list[Unusable] = []
        are_bad: dict[tuple[str, int, int], bool] = {}
        for record in results:
            try:
                answers.append((record, messages.read_result(record)))
                are_bad[position(record)] = False
            except InvalidMessage as error:
                bad.append((record, error))
                are_bad[position(record)] = True
        self._line.judge(is_bad for place, is_bad in are_bad.items() if place not in self._judged)
        self._judged |= are_bad.keys()
        adoptable, orphans = _split_orphans(answers)
        return adoptable, [*bad, *orphans]

    def _bury(self, bad: Sequence[Unusable]) -> None:
        for record, error in bad:
            letter = messages.dead_letter(record, error, stage="deliverer")
            self._dead_letters.publish(Topic.DEAD_LETTERS, key=letter.key, value=letter.value, headers=letter.headers)
        if bad:
            self._dead_letters.flush()


def _store_answers(answers: Sequence[Answer]) -> set[str]:
    """Answer predictions; keys of the feeds that moved."""
    settled = services.record_answers(answers)
    stored_ms = messages.now_ms()
    for answer in answers:
        if answer.id in settled.told:
            metrics.count_travel(answer.stages | {"stored": stored_ms})
    metrics.SETTLED.labels("late").inc(len(settled.late))
    metrics.SETTLED.labels("answered").inc(len(settled.told) - len(settled.late))
    life_log.tell("answered", settled.told, late=len(settled.late))
    return settled.feeds


def _store_letters(letters: Sequence[Message]) -> set[str]:
    """Put dead letters into the inbox and tell those whose questions they refuse; keys of the feeds that moved."""
    refusals = [refusal for letter in letters if (refusal := messages.read_refusal(letter))]
    with transaction.atomic():
        dead_letters.keep(letters)
        rejected = services.record_refusals(refusals)
    metrics.SETTLED.labels("rejected").inc(len(rejected.told))
    life_log.tell("rejected", rejected.told)
    return rejected.feeds


def _tell_of(letters: Sequence[Message]) -> None:
    """Count and log them, once they are done with."""
    for letter in letters:
        verdict = messages.read_dead_letter(letter)
        metrics.count_dead_letter(stage=verdict.stage, error=verdict.error)
        if verdict.prediction_id is not None:
            life_log.tell("dead-lettered", [verdict.prediction_id], stage=verdict.stage, error=verdict.error)


def _split_orphans(
    answers: Sequence[tuple[Message, Answer]],
) -> tuple[list[Answer], list[Unusable]]:
    """Answers that have a row or an integration account to be adopted for, and those that have neither.

    The row of another source is not theirs: an integration chooses its ids itself. An answer that came through a door
    of ours had a row, which its owner has deleted: nobody waits for it.
    """
    source_of = services.sources_of(answer.id for _, answer in answers)
    integrations = services.integration_sources() if any(answer.id not in source_of for _, answer in answers) else {}
    kept, orphans = [], []
    for record, answer in answers:
        source = source_of.get(answer.id)
        if source is None and answer.source in Door.values:
            logger.info("prediction %s was deleted before it was answered", answer.id)
        elif source is None and answer.source not in integrations:
            detail = f"no prediction has this id and no integration account is named {answer.source!r}"
            orphans.append((record, InvalidMessage("unknown_source", detail, "source")))
        elif source is not None and not services.is_from(source, answer.source):
            detail = f"the prediction with this id came through {source!r}, and not through {answer.source!r}"
            orphans.append((record, InvalidMessage("foreign_id", detail, "id")))
        else:
            source_of[answer.id] = source or answer.source  # Of two in one batch the first has the id.
            kept.append(answer)
    return kept, orphans
