"""What each feature family is worth: the ranker trained without it, judged on validation.

Belongs here: the bounded retraining and its table. Does not belong here: the serving ranker
(ml.ranking.model) or what a family is (ml.ranking.features).

The rankers here are smaller than the one that serves: a stated number of rounds on a stated sample, the
full one too, so that differences are like for like. None is stopped on the validation requests it is
judged by. A family whose place others take shows no change though the full ranker uses it: that is
what the table says, not what SHAP says.
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.evaluation.averages import user_means
from ml.evaluation.intervals import Interval, column_intervals, resampled_means
from ml.evaluation.metrics import per_request
from ml.ranking.examples import Examples
from ml.ranking.features import family
from ml.ranking.judging import ordered, truth_of
from ml.ranking.model import LabelledMatrix, RankerParameters

FULL = "all families"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one retraining may cost: requests drawn of each side, and boosting rounds. Few rounds with
    long steps reach what many short ones do, a little worse; one thread, as twenty small rounds
    on two threads that other work shares wait for each other five times as long as they work."""

    train_requests: int = 800
    validation_requests: int = 600
    rounds: int = 16
    learning_rate: float = 0.2
    threads: int = 1
    resamples: int = 2_000

    def of(self, parameters: RankerParameters) -> RankerParameters:
        """The serving parameters within these bounds."""
        return replace(
            parameters,
            rounds=self.rounds,
            learning_rate=self.learning_rate,
            threads=self.threads,
            # Drawn rows and columns differ with the number of columns: their luck would stand beside
            # the family's worth.
            subsample=1.0,
            colsample_bytree=1.0,
        )


def drawn_requests(examples: Examples, most: int, *, seed: int, positive: bool) -> Examples:
    """At most `most` requests, drawn evenly, with their rows; requests keep their numbers.

    `positive`: only of those with a candidate that was played, as training takes no other.
    """
    rows = examples.rows
    held = rows.filter(pc.greater(rows["grade"], 0)) if positive else examples.requests
    asked = np.unique(held["request"].to_numpy())
    chosen = np.random.default_rng(seed).permutation(asked)[:most]
    kept = pa.array(np.isin(rows["request"].to_numpy(), chosen))
    wanted = pa.array(np.isin(examples.truth["request"].to_numpy(), chosen))
    return Examples(rows.filter(kept), examples.requests, examples.truth.filter(wanted))


def _scores(
    train: LabelledMatrix,
    judged: LabelledMatrix,
    kept: NDArray[np.bool_],
    parameters: RankerParameters,
) -> NDArray[np.float32]:
    """Scores of the `judged` rows by a ranker that sees the features `kept` (features)."""
    import xgboost  # 1.0 s

    seen = np.ascontiguousarray(train.features.values[:, kept])
    matrix = xgboost.QuantileDMatrix(
        seen,
        train.grade,
        qid=train.request,
        max_bin=parameters.max_bin,
        nthread=parameters.threads,
    )
    booster = xgboost.train(
        parameters.booster_parameters(), matrix, num_boost_round=parameters.rounds
    )
    scores: NDArray[np.float32] = booster.inplace_predict(
        np.ascontiguousarray(judged.features.values[:, kept]), validate_features=False
    )
    return scores


def ablation(
    train: Examples,
    validation: Examples,
    surface: str,
    parameters: RankerParameters,
    bounds: Bounds,
) -> pa.Table:
    """A row a family, largest loss first, under a row of the full ranker (FULL).

    Columns: family; features, how many were left out; ndcg, NDCG@10 per listener on the drawn validation
    requests without the family; change = ndcg - that of the full ranker, low and high of its paired 95 %
    bootstrap interval over listeners (0 in the row FULL); users; train_requests, rounds.
    """
    seed, small = parameters.seed, bounds.of(parameters)
    train = drawn_requests(train, bounds.train_requests, seed=seed, positive=True)
    judged = drawn_requests(validation, bounds.validation_requests, seed=seed, positive=False)
    learned, asked = train.matrix(), judged.matrix()
    titles = np.array([family(name) for name in learned.features.names])
    families = np.unique(titles).tolist()
    truth, listener = truth_of(judged, surface), judged.requests["listener"].to_numpy()
    columns = []
    for title in (FULL, *families):
        scores = _scores(learned, asked, titles != title, small)
        columns.append(per_request(ordered(judged, scores), truth, 10)["ndcg"])
    values = user_means(np.stack(columns, axis=1), listener)[1]
    values = values[~np.isnan(values[:, 0])]
    gaps = values - values[:, :1]
    means = resampled_means(gaps, seed=seed, resamples=bounds.resamples)
    count = [0, *(int((titles == title).sum()) for title in families)]
    drawn = len(np.unique(learned.request))
    return _table([FULL, *families], count, values, column_intervals(gaps, means), drawn, bounds)


def _table(
    families: list[str],
    features: list[int],
    values: NDArray[np.float64],
    change: list[Interval],
    train_requests: int,
    bounds: Bounds,
) -> pa.Table:
    columns = {
        "family": pa.array(families, pa.string()),
        "features": pa.array(features, pa.int64()),
        "ndcg": pa.array(values.mean(axis=0) if len(values) else np.full(len(families), np.nan)),
    }
    for name in ("mean", "low", "high"):
        title = "change" if name == "mean" else name
        columns[title] = pa.array([getattr(one, name) for one in change], pa.float64())
    columns["users"] = pa.array([one.users for one in change], pa.int64())
    columns["train_requests"] = pa.array([train_requests] * len(families), pa.int64())
    columns["rounds"] = pa.array([bounds.rounds] * len(families), pa.int64())
    table = pa.table(columns)
    losses = table.slice(1)
    order = pc.sort_indices(losses, sort_keys=[("change", "ascending"), ("family", "ascending")])
    return pa.concat_tables([table.slice(0, 1), losses.take(order)])
