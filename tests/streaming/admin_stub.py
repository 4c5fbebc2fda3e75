"""Redpanda's Admin API as its API description and its documentation give it, over HTTP, with no broker behind.

Paths, fields, methods and status texts: `transform.json` of the Admin API's description; refusals: the checks that
`POST /v1/transform/deploy` makes.
"""

import base64
import json
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

DEPLOY_FIELDS = {"name", "input_topic", "output_topics", "environment", "compression", "offset"}
WASM_MAGIC = b"\0asm"


@dataclass
class Cluster:
    """What the brokers know. `looks_until_running`: how often transforms are listed before they run."""

    topics: set[str]
    partitions: int = 3
    is_enabled: bool = True
    login: tuple[str, str] | None = None
    looks_until_running: int = 1
    statuses: list[str] = field(default_factory=list)
    transforms: dict[str, dict[str, Any]] = field(default_factory=dict)
    binaries: dict[str, bytes] = field(default_factory=dict)
    offsets: dict[str, Any] = field(default_factory=dict)
    deployments: int = 0

    def deploy(self, body: bytes) -> tuple[int, object]:
        text = body.decode("latin-1")
        described, end = json.JSONDecoder().raw_decode(text)
        if set(described) - DEPLOY_FIELDS or not {"name", "input_topic", "output_topics"} <= set(described):
            return 400, {"message": "invalid JSON request body", "code": 400}
        if not body[end:].startswith(WASM_MAGIC):
            return 400, {"message": "invalid WebAssembly - not a module", "code": 400}
        if missing := {described["input_topic"], *described["output_topics"]} - self.topics:
            return 404, {"message": f"topic {min(missing)} does not exist", "code": 404}
        name = described["name"]
        self.offsets[name] = described.pop("offset", None)
        self.transforms[name] = described
        self.binaries[name] = body[end:]
        self.deployments += 1
        return 200, None

    def list(self) -> list[dict[str, Any]]:
        self.looks_until_running -= 1
        status = "running" if self.looks_until_running < 0 else "inactive"
        statuses = self.statuses or [status] * self.partitions
        return [
            transform
            | {
                "status": [
                    {"partition": number, "node_id": 0, "status": status, "lag": 2 * number}
                    for number, status in enumerate(statuses)
                ]
            }
            for transform in self.transforms.values()
        ]

    def delete(self, name: str) -> tuple[int, object]:
        if self.transforms.pop(name, None) is None:
            return 404, {"message": f"transform {name} does not exist", "code": 404}
        return 200, None


class AdminStub(ThreadingHTTPServer):
    """One broker of `cluster`; with `leader`, the address of another, it answers changes with a redirect to it."""

    daemon_threads = True

    def __init__(self, cluster: Cluster, leader: str = "", tls: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self._scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.cluster = cluster
        self.leader = leader
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    @property
    def address(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: AdminStub

    def do_GET(self) -> None:
        self._answer(*((200, self.server.cluster.list()) if self.path == "/v1/transform" else self._unknown()))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/json+wasm" or self.path != "/v1/transform/deploy":
            self._answer(*self._unknown())
        else:
            self._answer(*self._change(lambda: self.server.cluster.deploy(body)))

    def do_DELETE(self) -> None:
        name = unquote(self.path.removeprefix("/v1/transform/"))
        self._answer(*self._change(lambda: self.server.cluster.delete(name)))

    def _change(self, change: Any) -> tuple[int, object]:
        return (307, None) if self.server.leader else change()

    def _unknown(self) -> tuple[int, object]:
        return 404, {"message": "Not found", "code": 404}

    def _answer(self, status: int, answer: object) -> None:
        cluster = self.server.cluster
        if cluster.login and self.headers["Authorization"] != _basic(*cluster.login):
            status, answer = 401, {"message": "Unauthorized", "code": 401}
        elif not cluster.is_enabled:
            message = "data transforms disabled - use `rpk cluster config set data_transforms_enabled true` to enable"
            status, answer = 400, {"message": message, "code": 400}
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        if status == 307:
            self.send_header("Location", self.server.leader + self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        # A client that doesn't trust the certificate leaves in the middle of it.
        with suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
