"""Which generators a surface's ranker can do without, chosen on validation.

Belongs here: finding idle generators, examples as if they had never been asked, the choice. Does not
belong here: fitting or depths of generators (ml.candidates.plan).
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.candidates.friends import Friends
from ml.candidates.merge import Pool
from ml.candidates.plan import GENERATORS, depths
from ml.candidates.recall import found_ranks, mean_recall
from ml.evaluation.intervals import paired_interval
from ml.evaluation.metrics import per_request
from ml.ranking.examples import Examples
from ml.ranking.features import source_features
from ml.ranking.judging import ordered, pool_of, truth_of
from ml.ranking.model import Ranker, RankerParameters, train_ranker
from ml.ranking.surface import RELATED

# Generators are idle where the others find all but 0.2 % of what was played without them and the ranker owes
# the columns of each less than 1 % of the gain. On the data sets tried, useful generators exceeded at least one of
# the two by far (session_memory 6.6 % recall; suffix 10 % gain with 0.05 % recall).
_IDLE_RECALL = 0.002
_IDLE_GAIN = 0.01


def own_features(generator: str) -> tuple[str, ...]:
    """Prefixes of the features that exist by this generator alone."""
    related = generator in GENERATORS and issubclass(GENERATORS[generator], RELATED)
    relations = (f"session_{generator}_", f"latest_{generator}_") if related else ()
    friends = ("friends_",) if generator == Friends.name else ()
    return (f"source_{generator}_", *relations, *friends)


def without(examples: Examples, off: tuple[str, ...], surface: str) -> Examples:
    """The examples that the other generators alone would have given.

    `requests.candidates` stays: sampled rows do not tell how many there were.
    """
    if not off:
        return examples
    pool = pool_of(examples)
    kept = [row for row, name in enumerate(pool.generators) if name not in off]
    names = tuple(pool.generators[row] for row in kept)
    smaller = Pool(pool.request, pool.track, names, pool.score[kept], pool.rank[kept])
    depth = depths(surface)
    most = np.array([depth[name] for name in names], dtype=np.float32)[:, None]
    inside = np.asarray((smaller.rank <= most).any(axis=0))
    gone = tuple(prefix for name in off for prefix in own_features(name))
    rows = examples.rows.select(
        [name for name in examples.rows.column_names if not name.startswith(gone)]
    )
    for name, values in source_features(smaller).columns(len(smaller.track)).items():
        at = rows.column_names.index(name)
        rows = rows.set_column(at, name, pa.array(values, pa.float32()))
    rows = rows.filter(pa.array(inside))
    return Examples(rows, examples.requests, _truth(examples.truth, rows))


def _truth(truth: pa.Table, rows: pa.Table) -> pa.Table:
    """The truth with `is_candidate` as the rows have it; every played candidate is among them."""
    request, track = (truth[key].to_numpy().astype(np.int64) for key in ("request", "track"))
    width = np.int64(max(track.max(initial=0), rows["track"].to_numpy().max(initial=0)) + 1)
    keys = rows["request"].to_numpy() * width + rows["track"].to_numpy()
    found = pa.array(np.isin(request * width + track, keys))
    return truth.set_column(truth.column_names.index("is_candidate"), "is_candidate", found)


def idle(
    validation: Examples, ranker: Ranker, surface: str, needed: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Generators that add next to nothing on validation, in the plan's order; never one of `needed`.

    They go one by one, the one with the least gain first, while the rest finds nearly all that all of them
    found: of two that propose the same, one stays.
    """
    pool, truth, gain = pool_of(validation), validation.truth, ranker.gain()
    request = truth["request"].to_numpy()
    ranks = found_ranks(pool, request, truth["track"].to_numpy(), depths(surface))
    found, names = np.isfinite(ranks), pool.generators
    least = mean_recall(np.asarray(found.any(axis=0)), request) - _IDLE_RECALL
    share = [_own_gain(gain, name) for name in names]
    small = [row for row in range(len(names)) if share[row] <= _IDLE_GAIN]
    kept = list(range(len(names)))
    for row in sorted(small, key=lambda one: (share[one], -one)):
        rest = [one for one in kept if one != row]
        if names[row] not in needed and _recall(found[rest], request) >= least:
            kept = rest
    return tuple(name for row, name in enumerate(names) if row not in kept)


def _recall(found: NDArray[np.bool_], request: NDArray[np.int32]) -> float:
    """Recall of some generators together; `found` bool (generators, truths)."""
    return mean_recall(np.asarray(found.any(axis=0)), request)


def _own_gain(gain: dict[str, float], generator: str) -> float:
    own = own_features(generator)
    return sum(share for name, share in gain.items() if name.startswith(own))


def ndcg_of(ranker: Ranker, examples: Examples, surface: str) -> NDArray[np.float64]:
    """NDCG@10 of each request in the ranker's order, float64 (requests), nan without anything relevant."""
    lists = ordered(examples, ranker.predict(examples.matrix().features))
    return per_request(lists, truth_of(examples, surface), 10)["ndcg"]


def select(
    train: Examples,
    validation: Examples,
    surface: str,
    parameters: RankerParameters,
    *,
    needed: frozenset[str],
) -> tuple[Ranker, tuple[str, ...]]:
    """(the ranker, generators switched off): the smaller ranker unless it is shown to be worse.

    `needed` generators stay whatever they add. Shown worse is a paired 95 % interval of NDCG@10 by
    listener below zero.
    """
    ranker = train_ranker(train.matrix(), validation.matrix(), parameters)
    off = idle(validation, ranker, surface, needed)
    if not off:
        return ranker, ()
    left, judged = without(train, off, surface), without(validation, off, surface)
    smaller = train_ranker(left.matrix(), judged.matrix(), parameters)
    listener = validation.requests["listener"].to_numpy()
    before, after = ndcg_of(ranker, validation, surface), ndcg_of(smaller, judged, surface)
    gap = paired_interval(after, before, listener, seed=parameters.seed)
    return (ranker, ()) if gap.high < 0 else (smaller, off)
