"""The publisher's other way onto the log: Redpanda Connect, which answers when the brokers have acknowledged.

The door and its answers are described in `redpanda/connect/ingress.yaml`.
"""

import http.client
import json
import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

from streaming.kafka import Headers, NotDelivered
from streaming.messages import to_json
from streaming.topics import Topic

logger = logging.getLogger(__name__)

REQUESTS_PER_BODY = 1000
# The door itself gives up after five seconds; what it then says is worth the wait.
ANSWER_SECONDS = 8.0
# The body is at fault, and no repetition will be taken: bad request, too large, unprocessable.
REFUSALS = (400, 413, 422)


class IngressPublisher:
    """Publishes requests through Connect, with the promise of `kafka.Publisher`: after `flush` they are on the log.

    Not thread safe: one per thread.
    """

    def __init__(self, *, url: str, token: str):
        address = urlsplit(url)
        connection = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = connection(address.hostname or "", address.port, timeout=ANSWER_SECONDS)
        self._path = address.path or "/"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._waiting: list[dict] = []

    def publish(self, topic: str, *, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Keep one request until `flush`. Its key is the id that it holds; Connect writes to no other topic."""
        if topic != Topic.REQUESTS or value is None:
            raise ValueError(f"Connect takes requests only, not what belongs on {topic}")
        self._waiting.append(json.loads(value) | {"headers": {name: _as_text(text) for name, text in headers}})

    def flush(self) -> None:
        """Hand over what was published and wait until it is on the log.

        A request that the door refuses for its content is a fault of ours: it is told in the log, and left to its
        deadline; it keeps no other request waiting.

        Raises:
            NotDelivered: some of it may be on the log and some not. Publish all of it again, with the same ids.
        """
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), REQUESTS_PER_BODY):
            self._hand_over(waiting[start : start + REQUESTS_PER_BODY])

    def _hand_over(self, requests: Sequence[dict]) -> None:
        status, answer = self._post(to_json(requests))
        if status == 202:
            return
        if status not in REFUSALS:
            raise NotDelivered(f"Connect answered {status}: {answer[:200]}")
        if len(requests) == 1:
            logger.error("Connect refuses prediction %s with %d: %s", requests[0]["id"], status, answer[:500])
            return
        # A body is refused as a whole: by halves the request at fault is soon alone.
        middle = len(requests) // 2
        self._hand_over(requests[:middle])
        self._hand_over(requests[middle:])

    def _post(self, body: bytes) -> tuple[int, str]:
        """Status and text of the answer. A kept connection may have been closed meanwhile: then once more, anew."""
        is_kept = self._connection.sock is not None
        try:
            return self._exchange(body)
        except TimeoutError as error:
            raise NotDelivered(f"Connect does not answer: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            if is_kept:
                return self._post(body)
            raise NotDelivered(f"Connect can't be reached: {error}") from error

    def _exchange(self, body: bytes) -> tuple[int, str]:
        try:
            self._connection.request("POST", self._path, body=body, headers=self._headers)
            response = self._connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace").strip()
        except BaseException:
            self._connection.close()
            raise


def _as_text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
