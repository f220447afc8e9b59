"""The rules look at the best few rows first, and at all where those do not fill a list."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.policy.one_list import one_list
from ml.policy.rules import PolicyRules, apply_rules
from ml.serving import recommender as module
from ml.state.state import State

TRACKS, K = 200, 5


def pooled(*lengths: int) -> Pool:
    request = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    track = np.concatenate([np.arange(length, dtype=np.int32) for length in lengths])
    none = np.zeros((0, len(track)), np.float32)
    return Pool(request, track, (), none, none)


def looks(
    monkeypatch: pytest.MonkeyPatch,
    state: State,
    pool: Pool,
    score: NDArray[np.float32],
    rules: PolicyRules,
) -> list[int]:
    """How many rows the rules saw at each look; the list is checked against that of all rows."""
    seen = []

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def rules_of(first: NDArray[np.int32], *others: object) -> object:
            seen.append(len(first))
            return real(first, *others)

        return rules_of

    for one in (apply_rules, one_list):
        monkeypatch.setattr(module, one.__name__, counted(one))
    size = int(pool.request[-1]) + 1
    found = module._shown(size, pool, score, state, rules, K)
    wanted = apply_rules(pool.request, pool.track, score, state.catalogue, rules, K)
    for name in ("row", "request", "rank"):
        left, right = getattr(found, name), getattr(wanted, name)
        np.testing.assert_array_equal(left, right, strict=True)
    return seen


@pytest.fixture
def state(make_state: Callable[..., State]) -> State:
    return make_state(1, TRACKS, {})


@pytest.mark.parametrize("lengths", [(TRACKS,), (TRACKS, 3, 150)])
def test_few_rows_are_enough_where_they_fill_every_list(
    monkeypatch: pytest.MonkeyPatch, state: State, lengths: tuple[int, ...]
) -> None:
    pool = pooled(*lengths)
    # Steps of a tenth: several rows share the score that bounds the few.
    score = np.random.default_rng(1).integers(0, 40, len(pool.track)).astype(np.float32) / 10
    seen = looks(monkeypatch, state, pool, score, PolicyRules())
    assert len(seen) == 1
    assert seen[0] < len(pool.track) / 2


@pytest.mark.parametrize("lengths", [(TRACKS,), (TRACKS, 3, 150)])
def test_all_rows_are_looked_at_where_the_best_are_of_one_artist(
    monkeypatch: pytest.MonkeyPatch, state: State, lengths: tuple[int, ...]
) -> None:
    pool = pooled(*lengths)
    artist = state.catalogue.artist[pool.track]
    score = np.where(artist == artist[0], 1.0, 0.5).astype(np.float32)
    score += np.arange(len(score), dtype=np.float32) / 10_000
    state.catalogue.artist[: TRACKS // 2] = artist[0]
    score[: TRACKS // 2] += 1
    seen = looks(monkeypatch, state, pool, score, PolicyRules(artist_cap=2))
    assert seen[1:] == [len(pool.track)]


def test_an_artist_that_is_blocked_is_never_shown(state: State) -> None:
    pool = pooled(TRACKS)
    score = np.arange(TRACKS, dtype=np.float32)
    first = state.catalogue.artist[TRACKS - 1]
    rules = PolicyRules(blocked_artists=(state.catalogue.artist_ids[int(first)].as_py(),))
    found = module._shown(1, pool, score, state, rules, K)
    assert len(found.row) == K
    assert first not in state.catalogue.artist[pool.track[found.row]]
