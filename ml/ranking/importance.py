"""What a ranker's order rests on: exact SHAP contributions and gain, by feature and by family.

Belongs here: importance of one stored ranker on a sample of its requests. Does not belong here: what a
family is worth when it is left out (ml.ranking.ablation), or the reasons of one answer
(ml.ranking.reasons).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.ranking.examples import Examples
from ml.ranking.features import family
from ml.ranking.model import Ranker

# Candidates drawn of each drawn request.
PER_REQUEST = 20
# Exact contributions cost rows x trees: 5,000 rows by 23 trees took 1.0 s of one core. A ranker of many
# trees is sampled on fewer rows, a small one on no more than MOST_ROWS.
_ROWS_BY_TREES = 120_000
MOST_ROWS, FEWEST_ROWS = 5_000, 500


def sampled_rows(request: NDArray[np.int32], most: int, seed: int) -> NDArray[np.int64]:
    """At most `most` of the rows of `request` int32 (rows, ascending), ascending: requests drawn
    evenly, of each up to PER_REQUEST rows drawn evenly."""
    generator = np.random.default_rng(seed)
    asked = np.unique(request)
    drawn = generator.permutation(asked)[: max(1, most // PER_REQUEST)]
    rows = np.flatnonzero(np.isin(request, drawn))
    rows = rows[np.lexsort((generator.random(len(rows)), request[rows]))]
    of = request[rows]
    place = np.arange(len(rows)) - np.searchsorted(of, of)
    return np.sort(rows[place < PER_REQUEST])


def _within(values: NDArray[np.float64], request: NDArray[np.int32]) -> NDArray[np.float64]:
    """`values` (rows, m) minus the mean of their request."""
    _, owner = np.unique(request, return_inverse=True)
    count = np.bincount(owner).astype(np.float64)
    total = np.zeros((len(count), values.shape[1]))
    np.add.at(total, owner, values)
    centred: NDArray[np.float64] = values - (total / count[:, None])[owner]
    return centred


def importance(ranker: Ranker, examples: Examples, *, seed: int) -> pa.Table:
    """A row a feature and a row a family (feature null), both largest contribution first.

    Columns: family, feature; contribution, mean |SHAP| over sampled candidates; order, mean |SHAP - its
    mean over the request's sampled candidates|, the part that can move a candidate within a list (a
    listener's own features have hardly any); gain, share of the total gain; rows, how many were
    sampled. A family's contribution is the mean of |the sum over its features|: SHAP values add up, so
    features that cancel do not count twice (Lundberg et al. 2020, exact for trees).
    """
    import xgboost

    most = _ROWS_BY_TREES // max(ranker.booster.num_boosted_rounds(), 1)
    most = min(max(most, FEWEST_ROWS), MOST_ROWS)
    rows = sampled_rows(examples.rows["request"].to_numpy(), most, seed)
    part = Examples(examples.rows.take(pa.array(rows)), examples.requests, examples.truth).matrix()
    matrix = xgboost.DMatrix(part.features.values)
    raw = ranker.booster.predict(matrix, pred_contribs=True)
    values = np.asarray(raw, dtype=np.float64)[:, :-1]
    titles = np.array([family(name) for name in ranker.names])
    families = np.unique(titles)
    summed = values @ (titles[:, None] == families[None, :]).astype(np.float64)
    gain = np.array([ranker.gain().get(name, 0.0) for name in ranker.names])
    of_family = np.array([gain[titles == title].sum() for title in families])
    features = _table(titles.tolist(), list(ranker.names), values, part.request, gain)
    grouped = _table(families.tolist(), [None] * len(families), summed, part.request, of_family)
    return pa.concat_tables([grouped, features])


def _table(
    families: list[str],
    features: list[str] | list[None],
    values: NDArray[np.float64],
    request: NDArray[np.int32],
    gain: NDArray[np.float64],
) -> pa.Table:
    table = pa.table(
        {
            "family": pa.array(families, pa.string()),
            "feature": pa.array(features, pa.string()),
            "contribution": np.abs(values).mean(axis=0),
            "order": np.abs(_within(values, request)).mean(axis=0),
            "gain": gain.astype(np.float64),
            "rows": pa.array([len(values)] * len(families), pa.int64()),
        }
    )
    order = [("contribution", "descending"), ("family", "ascending"), ("feature", "ascending")]
    return table.take(pc.sort_indices(table, sort_keys=order))
