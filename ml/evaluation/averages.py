"""Averages: over the rows of a list, over the requests of a user.

Belongs here: means with what is missing left out. Does not belong here: what is averaged, or intervals
(ml.evaluation.intervals).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.evaluation.metrics import Lists


def list_means(lists: Lists, values: NDArray[np.floating], requests: int) -> NDArray[np.float64]:
    """Mean over each list of `values` (m), one a shown row, nan rows left out: float64 (requests), nan
    where nothing is left."""
    kept = ~np.isnan(values)
    request = lists.request[kept]
    number = np.bincount(request, minlength=requests)
    total = np.bincount(request, weights=values[kept], minlength=requests)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def user_means(
    values: NDArray[np.float64], user: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Mean over each user's requests of every column of `values` (requests, m), nan requests left out:
    (users ascending, float64 (users, m)), nan where nothing is left."""
    users, owner = np.unique(user, return_inverse=True)
    known = ~np.isnan(values)
    at = (owner, np.arange(len(owner)))
    of_user = sparse.csr_array((np.ones(len(owner)), at), shape=(len(users), len(owner)))
    total, count = of_user @ np.where(known, values, 0.0), of_user @ known.astype(np.float64)
    return users, np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
