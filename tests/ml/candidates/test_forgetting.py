"""The exponent of forgetting is the one that orders best what is streamed again, where that is shown.

Listeners own an old track, streamed n times 32 days ago, and a recent one, streamed once 2 days ago. The
old one is first where n > 16^exponent: n > 4 at .5, n > 9.2 at .8, n > 21 at 1.1.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from ml.candidates.forgetting import chosen_exponent, own_tracks
from ml.candidates.generator import FitInput
from ml.candidates.power_law import EXPONENT, EXPONENTS, mixture_weights, strengths
from ml.candidates.repeat_memory import RepeatMemory
from ml.state.log import Log, day_number
from ml.state.state import State
from ml.tables import HALF_LIVES
from tests.ml.leaks.knowledge import log_of, state_of
from tests.ml.leaks.world import AS_OF, DAY_SECONDS, make_world

OLD, RECENT = 0, 1
TODAY = 20_522
FEW, MANY = 6, 14


def life(*listeners: tuple[int, int], today: int = TODAY, late: bool = False) -> Log:
    """A log of (streams of the old track, track streamed today) of each listener; `late`: the old streams
    became known today."""
    rows = []
    for user, (streams, again) in enumerate(listeners):
        old = (user, OLD, today - 32, today if late else today - 32)
        rows += [old] * streams
        rows.append((user, RECENT, today - 2, today - 2))
        rows.append((user, again, today, today))
    return logged(rows, users=len(listeners), tracks=2)


def logged(rows: list[tuple[int, int, int, int]], *, users: int, tracks: int) -> Log:
    """A log of streams (user, track, day played, day known)."""
    user, track, played, known = np.array(rows, dtype=np.int64).T
    size = len(rows)
    return Log(
        user=user.astype(np.int32),
        track=track.astype(np.int32),
        session=np.arange(size, dtype=np.int32),
        position=np.zeros(size, np.int32),
        played_at=played * DAY_SECONDS,
        known_day=known.astype(np.int32),
        ms_played=np.full(size, 200_000, np.int32),
        is_stream=np.ones(size, np.bool_),
        surface=np.zeros(size, np.int8),
        users=users,
        tracks=tracks,
    )


def test_long_memories_forget_slowly() -> None:
    assert chosen_exponent(life(*[(FEW, OLD)] * 30), 7) == 0.5


def test_short_memories_forget_fast() -> None:
    assert chosen_exponent(life(*[(MANY, RECENT)] * 30), 7) == 1.1


def test_between_the_two_the_usual_exponent_stays() -> None:
    """By .5 the first half's lists are wrong, by 1.1 the second half's."""
    assert chosen_exponent(life(*[(FEW, RECENT), (MANY, OLD)] * 20), 7) == EXPONENT == 0.8


def test_lists_that_are_the_same_by_all_exponents_tell_nothing() -> None:
    assert chosen_exponent(life(*[(1, RECENT)] * 40), 7) == EXPONENT


def test_an_advantage_that_chance_may_have_made_is_none() -> None:
    """By .5 of 60 lists 31 are better and 29 worse; of all 40 that are better none is worse."""
    assert chosen_exponent(life(*[(FEW, OLD)] * 31, *[(FEW, RECENT)] * 29), 7) == EXPONENT
    assert chosen_exponent(life(*[(FEW, OLD)] * 40), 7) == 0.5


def test_a_handful_of_lists_tells_nothing() -> None:
    assert chosen_exponent(life(*[(FEW, OLD)] * 29), 7) == EXPONENT


def test_of_a_listener_alone_more_days_are_asked() -> None:
    """The same every 100 days with two tracks of its own: what lies further back is weaker by any exponent."""
    rows = []
    for time in range(33):
        old, recent, today = 2 * time, 2 * time + 1, TODAY + 100 * time
        rows += [(0, old, today - 32, today - 32)] * FEW
        rows += [(0, recent, today - 2, today - 2), (0, old, today, today)]
    alone = logged(rows, users=1, tracks=66)
    assert chosen_exponent(alone, 7) == 0.5
    assert (
        chosen_exponent(alone.select(alone.played_at >= (TODAY + 400) * DAY_SECONDS), 7) == EXPONENT
    )


def test_a_log_without_listens_tells_nothing() -> None:
    empty = life((FEW, OLD)).select(np.zeros(0, np.int64))
    assert chosen_exponent(empty, 7) == EXPONENT


def test_what_became_known_on_the_day_is_not_its_past() -> None:
    """Played a month ago or not: the old track's streams arrived on the day that is asked."""
    assert chosen_exponent(life(*[(FEW, OLD)] * 30, late=True), 7) == EXPONENT


def test_the_past_that_the_log_tells_is_the_state() -> None:
    world = make_world()
    state = state_of(world, AS_OF)
    everybody = np.arange(len(state.user_ids), dtype=np.int32)
    told = own_tracks(log_of(world, state), everybody, day_number(AS_OF) * DAY_SECONDS)
    for exponent in EXPONENTS:
        found = strengths(told, everybody, exponent)
        wanted = strengths(state.user_tracks, everybody, exponent)
        assert found.indptr.tolist() == wanted.indptr.tolist()
        assert found.column.tolist() == wanted.column.tolist()
        np.testing.assert_allclose(found.value, wanted.value, rtol=1e-5)


def test_the_choice_is_made_before_the_day_it_is_settled_on(
    make_state: Callable[..., State],
) -> None:
    """What comes later, listeners who forget fast, is for the next run."""
    first = life(*[(FEW, OLD)] * 30)
    later = life(*[(MANY, RECENT)] * 120, today=TODAY + 40)
    arrays = {
        name: np.concatenate([getattr(one, name) for one in (first, later)])
        for name in Log.__slots__
        if name not in {"users", "tracks"}
    }
    both = Log(**arrays, users=120, tracks=2)
    state = make_state(120, 2)
    data = FitInput(both, state.catalogue, state, None, state.valid_on, 7)
    settled = date(1970, 1, 1) + timedelta(days=TODAY + 1)
    assert RepeatMemory.fit(data).exponent == 1.1
    assert RepeatMemory.fit(replace(data, settled=settled)).exponent == 0.5
    assert RepeatMemory.fit(replace(data, settled=settled - timedelta(days=1))).exponent == EXPONENT


def test_a_stored_exponent_is_restored() -> None:
    stored = RepeatMemory(1.1).arrays()
    assert RepeatMemory.restore(stored, np.arange(2, dtype=np.int32), 2).exponent == 1.1
    # A bundle of before the choice.
    assert RepeatMemory.restore({}, np.arange(2, dtype=np.int32), 2).exponent == EXPONENT


@pytest.mark.parametrize(("exponent", "error"), [(0.5, 0.28), (0.8, 0.12), (1.1, 0.18)])
def test_the_mixture_is_near_the_law_from_a_day_to_a_year(exponent: float, error: float) -> None:
    age = np.geomspace(1, 365, 500)
    decay = np.power(2.0, -age[:, None] / np.array(HALF_LIVES))
    mixed = decay @ np.array(mixture_weights(exponent))
    assert np.abs(mixed * age**exponent - 1).max() < error
