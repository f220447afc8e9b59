"""How a candidate relates to each of the session's last tracks in what generators have learned.

Belongs here: look-ups in item-item matrices. Does not belong here: sums over the session, which the
generators bring as scores.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.ranking.family import Family, Out
from ml.state.requests import Requests

_KINDS = ("last", "before", "max", "count")


@cache
def _names(prefix: str, relations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{prefix}_{name}_{kind}" for name in relations for kind in _KINDS)


def relation_features(
    requests: Requests,
    relations: Mapping[str, sparse.csr_matrix],
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    prefix: str = "session",
) -> Family:
    """For each relation: its value with the latest track and the one before, the largest value and
    the number of values among the last five; rows (m,) each, those of a request together, each track once.
    """
    from ml.kernels.scratch import scratch
    from ml.kernels.sessions import relations as look_up

    def fill(out: Out) -> None:
        session = (requests.session_indptr, requests.session_track)
        with scratch(max((matrix.shape[1] for matrix in relations.values()), default=0)) as held:
            for row, matrix in enumerate(relations.values()):
                stored = (matrix.indptr, matrix.indices, matrix.data)
                part = out[len(_KINDS) * row : len(_KINDS) * (row + 1)]
                look_up(*stored, *session, request, track, held.mark, part)

    return Family(_names(prefix, tuple(relations)), fill)
