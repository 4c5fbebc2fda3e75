"""Which loopback ports the embedded servers of a state folder use: the usual ones where free, and kept."""

import json
import random
import socket
from contextlib import suppress
from pathlib import Path

DEFAULT_PORTS = {
    "kafka": 9092,
    "kafka_controller": 9093,
    "valkey": 6379,
    "connect_door": 8085,
    "connect_ingress": 4195,
    "connect_feed": 4196,
    "connect_results": 4197,
    "connect_dead_letters": 4198,
    "metrics_web": 9101,
    "metrics_publisher": 9102,
    "metrics_transforms": 9103,
    "metrics_scorer": 9104,
    "metrics_worker": 9105,
    "metrics_deliverer": 9106,
}
# Below the range from which systems take the ports of outgoing connections: a port that is free now stays free.
_SPARE_PORTS = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def spare_port() -> int:
    """A free port that no server uses by convention."""
    while not is_free(port := random.choice(_SPARE_PORTS)):  # noqa: S311  (no secret)
        pass
    return port


def remembered_ports(var_dir: Path) -> dict[str, int]:
    """Server -> port as last used with this state folder; the usual ports before its first run."""
    with suppress(OSError, ValueError):
        return {**DEFAULT_PORTS, **json.loads(_file(var_dir).read_text())}
    return dict(DEFAULT_PORTS)


def choose_ports(var_dir: Path) -> dict[str, int]:
    """Server -> a port that is free: the remembered one, else a spare one, which is remembered from now on."""
    ports = {name: port if is_free(port) else spare_port() for name, port in remembered_ports(var_dir).items()}
    remember(var_dir, ports)
    return ports


def remember(var_dir: Path, ports: dict[str, int]) -> None:
    """Keep the ports for the next run with this state folder."""
    _file(var_dir).write_text(json.dumps(ports, indent=1) + "\n")


def _file(var_dir: Path) -> Path:
    return var_dir / "ports.json"
