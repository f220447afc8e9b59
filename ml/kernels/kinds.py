"""What kernels are: compiled functions over arrays of named types.

Belongs here: the types of kernels' arrays and how they are compiled. Does not belong here: any kernel.

A kernel takes one request after the other, each by itself: what a request gets never hangs on who else is
asked for, so that batch and online agree to the last bit. NumPy and SciPy need a hundred small calls for
that, at 1 to 40 us each whatever they do.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import config, types
from numpy.typing import NDArray

FLOAT, DOUBLE = types.float32, types.float64
INT, LONG = types.int32, types.int64
BOOL = types.boolean


def read(kind: types.Type, dimensions: int = 1) -> types.Array:
    """An array that a kernel only reads: those of a bundle are mapped from its files and cannot be written."""
    return types.Array(kind, dimensions, "C", readonly=True)


def written(kind: types.Type, dimensions: int = 1) -> types.Array:
    """An array that a kernel writes to."""
    return types.Array(kind, dimensions, "C")


class Sparse(NamedTuple):
    """n rows: `indptr` int64 (n + 1) into `column` int32 and `value` float32."""

    indptr: NDArray[np.int64]
    column: NDArray[np.int32]
    value: NDArray[np.float32]


class Matrix(NamedTuple):
    """A SciPy CSR matrix: `indptr` int32 (n + 1) into `column` int32 and `value` float32."""

    indptr: NDArray[np.int32]
    column: NDArray[np.int32]
    value: NDArray[np.float32]


class Scratch(NamedTuple):
    """Memory that is used again: `total` float32 and `mark` int32, one place a column, all zero; `touched` int32,
    `held` float32 and `key` int64 of as many places, with anything in them; `bucket` int32, zero."""

    total: NDArray[np.float32]
    mark: NDArray[np.int32]
    touched: NDArray[np.int32]
    held: NDArray[np.float32]
    key: NDArray[np.int64]
    bucket: NDArray[np.int32]


SPARSE = types.NamedTuple((read(LONG), read(INT), read(FLOAT)), Sparse)
MATRIX = types.NamedTuple((read(INT), read(INT), read(FLOAT)), Matrix)
SCRATCH = types.NamedTuple(
    (written(FLOAT), written(INT), written(INT), written(FLOAT), written(LONG), written(INT)),
    Scratch,
)


def _digest() -> str:
    """Of all kernels' sources: a kernel holds the code of those that it calls, and numba looks at its own file only."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def _folder() -> Path:
    """Beside the source; where that cannot be written the user's cache, or a temporary folder."""
    digest = _digest()
    beside, user = Path(__file__).parent / "__pycache__", Path.home() / ".cache" / "segue"
    for folder in (beside, user):
        try:
            (folder / digest).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder / digest, os.W_OK):
            return folder / digest
    return Path(tempfile.gettempdir()) / f"segue-{os.getuid()}" / digest


config.CACHE_DIR = str(_folder())
# Compiled once a machine. Signatures are given: one version of each kernel, made
# when its module is imported, not one for every mixture of types that happens to come.
# Other threads run meanwhile.
COMPILED: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# Sums in any order, with the processor's wide registers: the same order for every row of one machine.
QUICK: dict[str, Any] = {**COMPILED, "fastmath": {"reassoc", "contract", "nsz"}}
