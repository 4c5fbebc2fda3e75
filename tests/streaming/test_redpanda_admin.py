"""`deploy_transforms` against the Admin API as documented."""

import functools
import json
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
import wasmtime
from django.core.management import CommandError, call_command

from streaming import transform_releases
from streaming.management.commands import run_transforms
from streaming.redpanda_admin import AdminError, RedpandaAdmin
from streaming.topics import Topic
from streaming.transform_host.deployments import BadDeployment, Deployment, read_module
from streaming.transform_host.modules import BadModule, compile_module
from streaming.transform_logs import LOG_TOPIC, format_line
from streaming.transform_releases import HASH_VARIABLE, Release, try_start
from tests.streaming.admin_stub import AdminStub, Cluster
from tests.streaming.mock_kafka import MockKafka

# Compiling takes most of a deployment's time, and every test deploys the same two modules.
compile_once = functools.cache(compile_module)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(topics=set(Topic))


@pytest.fixture
def stub(cluster: Cluster, settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminStub]:
    monkeypatch.setattr(transform_releases, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(transform_releases, "compile_module", compile_once)
    made = AdminStub(cluster)
    settings.REDPANDA_ADMIN_URL = [made.address]
    yield made
    made.close()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("deploy_transforms", *arguments, stdout=out)
    return out.getvalue()


# -- deploying -----------------------------------------------------------------------------------------------------
def test_both_transforms_are_deployed_with_their_topics_their_modules_and_from_the_start(
    stub: AdminStub, cluster: Cluster
):
    said = run()
    assert "prepare-request: deployed" in said
    assert "all run" in said
    described = cluster.transforms["prepare-request"]
    assert described["input_topic"] == Topic.REQUESTS
    assert described["output_topics"] == [Topic.FEATURES, Topic.DEAD_LETTERS]
    assert cluster.binaries == {name: read_module(name) for name in ("format-result", "prepare-request")}
    assert cluster.offsets["prepare-request"] == {"format": "from_start", "value": 0}


def test_what_is_deployed_already_is_left_alone(stub: AdminStub, cluster: Cluster):
    run()
    assert "prepare-request: unchanged" in run()
    assert cluster.deployments == 2


def test_another_module_is_replaced_and_goes_on_where_it_was(stub: AdminStub, cluster: Cluster):
    run()
    cluster.transforms["prepare-request"]["environment"] = [{"key": HASH_VARIABLE, "value": "0" * 64}]
    said = run()
    assert "prepare-request: replaced" in said
    assert "format-result: unchanged" in said
    assert cluster.offsets["prepare-request"] is None


def test_a_transform_that_rpk_deployed_is_replaced_once(stub: AdminStub, cluster: Cluster):
    run()
    cluster.transforms["prepare-request"].pop("environment")
    assert "prepare-request: replaced" in run()
    assert "prepare-request: unchanged" in run()


def test_nothing_is_deployed_when_one_of_them_is_on_other_topics(stub: AdminStub, cluster: Cluster):
    run()
    cluster.transforms["prepare-request"]["output_topics"] = [Topic.FEATURES]
    cluster.transforms["format-result"].pop("environment")
    with pytest.raises(CommandError, match=r"prepare-request is deployed on other topics .*--delete prepare-request"):
        run()
    assert cluster.deployments == 2


def test_from_end_skips_what_the_topic_holds(stub: AdminStub, cluster: Cluster):
    run("--from-end", "--only", "prepare-request")
    assert cluster.offsets == {"prepare-request": {"format": "from_end", "value": 0}}


def test_it_waits_until_every_partition_is_served(stub: AdminStub, cluster: Cluster):
    cluster.looks_until_running = 4
    assert "all run" in run()
    assert cluster.looks_until_running < 0


def test_a_partition_that_does_not_run_is_named(stub: AdminStub, cluster: Cluster):
    cluster.statuses = ["running", "errored", "running"]
    with pytest.raises(CommandError, match=r"not running after 0 s: .*prepare-request \(partition 1 errored\)"):
        run("--seconds", "0")


# -- the other options ---------------------------------------------------------------------------------------------
def test_status_tells_each_partition_and_the_lag(stub: AdminStub, cluster: Cluster):
    assert run("--status") == "the cluster runs no transform\n"
    run()
    said = run("--status")
    assert "prepare-request: running, lag 6, prediction_topic -> " in said
    assert "  partition 2 on node 0: running, lag 4" in said


def test_a_deleted_transform_is_gone_and_another_delete_says_so(stub: AdminStub, cluster: Cluster):
    run()
    assert run("--delete", "prepare-request") == "deleted prepare-request\n"
    assert set(cluster.transforms) == {"format-result"}
    with pytest.raises(CommandError, match="404: transform prepare-request does not exist"):
        run("--delete", "prepare-request")


def test_check_needs_no_broker(settings):
    settings.REDPANDA_ADMIN_URL = []
    assert "starts within Redpanda's limits" in run("--check")


# -- what is refused -----------------------------------------------------------------------------------------------
def test_a_missing_topic_is_told_in_the_brokers_words(stub: AdminStub, cluster: Cluster):
    cluster.topics.discard(Topic.DEAD_LETTERS)
    with pytest.raises(CommandError, match="answers 404: topic prediction_dead_letter_topic does not exist"):
        run()


def test_disabled_transforms_are_told_with_the_way_to_enable_them(stub: AdminStub, cluster: Cluster):
    cluster.is_enabled = False
    with pytest.raises(CommandError, match="rpk cluster config set data_transforms_enabled true"):
        run()


def test_without_an_address_the_variable_is_named(settings):
    settings.REDPANDA_ADMIN_URL = []
    with pytest.raises(CommandError, match="REDPANDA_ADMIN_URL is not set"):
        run()


def test_an_address_that_is_none_is_refused():
    with pytest.raises(AdminError, match="redpanda-0:9644"):
        RedpandaAdmin(["redpanda-0:9644"])


def test_an_unknown_name_is_refused_with_those_there_are(stub: AdminStub):
    with pytest.raises(CommandError, match=r"no such transform: nobody \(there are format-result, prepare-request\)"):
        run("--only", "nobody")


def test_a_module_that_wants_a_function_redpanda_lacks_is_refused_before_it_is_deployed():
    binary = wasmtime.wat2wasm(
        """(module
        (import "redpanda_transform" "check_abi_version_1" (func))
        (import "wasi_snapshot_preview1" "proc_raise" (func (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")))"""
    )
    with pytest.raises(BadModule, match=r"sample: unknown import: .*proc_raise"):
        try_start(Release("sample", binary, Deployment("sample", "in", ("out",))))


def test_too_many_variables_leave_no_room_for_the_hash():
    full = Deployment("sample", "in", ("out",), {f"V{i}": "x" for i in range(128)})
    with pytest.raises(BadDeployment):
        _ = Release("sample", b"", full).deployment


# -- the connection ------------------------------------------------------------------------------------------------
def test_the_password_is_used_and_a_wrong_one_is_told(stub: AdminStub, cluster: Cluster, settings):
    cluster.login = ("admin", "secret")
    settings.REDPANDA_ADMIN_USER = "admin"
    settings.REDPANDA_ADMIN_PASSWORD = "wrong"
    with pytest.raises(CommandError, match="refuses REDPANDA_ADMIN_USER"):
        run()
    settings.REDPANDA_ADMIN_PASSWORD = "secret"
    assert "all run" in run()


def test_a_change_follows_the_redirect_to_the_leader(cluster: Cluster, stub: AdminStub, settings):
    cluster.login = ("admin", "secret")
    settings.REDPANDA_ADMIN_USER, settings.REDPANDA_ADMIN_PASSWORD = cluster.login
    follower = AdminStub(cluster, leader=stub.address)
    settings.REDPANDA_ADMIN_URL = [follower.address]
    run()
    follower.close()
    assert cluster.deployments == 2


def test_a_redirect_to_another_scheme_gets_no_password(cluster: Cluster, stub: AdminStub, settings):
    follower = AdminStub(cluster, leader="https://elsewhere")
    settings.REDPANDA_ADMIN_URL = [follower.address]
    with pytest.raises(CommandError, match="not trusted"):
        run()
    follower.close()


def test_two_followers_that_point_at_each_other_end_with_an_error(cluster: Cluster, stub: AdminStub):
    stub.leader = stub.address
    with pytest.raises(AdminError, match="no leader"):
        RedpandaAdmin([stub.address]).delete("x")


def test_a_broker_that_is_down_is_passed_over(stub: AdminStub, settings):
    settings.REDPANDA_ADMIN_URL = ["http://127.0.0.1:1", stub.address]
    assert "all run" in run()


@pytest.fixture
def certified(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[AdminStub, str]]:
    """A broker that speaks TLS, and the PEM text of its certificate."""
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    stub = AdminStub(cluster, tls=context)
    yield stub, certificate.read_text()
    stub.close()


def test_https_with_an_authority_of_ones_own(certified: tuple[AdminStub, str], settings):
    stub, authority = certified
    settings.REDPANDA_ADMIN_URL = [stub.address]
    settings.REDPANDA_ADMIN_CA = authority
    assert run("--status") == "the cluster runs no transform\n"


def test_a_certificate_of_an_unknown_authority_is_refused(certified: tuple[AdminStub, str], settings):
    settings.REDPANDA_ADMIN_URL = [certified[0].address]
    with pytest.raises(CommandError, match="CERTIFICATE_VERIFY_FAILED"):
        run("--status")


def test_an_authority_that_is_no_certificate_is_told(certified: tuple[AdminStub, str], settings):
    settings.REDPANDA_ADMIN_URL = [certified[0].address]
    settings.REDPANDA_ADMIN_CA = "/etc/ssl/ca.pem"
    with pytest.raises(CommandError, match="REDPANDA_ADMIN_CA holds no PEM certificate"):
        run("--status")


def test_an_answer_that_is_no_json_is_told(cluster: Cluster, stub: AdminStub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(json, "dumps", lambda *_, **__: "<html>")
    with pytest.raises(AdminError, match="is it the Admin API"):
        RedpandaAdmin([stub.address]).transforms()


def test_when_no_broker_answers_each_address_is_named(settings):
    settings.REDPANDA_ADMIN_URL = ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    with pytest.raises(CommandError, match=r"127.0.0.1:1: .*refused; http://127.0.0.1:2: .*refused"):
        run()


# -- run_transforms beside it --------------------------------------------------------------------------------------
@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that should have been refused ends at once, instead of running for ever."""
    monkeypatch.setattr(run_transforms, "run_hosts", lambda hosts, stop: [])


@pytest.mark.usefixtures("nothing_runs")
def test_run_transforms_refuses_to_start_where_the_broker_runs_them(stub: AdminStub):
    run("--only", "prepare-request")
    with pytest.raises(CommandError, match="already runs prepare-request"):
        call_command("run_transforms")


@pytest.mark.usefixtures("nothing_runs")
def test_run_transforms_refuses_to_start_when_it_cant_ask_the_broker(settings):
    settings.REDPANDA_ADMIN_URL = ["http://127.0.0.1:1"]
    with pytest.raises(CommandError, match="no answer from Redpanda's Admin API"):
        call_command("run_transforms")


def test_run_transforms_may_start_for_a_transform_that_the_broker_does_not_run(stub: AdminStub, cluster: Cluster):
    ours = Deployment("prepare-request", Topic.REQUESTS, (Topic.FEATURES,))
    run("--only", "format-result")
    assert transform_releases.run_by_the_broker(RedpandaAdmin([stub.address]), [ours]) == []
    cluster.is_enabled = False
    assert transform_releases.run_by_the_broker(RedpandaAdmin([stub.address]), [ours]) == []


# -- logs ----------------------------------------------------------------------------------------------------------
class Record:
    def __init__(self, value: bytes):
        self._value = value

    def value(self) -> bytes:
        return self._value


def log_record(name: str, text: str) -> tuple[bytes, bytes, list]:
    attributes = [{"key": "node", "value": {"intValue": 0}}]
    event = {"body": {"stringValue": text}, "timeUnixNano": 0, "severityNumber": 9, "attributes": attributes}
    return name.encode(), json.dumps(event).encode(), []


def test_the_logs_of_one_transform_are_read_from_every_partition(broker: MockKafka):
    broker.create_topics([LOG_TOPIC])
    broker.put(LOG_TOPIC, log_record("prepare-request", "one"), log_record("format-result", "other"))
    broker.put(LOG_TOPIC, log_record("prepare-request", "two"), partition=3)
    lines = run("--logs", "prepare-request").splitlines()
    assert sorted(line.rpartition(": ")[2] for line in lines) == ["one", "two"]


def test_a_log_record_is_shown_with_its_time_level_and_node():
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    event = {
        "body": {"stringValue": "refused a record\n"},
        "timeUnixNano": int(moment.timestamp() * 1e9),
        "severityNumber": 13,
        "attributes": [
            {"key": "transform_name", "value": {"stringValue": "prepare-request"}},
            {"key": "node", "value": {"intValue": 2}},
        ],
    }
    assert format_line(Record(json.dumps(event).encode())) == (
        "2026-01-31T12:00:00.000+00:00 warning node 2: refused a record"
    )


@pytest.mark.parametrize("value", [b"plain text", b"{}", b"[]", b'"x"', b"\xff"])
def test_a_log_record_of_another_shape_is_shown_as_it_is(value: bytes):
    assert format_line(Record(value)) == value.decode(errors="replace")
