"""A PostgreSQL cluster of the tests' own: in a temporary folder, on loopback, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from housevalue.embedded.ports import spare_port

DEBIAN = Path("/usr/lib/postgresql")
# PostgreSQL refuses to run as root.
USER = "postgres"


def is_installed() -> bool:
    return _programs() is not None


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of an empty database `housevalue`, for `DATABASE_URL`."""
    programs = _programs()
    if programs is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="housevalue-postgres-"))
    port = spare_port()
    try:
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
        _run(programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth", "trust", "--no-sync", "-E", "UTF8")
        # It is thrown away: nothing is lost without fsync.
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F -c full_page_writes=off -c synchronous_commit=off"
        _run(programs / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")
        try:
            _run(programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "housevalue")
            yield f"postgres://postgres@127.0.0.1:{port}/housevalue"
        finally:
            _run(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder that holds initdb and pg_ctl, of the newest version where Debian has several."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    initdb = found[-1] if found else shutil.which("initdb")
    return Path(initdb).parent if initdb else None


def _run(*command: str | Path) -> None:
    as_user = {"user": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        **as_user,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout.decode(errors='replace')[-2000:]}")
