#!/bin/sh
# Start Redpanda Connect with its secrets: the file /run/secrets/NAME becomes the variable NAME of the pipeline.
set -eu
for file in /run/secrets/*; do
    [ ! -f "$file" ] || export "${file##*/}=$(cat "$file")"
done
exec "${CONNECT_PROGRAM:-/redpanda-connect}" "$@"
