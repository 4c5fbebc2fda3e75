"""The memory of a guest, read and written within its bounds."""

import ctypes
import struct

import wasmtime


class OutOfBounds(Exception):
    """A guest gave a pointer outside its memory."""


class GuestMemory:
    """Pointers and sizes are unsigned; every access is checked."""

    def __init__(self, store: wasmtime.Store):
        self._store = store
        self._memory: wasmtime.Memory | None = None
        self._size = -1
        self._base = 0

    def attach(self, memory: wasmtime.Memory) -> None:
        """Name the memory; until then every access is out of bounds."""
        self._memory = memory

    def address(self, pointer: int, size: int) -> int:
        """Where `size` bytes at `pointer` lie in this process. Good until the guest runs on."""
        if self._memory is None:
            raise OutOfBounds("the guest has no memory yet")
        length = self._memory.data_len(self._store)
        if length != self._size:  # only growing moves it
            self._size = length
            self._base = ctypes.addressof(self._memory.data_ptr(self._store).contents)
        if pointer + size > length:
            raise OutOfBounds(f"{size} bytes at {pointer} of {length}")
        return self._base + pointer

    def read(self, pointer: int, size: int) -> bytes:
        return ctypes.string_at(self.address(pointer, size), size)

    def write(self, pointer: int, content: bytes) -> None:
        ctypes.memmove(self.address(pointer, len(content)), content, len(content))

    def write_u32(self, pointer: int, number: int) -> None:
        self.write(pointer, struct.pack("<I", number))

    def write_u64(self, pointer: int, number: int) -> None:
        self.write(pointer, struct.pack("<Q", number & 0xFFFF_FFFF_FFFF_FFFF))
