"""Scores of regression trees.

Belongs here: the walk down the trees. Does not belong here: how trees were grown or stored (ml.ranking.forest).

All rows of a block take a step together, as many as the tree is deep, and stay where they are at a leaf: without a
branch that the processor could guess wrong the steps of many rows overlap. Indices are unsigned: numba asks of a signed
one at every step whether it counts from the end. Both together take a sixth of the time of the plain walk.
"""

import numba
import numpy as np

from ml.kernels.kinds import COMPILED, FLOAT, LONG, read

# Rows that walk together: 64 x 100 features are 25 KB and stay in the innermost cache.
_BLOCK = 64
# Words of a node: its feature, with MISSING_LEFT where what is missing goes left; its threshold, below which rows go
# left, or a leaf's value; the first words of both children, of a leaf its own.
WORDS = 4
MISSING_LEFT = 1 << 31
_WORD = numba.types.uint32


@numba.njit(**COMPILED)
def _walk(block, features, size, root, depth, word, real, node):
    """Move each row of the block from the root to its leaf."""
    for row in range(size):
        node[row] = root
    for _ in range(depth):
        for row in range(size):
            at = node[row]
            named = word[at]
            value = block[_WORD(row) * features + (named & _WORD(MISSING_LEFT - 1))]
            missing = np.isnan(value) & (named >= _WORD(MISSING_LEFT))
            left = (value < real[at + _WORD(1)]) | missing
            node[row] = word[at + _WORD(2)] if left else word[at + _WORD(3)]


@numba.njit((read(FLOAT, 2), read(_WORD), read(FLOAT), read(_WORD), read(LONG), FLOAT), **COMPILED)
def sums(values, word, real, roots, depths, base):
    """float32 (rows): `base` plus the leaves that each row of `values` (features, rows) falls into, tree after tree;
    nodes are `word`, the same memory as floats is `real`."""
    features, rows = values.shape
    total = np.full(rows, base, dtype=np.float32)
    block = np.empty(_BLOCK * features, dtype=np.float32)
    node = np.empty(_BLOCK, dtype=np.uint32)
    for start in range(0, rows, _BLOCK):
        size = min(_BLOCK, rows - start)
        for feature in range(features):
            for row in range(size):
                block[row * features + feature] = values[feature, start + row]
        for tree in range(len(roots)):
            _walk(block, _WORD(features), size, roots[tree], depths[tree], word, real, node)
            for row in range(size):
                total[start + row] += real[node[row] + _WORD(1)]
    return total
