"""What becomes known at or after a cut changes nothing that was fitted, proposed or labelled before it.

The counterpart of tests/dbt/test_nothing_leaks.py for arrays: that one rewrites the warehouse.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from ml.candidates.generator import FitInput, Generator
from ml.candidates.plan import PLAN as GENERATORS
from ml.candidates.plan import depths
from ml.ranking.examples import Examples
from ml.ranking.training import fit_sources
from ml.state.log import day_number
from ml.state.requests import Requests
from tests.ml.leaks.trained import PLAN, SURFACES, Life, uncut
from tests.ml.leaks.world import DAY_SECONDS, Friendships, Profiles, World, make_world

CUT = PLAN.cut("test")
EVERY = [(surface, one) for surface in SURFACES for one, _ in GENERATORS[surface]]
NAMED = pytest.mark.parametrize(
    ("surface", "generator"), EVERY, ids=[f"{surface}-{one.name}" for surface, one in EVERY]
)


def rewritten(world: World) -> World:
    """Every listen known from the cut on: other listener, track, length and session, a third of them
    played the day before; every track known from the cut on: other name, artist, genre and text; every
    friendship known from then on: another friend; every move from then on: to another country."""
    draw = np.random.default_rng(11)
    listens, tracks, cut = world.listens, world.tracks, day_number(CUT)
    later, new = listens.known_day >= cut, tracks.known_day >= cut
    size, old = int(later.sum()), np.flatnonzero(~new)
    values = {
        "user_id": draw.choice(np.append(np.unique(listens.user_id), "stranger"), size),
        "track_id": tracks.track_id[draw.choice(old, size)],
        "session": listens.session.max() + 1 + np.arange(size) // 3,
        "played_at": listens.played_at[later] - (draw.random(size) < 0.3) * DAY_SECONDS,
        "ms": draw.choice([5_000, 12_000, 200_000], size),
    }
    changed = {}
    for name, value in values.items():
        column = getattr(listens, name).astype(np.asarray(value).dtype)
        column[later] = value
        changed[name] = column
    vector, genre, artist = tracks.vector.copy(), tracks.genre.copy(), tracks.artist_id.copy()
    vector[new], genre[new], artist[new] = vector[::-1][new], (genre[new] + 1) % 3, "a000"
    names = np.where(new, np.char.add(tracks.track_id, "-other"), tracks.track_id)
    return World(
        replace(listens, **changed),
        replace(tracks, track_id=names, vector=vector, genre=genre, artist_id=artist),
        _other_friends(world.friendships, cut),
        _other_countries(world.profiles, cut),
    )


def _other_friends(friends: Friendships, cut: int) -> Friendships:
    later = friends.known_day >= cut
    friend = np.where(later, np.roll(friends.friend_id, 40), friends.friend_id)
    return replace(friends, friend_id=friend)


def _other_countries(profiles: Profiles, cut: int) -> Profiles:
    country = np.where(profiles.known_day >= cut, "XX", profiles.country)
    return replace(profiles, country=country)


@pytest.fixture(scope="module")
def life() -> Life:
    return Life(make_world())


@pytest.fixture(scope="module")
def other() -> Life:
    """The same life until the cut, and another one from then on."""
    return Life(rewritten(make_world()))


def assert_same_arrays(left: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> None:
    """Whole numbers exactly, floats to 1e-9."""
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_allclose(right[name], array, rtol=0, atol=1e-9, err_msg=name)


def test_the_other_life_is_another_one(life: Life, other: Life) -> None:
    """Else nothing here could fail."""
    before, after = life.log.before(CUT), life.log
    assert len(before) < len(after) == len(other.log)
    assert other.state(PLAN.as_of).catalogue.track_ids != life.state(PLAN.as_of).catalogue.track_ids
    assert "stranger" in other.state(PLAN.as_of).user_ids.to_pylist()


@NAMED
def test_no_fitted_array_changes(
    surface: str, generator: type[Generator], life: Life, other: Life
) -> None:
    name = generator.name
    assert_same_arrays(
        *(one.sources(surface, "test").generators[name].arrays() for one in (life, other))
    )


def answers(
    surface: str, generator: type[Generator], data: FitInput, asked: Requests
) -> Mapping[str, np.ndarray]:
    """The lists of a generator fitted from `data` and asked with the state of the same day."""
    fitted = generator.fit(replace(data, _made={}))
    found = fitted.generate(asked, data.state, depths(surface)[generator.name])
    assert len(found.request) > 0
    return {name: getattr(found, name) for name in ("request", "track", "rank", "score")}


@NAMED
def test_no_candidate_changes(
    surface: str, generator: type[Generator], life: Life, other: Life
) -> None:
    asked = life.labelled(surface, "test", CUT).requests
    assert_same_arrays(
        *(answers(surface, generator, one.fit_input(CUT), asked) for one in (life, other))
    )


@NAMED
def test_a_generator_that_sees_more_than_the_past_is_caught(
    surface: str, generator: type[Generator], life: Life, other: Life
) -> None:
    """The fault planted: log and state are those of the last day."""
    asked = life.labelled(surface, "test", CUT).requests
    with pytest.raises(AssertionError):
        assert_same_arrays(
            *(
                answers(surface, generator, one.fit_input(PLAN.as_of), asked)
                for one in (life, other)
            )
        )


def is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def assert_same_examples(left: Examples, right: Examples) -> None:
    """Every row, request and truth is the same."""
    for name in ("rows", "requests", "truth"):
        tables = [getattr(one, name) for one in (left, right)]
        assert tables[0].schema == tables[1].schema
        assert tables[0].num_rows == tables[1].num_rows > 0
        text = [field.name for field in tables[0].schema if not is_number(field.type)]
        assert tables[0].select(text) == tables[1].select(text)
        numbers = [table.drop_columns(text) for table in tables]
        assert_same_arrays(*({c: one[c].to_numpy() for c in one.column_names} for one in numbers))


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("surface", SURFACES)
def test_no_example_of_an_earlier_label_day_changes(
    surface: str, split: str, life: Life, other: Life
) -> None:
    assert_same_examples(*(one.examples(surface, split) for one in (life, other)))


@pytest.mark.parametrize("surface", SURFACES)
def test_examples_whose_sources_saw_the_label_days_are_caught(
    surface: str, life: Life, other: Life
) -> None:
    """The fault planted: the log is not cut before the generators of the training days are fitted."""
    pair = [Life(one.world) for one in (life, other)]
    for one in pair:
        data = one.fit_input(PLAN.cut("train"))
        one._sources[surface, "train"] = fit_sources(surface, uncut(data, one.log))
    with pytest.raises(AssertionError):
        assert_same_examples(*(one.examples(surface, "train") for one in pair))
