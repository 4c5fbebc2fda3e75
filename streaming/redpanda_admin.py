"""Redpanda's Admin API, as far as data transforms need it: list, deploy, delete.

Every call is for one cluster: the addresses are those of its brokers, and any of them will do. A broker that isn't the
leader of the controller answers a change with a redirect to the one that is.
"""

import base64
import http.client
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from streaming.transform_host.deployments import Deployment

TIMEOUT_SECONDS = 30.0
MAX_REDIRECTS = 5
REDIRECTS = (http.HTTPStatus.TEMPORARY_REDIRECT, http.HTTPStatus.PERMANENT_REDIRECT)
DISABLED = "transforms disabled"
MAX_REASON = 300


class AdminError(Exception):
    """The cluster did not do what it was asked. The text names the address and quotes its reason."""


class TransformsDisabled(AdminError):
    """The cluster's property `data_transforms_enabled` is off: it runs no transform, and takes none."""


@dataclass(frozen=True)
class PartitionStatus:
    """How a transform does on one partition of its input topic; `lag` in records."""

    partition: int
    node: int
    status: str
    lag: int


@dataclass(frozen=True)
class DeployedTransform:
    """A transform as the cluster knows it."""

    name: str
    input_topic: str
    output_topics: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    partitions: tuple[PartitionStatus, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether every partition of the input topic is served."""
        return bool(self.partitions) and all(partition.status == "running" for partition in self.partitions)

    @property
    def lag(self) -> int:
        """Records that wait in all partitions together."""
        return sum(partition.lag for partition in self.partitions)


class RedpandaAdmin:
    """A client of the Admin API at `addresses` (http:// or https://), with basic authentication when `user` is given.

    `authority` is the PEM text of the authority that signed the brokers' certificates; the system's when empty.
    """

    def __init__(self, addresses: Sequence[str], *, user: str = "", password: str = "", authority: str = ""):
        for address in addresses:
            if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
                raise AdminError(f"{address!r} is not an address of the Admin API, such as http://redpanda-0:9644")
        self._addresses = [address.rstrip("/") for address in addresses]
        self._headers = {"Authorization": _basic(user, password)} if user else {}
        self._authority = authority

    def transforms(self) -> dict[str, DeployedTransform]:
        """Every transform of the cluster, by name.

        Raises:
            AdminError: no answer, or a refusal.
        """
        return {item["name"]: _read_transform(item) for item in self._request("GET", "/v1/transform")}

    def deploy(self, deployment: Deployment, binary: bytes, *, start: str | None = None) -> None:
        """Deploy a transform, or replace one of that name and those topics.

        `start`, where it first reads: "from_start" or "from_end" of the input topic. The broker's own default is the
        end; it is asked on the first deployment only.

        Raises:
            AdminError: no answer, or a refusal.
        """
        described: dict[str, Any] = {
            "name": deployment.name,
            "input_topic": deployment.input_topic,
            "output_topics": list(deployment.output_topics),
            "environment": [{"key": key, "value": value} for key, value in deployment.variables.items()],
        }
        if start is not None:
            described["offset"] = {"format": start, "value": 0}
        body = json.dumps(described).encode() + binary
        self._request("POST", "/v1/transform/deploy", body, content_type="application/json+wasm")

    def delete(self, name: str) -> None:
        """Delete a transform; what its topics hold stays.

        Raises:
            AdminError: no answer, a refusal, or there is no such transform.
        """
        self._request("DELETE", f"/v1/transform/{quote(name, safe='')}")

    def _request(self, method: str, path: str, body: bytes = b"", *, content_type: str = "application/json") -> Any:
        unreachable = []
        for address in self._addresses:
            try:
                return self._follow(method, address + path, body, content_type)
            except (OSError, http.client.HTTPException) as error:
                unreachable.append(f"{address}: {error or type(error).__name__}")
        raise AdminError(f"no answer from Redpanda's Admin API: {'; '.join(unreachable)}")

    def _follow(self, method: str, url: str, body: bytes, content_type: str) -> Any:
        for _ in range(MAX_REDIRECTS):
            status, location, answer = self._ask(method, url, body, content_type)
            if status not in REDIRECTS:
                return _parse(url, status, answer)
            if urlsplit(location).scheme != urlsplit(url).scheme:
                raise AdminError(f"{url} redirects to {location!r}, which is not trusted with the credentials")
            url = location
        raise AdminError(f"{url}: more than {MAX_REDIRECTS} redirects; the cluster has no leader")

    def _ask(self, method: str, url: str, body: bytes, content_type: str) -> tuple[int, str, bytes]:
        connection = self._connection(url)
        try:
            connection.request(method, urlsplit(url).path, body, {"Content-Type": content_type, **self._headers})
            response = connection.getresponse()
            return response.status, response.getheader("Location", ""), response.read()
        finally:
            connection.close()

    def _connection(self, url: str) -> http.client.HTTPConnection:
        target = urlsplit(url)
        host = target.hostname or ""
        if target.scheme == "http":
            return http.client.HTTPConnection(host, target.port, timeout=TIMEOUT_SECONDS)
        try:
            context = ssl.create_default_context(cadata=self._authority or None)
        except (ssl.SSLError, ValueError) as error:
            raise AdminError(f"REDPANDA_ADMIN_CA holds no PEM certificate: {error}") from error
        return http.client.HTTPSConnection(host, target.port, timeout=TIMEOUT_SECONDS, context=context)


def admin_of_settings() -> RedpandaAdmin | None:
    """The Admin API that the settings name, or None: the broker is not Redpanda, or runs no transforms.

    Raises:
        AdminError: an address is none.
    """
    if not settings.REDPANDA_ADMIN_URL:
        return None
    return RedpandaAdmin(
        settings.REDPANDA_ADMIN_URL,
        user=settings.REDPANDA_ADMIN_USER,
        password=settings.REDPANDA_ADMIN_PASSWORD,
        authority=settings.REDPANDA_ADMIN_CA,
    )


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _parse(url: str, status: int, answer: bytes) -> Any:
    if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        raise AdminError(f"{url} refuses REDPANDA_ADMIN_USER ({status}): {_reason(answer)}")
    if status >= http.HTTPStatus.BAD_REQUEST and DISABLED in _reason(answer):
        raise TransformsDisabled(f"{url}: {_reason(answer)}, then restart the brokers")
    if not 200 <= status < 300:
        raise AdminError(f"{url} answers {status}: {_reason(answer)}")
    try:
        return json.loads(answer) if answer.strip() else None
    except ValueError as error:
        raise AdminError(f"{url} answers no JSON; is it the Admin API?") from error


def _reason(answer: bytes) -> str:
    """The broker's own words: the member `message` of its JSON."""
    text = answer.decode(errors="replace").strip()
    try:
        text = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        pass
    return text[:MAX_REASON] or "no reason given"


def _read_transform(item: dict[str, Any]) -> DeployedTransform:
    return DeployedTransform(
        name=item["name"],
        input_topic=item["input_topic"],
        output_topics=tuple(item["output_topics"]),
        variables={variable["key"]: variable["value"] for variable in item.get("environment", [])},
        partitions=tuple(
            PartitionStatus(
                partition=status["partition"],
                node=status["node_id"],
                status=status["status"],
                lag=status.get("lag", 0),
            )
            for status in item.get("status", [])
        ),
    )
