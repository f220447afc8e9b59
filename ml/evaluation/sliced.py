"""Models on slices: every model, slice and metric with its interval, as a tidy table.

Belongs here: metrics of parts of the truth and their comparison. Does not belong here: what the slices
are (ml.evaluation.slices) or the table over everything (ml.evaluation.table).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.evaluation.averages import user_means
from ml.evaluation.comparisons import holm, p_values
from ml.evaluation.intervals import Interval, column_intervals, intervals, resampled_means
from ml.evaluation.metrics import EvaluationError, Found, Lists, Truth, find, score
from ml.evaluation.slices import Slices

# NDCG and recall, which have repeat and explore parts; others on demand.
SLICED = (("ndcg", 10), ("recall", 20), ("hit_rate", 10))
_Names = tuple[str, str, str, str]


def _values(
    found: Found, truth: Truth, family: Slices, metrics: Sequence[tuple[str, int]]
) -> NDArray[np.float64]:
    """One model's metrics on each slice of a family, float64 (requests, slices x metrics)."""
    columns = []
    for label in range(len(family.labels)):
        inside = family.code == label
        part, hit = truth.select(inside), found.within(inside)
        at = {k: score(hit, part, k) for k in {k for _, k in metrics}}
        columns += [at[k][metric] for metric, k in metrics]
    return np.stack(columns, axis=1)


def _by_user(
    lists: Mapping[str, Lists],
    truth: Truth,
    user: NDArray[np.int32],
    families: Sequence[Slices],
    metrics: Sequence[tuple[str, int]],
) -> Iterator[tuple[Slices, NDArray[np.float64]]]:
    """Every family with its values per user, float64 (users, models, slices x metrics)."""
    depth = max(k for _, k in metrics)
    found = [find(shown.top(depth), truth) for shown in lists.values()]
    for family in families:
        if len(family.code) != len(truth.request):
            raise EvaluationError(
                f"expected a slice for each of the {len(truth.request)} rows of the truth, found "
                f"{len(family.code)} in '{family.family}'; make the slices from the same truth"
            )
        models = [user_means(_values(hit, truth, family, metrics), user)[1] for hit in found]
        yield family, np.stack(models, axis=1)


def _flat(values: NDArray[np.float64]) -> NDArray[np.float64]:
    users, models, columns = values.shape
    return values.reshape(users, models * columns)


def _names(
    family: Slices, models: Sequence[str], metrics: Sequence[tuple[str, int]]
) -> list[_Names]:
    shown = [f"{metric}@{k}" for metric, k in metrics]
    return [
        (family.family, label, model, metric)
        for model, label, metric in product(models, family.labels, shown)
    ]


def _table(names: Sequence[_Names], found: Sequence[Interval]) -> pa.Table:
    texts = list(zip(*names, strict=True)) or [()] * 4
    columns = {
        name: pa.array(values, pa.string())
        for name, values in zip(("family", "slice", "model", "metric"), texts, strict=True)
    }
    for name in ("mean", "low", "high"):
        columns[name] = pa.array([getattr(item, name) for item in found], pa.float64())
    return pa.table(columns | {"users": pa.array([item.users for item in found], pa.int64())})


def slice_rows(
    lists: Mapping[str, Lists],
    truth: Truth,
    user: NDArray[np.int32],
    families: Sequence[Slices],
    *,
    metrics: Sequence[tuple[str, int]] = SLICED,
    seed: int,
    resamples: int = 1_000,
) -> pa.Table:
    """A row a family, model, slice and metric, in that order.

    `user` int32 (requests). Columns: family, slice, model, metric ("ndcg@10"); mean over users, low
    and high of its 95 % bootstrap interval; users, those with something to find in the slice (0
    where nobody has, with nan). All users are resampled, so that a slice's size varies too.

    Raises:
        EvaluationError: as `metrics.find`, or slices that were made from another truth.
    """
    names: list[_Names] = []
    found: list[Interval] = []
    for family, values in _by_user(lists, truth, user, families, metrics):
        names += _names(family, list(lists), metrics)
        found += intervals(_flat(values), seed=seed, resamples=resamples)
    return _table(names, found)


def _adjusted(p: NDArray[np.float64], names: Sequence[_Names]) -> NDArray[np.float64]:
    """Chances of `names`, Holm-adjusted over all slices and models of a metric."""
    adjusted, of_metric = p.copy(), np.array([name[3] for name in names])
    for metric in np.unique(of_metric):
        adjusted[of_metric == metric] = holm(p[of_metric == metric])
    return adjusted


def slice_advantages(
    lists: Mapping[str, Lists],
    truth: Truth,
    user: NDArray[np.int32],
    families: Sequence[Slices],
    *,
    reference: str,
    metrics: Sequence[tuple[str, int]] = SLICED,
    seed: int,
    resamples: int = 10_000,
) -> pa.Table:
    """As `slice_rows`, of the difference reference - model, paired by user, for every other model.

    One more column: p, two-sided from the bootstrap, Holm-adjusted over all slices and models of a
    metric: a slice is worse or better than chance allows where it is below .05.

    Raises:
        EvaluationError: as `slice_rows`, or `reference` is not among `lists`.
    """
    if reference not in lists:
        raise EvaluationError(
            f"expected the reference among the models, found '{reference}'; it must be one of "
            f"{', '.join(lists)}"
        )
    at, others = list(lists).index(reference), [name for name in lists if name != reference]
    names: list[_Names] = []
    found: list[Interval] = []
    chances: list[NDArray[np.float64]] = []
    for family, values in _by_user(lists, truth, user, families, metrics):
        names += _names(family, others, metrics)
        flat = _flat(values[:, [at]] - np.delete(values, at, axis=1))
        means = resampled_means(flat, seed=seed, resamples=resamples)
        gaps = column_intervals(flat, means)
        found += gaps
        few = np.array([one.users < 2 for one in gaps], dtype=np.bool_)
        chances.append(np.where(few, np.nan, p_values(means)))
    p = _adjusted(np.concatenate(chances) if chances else np.zeros(0), names)
    return _table(names, found).append_column("p", pa.array(p, pa.float64()))
