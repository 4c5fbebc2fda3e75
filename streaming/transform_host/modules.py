"""What a module must be so that Redpanda would deploy it, and the limits under which it runs."""

from dataclasses import dataclass

import wasmtime

MIB = 1 << 20
PAGE_BYTES = 1 << 16

# Defaults of Redpanda's properties data_transforms_*.
MAX_BINARY_BYTES = 10 * MIB
MAX_MEMORY_BYTES = 2 * MIB
RUNTIME_LIMIT_MS = 3000
FUEL_PER_MS = 2_000_000
FUEL = RUNTIME_LIMIT_MS * FUEL_PER_MS
MAX_STACK_BYTES = 64 * 1024
MAX_TABLE_ELEMENTS = 128 * 1024 // 8


class BadModule(Exception):
    """Redpanda would refuse this module."""


@dataclass(frozen=True)
class TransformModule:
    """A compiled and checked module; any number of guests may share it."""

    engine: wasmtime.Engine
    compiled: wasmtime.Module


def _new_engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.consume_fuel = True
    config.max_wasm_stack = MAX_STACK_BYTES
    config.wasm_threads = False
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    return wasmtime.Engine(config)


def compile_module(binary: bytes) -> TransformModule:
    """Compile and check a module.

    Raises:
        BadModule: with the reason.
    """
    if len(binary) > MAX_BINARY_BYTES:
        raise BadModule(f"the module has {len(binary)} bytes, at most {MAX_BINARY_BYTES} are deployed")
    engine = _new_engine()
    try:
        module = wasmtime.Module(engine, binary)
    except wasmtime.WasmtimeError as error:
        raise BadModule(f"not a WebAssembly module: {error}") from error
    _check_exports(module)
    _check_imports(module)
    return TransformModule(engine, module)


def _check_exports(module: wasmtime.Module) -> None:
    exports = {export.name: export.type for export in module.exports}
    if not _is_marker(exports.get("_start")):
        raise BadModule("missing _start function")
    memory = exports.get("memory")
    if not isinstance(memory, wasmtime.MemoryType):
        raise BadModule("missing memory export")
    limits = memory.limits
    if limits.min * PAGE_BYTES > MAX_MEMORY_BYTES:
        raise BadModule(f"starts with {limits.min * PAGE_BYTES} bytes of memory, at most {MAX_MEMORY_BYTES} are given")
    # The broker compares this number of pages with its limit in bytes, so any honest maximum is refused.
    if limits.max is not None and limits.max < MAX_MEMORY_BYTES:
        raise BadModule("declares a maximum of its memory, which the broker refuses")


def _check_imports(module: wasmtime.Module) -> None:
    has_abi = False
    for imported in module.imports:
        name = imported.name or ""
        if not name.startswith("check_abi_version_"):
            continue
        if imported.module == "redpanda_transform":
            has_abi = has_abi or (name[-2:] in ("_1", "_2") and _is_marker(imported.type))
        elif imported.module == "redpanda_schema_registry" and name != "check_abi_version_0":
            raise BadModule("unsupported schema registry ABI")
    if not has_abi:
        raise BadModule("missing transform SDK ABI check function")


def _is_marker(kind: object) -> bool:
    return isinstance(kind, wasmtime.FuncType) and not kind.params and not kind.results
