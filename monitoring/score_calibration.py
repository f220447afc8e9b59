"""Do scores mean what they meant: predicted against observed hits, and shown against recommended scores.

Belongs here: calibration of scores and training-serving skew. Does not belong here: drift of the scores
themselves (score_drift) or the order they give (ranking_quality).
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.profile import Profile

Floats = NDArray[np.float64]

BANDS = 10
# Fewer closed days than this predict nothing.
FEWEST_DAYS = 3
SAME_SCORE = 1e-6


def meaning_of(
    closed: pa.Table, impressions: pa.Table, reference: Floats, history: Sequence[Profile]
) -> dict[str, float]:
    """Calibration of the scores on a closed window and skew of what was shown, one model's; empty
    without its lists.

    `closed` are the lists in force on the day with `request_id`, `track_id`, `score` and `is_hit`;
    `impressions` the day's with `request_id`, `track_id` and `score`; `reference` scores of the model;
    `history` numbers of this function on earlier quiet days under it.
    """
    if not closed.num_rows or not len(reference):
        return {}
    is_hit = closed["is_hit"].to_numpy().astype(np.bool_)
    counts = band_counts(_floats(closed["score"]), is_hit, band_edges(reference))
    return counts | against_predicted(counts, history) | serving_skew(impressions, closed)


def band_edges(reference: Floats) -> Floats:
    """The nine deciles of the champion's reference scores, float64: edges of ten bands."""
    return np.quantile(reference, np.linspace(0, 1, BANDS + 1)[1:-1])


def band_counts(score: Floats, is_hit: NDArray[np.bool_], edges: Floats) -> dict[str, float]:
    """`rows_in_band.<i>` and `hits_in_band.<i>` of a closed day's recommended tracks, i from 0."""
    band = np.searchsorted(edges, score, "right")
    rows = np.bincount(band, minlength=BANDS)
    hits = np.bincount(band, is_hit, BANDS)
    counted = {f"rows_in_band.{place}": float(one) for place, one in enumerate(rows)}
    return counted | {f"hits_in_band.{place}": float(one) for place, one in enumerate(hits)}


def against_predicted(counts: dict[str, float], history: Sequence[Profile]) -> dict[str, float]:
    """`calibration_error` and `calibration_ratio` of a day; empty under three earlier days.

    A ranker's score is no probability, so what a band predicts is its hit rate on the earlier quiet days
    under the same model (histogram binning, Zadrozny and Elkan, ICML 2001). The error is the expected
    calibration error sum_b n_b / n |observed_b - predicted_b| (Naeini, Cooper and Hauskrecht, AAAI 2015);
    the ratio is all hits observed over all hits predicted, 1 = as foretold.
    """
    days = [one.numbers for one in history if "rows_in_band.0" in one.numbers]
    rows, hits = _bands(counts, "rows"), _bands(counts, "hits")
    if len(days) < FEWEST_DAYS or not rows.sum():
        return {}
    past_rows = np.sum([_bands(one, "rows") for one in days], axis=0)
    past_hits = np.sum([_bands(one, "hits") for one in days], axis=0)
    predicted = past_hits / np.maximum(past_rows, 1)
    apart = np.abs(hits / np.maximum(rows, 1) - predicted)
    foretold = float(rows @ predicted)
    error = {"calibration_error": float(rows @ apart / rows.sum())}
    return error | ({"calibration_ratio": float(hits.sum()) / foretold} if foretold else {})


def serving_skew(impressions: pa.Table, lists: pa.Table) -> dict[str, float]:
    """How far what was shown is from what was recommended: empty without an impression of these lists.

    Both tables have `request_id`, `track_id` and `score`. `skew_share` is the share of shown tracks whose
    score differs from the recommended one by more than 1e-6, or that the list does not hold;
    `skew_largest` the largest difference (Sculley et al., "Hidden technical debt in machine learning
    systems", NIPS 2015: the same features computed twice part company unseen).
    """
    shown = impressions.filter(
        pc.is_in(impressions["request_id"], lists["request_id"].combine_chunks())
    )
    if not shown.num_rows:
        return {}
    keys = ["request_id", "track_id"]
    joined = shown.select([*keys, "score"]).join(
        lists.select([*keys, "score"]), keys, join_type="left outer", right_suffix="_made"
    )
    apart = np.abs(_floats(joined["score"]) - _floats(joined["score_made"]))
    known = np.isfinite(apart)
    return {
        "skew_share": float((~known | (apart > SAME_SCORE)).mean()),
        "skew_largest": float(apart[known].max()) if known.any() else float("nan"),
    }


def _bands(counts: dict[str, float], what: str) -> Floats:
    return np.array([counts[f"{what}_in_band.{place}"] for place in range(BANDS)])


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = column.cast(pa.float64()).to_numpy().astype(np.float64)
    return values
