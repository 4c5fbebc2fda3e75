import json
import pickle

import numpy as np
import pytest

from mlmodel import artefact
from mlmodel.artefact import DamagedArtefact, ForeignArtefact, MissingArtefact, WrongAnswers

NAME = "baseline"


def edit_manifest(root, **changes):
    path = root / NAME / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_copied_artefact_loads_with_the_same_sha256(copied):
    assert artefact.load(NAME, copied).sha256 == artefact.load(NAME).sha256


def test_one_flipped_bit_in_any_file_is_refused(copied):
    for path in (copied / NAME).iterdir():
        if path.name == "manifest.json":
            continue
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(DamagedArtefact, match=path.name):
            artefact.load(NAME, copied)
        path.write_bytes(good)


def test_a_truncated_file_is_refused(copied):
    path = copied / NAME / "scale.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DamagedArtefact, match=r"scale\.onnx"):
        artefact.load(NAME, copied)


def test_a_missing_file_a_missing_manifest_and_a_missing_folder_are_named(copied):
    (copied / NAME / "price.onnx").unlink()
    with pytest.raises(MissingArtefact, match=r"price\.onnx"):
        artefact.load(NAME, copied)
    (copied / NAME / "manifest.json").unlink()
    with pytest.raises(MissingArtefact, match=r"manifest\.json"):
        artefact.load(NAME, copied)
    with pytest.raises(MissingArtefact, match="nowhere"):
        artefact.load("nowhere", copied)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', "\xff\xfe"])
def test_a_manifest_that_is_none_is_refused(copied, content):
    (copied / NAME / "manifest.json").write_text(content, encoding="latin-1")
    with pytest.raises(DamagedArtefact):
        artefact.load(NAME, copied)


@pytest.mark.parametrize(
    "changes",
    [{"format": 2}, {"family": "forest"}, {"features": ["med_inc"]}, {"model": "another"}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_artefact_for_other_code_is_refused(copied, changes):
    edit_manifest(copied, **changes)
    with pytest.raises(ForeignArtefact):
        artefact.load(NAME, copied)


def test_a_model_swapped_for_another_is_found_by_its_golden_rows(copied):
    manifest = json.loads((copied / NAME / "manifest.json").read_text())
    manifest["golden"]["answers"][3][0] += 0.01
    edit_manifest(copied, golden=manifest["golden"])
    with pytest.raises(WrongAnswers):
        artefact.load(NAME, copied)


def test_a_pickle_in_the_place_of_arrays_is_never_opened(copied):
    evil = pickle.dumps(np.array([object()], dtype=object))
    manifest = json.loads((copied / NAME / "manifest.json").read_text())
    contents = {file: (copied / NAME / file).read_bytes() for file in manifest["files"]} | {"arrays.npz": evil}
    artefact.write(copied / NAME, contents, manifest)
    with pytest.raises(DamagedArtefact):
        artefact.load(NAME, copied)


def test_figures_added_to_the_manifest_leave_the_identity_alone(copied):
    before = artefact.load(NAME, copied)
    artefact.write_manifest(copied / NAME, {**before.manifest, "metrics": {"cv": {"rmse": 1}}})
    after = artefact.load(NAME, copied)
    assert after.sha256 == before.sha256
    assert after.manifest["metrics"] == {"cv": {"rmse": 1}}


def test_golden_rows_that_are_none_are_refused(copied):
    for golden in ({"rows": [[1, 2]], "answers": []}, {"rows": "x", "answers": []}, {"rows": [], "answers": "x"}):
        edit_manifest(copied, golden=golden)
        with pytest.raises(DamagedArtefact):
            artefact.load(NAME, copied)


def test_a_manifest_never_reaches_outside_its_folder(copied):
    edit_manifest(copied, files={"../monotone-hgb-1/price.onnx": "0" * 64})
    with pytest.raises(DamagedArtefact, match="outside"):
        artefact.load(NAME, copied)


def test_writing_again_replaces_the_folder_and_leaves_nothing_beside_it(copied):
    (copied / NAME / "stale.onnx").write_bytes(b"old")
    before = artefact.load(NAME, copied)
    contents = {file: (copied / NAME / file).read_bytes() for file in before.manifest["files"]}
    artefact.write(copied / NAME, contents, before.manifest)
    assert artefact.load(NAME, copied).sha256 == before.sha256
    assert not (copied / NAME / "stale.onnx").exists()
    assert not [path.name for path in copied.iterdir() if path.name.startswith(".")]
