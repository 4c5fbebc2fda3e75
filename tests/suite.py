"""The whole suite: what it needs, the checks, every test on SQLite, the database tests on PostgreSQL, the faults.

`python -m tests.suite`; ends with pytest's own closing lines. With CI=true a part that is missing is a failure.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO

from housevalue.embedded import kafka_jars
from tests import checks, postgres, requisites

_FAULTS = "tests/faults"
_SERVERS = ("tests/run", "tests/redpanda", "tests/docker")
_OTHERS = (_FAULTS, *_SERVERS)


def main() -> int:
    missing = requisites.install_missing()
    for requisite in missing:
        print(f"NOT TESTED: {requisite.what_is_lost} ({requisite.name} is missing: {requisite.how})")
    if missing and os.environ.get("CI") == "true":
        return 1
    if failed := checks.run():
        print(f"checks failed: {', '.join(failed)}")
        return 1
    _fetch_and_build()
    # Both halves mostly wait for something to come back, and one is about as long as the other.
    with ThreadPoolExecutor(1) as beside:
        other_half = beside.submit(_other_half)
        status = _pytest("SQLite", [argument for path in _OTHERS for argument in ("--ignore", path)])
        return max(status, other_half.result())


def _other_half() -> int:
    """Silent until they are done, for two runs' lines between each other can't be read."""
    statuses = []
    with tempfile.TemporaryFile("w+") as output:
        if postgres.is_installed():
            with postgres.running_postgres() as url:
                statuses.append(_pytest("PostgreSQL", ["-m", "database"], {"DATABASE_URL": url}, output))
        statuses.append(_pytest("faults", [_FAULTS], output=output))
        statuses.append(_pytest("what runs, on SQLite", list(_SERVERS), output=output))
        output.seek(0)
        print(output.read(), flush=True)
    return max(statuses)


def _fetch_and_build() -> None:
    """Once, before any test's clock runs; a test that lacks one of them says so itself."""
    print("Apache Kafka and the engine of Connect", flush=True)
    with suppress(kafka_jars.JarsUnavailable):
        kafka_jars.install()
    subprocess.run([sys.executable, "redpanda/connect/build.py", "--install-go"], check=False)


def _pytest(
    name: str, arguments: list[str], more: Mapping[str, str] | None = None, output: IO[str] | None = None
) -> int:
    print(f"pytest: {name}", file=output, flush=True)
    with tempfile.TemporaryDirectory(prefix="housevalue-tests-") as var_dir:
        environment = {**os.environ, "VAR_DIR": var_dir, **(more or {})}
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
