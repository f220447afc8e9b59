"""Tracks that have only just become known.

Belongs here: what is new, by the listener's bond with it. Does not belong here: anything fitted: tracks
newer than the fitted parts have no place in them, so artists and genres come from the state.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.candidates.generator import Candidates
from ml.candidates.stateless import Stateless
from ml.candidates.top import in_blocks, no_candidates, top_of_dense
from ml.state.log import day_number
from ml.state.requests import Requests
from ml.state.rows import places_among
from ml.state.state import State
from ml.state.taste import taste_profiles

_DAYS = 14
# Floats of one block of scores or of genre profiles: 8 million are 32 MB.
_FLOATS = 8_000_000


def _fresh(state: State) -> tuple[NDArray[np.int32], sparse.csr_matrix, NDArray[np.float32]]:
    """(tracks first known in the last two weeks, their genres, the roots of how many those are)."""
    age = day_number(state.valid_on) - state.catalogue.first_known_day
    fresh = np.flatnonzero(age <= _DAYS).astype(np.int32)
    genres = state.catalogue.genres[fresh]
    return fresh, genres, np.sqrt(np.maximum(np.diff(genres.indptr), 1)).astype(np.float32)


class Fresh(Stateless):
    """Tracks first known in the last two weeks, by the listener's bond with the artist and genres."""

    name: ClassVar[str] = "fresh"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """New tracks by log(1 + the artist's decayed streams) plus the cosine of genre profiles."""
        catalogue = state.catalogue
        fresh, genres, length = state.once("fresh", lambda: _fresh(state))
        # In the first weeks of a log everything is new: then nothing is news.
        if not len(fresh) or len(fresh) > catalogue.size // 2:
            return no_candidates()
        artist = catalogue.artist[fresh]

        def best(block: Requests) -> Candidates:
            score = np.asarray(genres @ taste_profiles(block, state, None).genres.T).T / length
            local = top_of_dense((score + _bonds(block, state, artist)).astype(np.float32), k)
            return Candidates(local.request, fresh[local.track], local.score, local.rank)

        width = len(fresh) + catalogue.genres.shape[1]
        return in_blocks(requests, max(1, _FLOATS // width), best)


def _bonds(requests: Requests, state: State, artist: NDArray[np.int32]) -> NDArray[np.float32]:
    """log(1 + decayed streams) of each listener and artist (-1 unknown), float32 (requests, artists)."""
    pairs = state.user_artists
    if len(requests) == 1:
        span = slice(*pairs.span(int(requests.user[0])))
        own = pairs.item[span]
        # What is unknown stands one place before the first; what was never played, last among the values.
        at = places_among(own + np.int32(1), artist + np.int32(1), pairs.items + 1)
        streams = np.append(np.log1p(pairs.columns["streams_h22"][span]), np.float32(0))
        return streams[None, at]
    user = np.repeat(requests.user, len(artist))
    pair = pairs.find(user, np.tile(artist, len(requests)))
    bonds: NDArray[np.float32] = np.log1p(pairs.value("streams_h22", pair))
    return bonds.reshape(len(requests), len(artist))
