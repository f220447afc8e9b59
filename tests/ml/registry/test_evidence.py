"""Evidence survives its file, so that a decision can be taken again."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ml.registry.evidence import Evidence, Invariant, read_evidence, write_evidence
from tests.ml.registry.scores import decided, model, scores, with_measure, with_slice


def test_evidence_is_read_as_it_was_written(tmp_path: Path) -> None:
    home = with_measure(
        with_slice(scores([0.5, np.nan]), "new_only", [0.1, np.nan]), "novelty", 8.0
    )
    home = replace(home, totals={"coverage": 0.25, "gini": 0.5})
    stored = replace(
        model("new", home=home, now_playing=scores(0.3)),
        invariants={"no_track_twice": Invariant(False, "3 of 9 lists hold one twice")},
    )
    write_evidence(tmp_path / "a.parquet", stored)
    found = read_evidence(tmp_path / "a.parquet")
    assert (found.version, found.as_of, found.cannot_answer) == ("new", "2025-12-01", "")
    assert found.invariants == stored.invariants
    assert found.surfaces.keys() == stored.surfaces.keys()
    again = found.surfaces["home"]
    assert again.request_keys == home.request_keys
    np.testing.assert_array_equal(again.ndcg, home.ndcg)
    np.testing.assert_array_equal(again.slices["new_only"], home.slices["new_only"])
    np.testing.assert_array_equal(again.measures["novelty"], home.measures["novelty"])
    assert again.totals == {"coverage": 0.25, "gini": 0.5}


def test_a_decision_can_be_taken_again_from_the_files(tmp_path: Path) -> None:
    theirs = with_measure(scores(0.5), "novelty", 8.0)
    pair = model("new", home=with_measure(scores(0.6), "novelty", 7.0)), model("old", home=theirs)
    for evidence in pair:
        write_evidence(tmp_path / f"{evidence.version}.parquet", evidence)
    again = decided(*(read_evidence(tmp_path / f"{name}.parquet") for name in ("new", "old")))
    assert again == decided(*pair)
    assert not again.promote


def test_a_champion_without_answers_has_a_file_too(tmp_path: Path) -> None:
    mute = Evidence("old", "2025-12-01", {}, cannot_answer="expected 80 features")
    write_evidence(tmp_path / "a.parquet", mute)
    assert read_evidence(tmp_path / "a.parquet") == mute
