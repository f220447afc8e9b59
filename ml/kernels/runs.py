"""Rows of one request that stand together.

Belongs here: where a run of equal requests ends. Does not belong here: what is done with its rows.
"""

import numba

from ml.kernels.kinds import COMPILED


@numba.njit(**COMPILED)
def end_of(request, start):
    """Behind the last row that has the request of row `start` and stands with it."""
    stop = start + 1
    while stop < len(request) and request[stop] == request[start]:
        stop += 1
    return stop
