"""How much of what was played the candidates hold: by generator, together, and what each adds.

Belongs here: recall of pools and how well each generator's own order does. Does not belong here: the
metrics' formulas and the order of shown lists (ml.evaluation).
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.evaluation.metrics import Found, Truth, score

POOL = "pool"
DEPTHS = (10, 50, 100)
# Column, metric, depth.
ORDERED = (("precision@20", "precision", 20), ("ndcg@10", "ndcg", 10))


def found_ranks(
    pool: Pool,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    most: Mapping[str, int],
) -> NDArray[np.float32]:
    """Rank of every true (request, track) in every generator, float32 (generators, truths), inf
    where the generator did not propose it: not at all, or beyond its depth `most`."""
    ranks = np.full((len(pool.generators), len(request)), np.inf, dtype=np.float32)
    if not len(pool.request) or not len(request):
        return ranks
    width = np.int64(max(int(pool.track.max()), int(track.max())) + 1)
    keys = pool.request * width + pool.track
    wanted = request * width + track
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hit = keys[at] == wanted
    found = pool.rank[:, at[hit]]
    bound = np.array([most[name] for name in pool.generators], dtype=np.float32)[:, None]
    ranks[:, hit] = np.where(found <= bound, found, np.inf)
    return ranks


def mean_recall(hit: NDArray[np.bool_], request: NDArray[np.int32]) -> float:
    """Mean over the requests with truth of the share of their truth that was found."""
    if not len(request):
        return float("nan")
    _, owner = np.unique(request, return_inverse=True)
    shares = np.bincount(owner, weights=hit) / np.bincount(owner)
    return float(shares.mean())


def _own_order(ranks: NDArray[np.float32], truth: Truth) -> dict[str, float]:
    """How well a generator's own list does: `ranks` float32 (truths) as of `found_ranks`."""
    row = np.flatnonzero(np.isfinite(ranks))
    row = row[np.lexsort((ranks[row], truth.request[row]))]
    found = Found(truth.request[row], ranks[row].astype(np.int32), row)
    if not len(truth.request):
        return {name: float("nan") for name, _, _ in ORDERED}
    return {
        name: float(np.nanmean(score(found, truth, depth)[metric]))
        for name, metric, depth in ORDERED
    }


def recall_table(
    pool: Pool,
    request: NDArray[np.int32],
    track: NDArray[np.int32],
    *,
    requests: int,
    most: Mapping[str, int],
    depths: Sequence[int] = DEPTHS,
) -> pa.Table:
    """One row a generator, in the pool's order, and a last one of the pool.

    Truth is `request`, `track` int32 (truths), each pair once; tracks beyond the catalogue count as
    missed. `most` is the depth of each generator by name. Recall is averaged over requests with truth.
    Columns: generator; candidates, the mean number a request of `requests`; recall@k for every depth (null
    in the pool's row, which has no order); precision@20 and ndcg@10 of the generator's own list (null there
    too); recall at full depth; marginal = recall of the pool minus that of the pool without the generator
    (null in the pool's row).
    """
    ranks = found_ranks(pool, request, track, most)
    whole = mean_recall(np.asarray(np.isfinite(ranks).any(axis=0)), request)
    bound = np.array([most[name] for name in pool.generators], dtype=np.float32)[:, None]
    proposed = (pool.rank <= bound).sum(axis=1)
    columns: dict[str, list[float | str | None]] = {
        "generator": [*pool.generators, POOL],
        "candidates": [float(n) / max(requests, 1) for n in (*proposed, len(pool.request))],
    }
    for depth in depths:
        found_by = (mean_recall(np.asarray(row <= depth), request) for row in ranks)
        columns[f"recall@{depth}"] = [*found_by, None]
    truth = Truth(request, track, np.ones(len(request), dtype=np.int8), requests)
    own = [_own_order(row, truth) for row in ranks]
    for name, _, _ in ORDERED:
        columns[name] = [*(found[name] for found in own), None]
    columns["recall"] = [*(mean_recall(np.isfinite(row), request) for row in ranks), whole]
    columns["marginal"] = [*_marginals(ranks, request, whole), None]
    names = pa.array(columns.pop("generator"), pa.string())
    numbers = {name: pa.array(values, pa.float64()) for name, values in columns.items()}
    return pa.table({"generator": names, **numbers})


def _marginals(
    ranks: NDArray[np.float32], request: NDArray[np.int32], whole: float
) -> Iterator[float]:
    """For each generator: recall of the pool, `whole`, minus that of the pool without it."""
    for row in range(len(ranks)):
        others = np.isfinite(np.delete(ranks, row, axis=0)).any(axis=0)
        yield whole - mean_recall(np.asarray(others), request)
