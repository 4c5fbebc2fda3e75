"""Secrets: written once by a script, read from files by the settings."""

import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from housevalue.environment import Environment
from tests.docker.paths import DOCKER


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    made = Environment()
    monkeypatch.setattr(Environment, "ENVIRON", {})
    return made


def make_secrets(folder: Path) -> str:
    done = subprocess.run(["sh", DOCKER / "make_secrets.sh", folder], capture_output=True, text=True, check=True)
    return done.stdout


def test_each_secret_is_written_once_and_the_folder_is_closed(tmp_path: Path):
    folder = tmp_path / "secrets"
    assert make_secrets(folder).count("wrote") == 7
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert make_secrets(folder) == ""
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(before["secret_key"]) >= 50
    assert before["postgres_password"] in before["database_url"]


def test_no_secret_can_be_committed():
    assert "/secrets/" in (DOCKER / ".gitignore").read_text().splitlines()


def test_a_variable_may_be_given_by_file(environment: Environment, tmp_path: Path):
    secret = tmp_path / "key"
    secret.write_text("$tarts like a variable\n")
    environment.ENVIRON["SECRET_KEY_FILE"] = str(secret)
    assert environment.str("SECRET_KEY", default="other") == "$tarts like a variable"


def test_a_file_is_converted_like_a_variable(environment: Environment, tmp_path: Path):
    (tmp_path / "properties").write_text('{"sasl.password": "x"}')
    (tmp_path / "number").write_text("7\n")
    environment.ENVIRON |= {"P_FILE": str(tmp_path / "properties"), "N_FILE": str(tmp_path / "number")}
    assert environment.json("P", default={}) == {"sasl.password": "x"}
    assert environment.positive("N", default=1) == 7


def test_a_file_that_is_missing_names_the_variable(environment: Environment):
    environment.ENVIRON["SECRET_KEY_FILE"] = "/nowhere/key"
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE is '/nowhere/key'"):
        environment.str("SECRET_KEY", default="other")


def test_both_ways_at_once_are_refused(environment: Environment, tmp_path: Path):
    (tmp_path / "key").write_text("x")
    environment.ENVIRON |= {"SECRET_KEY": "y", "SECRET_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(ImproperlyConfigured, match="both set"):
        environment.str("SECRET_KEY", default="other")


def test_a_wrong_value_in_a_file_is_not_shown(environment: Environment, tmp_path: Path):
    (tmp_path / "number").write_text("hunter2")
    environment.ENVIRON["N_FILE"] = str(tmp_path / "number")
    with pytest.raises(ImproperlyConfigured) as refused:
        environment.positive("N", default=1)
    assert "N_FILE" in str(refused.value)
    assert "hunter2" not in str(refused.value)
