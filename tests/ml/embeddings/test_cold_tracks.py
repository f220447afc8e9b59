"""Text finds company for tracks nobody has heard: hand-made cases, the simulator and real data."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from ml.embeddings.cold import ColdRecall, closest_co_listens, cold_recall, hold_out
from ml.embeddings.encoder import EncoderConfig

BENCH = Path(__file__).resolve().parents[2] / "benchmarks" / "bench_embeddings.py"


@pytest.fixture(scope="module")
def bench():
    """The bench's readers: the test and the printed table judge the same thing."""
    spec = importlib.util.spec_from_file_location("bench_embeddings", BENCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Track 0 is cold and points at tracks 1 and 2; track 3 is the hit; track 4 is cold without listens.
VECTORS = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [1, 0]], dtype=np.float32)
COLD = np.array([True, False, False, False, True])
PLAYS = np.array([0, 1, 4, 100, 0])


def test_plain_recall_counts_the_tracks_found():
    pairs = np.array([[0, 1], [0, 3], [1, 2]], dtype=np.int32)
    recall = cold_recall(VECTORS, pairs, COLD, PLAYS, k=1, discount=0)
    assert recall == ColdRecall(text=0.5, popularity=0.5, tracks=1, k=1)


def test_a_hit_weighs_less_when_discounted():
    # Weights 1 / sqrt(plays): 1 for track 1, 1/2 for track 2, 1/10 for track 3.
    pairs = np.array([[0, 1], [0, 2], [0, 3]], dtype=np.int32)
    recall = cold_recall(VECTORS, pairs, COLD, PLAYS, k=1)
    assert recall.text == pytest.approx(1 / 1.6)
    assert recall.popularity == pytest.approx(0.1 / 1.6)
    assert recall.ratio == pytest.approx(10)


def test_pairs_count_in_both_directions_and_never_between_cold_tracks():
    pairs = np.array([[0, 4], [2, 4]], dtype=np.int32)
    recall = cold_recall(VECTORS, pairs, COLD, PLAYS, k=2, discount=0)
    assert recall == ColdRecall(text=1.0, popularity=1.0, tracks=1, k=2)


def test_the_closest_co_listens_are_those_of_the_highest_cosine():
    """Sessions 0 3, 0 1 3, 3, 2: cos(0, 3) = 2 / sqrt(2 * 3) = .816, cos(0, 1) = 1 / sqrt(2 * 1) = .707."""
    session = np.array([0, 0, 1, 1, 1, 2, 3, 4], np.int32)
    track = np.array([0, 3, 0, 1, 3, 3, 2, -1], np.int32)
    found = closest_co_listens(session, track, COLD, most=1)
    assert found.tolist() == [[0, 3]]
    both = closest_co_listens(session, track, COLD, most=5)
    assert both.tolist() == [[0, 3], [0, 1]]


def test_a_hit_heard_beside_everything_is_not_the_closest():
    """Track 3 shares one of its four sessions with 0, track 1 its only one."""
    session = np.array([0, 0, 0, 1, 2, 3], np.int32)
    track = np.array([0, 1, 3, 3, 3, 3], np.int32)
    assert closest_co_listens(session, track, COLD, most=1).tolist() == [[0, 1]]


def test_the_share_asked_for_is_held_out():
    cold = hold_out(1000, share=0.1, seed=3)
    assert cold.sum() == 100
    assert cold.tolist() == hold_out(1000, share=0.1, seed=3).tolist()
    assert cold.tolist() != hold_out(1000, share=0.1, seed=4).tolist()


def test_text_beats_popularity_threefold_on_cold_tracks_of_the_simulator(bench):
    recalls = bench.judged(bench.simulated(600, 4_000, 12), 60_000, EncoderConfig())
    assert recalls["discounted"].tracks > 100
    assert recalls["closest 10"].ratio >= 3, recalls
    assert recalls["discounted"].ratio >= 3, recalls
    assert recalls["plain"].ratio > 1, recalls


def test_text_beats_popularity_threefold_on_cold_artists_of_hetrec(bench, shared_data):
    folder = shared_data / "hetrec2011-lastfm-2k"
    if not folder.is_dir():
        pytest.skip("hetrec2011-lastfm-2k is not beside this checkout")
    recalls = bench.judged(bench.hetrec(folder), 60_000, EncoderConfig())
    assert recalls["discounted"].tracks > 1_000
    assert recalls["closest 10"].ratio >= 3, recalls
    assert recalls["discounted"].ratio >= 3, recalls
