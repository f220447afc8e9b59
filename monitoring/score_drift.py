"""Score drift: does the ranker still speak in the same voice?

Belongs here: the scores of the day's recommendations against reference scores, overall and by rank.
Does not belong here: whether the lists were right (ranking_quality).
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.areas import AreaReport, ReportTarget, Statistic
from monitoring.drift import Distance, judged
from monitoring.effects import psi, wasserstein_normed
from monitoring.evidently_pages import MOST_ROWS, Drift, sampled
from monitoring.feature_drift import model_notes
from monitoring.profile import Profile
from monitoring.reports import write_report

AREA = "score_drift"
SHIFT_FLOOR = 0.25
PSI_FLOOR = 0.25
RANK_FLOOR = 0.35
SPREAD_FLOOR = 0.35
_FEWEST_ROWS = 100
_FEWEST_PER_RANK = 20
_DRAWN_RANKS = (1, 5, 10)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def report(
    day: date,
    scores: pa.Table,
    reference: pa.Table,
    history: Sequence[Profile],
    target: ReportTarget,
) -> AreaReport:
    """Judge the scores of the recommendations made from day `day`'s state and write the report.

    Both tables have `rank` (1 is best) and `score`; the reference comes from the same model.
    `history` comes from `reports.history` of this area under that model.
    """
    if min(scores.num_rows, reference.num_rows) < _FEWEST_ROWS:
        note = (
            f"not enough scores to compare: {scores.num_rows} today, {reference.num_rows} in the "
            f"reference; at least {_FEWEST_ROWS} are needed"
        )
        return write_report(AREA, day, None, (), target, notes=(note,))
    found = drift_of(scores, reference, history, day)
    seed = (target.seed, day.toordinal())
    today = sampled(scores, MOST_ROWS, (*seed, 0))
    then = sampled(reference, MOST_ROWS, (*seed, 1))
    columns = {"score": 0.1, **{f"score_at_rank_{one}": 0.1 for one in _shared(today, then)}}
    figure = Drift(_drawn(today, columns), _drawn(then, columns), columns)
    return write_report(
        AREA,
        day,
        figure,
        found,
        target,
        _numbers(scores),
        model_notes(history),
        quiet_days=len(history),
    )


def drift_of(
    scores: pa.Table, reference: pa.Table, history: Sequence[Profile], day: date
) -> tuple[Statistic, ...]:
    """Shift, PSI, spread, and the rank whose mean moved most."""
    (rank, now), (old_rank, then) = _arrays(scores), _arrays(reference)
    shift, index = wasserstein_normed(now, then), psi(now, then)
    mean, usual = float(now.mean()), float(then.mean())
    width, usual_width = float(now.std()), float(then.std())
    spread = abs(float(np.log((width + 1e-9) / (usual_width + 1e-9))))
    place, moved, before = _furthest_rank(rank, now, old_rank, then)
    by_rank = abs(moved - before) / (usual_width or 1.0)
    words = {
        "score": f"scores lie {shift:.2f} reference deviations apart, mean {mean:.3g} "
        f"against {usual:.3g}",
        "score_psi": f"population stability index of the scores {index:.2f}",
        "score_spread": f"deviation of the scores {width:.3g} against {usual_width:.3g}",
        "score_by_rank": f"mean score at rank {place} {moved:.3g} against {before:.3g}",
    }
    rows = (
        ("score", shift, SHIFT_FLOOR, mean, usual),
        ("score_psi", index, PSI_FLOOR, index, 0.0),
        ("score_spread", spread, SPREAD_FLOOR, width, usual_width),
        ("score_by_rank", by_rank, RANK_FLOOR, moved, before),
    )
    distances = [
        Distance(name, effect, floor, words[name], observed, usually)
        for name, effect, floor, observed, usually in rows
    ]
    return judged(distances, history, AREA, day)


def _furthest_rank(
    rank: Ints, now: Floats, old_rank: Ints, then: Floats
) -> tuple[int, float, float]:
    """Rank, mean today and mean of the reference where the two are furthest apart.

    Only ranks with at least 20 scores on both sides; rank 1 with the overall means if none has.
    """
    size = int(max(rank.max(), old_rank.max())) + 1
    counts, old = np.bincount(rank, minlength=size), np.bincount(old_rank, minlength=size)
    today = np.bincount(rank, now, minlength=size) / np.maximum(counts, 1)
    before = np.bincount(old_rank, then, minlength=size) / np.maximum(old, 1)
    apart = np.where(np.minimum(counts, old) >= _FEWEST_PER_RANK, np.abs(today - before), -1.0)
    place = int(apart.argmax())
    if apart[place] < 0:
        return 1, float(now.mean()), float(then.mean())
    return place, float(today[place]), float(before[place])


def _numbers(scores: pa.Table) -> dict[str, float]:
    rank, score = _arrays(scores)
    first = score[rank == 1]
    return {
        "scores": float(len(score)),
        "score_p05": float(np.quantile(score, 0.05)),
        "score_p50": float(np.quantile(score, 0.5)),
        "score_p95": float(np.quantile(score, 0.95)),
        "score_at_rank_1": float(first.mean()) if len(first) else float("nan"),
    }


def _shared(today: pa.Table, then: pa.Table) -> list[int]:
    ranks = [set(_arrays(one)[0].tolist()) for one in (today, then)]
    return [rank for rank in _DRAWN_RANKS if rank in ranks[0] & ranks[1]]


def _drawn(scores: pa.Table, columns: dict[str, float]) -> pa.Table:
    rank, score = _arrays(scores)
    drawn = {"score": score}
    for name in columns:
        if name != "score":
            drawn[name] = np.where(rank == int(name.rsplit("_", 1)[1]), score, np.nan)
    return pa.table(drawn)


def _arrays(scores: pa.Table) -> tuple[Ints, Floats]:
    return (
        scores["rank"].to_numpy().astype(np.int64),
        scores["score"].to_numpy().astype(np.float64),
    )
