"""Judging a training run, and the champion on the same requests.

Belongs here: comparison tables and evidence for the gate. Does not belong here: metric formulas
(ml.evaluation) or the promotion rule (ml.registry.gate).
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.evaluation.metrics import Lists, per_request
from ml.evaluation.table import Row, comparison_rows, to_arrow, to_markdown
from ml.policy.rules import DEFAULT_RULES
from ml.ranking.examples import Examples
from ml.ranking.judging import DEPTH, RANKER, SHOWN, Judged, judge, pool_of
from ml.ranking.order import leader_score, read_choice
from ml.ranking.run import TrainingRun
from ml.ranking.steps import judged_examples, replace_table, states_of, stored_ranker
from ml.ranking.training import label_day
from ml.registry.gate import Evidence, SurfaceEvidence
from ml.serving.recommender import Recommender
from ml.serving.saved import load_recommender
from ml.state.catalogue import Catalogue
from ml.state.read import read_log
from ml.state.requests import Requests


def judged_surfaces(run: TrainingRun, catalogue: Catalogue, threads: int) -> dict[str, Judged]:
    """Every model's lists on the test requests by surface; surfaces nobody asked for are left out."""
    judged: dict[str, Judged] = {}
    for surface, examples in judged_examples(run).items():
        if not len(examples.requests):
            continue
        baselines = pq.read_table(run.baselines(surface))
        rules = DEFAULT_RULES[surface]
        score = _served_score(run, surface, examples, threads)
        judged[surface] = judge(examples, surface, score, rules, catalogue, baselines)
    return judged


def _served_score(
    run: TrainingRun, surface: str, examples: Examples, threads: int
) -> NDArray[np.float32]:
    """The serving order's score of every row: the ranker's, or the leader's."""
    ranker = stored_ranker(run, surface, threads)
    if ranker is not None:
        return ranker.predict(examples.matrix().features)
    pool = pool_of(examples)
    return leader_score(pool.rank, pool.generators, read_choice(run.choice(surface)).leader)


def evaluate(run: TrainingRun, judged: Mapping[str, Judged]) -> list[Row]:
    """The comparison of all models with intervals, stored as Parquet and markdown."""
    rows = [
        row
        for surface, found in judged.items()
        for row in comparison_rows(
            surface, found.lists, found.truth, found.listener, reference=RANKER, seed=run.plan.seed
        )
    ]
    replace_table(run.evaluation / "comparison.parquet", to_arrow(rows))
    (run.evaluation / "comparison.md").write_text(to_markdown(rows))
    return rows


def headline(run: TrainingRun) -> dict[str, float]:
    """The stored means of what serves by `<surface>/<metric>`, for MLflow and the asset."""
    table = pq.read_table(run.evaluation / "comparison.parquet")
    own = table.filter((pc.field("model") == RANKER) & (pc.field("users") > 0))
    return {
        f"{row['surface']}/{row['metric'].replace('@', '_at_')}": row["mean"]
        for row in own.to_pylist()
    }


def _ndcg(lists: Lists, judged: Judged) -> NDArray[np.float64]:
    return per_request(lists, judged.truth, 10)["ndcg"]


def challenger_evidence(
    run: TrainingRun, judged_by: Mapping[str, Judged], version: str
) -> Evidence:
    """The run's own scores per test request, on every surface that somebody asked for."""
    examples = judged_examples(run)
    surfaces = {
        surface: SurfaceEvidence(
            tuple(examples[surface].requests["request_id"].to_pylist()),
            judged.listener,
            _ndcg(judged.lists[SHOWN], judged),
            _ndcg(judged.lists["popularity"], judged),
        )
        for surface, judged in judged_by.items()
    }
    return Evidence(version, run.plan.as_of.isoformat(), surfaces)


def champion_evidence(
    connection: duckdb.DuckDBPyConnection,
    run: TrainingRun,
    judged_by: Mapping[str, Judged],
    bundle: Path,
    as_of: str,
) -> Evidence:
    """The champion's scores on the same test requests, answered with each test day's own state."""
    state_of = states_of(connection)
    final = state_of(run.plan.as_of)
    log = read_log(connection, final)
    champions = {
        day: load_recommender(bundle, bundle.name, state_of(day)) for day in run.plan.days("test")
    }
    surfaces = {}
    for surface, judged in judged_by.items():
        parts, keys, offset = [], [], 0
        for day, champion in champions.items():
            labelled = label_day(surface, "test", run.plan, log, final.user_ids, state_of(day))
            parts += _lists(champion, labelled.requests, offset)
            keys += labelled.requests.request_ids.to_pylist()
            offset += len(labelled.requests)
        request, track, rank = (np.concatenate(column) for column in zip(*parts, strict=True))
        lists = Lists(request, track, rank)
        popularity = _ndcg(judged.lists["popularity"], judged)
        surfaces[surface] = SurfaceEvidence(
            tuple(keys), judged.listener, _ndcg(lists, judged), popularity
        )
    return Evidence(bundle.name, as_of, surfaces)


def _lists(
    champion: Recommender, requests: Requests, offset: int
) -> list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]]:
    """(request, track, rank) of every block of answers, requests renumbered across days."""
    parts, start = [], offset
    for answer in champion.answers(requests, DEPTH):
        shown = answer.shown
        request = (shown.request + start).astype(np.int32)
        parts.append((request, answer.pool.track[shown.row], shown.rank))
        start += len(answer.requests)
    return parts
