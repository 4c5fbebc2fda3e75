import pytest
import wasmtime

from streaming.transform_host.modules import MAX_BINARY_BYTES, BadModule, compile_module
from tests.streaming.transform_host import guests

CHECK = '(import "redpanda_transform" "check_abi_version_2" (func))'
MEMORY = '(memory (export "memory") 1)'
START = '(func (export "_start"))'


def compile_text(*parts: str) -> None:
    compile_module(bytes(wasmtime.wat2wasm(f"(module {' '.join(parts)})")))


def test_a_module_with_start_memory_and_abi_check_is_taken():
    compile_text(CHECK, MEMORY, START)
    guests.module()


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([CHECK, MEMORY], "_start"),
        ([CHECK, MEMORY, '(func (export "_start") (param i32))'], "_start"),
        ([CHECK, START], "memory"),
        ([MEMORY, START], "ABI"),
        (['(import "redpanda_transform" "check_abi_version_3" (func))', MEMORY, START], "ABI"),
        (
            [CHECK, '(import "redpanda_schema_registry" "check_abi_version_1" (func))', MEMORY, START],
            "schema registry",
        ),
        ([CHECK, '(memory (export "memory") 33)', START], "starts with"),
        ([CHECK, '(memory (export "memory") 1 32)', START], "maximum"),
    ],
)
def test_what_redpanda_refuses_is_refused_here(parts: list[str], reason: str):
    with pytest.raises(BadModule, match=reason):
        compile_text(*parts)


def test_threads_and_memories_beyond_one_are_off():
    for parts in ['(memory (export "memory") 1 1 shared)', '(memory 1) (memory (export "memory") 1)']:
        with pytest.raises(BadModule, match="not a WebAssembly module"):
            compile_text(CHECK, parts, START)


def test_a_module_that_is_none_or_too_large_is_refused():
    with pytest.raises(BadModule, match="not a WebAssembly module"):
        compile_module(b"hello")
    with pytest.raises(BadModule, match="bytes"):
        compile_module(bytes(MAX_BINARY_BYTES + 1))
