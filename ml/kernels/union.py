"""The union of several lists of tracks.

Belongs here: which tracks lists name together, ascending, and what each list holds of them. Does not belong
here: where lists come from.
"""

import numba
import numpy as np

from ml.kernels.kinds import COMPILED, FLOAT, INT, LONG, read, written

_NAN = np.float32(np.nan)
# The places of the single bits of 32, by the five bits that a de Bruijn sequence times the bit begins with
# (Leiserson, Prokop and Randall 1998).
_DE_BRUIJN = np.uint64(0x077CB531)
_PLACES = np.zeros(32, dtype=np.int64)
_PLACES[[((0x077CB531 << place) & 0xFFFFFFFF) >> 27 for place in range(32)]] = np.arange(32)
_LOW, _TOP, _ONE = np.uint64(0xFFFFFFFF), np.uint64(27), np.uint64(1)


@numba.njit(**COMPILED)
def lowest(word):
    """The place of the lowest bit of a uint64 below 2^32 that is not 0."""
    return _PLACES[np.int64((((word & (~word + _ONE)) * _DE_BRUIJN) & _LOW) >> _TOP)]


@numba.njit(**COMPILED)
def add(bits, words, column):
    """Put a column into the set: `bits` uint32 hold 32 columns a word, and behind `words` of them a bit for every
    word that is not 0."""
    bits[column >> 5] |= np.uint32(1) << np.uint32(column & 31)
    bits[words + (column >> 10)] |= np.uint32(1) << np.uint32((column >> 5) & 31)


@numba.njit(**COMPILED)
def take_all(bits, words, column, done):
    """Move the set's columns, ascending, behind `done`; where the next goes. A sort takes eight times as long."""
    for top in range((words + 31) >> 5):
        upper = np.uint64(bits[words + top])
        bits[words + top] = 0
        while upper > 0:
            word = (top << 5) + lowest(upper)
            upper &= upper - _ONE
            lower = np.uint64(bits[word])
            bits[word] = 0
            while lower > 0:
                column[done] = np.int32((word << 5) + lowest(lower))
                lower &= lower - _ONE
                done += 1
    return done


@numba.njit(**COMPILED)
def within(request, track, ends, depths, words, bits):
    """(request, track) int32: for each request the tracks that any list has among its first `depths`."""
    asked, found = np.empty(len(track), dtype=np.int32), np.empty(len(track), dtype=np.int32)
    at, done = ends[:-1].copy(), 0
    while True:
        now = np.int64(-1)
        for part in range(len(depths)):
            if at[part] < ends[part + 1] and (now < 0 or request[at[part]] < now):
                now = np.int64(request[at[part]])
        if now < 0:
            return asked[:done], found[:done]
        for part in range(len(depths)):
            last = at[part] + depths[part]
            while at[part] < ends[part + 1] and request[at[part]] == now:
                if at[part] < last:
                    add(bits, words, track[at[part]])
                at[part] += 1
        before, done = done, take_all(bits, words, found, done)
        asked[before:done] = np.int32(now)


@numba.njit(
    (read(INT), read(INT), read(FLOAT), read(INT), read(LONG), read(LONG), LONG, written(INT)),
    **COMPILED,
)
def united(request, track, score, rank, ends, depths, width, mark):
    """(request, track int32 (m), score, rank float32 (lists, m)): every (request, track) that is among the first
    `depths` of any list, ascending, and what each list holds of it, nan where it has nothing. List p is from
    ends[p] to ends[p + 1], requests ascending; tracks are below `width`; `mark` are at least 2 zeros."""
    words = (width + 31) >> 5
    asked, found = within(request, track, ends, depths, words, mark.view(np.uint32))
    scores = np.full((len(depths), len(found)), _NAN, dtype=np.float32)
    ranks = np.full((len(depths), len(found)), _NAN, dtype=np.float32)
    at, start = ends[:-1].copy(), 0
    while start < len(found):
        now, stop = asked[start], start
        while stop < len(found) and asked[stop] == now:
            mark[found[stop]] = stop + 1
            stop += 1
        for part in range(len(depths)):
            while at[part] < ends[part + 1] and request[at[part]] <= now:
                place = mark[track[at[part]]]
                if place > 0 and request[at[part]] == now:
                    scores[part, place - 1] = score[at[part]]
                    ranks[part, place - 1] = np.float32(rank[at[part]])
                at[part] += 1
        for row in range(start, stop):
            mark[found[row]] = 0
        start = stop
    return asked, found, scores, ranks
