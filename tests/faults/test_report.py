"""The page that tells what happened tells also what was not played."""

from pathlib import Path

from tests.faults import matrix
from tests.faults.report import Results, write_page


def test_the_page_names_each_scene_that_could_not_be_played_and_why(tmp_path: Path) -> None:
    results, page = Results(tmp_path / "results.jsonl"), tmp_path / "faults.md"
    results.keep(matrix.SCENE, matrix.SCENE.cases[0], None, "it never became calm")
    write_page(results, [matrix.SCENE], not_played={"small disk": "only root may mount one"}, page=page)
    assert "* Not played here: small disk (only root may mount one).\n" in page.read_text()


def test_the_page_says_nothing_of_scenes_when_all_could_be_played(tmp_path: Path) -> None:
    results, page = Results(tmp_path / "results.jsonl"), tmp_path / "faults.md"
    results.keep(matrix.SCENE, matrix.SCENE.cases[0], None, "it never became calm")
    write_page(results, [matrix.SCENE], not_played={}, page=page)
    assert "Not played here" not in page.read_text()
