"""Static files are collected when a source changed, and only then."""

from pathlib import Path

import pytest
from pytest_django import Settings

from housevalue.supervision import static_files


@pytest.fixture(autouse=True)
def sources(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one source; the finder looks there and nowhere else."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "page.css").write_text("body { color: black }")
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "collected"
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
    return folder


def test_the_first_run_collects_and_the_second_does_not(sources: Path) -> None:
    assert static_files.collect_if_changed()
    assert not static_files.collect_if_changed()


def test_a_changed_source_is_collected_again(sources: Path, settings: Settings) -> None:
    static_files.collect_if_changed()
    (sources / "page.css").write_text("body { color: white; background: black }")
    assert static_files.collect_if_changed()
    assert "white" in (settings.STATIC_ROOT / "page.css").read_text()


def test_another_state_folder_gets_what_was_collected_before(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    static_files.collect_if_changed()
    collected = {path.name for path in settings.STATIC_ROOT.rglob("*") if path.is_file()}
    settings.STATIC_ROOT = tmp_path / "other"
    monkeypatch.setattr(static_files, "call_command", None)
    assert static_files.collect_if_changed()
    assert {path.name for path in settings.STATIC_ROOT.rglob("*") if path.is_file()} == collected
