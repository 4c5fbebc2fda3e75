"""WASI as Redpanda gives it to a transform: arguments, environment, clocks, logs, nothing of the outside."""

import struct
from collections.abc import Callable

from streaming.transform_host.calls import HostCalls
from streaming.transform_host.memory import GuestMemory

MODULE = "wasi_snapshot_preview1"

SUCCESS = 0
BADF = 8
INVAL = 16  # what Redpanda says; WASI itself would say 28
NOSYS = 52

REALTIME = 0
CLOCKS = range(4)
CLOCK_RESOLUTION_NS = 1_000_000
NS_PER_MS = 1_000_000
STDOUT, STDERR = 1, 2

SUBSCRIPTION_BYTES = 48
EVENT_BYTES = 32
CLOCK_EVENT = 0
LAST_EVENT_KIND = 2

# Functions that are there and say no: parameters by name.
REFUSED = {
    "fd_advise": "iIIi",
    "fd_allocate": "iII",
    "fd_close": "i",
    "fd_datasync": "i",
    "fd_fdstat_get": "ii",
    "fd_fdstat_set_flags": "ii",
    "fd_filestat_get": "ii",
    "fd_filestat_set_size": "iI",
    "fd_filestat_set_times": "iIIi",
    "fd_pread": "iiiIi",
    "fd_prestat_dir_name": "iii",
    "fd_pwrite": "iiiIi",
    "fd_read": "iiii",
    "fd_readdir": "iiiIi",
    "fd_renumber": "ii",
    "fd_seek": "iIii",
    "fd_sync": "i",
    "fd_tell": "ii",
    "path_create_directory": "iii",
    "path_filestat_get": "iiiii",
    "path_filestat_set_times": "iiiiIIi",
    "path_link": "iiiiiii",
    "path_open": "iiiiiIIii",
    "path_readlink": "iiiiii",
    "path_remove_directory": "iii",
    "path_rename": "iiiiii",
    "path_symlink": "iiiii",
    "path_unlink_file": "iii",
    "sock_accept": "iii",
    "sock_recv": "iiiiii",
    "sock_send": "iiiii",
    "sock_shutdown": "ii",
}


class Exited(Exception):
    """The guest called exit; to the broker that is a trap."""


class Wasi:
    """`write_log(is_warning, line)` takes what the guest prints, line by line."""

    def __init__(
        self,
        memory: GuestMemory,
        *,
        arguments: list[str],
        environment: dict[str, str],
        write_log: Callable[[bool, str], None],
    ):
        self._memory = memory
        self._arguments = [argument.encode() for argument in arguments]
        self._environment = [f"{name}={value}".encode() for name, value in environment.items()]
        self._write_log = write_log
        self._unended_lines = {STDOUT: b"", STDERR: b""}
        self._ticks_ms = 0
        self.wall_ms = 0
        """What the guest's wall clock says: the time of the record it works on."""

    def define(self, calls: HostCalls) -> None:
        calls.define(MODULE, {name: (parameters, lambda *_: NOSYS) for name, parameters in REFUSED.items()})
        calls.define(
            MODULE,
            {
                "args_sizes_get": ("ii", lambda count, size: self._put_sizes(self._arguments, count, size)),
                "args_get": ("ii", lambda pointers, buffer: self._put_texts(self._arguments, pointers, buffer)),
                "environ_sizes_get": ("ii", lambda count, size: self._put_sizes(self._environment, count, size)),
                "environ_get": ("ii", lambda pointers, buffer: self._put_texts(self._environment, pointers, buffer)),
                "clock_res_get": ("ii", self._clock_resolution),
                "clock_time_get": ("iIi", self._clock_time),
                "fd_prestat_get": ("ii", lambda fd, _: NOSYS if fd <= STDERR else BADF),
                "fd_write": ("iiii", self._fd_write),
                "poll_oneoff": ("iiii", self._poll),
                "random_get": ("ii", self._random),
                "sched_yield": ("", lambda: SUCCESS),
            },
        )
        calls.define(MODULE, {"proc_exit": ("i", self._exit)}, has_result=False)

    def _put_sizes(self, texts: list[bytes], count: int, size: int) -> int:
        self._memory.write_u32(count, len(texts))
        self._memory.write_u32(size, sum(len(text) + 1 for text in texts))
        return SUCCESS

    def _put_texts(self, texts: list[bytes], pointers: int, buffer: int) -> int:
        for i, text in enumerate(texts):
            self._memory.write_u32(pointers + 4 * i, buffer)
            self._memory.write(buffer, text + b"\0")
            buffer += len(text) + 1
        return SUCCESS

    def _clock_resolution(self, clock: int, out: int) -> int:
        if clock not in CLOCKS:
            return INVAL
        self._memory.write_u64(out, CLOCK_RESOLUTION_NS)
        return SUCCESS

    def _clock_time(self, clock: int, _precision: int, out: int) -> int:
        if clock not in CLOCKS:
            return INVAL
        if clock == REALTIME:
            self._memory.write_u64(out, self.wall_ms * NS_PER_MS)
        else:
            self._memory.write_u64(out, self._ticks_ms * NS_PER_MS)
            self._ticks_ms += 1
        return SUCCESS

    def _fd_write(self, fd: int, vectors: int, count: int, written: int) -> int:
        if fd not in (STDOUT, STDERR):
            return NOSYS
        text = b"".join(
            self._memory.read(*struct.unpack("<II", self._memory.read(vectors + 8 * i, 8))) for i in range(count)
        )
        *lines, self._unended_lines[fd] = (self._unended_lines[fd] + text).split(b"\n")
        for line in lines:
            self._write_log(fd == STDERR, line.decode("utf-8", "backslashreplace"))
        self._memory.write_u32(written, len(text))
        return SUCCESS

    def _poll(self, subscriptions: int, events: int, count: int, stored: int) -> int:
        for i in range(count):
            subscription = self._memory.read(subscriptions + SUBSCRIPTION_BYTES * i, SUBSCRIPTION_BYTES)
            kind = subscription[8]
            if kind > LAST_EVENT_KIND:
                return NOSYS
            error = SUCCESS if kind == CLOCK_EVENT else NOSYS
            self._memory.write(events + EVENT_BYTES * i, subscription[:8] + struct.pack("<HB", error, kind))
        self._memory.write_u32(stored, count)
        return SUCCESS

    def _random(self, out: int, size: int) -> int:
        # As in the broker, so that nobody takes it for random.
        self._memory.address(out, size)
        self._memory.write(out, b"\x09" * size)
        return SUCCESS

    def _exit(self, code: int) -> None:
        raise Exited(f"exited with code {code}")
