"""A trained model on disk: a folder of ONNX files, `arrays.npz` and `manifest.json`. No pickle, so no code is loaded.

Everything that moves an answer lies in a file whose sha256 the manifest names; the artefact's own sha256 is made of
those, and every answer carries it. Figures measured later may be added to the manifest without changing it.
"""

import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mlmodel.features import FEATURES
from mlmodel.pipeline.families import FAMILIES
from mlmodel.pipeline.heads import OnnxHead
from mlmodel.pipeline.ranges import Calibration, RangedModel

ARTEFACTS = Path(__file__).parent / "artefacts"
FORMAT = 1
MANIFEST = "manifest.json"
ARRAYS = "arrays.npz"
SCALE = "scale"
GOLDEN_TOLERANCE = 1e-4  # $100,000, so $10: more than another processor's rounding, less than anybody would notice


class ArtefactError(Exception):
    """A model's folder can't be served; the text says which and why."""


class MissingArtefact(ArtefactError):
    """The folder, its manifest, or a file the manifest names is not there."""


class DamagedArtefact(ArtefactError):
    """A file is not what the manifest says, or can't be read."""


class ForeignArtefact(ArtefactError):
    """Made for another version of this code: another format, family or list of features."""


class WrongAnswers(ArtefactError):
    """The files are intact but the golden rows are not answered as they were in training."""


@dataclass(frozen=True)
class Artefact:
    """A verified model: its name, its sha256, what its manifest tells, and the model itself."""

    name: str
    sha256: str
    manifest: Mapping[str, Any]
    model: RangedModel


def load(name: str, root: Path = ARTEFACTS) -> Artefact:
    """Read and verify the model in `root/name`. Raises ArtefactError when anything is not as it was made."""
    manifest = read_manifest(name, root)
    contents = {file: _read(root / name / file, sha256) for file, sha256 in manifest["files"].items()}
    try:
        model = _assemble(manifest["family"], contents)
    except Exception as error:  # ONNX Runtime and zipfile raise many kinds for a file they can't read
        raise DamagedArtefact(f"model {name}: cannot be assembled: {error}") from error
    _check_golden_rows(name, model, manifest["golden"])
    return Artefact(name, manifest["sha256"], manifest, model)


@lru_cache(maxsize=4)
def load_version(name: str, sha256: str) -> Artefact:
    """The very model that an answer names, kept in memory. Raises MissingArtefact when its files are others by now."""
    found = load(name)
    if found.sha256 != sha256:
        raise MissingArtefact(f"model {name}: the files with sha256 {sha256[:12]} are no longer here")
    return found


def read_manifest(name: str, root: Path = ARTEFACTS) -> dict[str, Any]:
    """The manifest alone, with `sha256` of the artefact added; its files are not opened."""
    path = root / name / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        files = dict(manifest["files"])
        origin = (manifest["format"], manifest["family"], manifest["features"], manifest["model"])
        manifest["golden"]["rows"], manifest["golden"]["answers"]
    except FileNotFoundError as error:
        raise MissingArtefact(f"model {name}: {path} is missing") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedArtefact(f"model {name}: {path} is not a manifest: {error!r}") from error
    if any(Path(file).name != file for file in files):
        raise DamagedArtefact(f"model {name}: {path} names files outside its folder")
    if origin[0] != FORMAT:
        raise ForeignArtefact(f"model {name}: its format is {origin[0]}, this code reads format {FORMAT}")
    if origin[1] not in FAMILIES or list(origin[2]) != list(FEATURES):
        raise ForeignArtefact(f"model {name}: family {origin[1]} on {origin[2]} is unknown to this code")
    if origin[3] != name:
        raise ForeignArtefact(f"model {name}: its manifest is of model {origin[3]}")
    return manifest | {"sha256": artefact_sha256(files)}


def artefact_sha256(files: Mapping[str, str]) -> str:
    """The identity of an artefact: sha256 over its files' names and hashes, in the order of the names."""
    return hashlib.sha256("".join(f"{name} {files[name]}\n" for name in sorted(files)).encode()).hexdigest()


def write(folder: Path, contents: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    """Write an artefact, its manifest with the hashes of its files; a folder that was there is replaced whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
        draft = Path(beside) / "draft"
        draft.mkdir()
        for name, content in contents.items():
            (draft / name).write_bytes(content)
        write_manifest(draft, {**manifest, "files": hashes})
        if folder.exists():
            folder.rename(Path(beside) / "replaced")
        draft.rename(folder)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest in one step, so that a reader never sees half of it."""
    kept = {key: value for key, value in manifest.items() if key != "sha256"}
    draft = folder / f".{MANIFEST}"
    draft.write_text(json.dumps(kept, indent=1) + "\n")
    draft.replace(folder / MANIFEST)


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as a compressed .npz, byte for byte the same for the same arrays."""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def _read(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingArtefact(f"model {path.parent.name}: cannot read {path.name}: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DamagedArtefact(f"model {path.parent.name}: {path.name} has sha256 {found}, not {sha256}")
    return content


def _assemble(family: str, contents: Mapping[str, bytes]) -> RangedModel:
    kind = FAMILIES[family]
    with np.load(io.BytesIO(contents[ARRAYS]), allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored}
    calibration = Calibration.from_arrays(arrays)
    heads = {name: OnnxHead(contents[f"{name}.onnx"]) for name in kind.head_names}
    return RangedModel(kind(heads, arrays), OnnxHead(contents[f"{SCALE}.onnx"]), calibration)


def _check_golden_rows(name: str, model: RangedModel, golden: Mapping[str, Any]) -> None:
    try:
        estimate = model.estimate(np.array(golden["rows"], dtype=np.float64).reshape(-1, len(FEATURES)))
        expected = np.array(golden["answers"], dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DamagedArtefact(f"model {name}: its golden rows can't be read: {error}") from error
    found = np.column_stack([estimate.price, estimate.low, estimate.high])
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=GOLDEN_TOLERANCE):
        raise WrongAnswers(f"model {name}: the golden rows are answered otherwise than in training")
