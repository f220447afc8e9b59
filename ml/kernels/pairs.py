"""What is known of pairs of a listener and an item.

Belongs here: columns at pairs, their logarithms and ratios. Does not belong here: where a pair stands (look_up).
"""

import numba
import numpy as np

from ml.kernels.ahead import fetch
from ml.kernels.kinds import BOOL, COMPILED, FLOAT, INT, LONG, read, written
from ml.kernels.look_up import place

# Rows that are looked up together, column after column.
_TOGETHER = 1024
_NAN, _NONE = np.float32(np.nan), np.float32(0)
_SMALL, _HALF = np.float32(1e-4), np.float32(0.5)


@numba.njit(**COMPILED)
def log1p(value):
    """log(1 + value) to the last bit but one of float32: half the time of the library's."""
    if abs(value) < _SMALL:
        return value - _HALF * value * value
    return np.float32(np.log(1.0 + value))


@numba.njit(**COMPILED)
def ratio(part, whole):
    """part / whole, nan where the whole is not above zero."""
    return part / whole if whole > 0 else _NAN


@numba.njit(**COMPILED)
def known(indptr, item, values, user, sought, at, row):
    """Places of the (user, sought) that are known, in `at`, and their rows, in `row`; how many they are. What
    `values` (columns, pairs) hold of them is asked for."""
    count = 0
    for here in range(len(sought)):
        found = place(indptr, item, user[here], sought[here])
        if found >= 0:
            at[count], row[count] = found, here
            count += 1
            for column in range(values.shape[0]):
                fetch(values, column * values.shape[1] + found)
    return count


@numba.njit(**COMPILED)
def put_columns(values, is_age, at, row, out):
    """Each column of `values` at the places into the rows of `out` (columns, m); where nothing is known ages
    are nan and sums 0. Sums become log(1 + x)."""
    for column in range(len(is_age)):
        out[column] = _NAN if is_age[column] else _NONE
        for known in range(len(at)):
            value = values[column, at[known]]
            out[column, row[known]] = value if is_age[column] else log1p(value)


@numba.njit(**COMPILED)
def put_ratios(values, named, total, at, row, out):
    """Into `out` (2, m): skips / plays and streams / `total`, nan where either is not known."""
    out[0] = _NAN
    for here in range(len(total)):
        out[1, here] = _NONE if total[here] > 0 else _NAN
    for known in range(len(at)):
        plays, skips, streams = named[0], named[1], named[2]
        out[0, row[known]] = ratio(values[skips, at[known]], values[plays, at[known]])
        out[1, row[known]] = ratio(values[streams, at[known]], total[row[known]])


@numba.njit(
    (
        *(read(LONG), read(INT), read(FLOAT, 2), read(BOOL), read(LONG)),
        *(read(FLOAT), read(INT), read(INT), read(INT), written(FLOAT, 2)),
    ),
    **COMPILED,
)
def known_pairs(indptr, item, values, is_age, named, total, user, request, sought, out):
    """Into `out` (columns + 2, m): each column of `values` (columns, pairs) at the pair of the row's user and
    `sought`, ages as they are (nan without a pair), sums as log(1 + x) (0 without); skips / plays; streams / the
    user's `total` (users). `named` are the columns of plays, skips and streams; `user` is by request."""
    at, row = np.empty(_TOGETHER, dtype=np.int64), np.empty(_TOGETHER, dtype=np.int64)
    who, own = np.empty(_TOGETHER, dtype=np.int32), np.empty(_TOGETHER, dtype=np.float32)
    for start in range(0, len(sought), _TOGETHER):
        size = min(_TOGETHER, len(sought) - start)
        for here in range(size):
            who[here] = user[request[start + here]]
            own[here] = total[who[here]] if 0 <= who[here] < len(total) else _NAN
        part = out[:, start : start + size]
        count = known(indptr, item, values, who, sought[start : start + size], at, row)
        put_columns(values, is_age, at[:count], row[:count], part)
        put_ratios(values, named, own[:size], at[:count], row[:count], part[len(is_age) :])
