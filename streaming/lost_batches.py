"""What becomes of a scoring batch whose worker process died: isolate the item to blame, answer its mates."""

import logging
import time
from typing import Any

from billiard.einfo import ExceptionInfo, ExceptionWithTraceback
from billiard.exceptions import WorkerLostError
from celery.worker.request import Request
from celery.worker.state import task_ready
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# So many workers may die of one prediction.
MOST_LOST = 3
# Between two tries to acknowledge, and how long it is tried: after that Redis hands the batch out again anyway.
ACK_PAUSE_SECONDS = 0.5
ACK_SECONDS = 60.0


class BatchRequest(Request):
    """A batch as the worker's main process sees it, which knows what its pool process died of.

    The message alone doesn't: it is marked as redelivered by a lost link to Redis as well, and of that nobody is to
    blame. A batch whose main process died too comes back by Redis, uncounted.
    """

    acknowledged: bool

    def acknowledge(self) -> None:
        """Tell Redis that the batch is done, again and again while the link is cut; nothing else can be done meanwhile.

        Celery tries once and goes on. A batch that was never acknowledged fills the worker's one place for ever: it
        takes no other, though the link is back.
        """
        end = time.monotonic() + ACK_SECONDS
        while not self.acknowledged:
            try:
                self._on_ack(logger, ())
                self.acknowledged = True
            except self._connection_errors as error:
                if time.monotonic() > end:
                    raise SystemExit(f"a batch can't be acknowledged: {error}") from error
                logger.warning("a batch can't be acknowledged, trying again: %s", error)
                time.sleep(ACK_PAUSE_SECONDS)

    def on_failure(self, exc_info: ExceptionInfo, send_failed_event: bool = True, return_ok: bool = False) -> None:
        if self._was_killed(exc_info) and self._try_again():
            # Else the worker would count it among what it works on, for ever.
            task_ready(self)
            self.acknowledge()
            return
        super().on_failure(exc_info, send_failed_event, return_ok)

    def _was_killed(self, exc_info: ExceptionInfo) -> bool:
        """Whether its process died of itself; one that this worker ended, on a lost link to Redis, did not."""
        error = exc_info.exception
        if isinstance(error, ExceptionWithTraceback):
            error = error.exc
        return isinstance(error, WorkerLostError | SystemExit) and not self._already_cancelled

    def _try_again(self) -> bool:
        """Enqueue it once more: whole after the first death, for most die of something else; then each item alone.

        False: Redis is away. Celery puts the batch back, and this death is not counted.
        """
        [batch], lost = self.args, self.kwargs.get("lost", 0) + 1
        parts: list[list[dict[str, Any]]] = [[item] for item in batch] if lost >= MOST_LOST - 1 else [batch]
        logger.warning("a batch of %d was lost with its worker process %d times", len(batch), lost)
        try:
            for part in parts:
                self.task.apply_async(args=[part], kwargs={"lost": lost}, retry=False)
        except OperationalError as error:
            logger.warning("it can't be enqueued again: %s", error)
            return False
        return True
