"""What belongs to a listener: pairs with tracks or artists, memories, the latest tracks.

Belongs here: loops over a listener's own pairs. Does not belong here: tracks that others relate to them (sparse).

A listener is an index into the rows of pairs; -1 and those beyond the last have none.
"""

import math

import numba
import numpy as np

from ml.kernels.kinds import BOOL, COMPILED, FLOAT, INT, LONG, read


@numba.njit(**COMPILED)
def _span(indptr, user):
    if user < 0 or user >= len(indptr) - 1:
        return np.int64(0), np.int64(0)
    return indptr[user], indptr[user + 1]


@numba.njit(**COMPILED)
def _own(indptr, item, user):
    """(ends int64 (n + 1), item, place): the listeners' own pairs one after the other, and where each stands."""
    ends = np.zeros(len(user) + 1, dtype=np.int64)
    for row in range(len(user)):
        start, stop = _span(indptr, user[row])
        ends[row + 1] = ends[row] + stop - start
    items, place = np.empty(ends[-1], dtype=np.int32), np.empty(ends[-1], dtype=np.int64)
    for row in range(len(user)):
        start, stop = _span(indptr, user[row])
        items[ends[row] : ends[row + 1]] = item[start:stop]
        place[ends[row] : ends[row + 1]] = np.arange(start, stop)
    return ends, items, place


@numba.njit((read(LONG), read(INT), read(FLOAT), read(INT)), **COMPILED)
def taken(indptr, item, value, user):
    """(ends, item, value) of the listeners' own pairs."""
    ends, items, place = _own(indptr, item, user)
    return ends, items, value[place]


@numba.njit((read(LONG), read(INT), read(FLOAT), read(FLOAT), FLOAT, read(INT)), **COMPILED)
def tastes(indptr, item, recent, ever, lasting, user):
    """(ends, item, weight) of the listeners' own pairs: log(1 + recent) + `lasting` log(1 + ever)."""
    ends, items, place = _own(indptr, item, user)
    weight = np.empty(len(items), dtype=np.float32)
    for at in range(len(items)):
        late = np.float32(math.log1p(recent[place[at]]))
        weight[at] = late + lasting * np.float32(math.log1p(ever[place[at]]))
    return ends, items, weight


@numba.njit(
    (read(LONG), read(INT), read(FLOAT, 2), read(FLOAT), LONG, FLOAT, read(INT)), **COMPILED
)
def memories(indptr, item, values, weight, skips, skip_weight, user):
    """(ends, item, strength): of each pair the weighted sum of its columns, `values` (columns, pairs) and `weight`
    (columns), over 1 + `skip_weight` times the column `skips`."""
    ends, items, place = _own(indptr, item, user)
    strength = np.zeros(len(items), dtype=np.float32)
    for column in range(len(weight)):
        if weight[column] > 0:
            for at in range(len(items)):
                strength[at] += weight[column] * values[column, place[at]]
    for at in range(len(items)):
        strength[at] /= np.float32(1) + skip_weight * values[skips, place[at]]
    return ends, items, strength


@numba.njit(**COMPILED)
def _offer(track, age, count, tracks, ages):
    """Insert a track that is not there among the youngest, ties by the smaller track; how many there are."""
    for at in range(count):
        if tracks[at] == track:
            return count
    if count == len(tracks):
        last = count - 1
        if age > ages[last] or (age == ages[last] and track > tracks[last]):
            return count
        count = last
    at = count
    while at > 0 and (age < ages[at - 1] or (age == ages[at - 1] and track < tracks[at - 1])):
        tracks[at], ages[at] = tracks[at - 1], ages[at - 1]
        at -= 1
    tracks[at], ages[at] = track, age
    return count + 1


@numba.njit(
    (read(LONG), read(INT), read(FLOAT), read(INT), read(LONG), read(INT), read(BOOL), LONG),
    **COMPILED,
)
def latest(indptr, item, age, user, day_indptr, day_track, day_skipped, most):
    """(ends, track): each listener's `most` latest tracks, the latest at the end, by the time since they were last
    played; the day's streams, oldest first in `day_track`, are younger than all before."""
    ends = np.zeros(len(user) + 1, dtype=np.int64)
    found = np.empty(len(user) * most, dtype=np.int32)
    tracks, ages = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.float32)
    for row in range(len(user)):
        count = 0
        for at in range(day_indptr[row + 1] - 1, day_indptr[row] - 1, -1):
            if not day_skipped[at]:
                # The latest come first: the order of the day is that of falling places.
                younger = np.float32(-1 - (at - day_indptr[row]))
                count = _offer(day_track[at], younger, count, tracks, ages)
        start, stop = _span(indptr, user[row])
        for at in range(start, stop):
            count = _offer(item[at], age[at], count, tracks, ages)
        ends[row + 1] = ends[row] + count
        for at in range(count):
            found[ends[row + 1] - 1 - at] = tracks[at]
    return ends, found[: ends[-1]]
