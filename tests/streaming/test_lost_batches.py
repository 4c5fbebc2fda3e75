"""The acknowledgement of a batch while the link to Redis is cut."""

import pytest
import redis

from streaming import lost_batches
from streaming.lost_batches import BatchRequest


class Link:
    """A link to Redis that is cut for the first `tries`."""

    def __init__(self, tries: int):
        self.tries = tries
        self.acknowledged = 0

    def acknowledge(self, logger, errors: tuple[type[Exception], ...]) -> None:
        if self.tries:
            self.tries -= 1
            raise redis.TimeoutError("Timeout reading from socket")
        self.acknowledged += 1


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(lost_batches, "ACK_PAUSE_SECONDS", 0.0)


def request_over(link: Link) -> BatchRequest:
    request = BatchRequest.__new__(BatchRequest)
    request.acknowledged = False
    request._on_ack = link.acknowledge
    request._connection_errors = (redis.ConnectionError, redis.TimeoutError)
    return request


def test_a_batch_is_acknowledged_once_when_the_link_is_back():
    link = Link(tries=3)
    request = request_over(link)
    request.acknowledge()
    request.acknowledge()
    assert link.acknowledged == 1
    assert request.acknowledged


def test_a_worker_that_can_not_acknowledge_for_a_minute_ends(monkeypatch):
    monkeypatch.setattr(lost_batches, "ACK_SECONDS", 0.0)
    with pytest.raises(SystemExit, match="can't be acknowledged"):
        request_over(Link(tries=1_000_000)).acknowledge()
