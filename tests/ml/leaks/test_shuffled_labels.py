"""Without a tie between request and label there is nothing to learn but what everybody plays.

The played tracks of each label day are dealt anew among its requests; the same sources, features,
training and judging then end at chance level, which is popularity: it knows how often each track is played.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from ml.evaluation.intervals import Interval, paired_interval
from ml.ranking.examples import Examples
from tests.ml.leaks.trained import PLAN, SPLITS, SURFACES, Judgement, Life, dealt, judged
from tests.ml.leaks.world import make_world


@pytest.fixture(scope="module")
def life() -> Life:
    return Life(make_world())


@pytest.fixture(scope="module")
def shuffled(life: Life) -> dict[str, dict[str, Examples]]:
    """Examples by surface and split with labels dealt anew."""
    return {
        surface: {
            split: life.shuffled(surface, split, seed=100 * number)
            for number, split in enumerate(SPLITS)
        }
        for surface in SURFACES
    }


def gain(found: Judgement) -> Interval:
    """What the ranker has over popularity in NDCG@10, per listener."""
    return paired_interval(found.ndcg["segue"], found.ndcg["popularity"], found.listener, seed=1)


def above_chance(found: Judgement) -> bool:
    """Whether the ranker is shown to be above popularity."""
    return gain(found).low > 0


@pytest.mark.parametrize("surface", SURFACES)
def test_shuffled_labels_give_chance_level(
    surface: str, shuffled: dict[str, dict[str, Examples]]
) -> None:
    found = judged(surface, *shuffled[surface].values())
    assert not above_chance(found), gain(found).text()


@pytest.mark.parametrize("surface", SURFACES)
def test_true_labels_are_far_above_it(surface: str, life: Life) -> None:
    found = judged(surface, *(life.examples(surface, split) for split in SPLITS))
    assert above_chance(found)
    assert gain(found).low > 0.1


def telling(examples: Examples) -> Examples:
    """A fault planted: a feature that holds the label, as one counted through the label window does."""
    told = examples.rows["grade"].to_numpy() > 0
    told = told ^ (np.random.default_rng(3).random(len(told)) < 0.05)
    return replace(examples, rows=examples.rows.append_column("told", pa.array(told, pa.float32())))


@pytest.mark.parametrize("surface", SURFACES)
def test_a_feature_that_holds_the_label_is_above_chance_on_shuffled_labels(
    surface: str, shuffled: dict[str, dict[str, Examples]]
) -> None:
    found = judged(surface, *(telling(one) for one in shuffled[surface].values()))
    assert above_chance(found)


@pytest.mark.parametrize("surface", SURFACES)
def test_dealing_keeps_the_played_tracks_and_moves_most_of_them(surface: str, life: Life) -> None:
    true = life.labelled(surface, "test", PLAN.days("test")[0])
    moved = dealt(true, seed=1)
    assert len(moved.track) > 0.8 * len(true.track)
    assert set(moved.track.tolist()) <= set(true.track.tolist())
    pairs = [
        set(zip(one.request.tolist(), one.track.tolist(), strict=True)) for one in (true, moved)
    ]
    assert len(pairs[0] & pairs[1]) < 0.3 * len(pairs[0])
