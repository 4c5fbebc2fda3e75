"""The whole suite: what it needs, the checks, the database tests on PostgreSQL, every test on SQLite.

`python -m tests.suite`; ends with pytest's own closing line. With CI=true a part that is missing is a failure.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress

from housevalue.embedded import kafka_jars
from tests import checks, postgres, requisites


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
    with tempfile.TemporaryDirectory(prefix="housevalue-tests-") as var_dir:
        environment = {**os.environ, "VAR_DIR": var_dir}
        statuses = []
        if postgres.is_installed():
            with postgres.running_postgres() as url:
                print("pytest on PostgreSQL", flush=True)
                statuses.append(pytest(["-m", "database"], {**environment, "DATABASE_URL": url}))
        print("pytest on SQLite", flush=True)
        statuses.append(pytest([], environment))
    return max(statuses)


def _fetch_and_build() -> None:
    """Once, before any test's clock runs; a test that lacks one of them says so itself."""
    print("Apache Kafka and the engine of Connect", flush=True)
    with suppress(kafka_jars.JarsUnavailable):
        kafka_jars.install()
    subprocess.run([sys.executable, "redpanda/connect/build.py", "--install-go"], check=False)


def pytest(arguments: list[str], environment: Mapping[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
