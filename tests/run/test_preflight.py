from pathlib import Path

import pytest

from housevalue.supervision import preflight
from housevalue.supervision.errors import CannotRun


def test_a_service_given_by_file_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert not preflight.is_given("REDIS_URL")
    monkeypatch.setenv("REDIS_URL_FILE", "/run/secrets/redis")
    assert preflight.is_given("REDIS_URL")


def test_one_state_folder_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    second = preflight.sole_run(tmp_path)
    with preflight.sole_run(tmp_path), pytest.raises(CannotRun, match="It already runs"):
        second.__enter__()
    with preflight.sole_run(tmp_path):
        pass


def test_a_state_folder_that_kafka_would_take_for_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="has a comma in its name"):
        preflight.sole_run(tmp_path / "one, two").__enter__()
    assert not [*tmp_path.iterdir()]


def test_a_disk_with_little_room_is_refused_with_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_megabytes", lambda var_dir: 299)
    with pytest.raises(CannotRun, match="299 MB free; 300 MB are needed"):
        preflight.check_disk(tmp_path)


def test_a_port_is_a_number(tmp_path: Path) -> None:
    assert preflight.parse_port("8001") == 8001
    for wrong in ("", "x", "-1", "0", "65536", "80.5"):
        with pytest.raises(CannotRun, match="is not a port"):
            preflight.parse_port(wrong)
