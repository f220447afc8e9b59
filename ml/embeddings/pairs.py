"""Pairs of tracks that were heard close together: what an encoder learns from.

Belongs here: finding and thinning co-listens. Does not belong here: text or training.
"""

import numpy as np
from numpy.typing import NDArray


def _counted_pairs(
    user: NDArray[np.int32],
    track: NDArray[np.int32],
    session: NDArray[np.int32],
    max_gap: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct unordered pairs as low * tracks + high, ascending, and how often each occurs."""
    tracks = int(track.max()) + 1 if len(track) else 1
    keys = []
    for gap in range(1, min(max_gap, len(track) - 1) + 1):
        left, right = track[:-gap], track[gap:]
        together = (session[:-gap] == session[gap:]) & (user[:-gap] == user[gap:])
        together &= (left != right) & (left >= 0) & (right >= 0)
        low = np.minimum(left, right)[together].astype(np.int64)
        keys.append(low * tracks + np.maximum(left, right)[together])
    if not keys:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.unique(np.concatenate(keys), return_counts=True)


def co_listen_pairs(
    user: NDArray[np.int32],
    track: NDArray[np.int32],
    played_at: NDArray[np.int64],
    session: NDArray[np.int32],
    *,
    seed: int,
    maximum: int,
    max_gap: int = 3,
) -> NDArray[np.int32]:
    """Distinct pairs of tracks at most `max_gap` listens apart in a session, int32 (n, 2).

    The listens come sorted by (session, played_at); an unknown track (-1) takes a place but makes
    no pair. The smaller index stands first and rows are ascending. Beyond `maximum`, pairs are
    drawn without replacement with weight count / sqrt(popularity of both), popularity being a
    track's share in all pairs: the association of item2vec's sub-sampling, which keeps a few hits
    from filling every batch (Mikolov 2013, section 2.3; Barkan and Koenigstein 2016).

    Raises:
        ValueError: the listens are not sorted.
    """
    if np.any((np.diff(session) == 0) & (np.diff(played_at) < 0)) or np.any(np.diff(session) < 0):
        raise ValueError("listens must be sorted by (session, played_at)")
    keys, counts = _counted_pairs(user, track, session, max_gap)
    tracks = int(track.max()) + 1 if len(track) else 1
    low, high = keys // tracks, keys % tracks
    if len(keys) > maximum:
        popularity = np.bincount(low, weights=counts, minlength=tracks)
        popularity += np.bincount(high, weights=counts, minlength=tracks)
        weight = counts / np.sqrt(popularity[low] * popularity[high])
        # The smallest of exponential waiting times are a weighted draw without replacement
        # (Efraimidis and Spirakis 2006).
        waiting = np.random.default_rng(seed).standard_exponential(len(keys)) / weight
        drawn = np.sort(np.argpartition(waiting, maximum)[:maximum])
        low, high = low[drawn], high[drawn]
    return np.stack([low, high], axis=1).astype(np.int32)
