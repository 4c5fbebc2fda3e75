"""The page that tells what happened tells also what was not played."""

from dataclasses import asdict
from pathlib import Path

from streaming.bench_overload import OverloadReport
from tests.faults import matrix
from tests.faults.overload import LONG, not_played
from tests.faults.report import Results, write_page
from tests.faults.stage import machine


def test_the_page_names_each_scene_that_could_not_be_played_and_why(tmp_path: Path) -> None:
    results, page = Results(tmp_path / "results.jsonl"), tmp_path / "faults.md"
    results.keep(matrix.SCENE, matrix.SCENE.cases[0], None, "it never became calm")
    write_page(results, [matrix.SCENE], not_played={"small disk": "only root may mount one"}, page=page)
    assert "* Not played here: small disk (only root may mount one).\n" in page.read_text()


def test_the_page_tells_of_the_overload_and_of_one_that_could_not_be_played(tmp_path: Path) -> None:
    results, page = Results(tmp_path / "results.jsonl"), tmp_path / "faults.md"
    results.keep(matrix.SCENE, matrix.SCENE.cases[0], None, "it never became calm")
    played = OverloadReport(
        capacity=30.0, sent=60.0, accepted=2006, answered=2006, failed=0, lost=0, doubled=0, refused=1618,
        unanswered_posts=0, rate=32.0, p50=5.9, p99=9.8, max=10.1, retry_after=3.8, retry_after_error=0.15,
    )  # fmt: skip
    results.keep_overload({**asdict(played), "name": LONG.name, "machine": machine(), "complaints": []})
    write_page(results, [matrix.SCENE], not_played={}, page=page)
    assert "2,006 were accepted: 2,006 answered, 0 given up" in page.read_text()
    results.keep_overload(not_played(LONG, "RuntimeError: no capacity"))
    write_page(results, [matrix.SCENE], not_played={}, page=page)
    assert "* overload: not played: RuntimeError: no capacity" in page.read_text()
    assert results.has_complaints()


def test_the_page_says_nothing_of_scenes_when_all_could_be_played(tmp_path: Path) -> None:
    results, page = Results(tmp_path / "results.jsonl"), tmp_path / "faults.md"
    results.keep(matrix.SCENE, matrix.SCENE.cases[0], None, "it never became calm")
    write_page(results, [matrix.SCENE], not_played={}, page=page)
    assert "Not played here" not in page.read_text()
