"""Every track competes, and ties count against the model."""

import numpy as np

from ml.evaluation.metrics import Truth, per_request
from ml.evaluation.ordering import ranked, ranked_catalogue

I32 = np.int32


def truth(requests: int, *rows: tuple[int, int]) -> Truth:
    """(request, track) a row."""
    request, track = np.array(rows, I32).reshape(-1, 2).T
    return Truth(request, track, np.ones(len(request), np.int8), requests)


def test_a_model_that_scores_all_tracks_alike_finds_nothing() -> None:
    wanted = truth(2, (0, 0), (1, 1))
    shown = ranked_catalogue(np.zeros((2, 50)), wanted, 10)
    assert per_request(shown, wanted, 10)["hit_rate"].tolist() == [0.0, 0.0]


def test_a_relevant_track_stands_behind_those_it_is_tied_with_and_before_the_rest() -> None:
    wanted = truth(1, (0, 1))
    score = np.array([[0.2, 0.5, 0.5, 0.9, 0.5]])
    assert ranked_catalogue(score, wanted, 5).track.tolist() == [3, 2, 4, 1, 0]


def test_the_last_place_goes_to_a_tied_track_nobody_wants() -> None:
    wanted = truth(1, (0, 0))
    shown = ranked_catalogue(np.array([[0.5, 0.5, 0.9]]), wanted, 2)
    assert shown.track.tolist() == [2, 1]


def test_tracks_without_a_score_are_not_listed() -> None:
    wanted = truth(1, (0, 0))
    shown = ranked_catalogue(np.array([[np.nan, 0.1, np.nan]]), wanted, 2)
    assert shown.track.tolist() == [1]
    assert per_request(shown, wanted, 2)["recall"].tolist() == [0.0]


def test_blocks_of_requests_give_the_lists_of_all_requests() -> None:
    generator = np.random.default_rng(3)
    score = generator.integers(0, 6, size=(7, 40)).astype(float)
    wanted = truth(7, *[(request, int(generator.integers(0, 40))) for request in range(7)])
    whole = ranked_catalogue(score, wanted, 10)
    blocks = [
        ranked_catalogue(score[start : start + 3], wanted, 10, first=start) for start in (0, 3, 6)
    ]
    assert np.concatenate([block.track for block in blocks]).tolist() == whole.track.tolist()
    assert np.concatenate([block.request for block in blocks]).tolist() == whole.request.tolist()


def test_the_catalogue_is_ranked_as_its_rows_are() -> None:
    generator = np.random.default_rng(4)
    score = generator.integers(0, 6, size=(7, 40)).astype(float)
    wanted = truth(7, *[(request, int(generator.integers(0, 40))) for request in range(7)])
    request, track = (index.astype(I32) for index in np.indices(score.shape).reshape(2, -1))
    shuffled = generator.permutation(score.size)
    rows = ranked(request[shuffled], track[shuffled], score.ravel()[shuffled], wanted, 10)
    assert rows.track.tolist() == ranked_catalogue(score, wanted, 10).track.tolist()
