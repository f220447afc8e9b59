"""A case's history and requests as sparse matrices: what baselines from other libraries are fitted on.

Belongs here: reading a prepared case. Does not belong here: models (ml.benchmark.baselines).
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from ml.benchmark.cases import BenchmarkError, Case
from ml.sources.files import connect
from ml.state.catalogue import positions

# One row an interaction: who (a session is a listener of its own), what, its day and its place within a day
# that has no times. Sessions without times are laid over a month in the order of their numbers.
_READ = {
    "sessions": """
        select session_id::varchar as who, 'item:' || item_id as what,
            30.0 * session_id / max(session_id) over () as day, position::integer as place
        from '{folder}/sessions.parquet'
    """,
    "canonical": """
        select user_id as who, track_id as what, epoch(played_at) / 86400.0 as day,
            0 as place
        from '{folder}/listens.parquet'
    """,
    "hetrec-lastfm": """
        select distinct 'user:' || user_id as who, 'artist:' || artist_id as what,
            epoch(make_date(year, month, 1)) / 86400.0 as day, 0 as place
        from '{folder}/user_taggedartists.parquet'
        where year between 2005 and 2011 and month between 1 and 12
    """,
}


@dataclass(frozen=True, slots=True)
class Interactions:
    """`counts` float32 (listeners, tracks), how often each was played; `profiles` float32
    (requests, tracks), what each request's listener or session played before; `known` int32
    (requests), the listener's row in `counts`, -1 where it has none; `who`, `what` int32 (events)
    and `age` float64 (events), days before the last event."""

    request_ids: pa.StringArray
    track_ids: pa.StringArray
    counts: sparse.csr_matrix
    profiles: sparse.csr_matrix
    known: NDArray[np.int32]
    what: NDArray[np.int32]
    age: NDArray[np.float64]

    def sampled(self, requests: int, seed: int) -> "Interactions":
        """The same history, at most `requests` of the requests drawn evenly, in their order."""
        if len(self.known) <= requests:
            return self
        drawn = np.random.default_rng(seed).choice(len(self.known), requests, replace=False)
        return self.chosen(np.sort(drawn))

    def chosen(self, row: NDArray[np.int64]) -> "Interactions":
        """The same history, the requests at `row` only."""
        ids = self.request_ids.take(pa.array(row))
        return replace(self, request_ids=ids, profiles=self.profiles[row], known=self.known[row])


def read_events(case: Case) -> pa.Table:
    """The history before the cut: `who`, `what` string, `day` float64, `place` int32, sorted by all of them.

    Raises:
        BenchmarkError: the case's format is not known here.
    """
    if case.format not in _READ:
        raise BenchmarkError(
            f"expected a history of {', '.join(_READ)}, found {case.format}; its baselines need a query"
        )
    with connect() as connection:
        query = _READ[case.format].format(folder=case.history)
        return connection.query(f"{query} order by all").to_arrow_table()


def read_interactions(case: Case) -> Interactions:
    """The history before the cut and the profiles of the requests after it."""
    events = read_events(case)
    names = {key: events[key].combine_chunks() for key in ("who", "what")}
    listeners, tracks = (pc.unique(names[key]).sort() for key in ("who", "what"))
    who, what = positions(names["who"], listeners), positions(names["what"], tracks)
    shape = (len(listeners), len(tracks))
    counts = sparse.csr_matrix((np.ones(len(who), np.float32), (who, what)), shape=shape)
    requests = pq.read_table(case.requests)
    known = positions(requests["user_id"].combine_chunks().cast(pa.string()), listeners)
    profiles = _own(counts, known)
    if case.surface == "now_playing":
        profiles = _sessions(requests, tracks)
    day = events["day"].to_numpy()
    return Interactions(
        requests["request_id"].combine_chunks(),
        tracks,
        counts,
        profiles,
        known,
        what,
        day.max() - day,
    )


def _own(counts: sparse.csr_matrix, known: NDArray[np.int32]) -> sparse.csr_matrix:
    """Each known listener's row, an empty one for the others."""
    row = np.flatnonzero(known >= 0)
    shape = (len(known), counts.shape[0])
    chosen = sparse.csr_matrix((np.ones(len(row), np.float32), (row, known[row])), shape=shape)
    return chosen @ counts


def _sessions(requests: pa.Table, tracks: pa.StringArray) -> sparse.csr_matrix:
    """Counts of the session's tracks by request; tracks outside the history are left out."""
    listed = requests["session_track_ids"].combine_chunks()
    owner = pc.list_parent_indices(listed).to_numpy(zero_copy_only=False)
    track = positions(pc.list_flatten(listed), tracks)
    kept = track >= 0
    shape = (len(requests), len(tracks))
    values = np.ones(int(kept.sum()), np.float32)
    return sparse.csr_matrix((values, (owner[kept], track[kept])), shape=shape)
