"""Redpanda data transforms on any Kafka-API broker: the ABI, the limits and the promises of Redpanda's own host.

In reading order: `deployments` (which transforms there are), `records` (how a record looks to a guest), `modules` (what
a module must be), `calls` and `memory` (host functions), `wasi`, `abi`, `guest` (one running instance), `lanes` (one
partition: batches, traps, restarts), `host` (one transform: consume, publish, commit).
"""
