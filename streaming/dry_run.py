"""What would become of a dead letter if it were replayed now: the real transform runs, nothing is published."""

from dataclasses import dataclass
from functools import cache

from streaming import dead_letters, messages
from streaming.kafka import Headers
from streaming.messages import InvalidMessage
from streaming.models import DeadLetter
from streaming.topics import Topic
from streaming.transform_host.deployments import Deployment, read_deployments, read_module
from streaming.transform_host.guest import Guest, Trapped
from streaming.transform_host.modules import TransformModule, compile_module
from streaming.transform_host.records import Record


@dataclass(frozen=True)
class Outcome:
    """What `stage` would make of a record: where it would go on to (a topic, or words) and with what value.

    `is_refused`: it would be a dead letter again.
    """

    stage: str
    goes_to: str
    value: bytes | None
    headers: list[tuple[str, str]]
    is_refused: bool

    @property
    def text(self) -> str:
        """The value for people."""
        return _shown(self.value)


class CannotTry(Exception):
    """Nothing reads the topic that this letter came from."""


def dry_run(letter: DeadLetter) -> list[Outcome]:
    """What its first reader would write; empty for a record that it would pass over.

    Raises:
        CannotTry: the letter came from none of our topics.
    """
    record = Record(
        key=None if letter.key is None else bytes(letter.key),
        value=dead_letters.body_of(letter),
        headers=[(name.encode(), value) for name, value in dead_letters.original_headers(letter)],
        timestamp=messages.now_ms(),
    )
    if letter.source_topic == Topic.FEATURES:
        return [_outcome_of_scorer(record)]
    if letter.source_topic == Topic.RESULTS:
        return [_outcome_of_deliverer(record)]
    for deployment in read_deployments().values():
        if deployment.input_topic == letter.source_topic:
            return _outcomes_of_transform(deployment, record)
    raise CannotTry(f"nothing reads {letter.source_topic!r}")


# -- transforms ----------------------------------------------------------------------------------------------------
@cache
def _module(name: str) -> TransformModule:
    return compile_module(read_module(name))


def _outcomes_of_transform(deployment: Deployment, record: Record) -> list[Outcome]:
    try:
        guest = Guest(deployment, _module(deployment.name))
        try:
            outputs = guest.transform([record])
        finally:
            guest.stop()
    except Trapped as trapped:
        return [_refused(deployment.name, f"trapped: {trapped}")]
    return [
        Outcome(
            stage=deployment.name,
            goes_to=output.topic,
            value=output.record.value,
            headers=[(_shown(name), _shown(value)) for name, value in output.record.headers],
            is_refused=output.topic == Topic.DEAD_LETTERS,
        )
        for output in outputs
    ]


# -- Python's stages -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _AsRead:
    """A record with the face that `messages` reads."""

    record: Record

    def key(self) -> bytes | None:
        return self.record.key

    def value(self) -> bytes | None:
        return self.record.value

    def headers(self) -> Headers:
        return [((name or b"").decode("utf-8", "replace"), value) for name, value in self.record.headers]

    def timestamp(self) -> tuple[int, int]:
        return 1, self.record.timestamp


def _outcome_of_scorer(record: Record) -> Outcome:
    try:
        item = messages.read_features(_AsRead(record))
    except InvalidMessage as error:
        return _refused("scorer", f"{error.code}: {error.detail}")
    return Outcome("scorer", "a worker, which scores it", messages.to_json(item), [], is_refused=False)


def _outcome_of_deliverer(record: Record) -> Outcome:
    try:
        messages.read_result(_AsRead(record))
    except InvalidMessage as error:
        return _refused("deliverer", f"{error.code}: {error.detail}")
    return Outcome("deliverer", "the database, and its owner's feed", record.value, [], is_refused=False)


def _refused(stage: str, why: str) -> Outcome:
    return Outcome(stage, Topic.DEAD_LETTERS, None, [("error-detail", why)], is_refused=True)


def _shown(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")
