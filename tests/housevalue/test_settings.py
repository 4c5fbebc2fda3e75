"""Settings: every variable is described, has the right type, and a value that can't be meant ends the start."""

import ast
import os
import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest
import redis
import structlog
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from housevalue.celery import app

SETTINGS = Path(django_settings.BASE_DIR) / "housevalue" / "settings.py"
EXAMPLE = Path(django_settings.BASE_DIR) / ".env.example"


def variables_read() -> list[str]:
    """The variables that settings ask the environment for."""
    calls = [node for node in ast.walk(ast.parse(SETTINGS.read_text())) if isinstance(node, ast.Call)]
    asked = [
        call.args[0]
        for call in sorted(calls, key=lambda call: call.lineno)
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
    ]
    return [name.value for name in asked if isinstance(name, ast.Constant)]


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Settings as they are read with these variables set and no other."""
    for name in variables_read():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    # The state of this working tree's own runs is not what is tested.
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.setattr("environ.Env.read_env", lambda *args, **kwargs: None)
    logging = structlog.get_config()

    def read(**variables: str) -> dict:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    yield read
    structlog.configure(**logging)


# -- what is described ---------------------------------------------------------------------------------------------
def test_the_example_names_every_variable_that_settings_read_and_no_other():
    described = re.findall(r"^#([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(described) == sorted(set(variables_read()))
    assert len(described) == len(set(described))


def test_every_variable_of_the_example_has_a_line_above_it_that_says_what_it_does():
    lines = EXAMPLE.read_text().splitlines()
    for above, line in pairwise(lines):
        if re.match(r"#[A-Z_]+=", line):
            assert re.match(r"# [A-Z].*\.$|# .*[.}]$", above), line


def test_the_example_changes_nothing_when_it_is_copied():
    assert not [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]


def test_the_defaults_of_the_example_are_those_of_the_settings(read):
    described = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))
    by_default = read()
    relative = {"VAR_DIR", "STATIC_ROOT", "DATABASE_URL"}
    given = {name: value for name, value in described.items() if name not in relative and value}
    assert read(**given)["SECRET_KEY"] == by_default["SECRET_KEY"]
    names = [name for name in by_default if name.isupper() and name not in ("LOGGING", "CACHES")]
    again = read(**given)
    assert {name: again[name] for name in names} == {name: by_default[name] for name in names}


def test_in_another_terminal_settings_find_the_ports_and_the_key_of_the_run_that_is_up(read, tmp_path):
    (tmp_path / "ports.json").write_text('{"kafka": 21000, "valkey": 21001}')
    (tmp_path / "secret_key").write_text("kept")
    found = read()
    assert found["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:21000"
    assert found["REDIS_URL"] == "redis://127.0.0.1:21001/0"
    assert found["SECRET_KEY"] == "kept"


# -- types ---------------------------------------------------------------------------------------------------------
TYPES = {
    bool: {"DEBUG": "true", "HTTPS": "on"},
    int: {
        "ANSWER_DEADLINE_SECONDS": "60",
        "DATABASE_THREADS": "8",
        "DEAD_LETTER_KEEP_DAYS": "7",
        "KAFKA_PARTITIONS": "12",
        "KAFKA_REPLICATION_FACTOR": "3",
        "KAFKA_RETENTION_HOURS": "24",
        "METRICS_PORT": "9100",
        "MOST_SECONDS_TO_ANSWER": "5",
        "SCORING_BATCH_SIZE": "512",
        "SECURE_HSTS_SECONDS": "60",
    },
    str: {
        "SECRET_KEY": "k" * 50,
        "DATABASE_URL": "postgres://a:b@localhost/c",
        "REDIS_URL": "redis://localhost:1/0",
        "CELERY_BROKER_URL": "redis://localhost:1/1",
        "KAFKA_BOOTSTRAP_SERVERS": "a:9092,b:9092",
        "DEFAULT_FROM_EMAIL": "A <a@b.c>",
        "VISITOR_RATE": "5/s",
        "USER_RATE": "1000/h",
        "ACCOUNT_RATE": "7/d",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        "METRICS_HOST": "0.0.0.0",
        "REDPANDA_ADMIN_USER": "admin",
        "REDPANDA_ADMIN_PASSWORD": "secret",
        "REDPANDA_ADMIN_CA": "/etc/ca.pem",
        "CONNECT_INGRESS_URL": "http://127.0.0.1:8085/v1/predictions",
        "CONNECT_INGRESS_TOKEN": "a-token-of-the-door",
    },
    list: {
        "SECRET_KEY_FALLBACKS": "a, b ,c",
        "ALLOWED_HOSTS": "a, b ,c",
        "CSRF_TRUSTED_ORIGINS": "https://a, https://b",
        "CORS_ALLOWED_ORIGINS": "https://a, https://b",
        "REDPANDA_ADMIN_URL": "http://a:9644, http://b:9644",
    },
    dict: {"KAFKA_CLIENT_PROPERTIES": '{"security.protocol": "SSL"}', "LOG_LEVELS": "life=WARNING, daphne=DEBUG"},
}
READ_INTO_OTHERS = {"SQLITE_SYNCHRONOUS", "EMAIL_URL", "BEHIND_PROXY", "VAR_DIR", "STATIC_ROOT"}


def test_the_type_of_every_variable_is_checked_here():
    assert {name for names in TYPES.values() for name in names} | READ_INTO_OTHERS == set(variables_read())


def test_every_variable_has_its_type_by_default_and_when_given(read):
    by_default = read()
    given = read(**{name: value for names in TYPES.values() for name, value in names.items()})
    for kind, names in TYPES.items():
        for name in names:
            assert type(by_default[name]) is kind, name
            assert type(given[name]) is kind, name
            assert given[name] != by_default[name], f"{name} is not read"


def test_lists_have_no_spaces_and_no_empty_entries(read):
    assert read(ALLOWED_HOSTS=" a.example , b.example,,")["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert read(ALLOWED_HOSTS="")["ALLOWED_HOSTS"] == []


def test_a_value_that_begins_with_a_dollar_is_itself(read):
    assert read(SECRET_KEY="$HOME is not meant")["SECRET_KEY"] == "$HOME is not meant"


def test_variables_that_end_up_in_other_settings(read, tmp_path):
    found = read(
        SQLITE_SYNCHRONOUS="FULL",
        EMAIL_URL="smtp://user:password@mail.example:25",
        BEHIND_PROXY="yes",
        VAR_DIR=str(tmp_path),
        STATIC_ROOT=str(tmp_path / "files"),
    )
    assert "synchronous=FULL" in found["DATABASES"]["default"]["OPTIONS"]["init_command"]
    assert found["EMAIL_HOST"] == "mail.example"
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert found["VAR_DIR"] == tmp_path
    assert found["STATIC_ROOT"] == tmp_path / "files"
    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / "housevalue.sqlite3")


def test_a_logger_has_its_level_and_the_metrics_their_middleware_only_where_they_are_wanted(read):
    found = read(LOG_LEVELS="life=WARNING, axes=DEBUG", METRICS_PORT="9100")
    assert found["LOGGING"]["loggers"]["life"] == {"level": "WARNING"}
    assert found["LOGGING"]["loggers"]["axes"] == {"level": "DEBUG"}
    assert found["MIDDLEWARE"][-1] == "housevalue.middleware.MetricsMiddleware"
    assert "housevalue.middleware.MetricsMiddleware" not in read(METRICS_PORT="0")["MIDDLEWARE"]


def test_https_means_secure_cookies_redirects_and_a_year_of_hsts(read):
    found = read(HTTPS="true")
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is found["SECURE_SSL_REDIRECT"] is True
    assert found["SECURE_HSTS_SECONDS"] == 31_536_000
    assert read(HTTPS="false")["SECURE_HSTS_SECONDS"] == 0


def test_celery_has_the_next_database_of_the_same_redis(read):
    found = read(REDIS_URL="rediss://:password@redis.example:6380/4?ssl_cert_reqs=none")
    assert found["CELERY_BROKER_URL"] == "rediss://:password@redis.example:6380/1?ssl_cert_reqs=none"


# -- what can't be meant -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("DEBUG", "True # note", "true or false"),
        ("HTTPS", "maybe", "true or false"),
        ("BEHIND_PROXY", "2", "true or false"),
        ("KAFKA_PARTITIONS", "six", "KAFKA_PARTITIONS is 'six'"),
        ("KAFKA_PARTITIONS", "0", "at least 1"),
        ("SCORING_BATCH_SIZE", "-5", "at least 1"),
        ("DATABASE_THREADS", "", "DATABASE_THREADS"),
        ("SECURE_HSTS_SECONDS", "a year", "SECURE_HSTS_SECONDS"),
        ("VISITOR_RATE", "60", "such as 60/m"),
        ("USER_RATE", "60/fortnight", "such as 60/m"),
        ("ACCOUNT_RATE", "60/fortnight", "such as 60/m"),
        ("LOG_LEVEL", "LOUD", "one of INFO, DEBUG"),
        ("LOG_FORMAT", "xml", "one of text, json"),
        ("LOG_LEVELS", "life=LOUD", "one of INFO, DEBUG"),
        ("LOG_LEVELS", "life", "logger=LEVEL"),
        ("METRICS_PORT", "99999", "must be a port"),
        ("DEAD_LETTER_KEEP_DAYS", "0", "at least 1"),
        ("SQLITE_SYNCHRONOUS", "NORMAL; DROP TABLE x", "one of NORMAL"),
        ("KAFKA_CLIENT_PROPERTIES", "{", "KAFKA_CLIENT_PROPERTIES"),
        ("KAFKA_CLIENT_PROPERTIES", "[1]", "JSON object"),
        ("DATABASE_URL", "mysql://a/b", "sqlite://, postgres://"),
        ("REDIS_URL", "localhost:6379", "redis://, rediss://"),
        ("CELERY_BROKER_URL", "amqp://a", "redis://, rediss://"),
        ("EMAIL_URL", "carrier-pigeon://roof", "email"),
    ],
)
def test_a_value_that_can_not_be_meant_ends_the_start_and_is_named(read, name, value, hint):
    with pytest.raises(ImproperlyConfigured, match=re.escape(hint)):
        read(**{name: value})


def test_an_address_with_a_password_is_not_quoted_when_it_is_wrong(read):
    with pytest.raises(ImproperlyConfigured) as caught:
        read(DATABASE_URL="mysql://me:hunter2@db/x")
    assert "hunter2" not in str(caught.value)


# -- from files ----------------------------------------------------------------------------------------------------
def test_a_variable_may_be_given_by_file(read, tmp_path):
    (tmp_path / "key").write_text("from a file\n")
    (tmp_path / "partitions").write_text("9")
    found = read(SECRET_KEY_FILE=str(tmp_path / "key"), KAFKA_PARTITIONS_FILE=str(tmp_path / "partitions"))
    assert (found["SECRET_KEY"], found["KAFKA_PARTITIONS"]) == ("from a file", 9)


def test_a_variable_given_twice_or_by_a_file_that_is_not_there_ends_the_start(read, tmp_path):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE is"):
        read(SECRET_KEY_FILE=str(tmp_path / "none"))
    (tmp_path / "key").write_text("a")
    with pytest.raises(ImproperlyConfigured, match="both set"):
        read(SECRET_KEY="b", SECRET_KEY_FILE=str(tmp_path / "key"))


def test_reading_settings_leaves_the_environment_alone(read):
    before = dict(os.environ)
    read()
    assert dict(os.environ) == before


# -- cures of known traps ------------------------------------------------------------------------------------------
def test_redis_py_is_one_that_keeps_idle_sockets():
    """From 8 on it lets them die after five seconds, and their members of channel groups with them."""
    assert int(redis.__version__.partition(".")[0]) < 8


def test_celery_loses_no_task_and_trusts_no_pickle():
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_ignore_result
    assert app.conf.broker_transport_options["socket_timeout"] == 2
    assert app.conf.broker_transport_options["unacked_restore_throttle"] == 1


def test_sqlite_waits_for_its_one_writer(read):
    options = read()["DATABASES"]["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]
