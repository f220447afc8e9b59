"""What a generator says alone is what the pool holds of it.

Generators of one fit share arrays, `scipy.sparse` shares arrays between matrices, fitted parts are moved to
later catalogues, and the pool asks deeper than the plan: none of it may change a list.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from ml.candidates.generator import Candidates, Generator
from ml.candidates.merge import Pool, merge
from ml.candidates.plan import PLAN, depths
from ml.candidates.recall import recall_table
from ml.candidates.transitions import Transitions, Walk
from ml.ranking.surface import SurfaceSources
from ml.ranking.training import fit_sources
from ml.state.requests import Requests
from ml.state.state import State
from tests.ml.leaks.trained import PLAN as TRAINING
from tests.ml.leaks.trained import SURFACES, Life
from tests.ml.leaks.world import make_world

CUT, LATER = TRAINING.days("test")
EVERY = [(surface, one) for surface in SURFACES for one, _ in PLAN[surface]]
NAMED = pytest.mark.parametrize(
    ("surface", "generator"), EVERY, ids=[f"{surface}-{one.name}" for surface, one in EVERY]
)


@pytest.fixture(scope="module")
def life() -> Life:
    return Life(make_world())


def asked(life: Life, surface: str) -> Requests:
    """The surface's requests of a later day than the fit's."""
    return life.labelled(surface, "test", LATER).requests


@pytest.fixture(scope="module")
def pools(life: Life) -> dict[str, Pool]:
    """What the pipeline proposes on the later day, sources moved to its catalogue."""
    state = life.state(LATER)
    assert state.catalogue.size > life.state(CUT).catalogue.size
    return {
        surface: life.moved(surface, "test", state).propose(asked(life, surface), state)
        for surface in SURFACES
    }


@pytest.fixture(scope="module")
def shared(life: Life) -> dict[str, Pool]:
    """What is proposed on the day of the fit by generators that still share what they made together, asked
    for the second time."""
    pools = {}
    for surface in SURFACES:
        sources = fit_sources(surface, replace(life.fit_input(CUT), _made={}))
        requests = life.labelled(surface, "test", CUT).requests
        for _ in range(2):
            pools[surface] = sources.propose(requests, life.state(CUT))
    return pools


def alone(life: Life, surface: str, generator: type[Generator]) -> Candidates:
    """The generator fitted by itself, moved by itself, asked by itself, no deeper than its depth."""
    state = life.state(LATER)
    fitted = generator.fit(replace(life.fit_input(CUT), _made={}))
    position = np.arange(life.state(CUT).catalogue.size, dtype=np.int32)
    moved = generator.restore(fitted.arrays(), position, state.catalogue.size)
    return moved.generate(asked(life, surface), state, depths(surface)[generator.name])


def rows_of(pool: Pool, surface: str, name: str) -> pa.Table:
    """(request, track, rank, score) that the pool holds of a generator, within its depth."""
    row = pool.generators.index(name)
    kept = np.flatnonzero(pool.rank[row] <= depths(surface)[name])
    return pa.table(
        {
            "request": pool.request[kept],
            "track": pool.track[kept],
            "rank": pool.rank[row, kept].astype(np.int32),
            "score": pool.score[row, kept],
        }
    ).sort_by([("request", "ascending"), ("rank", "ascending")])


def assert_reproduced(pool: Pool, surface: str, name: str, found: Candidates) -> None:
    """Same tracks in the same places, scores to the bit."""
    columns = {field: getattr(found, field) for field in ("request", "track", "rank", "score")}
    assert len(found.request) > 0
    assert rows_of(pool, surface, name).equals(pa.table(columns))


@NAMED
def test_the_pool_holds_each_generators_own_list(
    surface: str, generator: type[Generator], life: Life, pools: dict[str, Pool]
) -> None:
    found = alone(life, surface, generator)
    assert_reproduced(pools[surface], surface, generator.name, found)


@NAMED
def test_what_generators_share_stays_as_it_was(
    surface: str, generator: type[Generator], life: Life, shared: dict[str, Pool]
) -> None:
    fitted = generator.fit(replace(life.fit_input(CUT), _made={}))
    requests = life.labelled(surface, "test", CUT).requests
    found = fitted.generate(requests, life.state(CUT), depths(surface)[generator.name])
    assert_reproduced(shared[surface], surface, generator.name, found)


class Careless(Transitions):
    """A fault planted: a generator that thins out a matrix which it shares with the others."""

    name = "careless"

    def generate(self, requests: Requests, state: State, k: int) -> Candidates:
        """As the transitions, from a matrix without its weak half."""
        self.relation.data[self.relation.data < np.median(self.relation.data)] = 0.0
        self.relation.eliminate_zeros()
        return super().generate(requests, state, k)


def test_a_generator_that_changes_what_it_shares_is_caught(life: Life) -> None:
    state = life.state(CUT)
    requests = life.labelled("now_playing", "test", CUT).requests
    data = replace(life.fit_input(CUT), _made={})
    generators = {"transitions": Careless.fit(data), "walk": Walk.fit(data)}
    pool = SurfaceSources("now_playing", generators, None).propose(requests, state)
    honest = Walk.fit(replace(data, _made={}))
    found = honest.generate(requests, state, depths("now_playing")["walk"])
    with pytest.raises(AssertionError):
        assert_reproduced(pool, "now_playing", "walk", found)


def test_a_score_changed_on_the_way_is_caught(life: Life, pools: dict[str, Pool]) -> None:
    pool = pools["home"]
    found = alone(life, "home", PLAN["home"][0][0])
    bent = replace(pool, score=pool.score * np.float32(1.000001))
    with pytest.raises(AssertionError):
        assert_reproduced(bent, "home", pool.generators[0], found)


def test_how_well_a_generator_does_alone_is_what_its_list_scores() -> None:
    """Two requests, lists of tracks 5 6 and 7 8; the first played 6 and 9, the second 7: NDCG is
    (1 / log2(3)) / (1 + 1 / log2(3)) and 1, precision at 20 is 1 / 20 in both."""
    listed = Candidates(
        np.array([0, 0, 1, 1], np.int32),
        np.array([5, 6, 7, 8], np.int32),
        np.array([2, 1, 2, 1], np.float32),
        np.array([1, 2, 1, 2], np.int32),
    )
    pool = merge({"alone": listed}, {"alone": 2})
    played = (np.array([0, 0, 1], np.int32), np.array([6, 9, 7], np.int32))
    row, union = recall_table(pool, *played, requests=2, most={"alone": 2}).to_pylist()
    second = 1 / np.log2(3)
    assert row["ndcg@10"] == pytest.approx((second / (1 + second) + 1) / 2)
    assert row["precision@20"] == pytest.approx(1 / 20)
    assert row["recall"] == row["marginal"] == pytest.approx(0.75)
    assert union["ndcg@10"] is None


def test_without_a_played_track_nothing_can_be_said() -> None:
    nothing = np.zeros(0, np.int32)
    listed = Candidates(nothing, nothing, np.zeros(0, np.float32), nothing)
    pool = merge({"alone": listed}, {"alone": 2})
    row, _ = recall_table(pool, nothing, nothing, requests=2, most={"alone": 2}).to_pylist()
    assert np.isnan(row["ndcg@10"])
    assert np.isnan(row["recall"])
