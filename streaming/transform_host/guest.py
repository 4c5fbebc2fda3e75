"""One running instance of a transform.

A guest's `_start` never returns: it asks for batches for ever. So it has a thread of its own that sleeps in
`read_batch_header`; a batch costs two hand-overs between threads, however many records it has.
"""

import logging
import threading
from queue import SimpleQueue
from typing import cast

import wasmtime

from streaming.transform_host.abi import Batch, Output, TransformAbi
from streaming.transform_host.calls import HostCalls
from streaming.transform_host.deployments import Deployment
from streaming.transform_host.memory import GuestMemory
from streaming.transform_host.modules import FUEL, MAX_MEMORY_BYTES, MAX_TABLE_ELEMENTS, TransformModule
from streaming.transform_host.records import Record
from streaming.transform_host.wasi import Wasi

logger = logging.getLogger("streaming.transforms")

STOP_SECONDS = 5.0
MAX_LOG_LINE = 1024
MAX_REASON = 200


class Trapped(Exception):
    """The guest is dead. `outputs` belong to the first `completed` records of the batch; it died on the next one.

    Outside a batch (while starting) both are empty.
    """

    def __init__(self, reason: str, *, completed: int = 0, outputs: list[Output] | None = None):
        super().__init__(reason)
        self.completed = completed
        self.outputs = outputs or []


class _Stopped(Exception):
    pass


class _Ready:
    """The guest asks for its next batch."""


class Guest:
    """Not thread safe: one caller at a time."""

    def __init__(self, deployment: Deployment, module: TransformModule):
        """Start the guest and wait until it asks for its first batch.

        Raises:
            Trapped: it died before that.
        """
        self._deployment = deployment
        self._module = module
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._signs: SimpleQueue[_Ready | str] = SimpleQueue()
        self._is_dead = False
        self._thread = threading.Thread(target=self._run, name=f"transform-{deployment.name}", daemon=True)
        self._thread.start()
        self._await_ready(None)

    def transform(self, records: list[Record]) -> list[Output]:
        """What the guest writes for `records` (at least one), in the order in which it wrote.

        Raises:
            Trapped: it died; this guest is of no more use.
        """
        if self._is_dead:
            raise Trapped("the guest is dead")
        batch = Batch(records)
        self._batches.put(batch)
        self._await_ready(batch)
        return batch.outputs

    def stop(self) -> None:
        self._batches.put(None)
        self._thread.join(STOP_SECONDS)

    def _await_ready(self, batch: Batch | None) -> None:
        sign = self._signs.get()
        if isinstance(sign, str):
            self._is_dead = True
            if batch is None:
                raise Trapped(sign)
            raise Trapped(sign, completed=batch.completed, outputs=batch.completed_outputs)

    def _next_batch(self) -> Batch:
        self._signs.put(_Ready())
        batch = self._batches.get()
        if batch is None:
            raise _Stopped
        return batch

    def _run(self) -> None:
        try:
            self._run_start()
            reason = "the guest returned from _start"
        except BaseException as error:
            reason = _reason(error)
        self._signs.put(reason)

    def _run_start(self) -> None:
        linker = wasmtime.Linker(self._module.engine)
        calls = HostCalls(linker)
        store = wasmtime.Store(self._module.engine)
        store.set_limits(
            memory_size=MAX_MEMORY_BYTES, table_elements=MAX_TABLE_ELEMENTS, instances=1, tables=1, memories=1
        )
        store.set_fuel(FUEL)
        memory = GuestMemory(store)
        wasi = Wasi(
            memory,
            arguments=[self._deployment.name],
            environment=self._deployment.environment,
            write_log=self._write_log,
        )
        abi = TransformAbi(
            memory,
            output_topics=self._deployment.output_topics,
            next_batch=self._next_batch,
            set_time=lambda ms: setattr(wasi, "wall_ms", ms),
            refuel=lambda: store.set_fuel(FUEL),
        )
        wasi.define(calls)
        abi.define(calls)
        exports = linker.instantiate(store, self._module.compiled).exports(store)
        memory.attach(cast(wasmtime.Memory, exports["memory"]))
        cast(wasmtime.Func, exports["_start"])(store)

    def _write_log(self, is_warning: bool, line: str) -> None:
        level = logging.WARNING if is_warning else logging.INFO
        logger.log(level, "%s says: %s", self._deployment.name, line[:MAX_LOG_LINE])


def _reason(error: BaseException) -> str:
    """The first line says what happened; wasmtime appends a backtrace and, last, the cause of a trap."""
    if isinstance(error, wasmtime.Trap | wasmtime.WasmtimeError):
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return (lines[-1] if lines else type(error).__name__)[:MAX_REASON]
    return f"{type(error).__name__}: {error}"[:MAX_REASON]
