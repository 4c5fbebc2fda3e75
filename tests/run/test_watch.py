"""What is said of supervisord's log."""

import subprocess
import sys
from pathlib import Path

import pytest

from housevalue.supervision.errors import CannotRun
from housevalue.supervision.watch import Watch
from tests.stack import wait_until

STARTED = "2026-01-01 00:00:00,000 INFO spawned: 'worker' with pid 4194300\n"
KILLED = "2026-01-01 00:00:20,000 WARN exited: worker (terminated by SIGKILL; not expected)\n"
GAVE_UP = "2026-01-01 00:01:00,000 INFO gave up: worker entered FATAL state, too many start retries too quickly\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "supervisord.log"


@pytest.fixture
def watch(log: Path) -> Watch:
    return Watch(log, log.parent)


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_a_first_start_is_not_worth_a_line(watch: Watch, log: Path) -> None:
    append(log, STARTED)
    assert watch.look() == []


def test_a_restart_is_one_line_that_says_why(watch: Watch, log: Path) -> None:
    append(log, STARTED + KILLED + STARTED)
    assert watch.look() == ["worker ended (signal 9), restarted"]
    assert watch.look() == []


def test_an_exit_status_is_named(watch: Watch, log: Path) -> None:
    append(log, STARTED + KILLED.replace("terminated by SIGKILL", "exit status 3") + STARTED)
    assert watch.look() == ["worker ended (exit status 3), restarted"]


def test_half_a_line_is_read_when_it_is_whole(watch: Watch, log: Path) -> None:
    append(log, STARTED + KILLED[:30])
    assert watch.look() == []
    append(log, KILLED[30:] + STARTED)
    assert watch.look() == ["worker ended (signal 9), restarted"]


def test_a_program_that_does_not_stay_up_ends_the_run_with_its_last_lines(watch: Watch, log: Path) -> None:
    (log.parent / "worker.log").write_text("\n".join(f"line {number}" for number in range(50)))
    append(log, STARTED + KILLED + GAVE_UP)
    with pytest.raises(CannotRun) as failure:
        watch.look()
    lines = str(failure.value).splitlines()
    assert lines[0].startswith("worker does not stay up (signal 9).")
    assert lines[1:] == [f"  line {number}" for number in range(30, 50)]


def test_what_a_killed_program_leaves_in_its_group_is_ended(watch: Watch, log: Path) -> None:
    child = "import time; time.sleep(60)"
    parent = (
        "import subprocess, sys, time; "
        f"print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, process_group=0, text=True) as leader:
        assert leader.stdout is not None
        orphan = int(leader.stdout.readline())
        leader.kill()
        leader.wait()
        append(log, STARTED.replace("4194300", str(leader.pid)) + KILLED)
        watch.look()
        wait_until(lambda: _is_gone(orphan), 5, "the orphan to be gone")


def _is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
