"""Training, validation and test examples: candidates of past requests with features and grades.

Belongs here: joining pools with truth, sampling negatives, storage. Does not belong here: which days
(ml.evaluation.splits) or what the grades mean (ml.ranking.labels).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.ranking.features import FeatureMatrix, assemble
from ml.ranking.labels import LabelledRequests
from ml.ranking.model import LabelledMatrix
from ml.ranking.surface import SurfaceSources
from ml.state.heard import skipped_today
from ml.state.state import State

_BLOCK = 500
_KEYS = ("request", "track", "grade")


@dataclass(frozen=True, slots=True)
class Examples:
    """Three long tables of one surface and split, each sorted by its key.

    `rows`: request int32, track int32, grade int8 and the features float32, a row a (request,
    candidate). `requests`: request, request_id, listener int32, day date32, is_known bool (the listener
    had listened before), candidates int32. `truth`: request, track, grade int8, is_repeat bool
    (heard before), is_candidate bool.
    """

    rows: pa.Table
    requests: pa.Table
    truth: pa.Table

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Features in column order."""
        return tuple(name for name in self.rows.column_names if name not in _KEYS)

    def matrix(self) -> LabelledMatrix:
        """The rows as the ranker takes them."""
        names = self.feature_names
        values = np.empty((len(self.rows), len(names)), dtype=np.float32)
        for column, name in enumerate(names):
            values[:, column] = self.rows[name].to_numpy()
        return LabelledMatrix(
            FeatureMatrix(names, values),
            self.rows["request"].to_numpy(),
            self.rows["grade"].to_numpy(),
        )

    def write(self, folder: Path) -> None:
        """Store the three tables as Parquet in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("rows", "requests", "truth"):
            pq.write_table(getattr(self, name), folder / f"{name}.parquet")


def read_examples(folder: Path) -> Examples:
    """The examples stored in `folder`."""
    tables = [pq.read_table(folder / f"{n}.parquet") for n in ("rows", "requests", "truth")]
    return Examples(*[table.combine_chunks() for table in tables])


def _grades(
    labelled: LabelledRequests, request: NDArray[np.int32], track: NDArray[np.int32]
) -> NDArray[np.int8]:
    """Grade of each (request, track), 0 where the listener did not play it."""
    width = np.int64(max(labelled.track.max(initial=0), track.max(initial=0)) + 1)
    truth = labelled.request * width + labelled.track
    key = request * width + track
    if not len(truth):
        return np.zeros(len(key), dtype=np.int8)
    at = np.minimum(np.searchsorted(truth, key), len(truth) - 1)
    return np.where(truth[at] == key, labelled.grade[at], 0).astype(np.int8)


def _sample_negatives(
    pool: Pool, grade: NDArray[np.int8], most: int, seed: int
) -> NDArray[np.int64]:
    """Rows to keep: all graded ones and, a request, `most` of the others drawn evenly at random."""
    draw = np.random.default_rng(seed).random(len(grade))
    draw[grade > 0] = -1.0
    order = np.lexsort((draw, pool.request))
    request = pool.request[order]
    start = np.searchsorted(request, request)
    positives = np.bincount(
        pool.request, weights=grade > 0, minlength=int(request.max(initial=-1)) + 1
    )
    within = np.arange(len(order)) - start
    return np.sort(order[within < most + positives[request]])


def build_examples(
    labelled: LabelledRequests,
    sources: SurfaceSources,
    state: State,
    *,
    negatives: int | None,
    seed: int,
) -> Examples:
    """Examples of one day's requests: `negatives` candidates a request that were not played, or all.

    `sources` must be fitted before the label window and moved to `state`'s catalogue.
    """
    parts: list[pa.Table] = []
    proposed = np.zeros(len(labelled.requests), dtype=np.int32)
    candidate_keys: list[NDArray[np.int64]] = []
    width = np.int64(max(state.catalogue.size, labelled.track.max(initial=0) + 1))
    for start in range(0, len(labelled.requests), _BLOCK):
        index = np.arange(start, min(start + _BLOCK, len(labelled.requests)), dtype=np.int64)
        requests = labelled.requests.select(index)
        pool = sources.propose(requests, state)
        skipped = skipped_today(requests, state, pool.request, pool.track)
        if skipped.any():
            pool = pool.select(np.flatnonzero(~skipped))
        request = (pool.request + start).astype(np.int32)
        proposed[index] = np.bincount(pool.request, minlength=len(index))
        candidate_keys.append(request * width + pool.track)
        grade = _grades(labelled, request, pool.track)
        if negatives is not None:
            kept = _sample_negatives(pool, grade, negatives, seed + start)
            pool, request, grade = pool.select(kept), request[kept], grade[kept]
        features = assemble(requests, pool, state, sources.vectors, sources.relations)
        parts.append(_rows(request, pool.track, grade, features))
    rows = pa.concat_tables(parts).combine_chunks() if parts else _rows_of_nothing()
    keys = np.concatenate(candidate_keys) if candidate_keys else np.zeros(0, np.int64)
    found = np.isin(labelled.request * width + labelled.track, keys)
    return Examples(rows, _requests(labelled, state, proposed), _truth(labelled, state, found))


def _rows(
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    grade: NDArray[np.int8],
    features: FeatureMatrix,
) -> pa.Table:
    columns = {"request": request, "track": track, "grade": grade}
    columns |= {name: features.values[:, i] for i, name in enumerate(features.names)}
    return pa.table(columns)


def _rows_of_nothing() -> pa.Table:
    return pa.table(
        {
            "request": pa.array([], pa.int32()),
            "track": pa.array([], pa.int32()),
            "grade": pa.array([], pa.int8()),
        }
    )


def _requests(labelled: LabelledRequests, state: State, proposed: NDArray[np.int32]) -> pa.Table:
    requests = labelled.requests
    size = len(requests)
    return pa.table(
        {
            "request": np.arange(size, dtype=np.int32),
            "request_id": requests.request_ids,
            "listener": labelled.listener.astype(np.int32),
            "day": pa.array([state.valid_on] * size, pa.date32()),
            "is_known": ~state.unheard_of(requests.user),
            "candidates": proposed,
        }
    )


def _truth(labelled: LabelledRequests, state: State, found: NDArray[np.bool_]) -> pa.Table:
    user = labelled.requests.user[labelled.request]
    known = np.where(labelled.track < state.catalogue.size, labelled.track, -1).astype(np.int32)
    return pa.table(
        {
            "request": labelled.request,
            "track": labelled.track,
            "grade": labelled.grade,
            "is_repeat": state.user_tracks.find(user, known) >= 0,
            "is_candidate": found,
        }
    )


def concatenate(parts: Sequence[Examples]) -> Examples:
    """Several days' examples as one, requests renumbered in the order given."""
    offset, moved = 0, []
    for part in parts:
        tables = []
        for table in (part.rows, part.requests, part.truth):
            shifted = pc.add(table["request"], pa.scalar(offset, pa.int32()))
            tables.append(table.set_column(0, "request", shifted))
        moved.append(tables)
        offset += len(part.requests)
    return Examples(
        *[pa.concat_tables(group).combine_chunks() for group in zip(*moved, strict=True)]
    )
