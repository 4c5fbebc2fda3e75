"""The jars of Apache Kafka, fetched once into the virtual environment and checked against committed hashes."""

import fcntl
import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "4.3.1"
# Kafka logs through slf4j and brings no binding for it: without the second it is mute. Resolved one by one, since
# in one resolution the versions managed by the second replace those of the first.
COORDINATES = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")
LOCK_FILE = Path(__file__).with_name("kafka_jars.sha256")

Progress = Callable[[int, int], None]


class JarsUnavailable(Exception):
    """The jars could not be fetched, or are not the ones whose hashes are committed."""


def jars_home() -> Path:
    """Beside the other packages of this environment: shared by every state folder, gone with the environment."""
    return Path(sys.prefix) / "share" / f"kafka-{VERSION}"


def locked_hashes() -> dict[str, str]:
    """File name -> SHA-256 in hex of every jar on the class path."""
    lines = (line.split() for line in LOCK_FILE.read_text().splitlines())
    return {name: sha256 for sha256, name in lines}


def are_installed() -> bool:
    home = jars_home()
    return home.is_dir() and {path.name for path in home.glob("*.jar")} == locked_hashes().keys()


def install(progress: Progress = lambda fetched, total: None) -> Path:
    """Fetch and check the jars where they are missing; the folder that holds them.

    `progress` is called about twice a second with the number of jars fetched and their total.

    Raises:
        JarsUnavailable: no way to the repository, or a jar with another hash.
    """
    home = jars_home()
    home.parent.mkdir(parents=True, exist_ok=True)
    with _locked(_beside(home, "lock")):
        if not are_installed():
            fetched = _fetch(_beside(home, "partial"), progress)
            shutil.rmtree(home, ignore_errors=True)
            fetched.rename(home)
            shutil.rmtree(_beside(home, "partial"), ignore_errors=True)
    return home


def _beside(home: Path, kind: str) -> Path:
    return home.with_name(f"{home.name}.{kind}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file, so that two starts at once fetch one copy."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(partial: Path, progress: Progress) -> Path:
    """Resolve the coordinates under `partial`; a folder in it with every jar, checked."""
    import requests
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext, PythonResolver

    repository, flat = partial / "repository", partial / "jars"
    context = MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=30)
    builder = EnvironmentBuilder(context, cache_dir=partial / "jgo", link_strategy=LinkStrategy.HARD)
    try:
        with _counting(repository, progress):
            jars = [jar for endpoint in COORDINATES for jar in builder.from_endpoint(endpoint).all_jars]
    except (requests.RequestException, RuntimeError, ValueError) as error:
        raise JarsUnavailable(f"Apache Kafka {VERSION} can't be fetched ({_first_line(error)})") from error
    shutil.rmtree(flat, ignore_errors=True)
    flat.mkdir()
    for jar in {jar.name: jar for jar in jars if jar.name in locked_hashes()}.values():
        os.link(jar, flat / jar.name)
    _check(flat)
    return flat


def _check(folder: Path) -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    expected = locked_hashes()
    if found != expected:
        odd = sorted(name for name in found.keys() | expected if found.get(name) != expected.get(name))
        shutil.rmtree(folder)
        raise JarsUnavailable(f"fetched jars differ from {LOCK_FILE.name}: {', '.join(odd)}")


@contextmanager
def _counting(folder: Path, progress: Progress) -> Iterator[None]:
    """Report the jars that lie under `folder` while the block runs."""
    total, done = len(locked_hashes()), threading.Event()

    def report() -> None:
        while not done.wait(0.5):
            progress(min(total, sum(1 for _ in folder.rglob("*.jar"))), total)

    reporter = threading.Thread(target=report, name="kafka-jars-progress", daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
