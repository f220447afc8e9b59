"""The best k of the entries of one row.

Belongs here: selection by score, ties by the smaller column. Does not belong here: where scores come from.

A positive float32 has the order of its bits. Scores are counted by their highest 13 bits, the bucket in which
the k-th best lies is found and divided by the next 13, and only what is in that part or above is sorted: 10,000
entries take 30 us.
"""

import numba
import numpy as np

from ml.kernels.kinds import COMPILED

# The highest 13 bits of a positive float32.
_SHIFT = 18
BUCKETS = 1 << (31 - _SHIFT)
# Of the bucket that holds the k-th best the next 13.
_FINE = 5
_ALL = 0x7FFFFFFF
_COLUMN = 0xFFFFFFFF
# Above it lie the bits of what is not a number, as below zero those of negative scores.
_INFINITE = 0x7F800000


@numba.njit(**COMPILED)
def _down(bucket, best, k):
    """(the bucket that holds the k-th, how many lie in those above), from the bucket `best` down; all are emptied."""
    passed, bound = 0, 0
    for held in range(best, -1, -1):
        if passed + bucket[held] >= k:
            bound = held
            break
        passed += bucket[held]
    bucket[: best + 1] = 0
    return bound, passed


@numba.njit(**COMPILED)
def cut(bits, start, stop, k, bucket):
    """Bits at or below those of the k-th best positive score from `start` to `stop`, in the highest 26 bits its own;
    0 with fewer than k."""
    best, count = 0, 0
    for at in range(start, stop):
        held = bits[at]
        if 0 < held <= _INFINITE:
            bucket[held >> _SHIFT] += 1
            best = max(best, held >> _SHIFT)
            count += 1
    if count < k:
        bucket[: best + 1] = 0
        return np.int32(0)
    bound, above = _down(bucket, best, k)
    for at in range(start, stop):
        held = bits[at]
        if 0 < held <= _INFINITE and held >> _SHIFT == bound:
            bucket[(held >> _FINE) & (BUCKETS - 1)] += 1
    fine, _ = _down(bucket, BUCKETS - 1, k - above)
    return np.int32((bound << _SHIFT) | (fine << _FINE))


@numba.njit(**COMPILED)
def best_keys(bits, column, start, stop, k, bucket, key):
    """The best `k` positive scores from `start` to `stop` as ascending keys in `key[:count]`: falling bits of the
    score, then the column. `bits` are the scores' own; the count is returned."""
    bound = cut(bits, start, stop, k, bucket) if stop - start > k else np.int32(0)
    count = 0
    for at in range(start, stop):
        held = bits[at]
        if 0 < held <= _INFINITE and held >= bound:
            key[count] = (np.int64(_ALL - held) << 32) | np.int64(column[at])
            count += 1
    key[:count].sort()
    return min(count, k)


@numba.njit(**COMPILED)
def put(key, count, column, score, done):
    """Write what `count` keys hold behind `done`, best first; where the next goes."""
    bits = score.view(np.int32)
    for at in range(count):
        column[done + at] = np.int32(key[at] & _COLUMN)
        bits[done + at] = np.int32(_ALL - (key[at] >> 32))
    return done + count


@numba.njit(**COMPILED)
def put_by_column(key, count, column, score, done):
    """The same in the order of the columns; the keys are lost."""
    bits = score.view(np.int32)
    for at in range(count):
        key[at] = ((key[at] & _COLUMN) << 32) | (_ALL - (key[at] >> 32))
    key[:count].sort()
    for at in range(count):
        column[done + at] = np.int32(key[at] >> 32)
        bits[done + at] = np.int32(key[at] & _COLUMN)
    return done + count
