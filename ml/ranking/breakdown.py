"""The judged lists taken apart: slices, new tracks only, beyond accuracy, day by day.

Belongs here: which models, slices and parts of a surface's test are looked at. Does not belong here:
formulas (ml.evaluation) or the comparison of everything on everything (ml.ranking.verdicts).
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.evaluation.intervals import Interval, mean_interval, paired_interval
from ml.evaluation.metrics import Lists, per_request
from ml.evaluation.sliced import slice_advantages, slice_rows
from ml.evaluation.slices import (
    Slices,
    history_lengths,
    popularity_tiers,
    repeat_and_explore,
    times_of_day,
)
from ml.evaluation.summary import beyond_table
from ml.policy.rules import PolicyRules
from ml.ranking.contexts import Context
from ml.ranking.examples import Examples
from ml.ranking.judging import (
    RANKER,
    SHOWN,
    Judged,
    ordered,
    ruled,
    source_lists,
    source_names,
    truth_of,
)
from ml.ranking.order import POPULARITY
from ml.ranking.run import TrainingRun
from ml.ranking.served import Served
from ml.state.catalogue import Catalogue

# Holm reaches .05 among up to a hundred slices and models (ml.evaluation.comparisons.p_values).
_RESAMPLES = 4_000
_ORIGINS = pa.schema(
    [
        ("split", pa.string()),
        ("fitted_before", pa.date32()),
        ("day", pa.date32()),
        ("model", pa.string()),
        *((name, pa.float64()) for name in ("mean", "low", "high")),
        ("users", pa.int64()),
        *((f"advantage{end}", pa.float64()) for end in ("", "_low", "_high")),
    ]
)


def principal(lists: Mapping[str, Lists], leader: str) -> dict[str, Lists]:
    """What is looked at closely: shown, the order before the rules, the best single generator (chosen on
    validation) and decayed popularity."""
    names = dict.fromkeys((RANKER, SHOWN, leader, POPULARITY))
    return {name: lists[name] for name in names if name in lists}


def families_of(judged: Judged, context: Context) -> list[Slices]:
    """The slices of a surface's truth. A family that puts all requests into one slice says nothing and is
    left out: Home asks at midnight."""
    truth = judged.truth
    heard = context.heard(truth.request, truth.track)
    families = [
        popularity_tiers(truth, context.around.streams),
        history_lengths(truth, context.streams.astype(np.int64)),
        times_of_day(truth, context.at),
        repeat_and_explore(heard),
    ]
    return [one for one in families if len(np.unique(one.code)) > 1]


def sliced_tables(
    judged: Judged, context: Context, leader: str, seed: int
) -> tuple[pa.Table, pa.Table]:
    """Figures of the principal models by slice, and the advantage of RANKER over the others there."""
    lists, families = principal(judged.lists, leader), families_of(judged, context)
    shown = slice_rows(lists, judged.truth, judged.listener, families, seed=seed)
    advantages = slice_advantages(
        lists,
        judged.truth,
        judged.listener,
        families,
        reference=RANKER,
        seed=seed,
        resamples=_RESAMPLES,
    )
    return shown, advantages


def beyond_of(judged: Judged, context: Context, leader: str, seed: int) -> pa.Table:
    """The principal models beyond accuracy, at the depth in which lists are judged."""
    lists = principal(judged.lists, leader)
    heard = {name: context.heard(one.request, one.track) for name, one in lists.items()}
    truth = judged.truth
    wanted = context.heard(truth.request, truth.track)
    return beyond_table(
        lists,
        heard,
        wanted,
        truth,
        judged.listener,
        context.around,
        simple=POPULARITY,
        seed=seed,
    )


def discovery(
    served: Served, surface: str, context: Context, rules: PolicyRules, catalogue: Catalogue
) -> Judged:
    """Lists and truth of tracks that the listener had never played before the request's day.

    Heard candidates leave before anything is ordered; ranks of a generator close up. `segue recommend
    --exclude-heard` also looks deeper (DISCOVERY_REACH), so its lists are rather better than these. Baselines that are no source have no longer lists to take from and are
    left out.
    """
    part, new = _unheard(served.examples, context)
    own = part
    if served.own is not served.examples:
        own, new = _unheard(served.own, context)
    score = served.score[new]
    lists = {
        RANKER: ordered(own, score),
        SHOWN: ruled(own, score, rules, catalogue),
        **{name: _own_order(part, name) for name in source_names(part)},
    }
    return Judged(lists, truth_of(part, surface), part.requests["listener"].to_numpy())


def _unheard(examples: Examples, context: Context) -> tuple[Examples, NDArray[np.bool_]]:
    """Examples of tracks new to the listener, with ranks as their only features, and the rows kept."""
    names = [f"source_{name}_rank" for name in source_names(examples)]
    rows, truth = examples.rows.select(["request", "track", *names]), examples.truth
    new = ~context.heard(rows["request"].to_numpy(), rows["track"].to_numpy())
    wanted = ~context.heard(truth["request"].to_numpy(), truth["track"].to_numpy())
    part = Examples(rows.filter(pa.array(new)), examples.requests, truth.filter(pa.array(wanted)))
    return part, new


def _own_order(part: Examples, source: str) -> Lists:
    """The best of what a generator proposed among the candidates left, in its own order."""
    rank = part.rows[f"source_{source}_rank"].to_numpy()
    listed = ~np.isnan(rank)
    rows = part.rows.select(["request", "track"]).filter(pa.array(listed))
    return ordered(Examples(rows, part.requests, part.truth), -rank[listed])


def origin_table(run: TrainingRun, split: str, served: Served, surface: str) -> pa.Table:
    """NDCG@10 of each label day of `split` by model: one origin a day, its models fitted at the split's cut.

    Columns: split, fitted_before (the cut), day, model; mean, low, high, users; advantage of RANKER
    over the model, paired by listener, with its bounds (nan for RANKER).
    """
    examples, leader = served.examples, served.choice.leader
    lists = {RANKER: ordered(served.own, served.score)} | source_lists(examples)
    truth, listener = truth_of(examples, surface), examples.requests["listener"].to_numpy()
    values = {
        name: per_request(one, truth, 10)["ndcg"] for name, one in principal(lists, leader).items()
    }
    day = examples.requests["day"].combine_chunks()
    rows: list[dict[str, object]] = []
    for one in run.plan.days(split):
        row = np.asarray(pc.equal(day, pa.scalar(one)))
        keys = {"split": split, "fitted_before": run.plan.cut(split), "day": one}
        for name, of in values.items():
            figures = _figures(of[row], values[RANKER][row], listener[row], run.plan.seed, name)
            rows.append({**keys, "model": name, **figures})
    return pa.Table.from_pylist(rows, schema=_ORIGINS)


def _figures(
    values: NDArray[np.float64],
    own: NDArray[np.float64],
    listener: NDArray[np.int32],
    seed: int,
    model: str,
) -> dict[str, object]:
    found = mean_interval(values, listener, seed=seed)
    gap = Interval(float("nan"), float("nan"), float("nan"), 0)
    if model != RANKER:
        gap = paired_interval(own, values, listener, seed=seed)
    return {
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "users": found.users,
        "advantage": gap.mean,
        "advantage_low": gap.low,
        "advantage_high": gap.high,
    }
