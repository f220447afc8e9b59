"""Challenger and champion on the same test requests.

Belongs here: each one's lists on the gate's ground, and the evidence they make. Does not belong here: the
comparison with simpler models (ml.ranking.verdicts), figures (ml.registry.ground) or the promotion rule
(ml.registry.gate).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.evaluation.metrics import Lists, per_request
from ml.policy.rules import DEFAULT_RULES, PolicyRules, apply_rules
from ml.ranking.asked import AskedDay, asked_days
from ml.ranking.examples import Examples, read_examples
from ml.ranking.forest import ForestError
from ml.ranking.judging import DEPTH, pool_of, source_lists, truth_of
from ml.ranking.model import RankerError
from ml.ranking.order import POPULARITY
from ml.ranking.run import TrainingRun
from ml.ranking.served import read_served
from ml.ranking.steps import run_draw, states_of
from ml.ranking.training import StateOf
from ml.registry.evidence import Evidence
from ml.registry.ground import Ground, ModelLists, surface_evidence
from ml.serving.recommender import Recommender
from ml.serving.saved import load_recommender
from ml.state.catalogue import Catalogue
from ml.state.read_log import read_log
from ml.tables import RECOMMENDED_SURFACES


def grounds_of(connection: duckdb.DuckDBPyConnection, run: TrainingRun) -> dict[str, Ground]:
    """The test requests of every surface that somebody asked for, each day with its own state."""
    drawn = run_draw(connection, run)
    state_of = states_of(connection, drawn)
    log = read_log(connection, state_of(run.plan.as_of), drawn)
    return {
        surface: _ground(run, asked_days(surface, run, log, state_of), examples, state_of)
        for surface, examples in stored_tests(run).items()
    }


def _ground(
    run: TrainingRun, days: Sequence[AskedDay], examples: Examples, state_of: StateOf
) -> Ground:
    surface, catalogue = days[0].requests.surface, state_of(run.plan.as_of).catalogue
    truth = truth_of(examples, surface)
    streams, before = np.zeros(catalogue.size), state_of(run.plan.cut("test")).tracks
    streams[: before.rows] = before["streams"]
    return Ground(
        days,
        tuple(key for day in days for key in day.requests.request_ids.to_pylist()),
        examples.requests["listener"].to_numpy(),
        truth,
        per_request(source_lists(examples)[POPULARITY], truth, 10)["ndcg"],
        streams,
        catalogue,
    )


def stored_tests(run: TrainingRun) -> dict[str, Examples]:
    """Test examples of all generators by surface; surfaces that nobody asked for are left out."""
    stored = {one: read_examples(run.examples(one, "test")) for one in RECOMMENDED_SURFACES}
    return {surface: one for surface, one in stored.items() if len(one.requests)}


def _shown(
    pool: Pool, score: NDArray[np.float32], catalogue: Catalogue, rules: PolicyRules
) -> tuple[NDArray[np.int64], Lists]:
    """(rows of the pool, lists) after the rules."""
    shown = apply_rules(pool.request, pool.track, score, catalogue, rules, DEPTH)
    return shown.row, Lists(shown.request, pool.track[shown.row], shown.rank)


def _alone(pool: Pool) -> NDArray[np.bool_]:
    """Whether decayed popularity alone proposed each row."""
    others = [row for row, name in enumerate(pool.generators) if name != POPULARITY]
    proposed = np.count_nonzero(~np.isnan(pool.rank[others]), axis=0)
    return np.asarray(proposed == 0, dtype=np.bool_)


def _fallback(lists: Lists, alone: NDArray[np.bool_], requests: int) -> NDArray[np.float64]:
    """1 where every track of a request's list is proposed by decayed popularity alone, or it has none."""
    other = np.bincount(lists.request, weights=~alone, minlength=requests)
    return np.where(other == 0, 1.0, 0.0)


def lists_of(
    ground: Ground,
    pool: Pool,
    score: NDArray[np.float32],
    rules: PolicyRules,
    catalogue: Catalogue,
) -> ModelLists:
    """A model's lists from scored candidates, float32 (rows), requests numbered as in `ground`."""
    row, shown = _shown(pool, score, catalogue, rules)
    unheard = np.flatnonzero(~ground.heard(pool.request, pool.track, session=True))
    _, fresh = _shown(pool.select(unheard), score[unheard], catalogue, rules)
    fallback = _fallback(shown, _alone(pool)[row], len(ground.listener))
    return ModelLists(shown, fresh, fallback)


def challenger_evidence(
    run: TrainingRun, grounds: Mapping[str, Ground], version: str, threads: int
) -> Evidence:
    """The run's own models on the test requests, as they were fitted before them."""
    surfaces = {}
    for surface, ground in grounds.items():
        found = read_served(run, surface, "test", threads)
        rules = DEFAULT_RULES[surface]
        lists = lists_of(ground, pool_of(found.own), found.score, rules, ground.catalogue)
        surfaces[surface] = surface_evidence(ground, lists)
    return Evidence(version, run.plan.as_of.isoformat(), surfaces)


def champion_evidence(grounds: Mapping[str, Ground], bundle: Path, as_of: str) -> Evidence:
    """The champion's lists on the same test requests, answered with each test day's own state.

    A champion whose ranker wants other features than this version of Segue makes cannot answer: neither
    here nor tomorrow, and its evidence says so.
    """
    surfaces = {}
    champion_on = _champions(bundle)
    try:
        for surface, ground in grounds.items():
            surfaces[surface] = surface_evidence(ground, _answers(surface, ground, champion_on))
    except (RankerError, ForestError) as error:
        return Evidence(bundle.name, as_of, {}, cannot_answer=str(error))
    return Evidence(bundle.name, as_of, surfaces)


def _champions(bundle: Path) -> Callable[[AskedDay], Recommender]:
    """The bundle bound to the state of a test day, once a day."""
    known: dict[str, Recommender] = {}

    def champion_on(day: AskedDay) -> Recommender:
        name = day.state.valid_on.isoformat()
        if name not in known:
            known[name] = load_recommender(bundle, bundle.name, day.state)
        return known[name]

    return champion_on


def _answers(
    surface: str, ground: Ground, champion_on: Callable[[AskedDay], Recommender]
) -> ModelLists:
    """A block of answers at a time: only the lists are kept."""
    shown, fresh = [], []
    fallback = np.ones(len(ground.listener))
    for day in ground.days:
        champion = champion_on(day)
        rules, start = champion.surfaces[surface].rules, day.first
        for answer in champion.answers(day.requests, DEPTH):
            pool = replace(answer.pool, request=(answer.pool.request + start).astype(np.int32))
            lists = lists_of(ground, pool, answer.score, rules, day.state.catalogue)
            block = slice(start, start + len(answer.requests))
            fallback[block] = lists.fallback[block]
            shown.append(lists.shown)
            fresh.append(lists.fresh)
            start += len(answer.requests)
    return ModelLists(_joined(shown), _joined(fresh), fallback)


def _joined(parts: list[Lists]) -> Lists:
    empty = np.zeros(0, dtype=np.int32)
    columns = [
        [empty, *(getattr(one, name) for one in parts)] for name in ("request", "track", "rank")
    ]
    return Lists(*[np.concatenate(column).astype(np.int32) for column in columns])
