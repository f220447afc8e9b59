"""How unlike the tracks of a list are.

Belongs here: figures of one list against itself. Does not belong here: figures against popularity or
the listener's past (surprise, repeats, calibration).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.evaluation.metrics import Lists


def intra_list_diversity(
    lists: Lists, vectors: NDArray[np.float32] | NDArray[np.float64], requests: int
) -> NDArray[np.float64]:
    """1 - mean pairwise cosine of each list (Ziegler et al. 2005): float64 (requests), nan where a list
    has fewer than two tracks with a vector.

    `vectors` (tracks, d) of length 1, or of length 0 where a track has none. The sum over pairs
    follows from the length of the sum of the vectors: |sum v|^2 = sum |v|^2 + 2 sum of pairs.
    """
    length = (vectors.astype(np.float64) ** 2).sum(axis=1)
    known = length[lists.track] > 0
    request, track = lists.request[known], lists.track[known]
    count = np.bincount(request, minlength=requests)
    shape = (requests, len(vectors))
    held = sparse.csr_array((np.ones(len(track)), (request, track)), shape=shape)
    together = ((held @ vectors) ** 2).sum(axis=1)
    pairs = np.maximum(count * (count - 1), 1)
    return np.where(count > 1, 1.0 - (together - held @ length) / pairs, np.nan)
