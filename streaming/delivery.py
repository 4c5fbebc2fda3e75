"""The deliverer: results -> rows and feeds, then the owners' bells. Store, ring, then let the offsets be committed."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from channels.layers import get_channel_layer
from confluent_kafka import Consumer, Message

from predictions import services
from predictions.services import Answer, Refusal
from streaming import messages
from streaming.feed import group_of
from streaming.kafka import Publisher, handling, read_batch
from streaming.messages import InvalidMessage
from streaming.topics import Topic

logger = logging.getLogger(__name__)

# Short transactions: SQLite has one writer, and the door and the publisher need it too.
BATCH_SIZE = 256


class Deliverer:
    """Stores what the log says of predictions and tells their owners."""

    def __init__(self, *, consumer: Consumer, dead_letters: Publisher, bells: "Bells"):
        self._consumer = consumer
        self._dead_letters = dead_letters
        self._bells = bells

    def run_once(self) -> int:
        """One batch of results and dead letters; how many records."""
        records = read_batch(self._consumer, limit=BATCH_SIZE)
        if not records:
            return 0
        with handling(self._consumer, records):
            answers, refusals = self._read(records)
            feeds = services.record_answers(answers) if answers else set()
            feeds |= services.record_refusals(refusals) if refusals else set()
            self._bells.ring(feeds)
        return len(records)

    def _read(self, records: Sequence[Message]) -> tuple[list[Answer], list[Refusal]]:
        answers: list[tuple[Message, Answer]] = []
        refusals: list[Refusal] = []
        bad: list[tuple[Message, InvalidMessage]] = []
        for record in records:
            if record.topic() == Topic.DEAD_LETTERS:
                refusal = messages.read_refusal(record)
                refusals += [refusal] if refusal else []
                continue
            try:
                answers.append((record, messages.read_result(record)))
            except InvalidMessage as error:
                bad.append((record, error))
        adoptable, orphans = _split_orphans(answers)
        self._bury([*bad, *orphans])
        return adoptable, refusals

    def _bury(self, bad: Sequence[tuple[Message, InvalidMessage]]) -> None:
        for record, error in bad:
            letter = messages.dead_letter(record, error, stage="deliverer")
            self._dead_letters.publish(Topic.DEAD_LETTERS, key=letter.key, value=letter.value, headers=letter.headers)
        if bad:
            self._dead_letters.flush()


def _split_orphans(
    answers: Sequence[tuple[Message, Answer]],
) -> tuple[list[Answer], list[tuple[Message, InvalidMessage]]]:
    """Answers that have a row or an integration account to be adopted for, and those that have neither."""
    strangers = services.unknown_predictions(answer.id for _, answer in answers)
    sources = services.integration_sources() if strangers else {}
    kept, orphans = [], []
    for record, answer in answers:
        if answer.id in strangers and answer.source not in sources:
            detail = f"no prediction has this id and no integration account is named {answer.source!r}"
            orphans.append((record, InvalidMessage("unknown_source", detail, "source")))
        else:
            kept.append(answer)
    return kept, orphans


class Bells:
    """Rings owners' bells from a synchronous process, on one kept event loop (one connection to Redis)."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._layer = get_channel_layer()

    def ring(self, feeds: Iterable[str]) -> None:
        """Tell these feeds that they moved. A bell may be lost: every connection looks at its feed now and then."""
        try:
            self._loop.run_until_complete(self._ring(list(feeds)))
        except Exception as error:
            # Whatever the layer raises: the rows are stored, and a bell must not stop the deliverer.
            logger.warning("bells not rung: %s", error)

    async def _ring(self, feeds: list[str]) -> None:
        async with asyncio.timeout(2):
            for feed_key in feeds:
                await self._layer.group_send(group_of(feed_key), {"type": "feed.moved"})
