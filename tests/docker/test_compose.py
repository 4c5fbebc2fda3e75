"""The compose file, as Docker Compose reads it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from streaming import metrics
from tests.docker.conftest import Load, read_environment
from tests.docker.paths import BROKER, COMPOSE, DOCKER, ROOT, TLS

Services = dict[str, dict[str, Any]]

ONE_SHOTS = {"migrate", "models", "topics", "transforms", "folders"}
PIPELINES = {"connect-ingress", "connect-results", "connect-dead-letters"}
PROCESSES = {"web", "publisher", "scorer", "worker", "deliverer"}
DATA = {"redpanda-0", "redis", "postgres"}
# A full version: major.minor.patch, or PostgreSQL's major.minor.
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)?|postgres:\d+\.\d+-alpine")


def command_line(service: dict[str, Any]) -> str:
    return " ".join(service.get("command") or [])


# -- what starts ---------------------------------------------------------------------------------------------------
def test_without_a_profile_one_of_each_process_starts(load_compose: Load):
    assert set(load_compose()["services"]) == ONE_SHOTS | PIPELINES | PROCESSES | DATA | {"beat", "nginx"}


def test_the_cluster_has_three_brokers_and_two_of_each_process_but_one_clock(load_compose: Load):
    services = load_compose(**read_environment("cluster.env"))["services"]
    assert {"redpanda-0", "redpanda-1", "redpanda-2"} <= set(services)
    assert {f"{name}-2" for name in PROCESSES} <= set(services)
    assert sum("beat" in (service.get("command") or ()) for service in services.values()) == 1


def test_the_cluster_keeps_three_copies_and_every_client_knows_three_brokers(load_compose: Load):
    services = load_compose(**read_environment("cluster.env"))["services"]
    environment = services["web"]["environment"]
    assert environment["KAFKA_REPLICATION_FACTOR"] == "3"
    assert len(environment["KAFKA_BOOTSTRAP_SERVERS"].split(",")) == 3
    assert {"redpanda-0", "redpanda-1", "redpanda-2"} <= set(services["topics"]["depends_on"])


def test_the_second_of_a_process_is_like_the_first(load_compose: Load):
    services = load_compose(**read_environment("cluster.env"))["services"]
    for name in PROCESSES:
        assert {**services[f"{name}-2"], "profiles": None} == {**services[name], "profiles": None}, name


def test_profiles_for_looking_inside_are_off_by_default(load_compose: Load):
    plain = set(load_compose()["services"])
    assert set(load_compose(COMPOSE_PROFILES="feed")["services"]) - plain == {"connect-feed"}
    assert set(load_compose(COMPOSE_PROFILES="console")["services"]) - plain == {"console"}
    assert set(load_compose(COMPOSE_PROFILES="observability")["services"]) - plain == {"prometheus", "grafana"}


def test_processes_wait_for_tables_models_topics_and_transforms(services: Services):
    for name in PROCESSES | {"beat"}:
        waits = services[name]["depends_on"]
        done = {other for other, how in waits.items() if how["condition"] == "service_completed_successfully"}
        assert done == {"models", "topics", "transforms"}, name
    assert services["models"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["transforms"]["depends_on"]["topics"]["condition"] == "service_completed_successfully"


def test_the_transforms_run_in_the_broker_only(services: Services):
    assert "deploy_transforms" in command_line(services["transforms"])
    assert not any("run_transforms" in command_line(service) for service in services.values())


# -- what is in it -------------------------------------------------------------------------------------------------
def test_every_management_command_exists(ours: Services):
    known = get_commands()
    for name, service in ours.items():
        words = service.get("command") or []
        if "manage.py" in words:
            assert words[words.index("manage.py") + 1] in known, name


def test_every_other_program_of_ours_is_in_the_environment(ours: Services):
    for name, service in ours.items():
        program = (service.get("command") or ["daphne"])[0]
        assert (ROOT / ".venv" / "bin" / program).exists() or shutil.which(program), name


def test_every_variable_of_ours_is_one_that_the_settings_read(ours: Services):
    known = set(re.findall(r"""env\.\w+\(\s*["'](\w+)["']""", (ROOT / "housevalue" / "settings.py").read_text()))
    for name, service in ours.items():
        asked = {variable.removesuffix("_FILE") for variable in service["environment"]}
        assert asked <= known, f"{name}: {asked - known}"


def test_the_settings_accept_the_environment_of_the_web_process(ours: Services, tmp_path: Path):
    secrets = {
        "secret_key": "k" * 64,
        "connect_ingress_token": "t" * 64,
        "kafka_client_properties": '{"security.protocol": "SASL_SSL"}',
        "database_url": "postgres://housevalue:secret@postgres:5432/housevalue",
    }
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **ours["web"]["environment"]}
    for name, text in secrets.items():
        (tmp_path / name).write_text(text + "\n")
        environment[f"{name.upper()}_FILE"] = str(tmp_path / name)
    code = (
        "from django.conf import settings as s;"
        "print(s.SECRET_KEY == 'k' * 64, s.DATABASES['default']['HOST'], s.REDPANDA_ADMIN_URL, s.ALLOWED_HOSTS,"
        "s.KAFKA_CLIENT_PROPERTIES)"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "DJANGO_SETTINGS_MODULE": "housevalue.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.stdout.strip() == (
        "True postgres ['http://redpanda-0:9644'] ['localhost', '127.0.0.1'] {'security.protocol': 'SASL_SSL'}"
    ), asked.stderr


def test_every_pipeline_is_run_and_given_only_variables_that_it_reads(services: Services):
    pipelines = {path.stem for path in (ROOT / "redpanda" / "connect").glob("*.yaml") if "_test" not in path.stem}
    run = {name: service for name, service in services.items() if name.startswith("connect-")}
    assert {name.removeprefix("connect-").replace("-", "_") for name in run} == pipelines
    for name, service in run.items():
        [pipeline] = [mount for mount in service["volumes"] if mount["target"].startswith("/pipelines/")]
        text = Path(pipeline["source"]).read_text()
        assert pipeline["target"] in command_line(service), name
        read = set(re.findall(r"""\$\{(\w+)[:}]|env\("(\w+)"\)""", text))
        known = {variable for pair in read for variable in pair if variable}
        given = set(service["environment"]) | {secret["target"] for secret in service["secrets"]}
        # The level of logs is everybody's, though a pipeline may keep its own.
        assert given - {"CONNECT_LOG_LEVEL"} <= known, f"{name}: {given - known}"


def test_the_publisher_and_the_ingress_share_the_token_and_the_door(services: Services):
    ingress, publisher = services["connect-ingress"], services["publisher"]
    assert {"source": "connect_token", "target": "INGRESS_TOKEN"} in ingress["secrets"]
    assert publisher["environment"]["CONNECT_INGRESS_TOKEN_FILE"] == "/run/secrets/connect_token"
    port = ingress["environment"]["INGRESS_ADDRESS"].rpartition(":")[2]
    assert publisher["environment"]["CONNECT_INGRESS_URL"] == f"http://connect-ingress:{port}/v1/predictions"
    assert publisher["depends_on"]["connect-ingress"]["condition"] == "service_healthy"


def test_connect_is_of_the_version_whose_core_the_engine_is_built_from(services: Services):
    core = re.search(r"redpanda-data/benthos/v4 (v\S+)", (ROOT / "redpanda/connect/engine/go.mod").read_text())[1]
    images = {service["image"] for name, service in services.items() if name.startswith("connect-")}
    # Connect 4.106.0 requires benthos v4.78.0: change both together.
    assert (core, images) == ("v4.78.0", {"docker.redpanda.com/redpandadata/connect:4.106.0"})


def test_no_secret_is_in_the_environment(services: Services):
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search(r"SECRET|PASSWORD|TOKEN|DATABASE_URL", variable):
                assert value.startswith("/run/secrets/"), f"{name}: {variable}"
                mounted = {secret["source"] for secret in service["secrets"]}
                assert value.removeprefix("/run/secrets/") in mounted, f"{name}: {variable}"


def test_every_image_is_pinned_to_a_version(services: Services):
    for name, service in services.items():
        assert PINNED.fullmatch(service["image"]), f"{name}: {service['image']}"


def test_every_file_that_is_mounted_exists(services: Services):
    mounts = [volume for service in services.values() for volume in service.get("volumes") or ()]
    sources = [Path(mount["source"]) for mount in mounts if mount["type"] == "bind"]
    assert len(sources) > 5
    assert [path for path in sources if not path.exists()] == []


def test_redpanda_is_told_to_run_transforms_and_to_make_no_topics_of_its_own():
    properties = yaml.safe_load((DOCKER / "redpanda" / "bootstrap.yaml").read_text())
    assert properties["data_transforms_enabled"] is True
    assert properties["auto_create_topics_enabled"] is False
    # One instance for each transform and partition must fit in what a core reserves for them.
    instances = properties["data_transforms_per_core_memory_reservation"] // (2 << 20)
    assert instances >= 2 * 6


def test_no_broker_risks_acknowledged_records_for_speed(services: Services):
    for name in ("redpanda-0", "redpanda-1", "redpanda-2"):
        line = command_line(services[name])
        assert "dev-container" not in line
        assert "unsafe" not in line


# -- how it is contained -------------------------------------------------------------------------------------------
def test_every_lasting_service_is_restarted_and_has_a_health_check(services: Services):
    for name, service in services.items():
        if name in ONE_SHOTS:
            assert (service["restart"], service["healthcheck"]["disable"]) == ("no", True), name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_every_service_has_limits_and_its_log_is_rotated(services: Services):
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert float(limits["cpus"]) > 0, name
        assert int(limits["memory"]) > 0, name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name


def test_ours_are_neither_root_nor_able_to_write_but_in_their_scratch(ours: Services):
    for name, service in ours.items():
        assert service["user"] == "10001:10001", name
        assert service["read_only"] is True, name
        assert name == "folders" or not service.get("volumes"), name


def test_nobody_gains_privileges_and_only_redpandas_own_programs_have_capabilities(services: Services):
    for name, service in services.items():
        if name.startswith("redpanda-"):
            assert not service.get("cap_drop"), name
        else:
            assert service["cap_drop"] == ["ALL"], name
            assert service.get("cap_add") == (["SYS_CHROOT"] if name.startswith("connect-") else None), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name


def test_only_the_door_is_open_to_the_network(services: Services):
    for name, service in services.items():
        for port in service.get("ports") or ():
            assert name == "nginx" or port["host_ip"] == "127.0.0.1", name


def test_brokers_and_databases_have_no_way_out(project: dict[str, Any], services: Services):
    assert project["networks"]["inside"]["internal"] is True
    for name in (*DATA, "redpanda-1", "redpanda-2"):
        assert set(services[name]["networks"]) == {"inside"}, name


def test_tls_changes_the_door_and_the_web_processes(load_compose: Load):
    environment = {**read_environment("cluster.env"), "HTTPS_PORT": "443"}
    services = load_compose(COMPOSE, TLS, **environment)["services"]
    assert [services[name]["environment"]["HTTPS"] for name in ("web", "web-2", "scorer")] == ["true", "true", "false"]
    assert {port["published"] for port in services["nginx"]["ports"]} == {"8000", "443"}
    templates = [volume["source"] for volume in services["nginx"]["volumes"]]
    assert any(path.endswith("https.conf.template") for path in templates)
    assert not any(path.endswith("/http.conf.template") for path in templates)


def test_on_a_broker_of_ones_own_no_redpanda_starts_and_a_process_of_ours_runs_the_transforms(load_compose: Load):
    environment = {
        "REDPANDA_ADMIN_URL": "",
        "KAFKA_BOOTSTRAP_SERVERS": "broker:9092",
        "COMPOSE_PROFILES": "cluster,console",
    }
    loaded = load_compose(COMPOSE, BROKER, **environment)
    services = loaded["services"]
    assert not any(name.startswith("redpanda-") for name in services)
    assert command_line(services["transform-host"]) == "python manage.py run_transforms"
    assert command_line(services["transforms"]) == "python manage.py deploy_transforms --check"
    assert services["scorer"]["environment"]["REDPANDA_ADMIN_URL"] == ""
    assert not loaded["networks"]["inside"].get("internal")


def test_a_secret_becomes_the_variable_of_its_name_for_connect(tmp_path: Path):
    (tmp_path / "INGRESS_TOKEN").write_text("a b$c")
    script = (DOCKER / "connect" / "start.sh").read_text().replace("/run/secrets", str(tmp_path))
    asked = subprocess.run(
        ["sh", "-c", script, "start.sh", "-c", 'printf %s "$INGRESS_TOKEN"'],
        env={"PATH": os.environ["PATH"], "CONNECT_PROGRAM": "/bin/sh"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.stdout == "a b$c", asked.stderr


# -- looking inside ------------------------------------------------------------------------------------------------
def test_the_dashboard_asks_only_for_metrics_that_redpanda_has():
    known = {
        "redpanda_kafka_records_produced_total",
        "redpanda_kafka_consumer_group_lag_sum",
        "redpanda_transform_processor_lag",
        "redpanda_transform_state",
        "redpanda_transform_execution_latency_sec_bucket",
        "redpanda_transform_failures",
        "redpanda_wasm_engine_memory_usage",
    }
    dashboard = yaml.safe_load((DOCKER / "grafana" / "dashboards" / "broker.json").read_text())
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    assert set(re.findall(r"redpanda_(?:kafka|transform|wasm)_\w+", asked)) == known
    source = yaml.safe_load((DOCKER / "grafana" / "provisioning" / "datasources" / "prometheus.yaml").read_text())
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["datasources"][0]["uid"]}


def test_prometheus_scrapes_every_broker_every_pipeline_and_every_process(services: Services):
    scrapes = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]
    jobs = {scrape["job_name"]: scrape["dns_sd_configs"][0] for scrape in scrapes}
    for kind in ("redpanda", "connect"):
        assert set(jobs[kind]["names"]) == {name for name in services if name.startswith(f"{kind}-")}
    processes = PROCESSES | {f"{name}-2" for name in PROCESSES}
    assert set(jobs["housevalue"]["names"]) == processes | {"transform-host"}
    for name in processes:
        assert services[name]["environment"]["METRICS_PORT"] == str(jobs["housevalue"]["port"])
        assert not services[name].get("ports"), f"{name} shows its metrics to the world"


def asked_of_prometheus() -> dict[str, str]:
    """Where it is asked -> what: every alert and every panel of the dashboard of the path."""
    alerts = yaml.safe_load((DOCKER / "prometheus" / "alerts.yaml").read_text())["groups"][0]["rules"]
    dashboard = json.loads((DOCKER / "grafana" / "dashboards" / "path.json").read_text())
    panels = {panel["title"]: " ".join(target["expr"] for target in panel["targets"]) for panel in dashboard["panels"]}
    return {alert["alert"]: alert["expr"] for alert in alerts} | panels


def test_alerts_and_the_dashboard_of_the_path_ask_only_for_metrics_that_there_are():
    names = {name for family in metrics.ASKED for name in [family.name]}
    for metric in metrics.COUNTED:
        names |= {metric._name + suffix for suffix in ("", "_total", "_bucket", "_sum", "_count")}
    asked = {name for text in asked_of_prometheus().values() for name in re.findall(r"housevalue_\w+", text)}
    assert len(asked) > 12
    assert asked <= names


def test_every_alert_is_described():
    described = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "monitoring.md").read_text(), re.MULTILINE)
    alerts = yaml.safe_load((DOCKER / "prometheus" / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert {alert["alert"] for alert in alerts} <= set(described)
    assert all(alert["annotations"]["summary"] and alert["labels"]["severity"] for alert in alerts)


@pytest.mark.parametrize(
    "path", sorted(set(DOCKER.rglob("*.yaml")) - set(DOCKER.glob("compose*"))), ids=lambda path: path.name
)
def test_every_yaml_file_can_be_read(path: Path):
    assert yaml.safe_load(path.read_text())
