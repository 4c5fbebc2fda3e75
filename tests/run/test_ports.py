import json
import socket
from pathlib import Path

from housevalue.embedded import ports


def listen(port: int = 0) -> socket.socket:
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with listen() as server:
        assert not ports.is_free(server.getsockname()[1])


def test_the_ports_of_the_last_run_are_used_again(tmp_path: Path) -> None:
    mine = {name: ports.spare_port() for name in ports.DEFAULT_PORTS}
    ports.remember(tmp_path, mine)
    assert ports.choose_ports(tmp_path) == mine


def test_a_taken_port_is_replaced_and_the_new_one_is_remembered(tmp_path: Path) -> None:
    with listen() as server:
        taken = server.getsockname()[1]
        ports.remember(tmp_path, {"kafka": taken, "kafka_controller": ports.spare_port()})
        chosen = ports.choose_ports(tmp_path)
    assert chosen["kafka"] != taken
    assert ports.remembered_ports(tmp_path) == chosen


def test_a_state_folder_without_a_run_has_the_usual_ports(tmp_path: Path) -> None:
    assert ports.remembered_ports(tmp_path)["kafka"] == 9092


def test_an_unreadable_file_of_ports_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({"kafka": 1})[:-3])
    assert ports.remembered_ports(tmp_path) == ports.DEFAULT_PORTS
