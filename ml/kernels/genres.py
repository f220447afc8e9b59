"""Tracks by how their genres fit a listener's.

Belongs here: genre profiles, and few tracks scored one by one. Does not belong here: which tracks those are.

Scores are rounded to steps, so that equal tracks tie.
"""

import math

import numba
import numpy as np

from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, MATRIX, SCRATCH, SPARSE, read
from ml.kernels.select import best_keys, put
from ml.kernels.sparse import add_row


@numba.njit((SPARSE, MATRIX, LONG), **COMPILED)
def profiles(rows, matrix, width):
    """float32 (n, width): each row times the matrix, scaled to length 1; zero where a row is empty."""
    size = len(rows.indptr) - 1
    whole = np.zeros((size, width), dtype=np.float32)
    for row in range(size):
        for at in range(rows.indptr[row], rows.indptr[row + 1]):
            source = rows.column[at]
            for place in range(matrix.indptr[source], matrix.indptr[source + 1]):
                whole[row, matrix.column[place]] += matrix.value[place] * rows.value[at]
        square = 0.0
        for column in range(width):
            square += np.float64(whole[row, column]) * whole[row, column]
        if square > 0:
            whole[row] /= np.float32(math.sqrt(square))
    return whole


@numba.njit(**COMPILED)
def _fit(profile, genres, track):
    """Sum of the profile over a track's genres."""
    total = np.float32(0)
    for at in range(genres.indptr[track], genres.indptr[track + 1]):
        total += genres.value[at] * profile[genres.column[at]]
    return total


@numba.njit(**COMPILED)
def _stepped(score, step):
    return np.float32(np.rint(score / step) * step)


@numba.njit((read(FLOAT, 2), MATRIX, read(FLOAT), read(INT), LONG, FLOAT, SCRATCH), **COMPILED)
def best_by_genre(profile, genres, weight, track, k, step, scratch):
    """(ends, track, score): the best `k` of `track` (m) by their `weight` times the squared cosine of their `genres`
    (m rows of length 1) with each profile (n, genres)."""
    size = len(profile)
    ends = np.zeros(size + 1, dtype=np.int64)
    found, score = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    bits = scratch.held.view(np.int32)
    for row in range(size):
        own = profile[row]
        for one in range(len(track)):
            cosine = _fit(own, genres, one)
            scratch.held[one] = _stepped(cosine * cosine * weight[one], step)
        best = best_keys(bits, track, 0, len(track), k, scratch.bucket, scratch.key)
        ends[row + 1] = put(scratch.key, best, found, score, ends[row])
    return ends, found[: ends[size]], score[: ends[size]]


@numba.njit(
    (read(FLOAT, 2), SPARSE, MATRIX, read(INT), read(INT), LONG, FLOAT, SCRATCH), **COMPILED
)
def best_of_new(profile, bonds, genres, artist, track, k, step, scratch):
    """(ends, track, score): the best `k` of `track` (m) by the cosine of their `genres` (m rows of length 1) with each
    profile (n, genres) plus log(1 + the listener's bond with their artist), `bonds` rows over artists."""
    size = len(profile)
    ends = np.zeros(size + 1, dtype=np.int64)
    found, score = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    bits = scratch.held.view(np.int32)
    for row in range(size):
        touched, own = add_row(bonds, row, np.float32(1), 0, scratch), profile[row]
        for one in range(len(track)):
            bond = scratch.total[artist[one]] if artist[one] >= 0 else np.float32(0)
            fit = _fit(own, genres, one) + np.float32(math.log1p(bond))
            scratch.held[one] = _stepped(fit, step)
        for at in range(touched):
            scratch.total[scratch.touched[at]] = 0
        best = best_keys(bits, track, 0, len(track), k, scratch.bucket, scratch.key)
        ends[row + 1] = put(scratch.key, best, found, score, ends[row])
    return ends, found[: ends[size]], score[: ends[size]]
