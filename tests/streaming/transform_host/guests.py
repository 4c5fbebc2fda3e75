"""Small hand-written guests, each with one habit."""

import wasmtime

from streaming.topics import Topic
from streaming.transform_host.deployments import Deployment
from streaming.transform_host.guest import Guest
from streaming.transform_host.modules import TransformModule, compile_module
from streaming.transform_host.records import Record

DEPLOYMENT = Deployment("echo", Topic.REQUESTS, (Topic.FEATURES, Topic.DEAD_LETTERS))

# At 0: out-parameters; at 1024: the payload of a record; at 200: the options of a write.
FRAME = """
(module
  %(imports)s
  (import "redpanda_transform" "check_abi_version_1" (func $check))
  (import "redpanda_transform" "read_batch_header"
    (func $batch (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "redpanda_transform" "read_next_record" (func $next (param i32 i32 i32 i32 i32) (result i32)))
  (import "redpanda_transform" "write_record" (func $write (param i32 i32) (result i32)))
  (import "redpanda_transform" "write_record_with_options" (func $write_to (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (global $record (mut i32) (i32.const 0))
  (global $size (mut i32) (i32.const 0))
  %(functions)s
  (func (export "_start")
    (local $left i32)
    (call $check)
    %(start)s
    (loop $batches
      (if (i32.lt_s (call $batch (i32.const 0) (i32.const 8) (i32.const 16) (i32.const 24) (i32.const 32)
          (i32.const 40) (i32.const 48) (i32.const 56) (i32.const 64) (i32.const 72)) (i32.const 0))
        (then unreachable))
      (local.set $left (i32.load (i32.const 8)))
      (loop $records
        (if (local.get $left) (then
          (global.set $size
            (call $next (i32.const 80) (i32.const 88) (i32.const 96) (i32.const 1024) (i32.const 900000)))
          (if (i32.lt_s (global.get $size) (i32.const 0)) (then unreachable))
          %(record)s
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $records))))
      (br $batches))))
"""

ECHO = "(drop (call $write (i32.const 1024) (global.get $size)))"
OPTIONS_TO = '(data (i32.const 200) "\\01{size}{topic}")'
# The first byte of a payload is the size of the key, twice: a key of one byte makes it 2.
IS_MARKED = "(i32.eq (i32.load8_u (i32.const 1025)) (i32.const 33))"  # "!"
TRAP_ON_MARK = f"(if {IS_MARKED} (then unreachable))"


def module(record: str = ECHO, *, start: str = "", functions: str = "", imports: str = "") -> TransformModule:
    """A guest that does `record` (WebAssembly text) with each record it takes."""
    text = FRAME % {"record": record, "start": start, "functions": functions, "imports": imports}
    return compile_module(bytes(wasmtime.wat2wasm(text)))


def guest(record: str = ECHO, *, start: str = "", functions: str = "", imports: str = "") -> Guest:
    return Guest(DEPLOYMENT, module(record, start=start, functions=functions, imports=imports))


def records(*keys: bytes) -> list[Record]:
    return [Record(key, b"value of " + key, [(b"source", b"test")], 1000 + i, i) for i, key in enumerate(keys)]
