"""The deliverer: results -> rows and feeds, then the owners' bells. Store, ring, then let the offsets be committed."""

from collections.abc import Sequence

from confluent_kafka import Consumer, Message

from predictions import services
from predictions.services import Answer, Refusal
from streaming import messages
from streaming.bells import Bells
from streaming.kafka import Publisher, handling, read_batch
from streaming.messages import InvalidMessage
from streaming.topics import Topic

# Short transactions: SQLite has one writer, and the door and the publisher need it too.
BATCH_SIZE = 256


class Deliverer:
    """Stores what the log says of predictions and tells their owners."""

    def __init__(self, *, consumer: Consumer, dead_letters: Publisher, bells: Bells):
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
