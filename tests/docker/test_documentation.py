"""docs/deployment.md says what there is."""

import re
from typing import Any

from tests.docker.paths import ROOT

TEXT = (ROOT / "docs" / "deployment.md").read_text()
CODE = re.findall(r"`([^`\n]+)`", TEXT)


def test_every_file_that_is_named_exists():
    named = {word for code in CODE for word in re.findall(r"\b(?:docker|redpanda|streaming|tests)/[\w./-]+", code)}
    named |= set(re.findall(r"\bdocker/[\w./-]+\.\w+", TEXT))
    made_on_the_machine = {path for path in named if path.startswith("docker/secrets")}
    assert len(named) > 8
    assert [path for path in named - made_on_the_machine if not (ROOT / path).exists()] == []


def test_every_variable_that_is_named_is_a_setting_or_one_of_the_compose_files():
    settings = (ROOT / "housevalue" / "settings.py").read_text()
    compose = "".join(path.read_text() for path in (ROOT / "docker").glob("compose*.yaml"))
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", TEXT)) - {"SCRAM_SHA", "COMPOSE_PROFILES", "SASL_SSL"}
    assert len(named) > 15
    known = settings + compose
    assert [name for name in named if name.removesuffix("_FILE") not in known] == []


def test_every_secret_is_described(project: dict[str, Any]):
    plain = {name for name in project["secrets"] if not name.startswith("tls_")}
    assert {name for name in plain if f"`{name}`" not in TEXT} == set()


def test_every_service_that_lasts_is_described(services: dict[str, dict[str, Any]]):
    lasting = {re.sub(r"-\d$", "", name) for name, service in services.items() if service["restart"] != "no"}
    tools = {"console", "prometheus", "grafana"}
    undescribed = {name for name in lasting - tools if name not in TEXT}
    assert undescribed == set()


def test_every_consumer_group_that_is_named_is_one():
    [sentence] = re.findall(r"read on the groups\n(.*?)\.", TEXT)
    sources = "".join(path.read_text() for path in (ROOT / "streaming").rglob("*.py"))
    sources += "".join(path.read_text() for path in (ROOT / "redpanda" / "connect").glob("*.yaml"))
    for group in re.findall(r"`([^`]+)`", sentence):
        assert re.search(rf'[" ]{group.removesuffix("*")}', sources), group
