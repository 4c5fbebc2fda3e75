"""nginx as the compose file configures it, in front of a web process that tells what reached it."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from housevalue.embedded.ports import spare_port
from tests.docker.paths import DOCKER

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is missing: apt install nginx-light")


class Upstream(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.go_on = threading.Event()
        self.posts = 0
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        if self.path == "/stream":
            self._stream()
        elif self.headers.get("Upgrade") == "websocket":
            self._upgrade()
        else:
            self._answer(json.dumps(dict(self.headers.items())).encode())

    def do_POST(self) -> None:
        self.server.posts += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.server.go_on.wait(60)
        self.wfile.write(b"data: second\n\n")
        self.close_connection = True

    def _upgrade(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write(self.rfile.read(4)[::-1])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.go_on.set()
    made.shutdown()
    made.server_close()


def start_nginx(folder: Path, door: str, upstream: Upstream) -> tuple[subprocess.Popen, int, int]:
    """nginx with the template of `door` (http or https); the process, its plain port and its TLS port."""
    plain, tls = spare_port(), spare_port()
    changes = {
        "${NGINX_LOCAL_RESOLVERS}": "127.0.0.1",
        "${WEB_ADDRESS}": f"127.0.0.1:{upstream.server_port}",
        "${HTTPS_PORT}": str(tls),
        "/etc/nginx/conf.d/": f"{folder}/",
        "/run/secrets/": f"{folder}/",
        "listen 8080": f"listen 127.0.0.1:{plain}",
        "listen 8443": f"listen 127.0.0.1:{tls}",
    }
    for source, target in ((f"{door}.conf.template", "default.conf"), ("web.conf.template", "web.inc")):
        text = (DOCKER / "nginx" / source).read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (folder / target).write_text(text)
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in TEMPORARY)
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log {folder}/errors; daemon off; master_process off; events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/default.conf; }}\n"
    )
    process = subprocess.Popen([NGINX, "-e", folder / "errors", "-c", folder / "nginx.conf"])
    wait_for_port(process, plain, folder / "errors")
    return process, plain, tls


TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def wait_for_port(process: subprocess.Popen, port: int, errors: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"nginx does not listen: {errors.read_text()}")


@pytest.fixture(scope="module")
def door(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of nginx without TLS."""
    process, plain, _ = start_nginx(tmp_path_factory.mktemp("http"), "http", upstream)
    yield plain
    process.terminate()
    process.wait()


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers)
    return connection.getresponse()


def test_the_web_process_sees_the_callers_address_and_host_whatever_the_caller_claims(door: int):
    claims = {"Host": "houses.example:8000", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}
    seen = json.loads(ask(door, "GET", "/", **claims, **{"X-Forwarded-Port": "1"}).read())
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "http"
    assert seen["Host"] == "houses.example:8000"
    assert "X-Forwarded-Port" not in seen


def test_an_event_passes_before_the_stream_ends(door: int, upstream: Upstream):
    upstream.go_on.clear()
    response = ask(door, "GET", "/stream")
    assert response.readline() == b"data: first\n"
    upstream.go_on.set()
    assert b"data: second\n" in response.read()


def test_a_websocket_is_upgraded(door: int):
    with socket.create_connection(("127.0.0.1", door), timeout=20) as client:
        client.sendall(
            b"GET /ws/predictions/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101")
        client.sendall(b"ping")
        while not answer.endswith(b"gnip"):
            received = client.recv(4096)
            assert received
            answer += received


def test_a_large_body_is_refused_before_it_reaches_the_web_process(door: int, upstream: Upstream):
    before = upstream.posts
    assert ask(door, "POST", "/predict_api", b"x" * 66_000).status == 413
    assert upstream.posts == before


def test_metrics_are_nothing_for_the_world(door: int):
    assert ask(door, "GET", "/metrics").status == 404


def test_nginx_answers_its_own_health_check(door: int):
    assert ask(door, "GET", "/edge-health").read() == b"ok\n"


def test_with_tls_plain_http_is_sent_there_and_the_web_process_knows(upstream: Upstream, tmp_path: Path):
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", tmp_path / "tls_key", "-out", tmp_path / "tls_certificate"),
        ],
        check=True,
        capture_output=True,
    )
    process, plain, tls = start_nginx(tmp_path, "https", upstream)
    try:
        redirect = ask(plain, "POST", "/predict_api?x=1", b"{}", Host="localhost")
        assert (redirect.status, redirect.getheader("Location")) == (308, f"https://localhost:{tls}/predict_api?x=1")
        trusted = ssl.create_default_context(cafile=tmp_path / "tls_certificate")
        connection = HTTPSConnection("localhost", tls, context=trusted, timeout=10)
        connection.request("GET", "/")
        assert json.loads(connection.getresponse().read())["X-Forwarded-Proto"] == "https"
    finally:
        process.terminate()
        process.wait()
