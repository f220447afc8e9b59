"""What the tracks of a running session lead to.

Belongs here: loops over the last tracks of sessions, oldest first in (indptr, track). Does not belong here: what
was learned from all sessions (sparse).
"""

import numba
import numpy as np

from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, SCRATCH, read
from ml.kernels.select import best_keys, put


@numba.njit((read(LONG), read(INT), LONG, FLOAT), **COMPILED)
def recent_tracks(indptr, track, last, decay):
    """(ends, track, weight): the `last` tracks of each session, the latest first and each once, weighing the sum of
    decay^(steps back)."""
    size = len(indptr) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    tracks, weights = np.empty(size * last, dtype=np.int32), np.empty(size * last, np.float32)
    for row in range(size):
        first, done = ends[row], ends[row]
        weight = np.float32(1)
        for at in range(indptr[row + 1] - 1, max(indptr[row], indptr[row + 1] - last) - 1, -1):
            place = first
            while place < done and tracks[place] != track[at]:
                place += 1
            if place == done:
                tracks[done], weights[done] = track[at], 0
                done += 1
            weights[place] += weight
            weight *= decay
        ends[row + 1] = done
    return ends, tracks[: ends[size]], weights[: ends[size]]


@numba.njit(**COMPILED)
def _place(ascending, wanted):
    """Where `wanted` stands, -1 where it does not."""
    low, high = 0, len(ascending)
    while low < high:
        middle = (low + high) >> 1
        if ascending[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < len(ascending) and ascending[low] == wanted else -1


@numba.njit(
    (read(LONG), read(INT), read(LONG), LONG, read(LONG, 2), read(FLOAT)),
    **COMPILED,
)
def contexts(indptr, track, pairs, tracks, steps, weight):
    """(ends, pair, weight): the places in `pairs` (low * tracks + high, ascending) of the two tracks that stand
    `steps` (contexts, 2) before the end of each session, known pairs only."""
    size, most = len(indptr) - 1, len(steps)
    ends = np.zeros(size + 1, dtype=np.int64)
    found, weights = np.empty(size * most, dtype=np.int32), np.empty(size * most, np.float32)
    for row in range(size):
        done = ends[row]
        for one in range(most):
            if indptr[row + 1] - indptr[row] > max(steps[one, 0], steps[one, 1]):
                left = np.int64(track[indptr[row + 1] - 1 - steps[one, 0]])
                right = np.int64(track[indptr[row + 1] - 1 - steps[one, 1]])
                place = _place(pairs, min(left, right) * tracks + max(left, right))
                if place >= 0:
                    found[done], weights[done] = place, weight[one]
                    done += 1
        ends[row + 1] = done
    return ends, found[: ends[size]], weights[: ends[size]]


@numba.njit(**COMPILED)
def _more_of(playing, weight, together, catalogue, scratch, count):
    """Raise each of the artist's tracks to its score after the one that plays."""
    artist_of, album_of, indptr, tracks = catalogue
    artist, album = artist_of[playing], album_of[playing]
    if artist < 0:
        return count
    for at in range(indptr[artist], indptr[artist + 1]):
        track = tracks[at]
        score = weight / np.float32(np.sqrt(np.float32(1 + at - indptr[artist])))
        if album >= 0 and album_of[track] == album:
            score *= together
        if scratch.total[track] == 0:
            scratch.touched[count] = track
            count += 1
        scratch.total[track] = max(scratch.total[track], score)
    return count


@numba.njit(
    (
        read(LONG),
        read(INT),
        numba.types.Tuple((read(INT), read(INT), read(LONG), read(INT))),
        LONG,
        FLOAT,
        FLOAT,
        LONG,
        SCRATCH,
    ),
    **COMPILED,
)
def best_of_artists(indptr, track, catalogue, last, decay, together, k, scratch):
    """(ends, track, score): the best `k` tracks by the artists of each session's `last` tracks; `catalogue` is
    (artist, album of each track, ends of each artist's tracks, those tracks, best first). A track scores
    decay^(steps back) over the root of its place, times `together` on the same album; its highest score counts."""
    size = len(indptr) - 1
    ends = np.zeros(size + 1, dtype=np.int64)
    found, score = np.empty(size * k, dtype=np.int32), np.empty(size * k, dtype=np.float32)
    bits = scratch.held.view(np.int32)
    for row in range(size):
        count, weight = 0, np.float32(1)
        for at in range(indptr[row + 1] - 1, max(indptr[row], indptr[row + 1] - last) - 1, -1):
            count = _more_of(track[at], weight, together, catalogue, scratch, count)
            weight *= decay
        for at in range(count):
            scratch.held[at] = scratch.total[scratch.touched[at]]
            scratch.total[scratch.touched[at]] = 0
        best = best_keys(bits, scratch.touched, 0, count, k, scratch.bucket, scratch.key)
        ends[row + 1] = put(scratch.key, best, found, score, ends[row])
    return ends, found[: ends[size]], score[: ends[size]]
