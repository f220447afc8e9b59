"""How fast listeners forget: the exponent, chosen on the last days before a fit.

Belongs here: the choice among a few exponents on a past that ends before each of those days. Does not
belong here: the law itself (power_law), candidates (repeat_memory).
"""

import numpy as np
from numpy.typing import NDArray

from ml.candidates.power_law import EXPONENT, EXPONENTS, strengths
from ml.candidates.top import best_of
from ml.evaluation.metrics import Lists, Truth, per_request
from ml.state.columns import Columns, PairTable
from ml.state.log import Log
from ml.state.rows import bounds_of
from ml.tables import HALF_LIVES

_DAY_SECONDS = 86_400
# Listeners of a day. The days go back until they gave 2,500 lists or their listeners' listens came to 2 million,
# a million listens of 2,000 listeners being half a second: where listeners are few, more days are looked at.
_LISTENERS = 500
_LISTS = 2_500
_LISTENS = 2_000_000
_DAYS = 100
# Length of the lists that are compared.
_DEPTH = 20
# Another exponent is taken where its advantage is two standard errors from nothing, over lists enough to tell.
_ERRORS = 2.0
_LEAST = 30
_NAMES = (*(f"streams_h{half_life}" for half_life in HALF_LIVES), "skips_h8")


def chosen_exponent(log: Log, seed: int) -> float:
    """The exponent by which repeat memory orders best what was streamed again on the last days of `log`.

    Each day is asked by what was known before it: NDCG@20 of own tracks by strength, relevant are those streamed
    that day, a list for each of at most 500 listeners (drawn by `seed` and day) who streamed an own track.
    EXPONENT stays unless another one's mean advantage over the same lists is shown; of several the best.
    """
    ndcg = _last_lists(log, seed)
    lists = ndcg.shape[1]
    if lists < _LEAST:
        return EXPONENT
    advantage = ndcg - ndcg[EXPONENTS.index(EXPONENT)]
    mean = advantage.mean(axis=1)
    error = advantage.std(axis=1, ddof=1) / np.sqrt(lists)
    shown = np.where((mean > 0) & (mean > _ERRORS * error), mean, 0.0)
    return EXPONENTS[int(shown.argmax())] if shown.any() else EXPONENT


def _last_lists(log: Log, seed: int) -> NDArray[np.float64]:
    """NDCG@20 by every exponent of the last lists, float64 (exponents, lists), the latest day first."""
    found = [np.zeros((len(EXPONENTS), 0))]
    lists = listens = 0
    for day in np.unique(log.known_day)[::-1][:_DAYS].tolist():
        if lists >= _LISTS or listens >= _LISTENS:
            break
        today = _streamed_on(log, day)
        listeners = _drawn(np.unique(today.user), day, seed)
        asked = np.zeros(log.users, dtype=np.bool_)
        asked[listeners] = True
        past = log.select((log.known_day < day) & asked[log.user])
        found.append(_ndcg(past, today, listeners, day))
        lists += found[-1].shape[1]
        listens += len(past)
    return np.concatenate(found, axis=1)


def _streamed_on(log: Log, day: int) -> Log:
    start = day * _DAY_SECONDS
    played = (log.played_at >= start) & (log.played_at < start + _DAY_SECONDS)
    return log.select(played & log.is_stream)


def _drawn(listeners: NDArray[np.int32], day: int, seed: int) -> NDArray[np.int32]:
    """The day's listeners, ascending, some of them where there are many."""
    if len(listeners) <= _LISTENERS:
        return listeners
    drawn = np.random.default_rng([seed, day]).choice(listeners, _LISTENERS, replace=False)
    return np.sort(drawn)


def _ndcg(past: Log, today: Log, listeners: NDArray[np.int32], day: int) -> NDArray[np.float64]:
    """NDCG@20 by every exponent of the lists of one day from the `past` of its `listeners`, float64
    (exponents, lists)."""
    pairs = own_tracks(past, listeners, day * _DAY_SECONDS)
    every = np.arange(len(listeners), dtype=np.int32)
    owner = np.repeat(every, np.diff(pairs.indptr))
    again = np.flatnonzero(
        np.isin(listeners[owner].astype(np.int64) * past.tracks + pairs.item, _keys(today))
    )
    truth = Truth(
        owner[again], pairs.item[again], np.ones(len(again), dtype=np.int8), len(listeners)
    )
    found = []
    for exponent in EXPONENTS:
        best = best_of(strengths(pairs, every, exponent), _DEPTH)
        lists = Lists(best.request, best.track, best.rank)
        found.append(per_request(lists, truth, _DEPTH)["ndcg"])
    ndcg = np.stack(found)
    judged: NDArray[np.float64] = ndcg[:, np.isfinite(ndcg[0])]
    return judged


def _keys(log: Log) -> NDArray[np.int64]:
    return log.user.astype(np.int64) * log.tracks + log.track


def own_tracks(past: Log, listeners: NDArray[np.int32], now: int) -> PairTable:
    """The `past` of `listeners` (ascending) as pairs with tracks: the sums of State.user_tracks that strengths asks
    for, decayed to `now` in epoch seconds."""
    key, pair = np.unique(_keys(past), return_inverse=True)
    age = (now - past.played_at) / _DAY_SECONDS
    of = {
        what: (pair[rows], age[rows])
        for what, rows in (("streams", past.is_stream), ("skips", ~past.is_stream))
    }
    values = np.zeros((len(_NAMES), len(key)), dtype=np.float32)
    for row, name in enumerate(_NAMES):
        what, _, half_life = name.rpartition("_h")
        owner, old = of[what]
        weight = np.exp2(-old / int(half_life))
        values[row] = np.bincount(owner, weights=weight, minlength=len(key))
    owner = np.searchsorted(listeners, key // past.tracks)
    track = (key % past.tracks).astype(np.int32)
    return PairTable(bounds_of(owner, len(listeners)), track, Columns(_NAMES, values), past.tracks)
