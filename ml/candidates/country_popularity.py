"""Popular tracks of the listener's country.

Belongs here: popularity seen through who lives where. Does not belong here: popularity for everyone
(popularity), through genres (genre_popularity).
"""

from typing import ClassVar

import numpy as np
from scipy import sparse

from ml.candidates.generator import Candidates
from ml.candidates.popularity import popularity_score, popularity_sum
from ml.candidates.stateless import Stateless
from ml.candidates.top import no_candidates, top_of_sparse
from ml.state.requests import Requests
from ml.state.state import State

# Decayed streams that the whole world's order counts for: in a country with as many of its own it counts half.
_PRIOR = 1_000.0


def _streams_of_countries(state: State) -> sparse.csr_matrix:
    """Decayed streams of each country's listeners, float64 CSR (countries, tracks)."""
    pairs = state.user_tracks
    columns = pairs.columns
    weight = popularity_sum(columns["streams_h3"], columns["streams_h63"]).astype(np.float64)
    users, size = len(state.user_ids), state.catalogue.size
    listened = sparse.csr_matrix((weight, pairs.item, pairs.indptr), shape=(users, size))
    known = np.flatnonzero(state.country >= 0)
    lives = sparse.csr_matrix(
        (np.ones(len(known)), (state.country[known], known)),
        shape=(int(state.country.max()) + 1, users),
    )
    return (lives @ listened).tocsr()


def _most_popular(state: State, k: int) -> Candidates:
    """The best `k` tracks of every country; `request` is the country.

    A track that a country never streamed scores by the world's share alone, so that only the world's first
    `k` can be among the country's.
    """
    share = popularity_score(state).astype(np.float64)
    share /= share.sum()
    world = np.lexsort((np.arange(len(share)), -share))[:k]
    streams = _streams_of_countries(state).tocoo()
    countries = streams.shape[0]
    row = np.concatenate([streams.row, np.repeat(np.arange(countries), len(world))])
    track = np.concatenate([streams.col, np.tile(world, countries)])
    value = np.concatenate([streams.data, np.zeros(countries * len(world))])
    scores = sparse.csr_matrix((value, (row, track)), shape=streams.shape)
    total = np.bincount(streams.row, weights=streams.data, minlength=countries) + _PRIOR
    scores.data += _PRIOR * share[scores.indices]
    scores.data /= np.repeat(total, np.diff(scores.indptr))
    return top_of_sparse(scores.astype(np.float32), k)


class CountryPopularity(Stateless):
    """Decayed popularity among the listeners of the same country.

    Score of track t in country c: (S_c(t) + m P(t)) / (S_c + m), where S_c(t) is the popularity of t among the
    listeners of c, S_c their sum over tracks, P(t) the track's share of everybody's popularity, and m = 1,000
    streams (a Dirichlet prior: a country that says little is drawn towards the world).
    """

    name: ClassVar[str] = "country_popularity"
    surfaces: ClassVar[tuple[str, ...]] = ("home",)

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """The country's most streamed tracks, for listeners of a known country."""
        if not state.has_countries:
            return no_candidates()
        best = state.once(f"popular by country {k}", lambda: _most_popular(state, k))
        country = np.where(requests.user >= 0, state.country[np.maximum(requests.user, 0)], -1)
        start = np.searchsorted(best.request, country)
        count = np.searchsorted(best.request, country, side="right") - start
        owner = np.repeat(np.arange(len(requests), dtype=np.int32), count)
        row = np.arange(len(owner)) + np.repeat(start - np.cumsum(count) + count, count)
        return Candidates(owner, best.track[row], best.score[row], best.rank[row])
