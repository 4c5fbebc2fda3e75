"""Host functions through wasmtime's unchecked calls.

wasmtime-py's own `Linker.define_func` boxes every argument and keeps one exception for the whole process, which mixes
up guests on several threads; unchecked it is also three times as fast. The C functions used are in wasmtime's public C
API; their Python bindings are not, hence the pinned version.
"""

import ctypes
from collections.abc import Callable, Mapping

import wasmtime
import wasmtime._bindings as c_api

# Parameters ("i": i32, "I": i64) and what is called. i32 arrive unsigned; None means the function has no result.
HostFunction = tuple[str, Callable[..., int | None]]

_VALUE_TYPES = {"i": wasmtime.ValType.i32(), "I": wasmtime.ValType.i64()}
_MASK = 0xFFFF_FFFF
# A raw value is a 16-byte union; seen as u32, value k starts at 4 * k.
_STRIDE = 4
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32), ctypes.c_size_t
)
_NO_FINALIZER = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))


class HostCalls:
    """The host functions of one guest. An exception in one of them traps the guest; the trap's text names it."""

    def __init__(self, linker: wasmtime.Linker):
        self._linker = linker
        self._callbacks: list[object] = []  # C holds no reference to them

    def define(self, module: str, functions: Mapping[str, HostFunction], *, has_result: bool = True) -> None:
        """Make `functions` importable from `module`; with `has_result` each returns an i32."""
        for name, (parameters, function) in functions.items():
            self._define(module, name, parameters, function, has_result)

    def _define(
        self, module: str, name: str, parameters: str, function: Callable[..., int | None], has_result: bool
    ) -> None:
        callback = _Callback(self._guarded(parameters, function, has_result))
        self._callbacks.append(callback)
        kind = wasmtime.FuncType(
            [_VALUE_TYPES[parameter] for parameter in parameters], [_VALUE_TYPES["i"]] if has_result else []
        )
        module_name, function_name = module.encode(), name.encode()
        error = c_api.wasmtime_linker_define_func_unchecked(
            self._linker.ptr(),
            ctypes.create_string_buffer(module_name),
            len(module_name),
            ctypes.create_string_buffer(function_name),
            len(function_name),
            kind.ptr(),
            ctypes.cast(callback, c_api.wasmtime_func_unchecked_callback_t),
            None,
            _NO_FINALIZER,
        )
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)

    def _guarded(
        self, parameters: str, function: Callable[..., int | None], has_result: bool
    ) -> Callable[[int, int, ctypes._Pointer, int], int]:
        slots = [(_STRIDE * i, parameter == "I") for i, parameter in enumerate(parameters)]

        def call(_environment: int, _caller: int, values: ctypes._Pointer, _count: int) -> int:
            try:
                result = function(
                    *[values[at] | (values[at + 1] << 32) if is_long else values[at] for at, is_long in slots]
                )
                if has_result:
                    values[0] = result & _MASK  # type: ignore[operator]
                return 0
            except BaseException as error:
                return _new_trap(repr(error))

        return call


def _new_trap(text: str) -> int:
    message = text.encode()
    trap = c_api.wasmtime_trap_new(ctypes.create_string_buffer(message), len(message))
    return ctypes.cast(trap, ctypes.c_void_p).value or 0
