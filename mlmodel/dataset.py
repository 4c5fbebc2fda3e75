"""The committed data set: 20,640 block groups of California in 1990 (see `data/README.md`)."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

DATA_FILE = Path(__file__).parent / "data" / "california_housing.csv.gz"
DATA_SHA256 = "6c0573ec35c926d6fab1225b6ff5d3ee1c664ebf960168f3fd13d70b6acdc485"


class DataError(Exception):
    """The data file is missing, unreadable, or not the one the models were measured on."""


@dataclass(frozen=True)
class Housing:
    """`X`: (n, 8) float64 in the order and units of `features.FEATURES`; `y`: (n,) float64, $100,000 of 1990."""

    X: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


def read_housing(path: Path) -> Housing:
    """Read and verify the gzipped CSV at `path`. Raises DataError when its content is not the known one."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != DATA_SHA256:
        raise DataError(f"{path} has sha256 {found} uncompressed, expected {DATA_SHA256}")
    table = np.array([line.split(b",") for line in content.splitlines()[1:]], dtype=np.float64)
    table.flags.writeable = False
    return Housing(X=table[:, :8], y=table[:, 8])


@cache
def load_housing() -> Housing:
    """The committed data, read once per process; the arrays are read-only."""
    return read_housing(DATA_FILE)
