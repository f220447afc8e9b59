"""A bundle proves what it is; the gate says why."""

from pathlib import Path

import numpy as np
import pytest

from ml.registry.bundle import BundleError, BundleFacts, verify_bundle, write_bundle
from ml.registry.gate import Evidence, GatePolicy, SurfaceEvidence, decide

FACTS = BundleFacts("2026-01-01", 7, "0.1.0", {"home": ("a",)}, {"test": ("2025-12-31",)}, {}, {})


def write(folder: Path) -> None:
    (folder / "numbers.npy").write_bytes(b"123")


def evidence(version: str, ndcg: float, popularity: float, as_of: str = "2026-01-01") -> Evidence:
    users = 40
    scores = SurfaceEvidence(
        tuple(f"r{i}" for i in range(users)),
        np.arange(users, dtype=np.int32),
        np.full(users, ndcg),
        np.full(users, popularity),
    )
    return Evidence(version, as_of, {"home": scores})


def test_the_same_content_has_the_same_version(tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "a", write, FACTS)
    assert write_bundle(tmp_path / "b", write, FACTS) == first
    assert verify_bundle(tmp_path / "a" / first).version == first


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    version = write_bundle(tmp_path, write, FACTS)
    (tmp_path / version / "numbers.npy").write_bytes(b"124")
    with pytest.raises(BundleError, match=r"numbers\.npy"):
        verify_bundle(tmp_path / version)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    version = write_bundle(tmp_path, write, FACTS)
    (tmp_path / version / "numbers.npy").unlink()
    with pytest.raises(BundleError):
        verify_bundle(tmp_path / version)


def test_an_edited_manifest_is_refused(tmp_path: Path) -> None:
    version = write_bundle(tmp_path, write, FACTS)
    manifest = tmp_path / version / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 7', '"seed": 8'))
    with pytest.raises(BundleError):
        verify_bundle(tmp_path / version)


def test_a_first_model_that_beats_popularity_is_promoted() -> None:
    assert decide(evidence("new", 0.5, 0.1), None, GatePolicy(), "2025-12-30").promote


def test_a_first_model_that_loses_to_popularity_is_not() -> None:
    assert not decide(evidence("new", 0.1, 0.5), None, GatePolicy(), "2025-12-30").promote


def test_a_better_challenger_replaces_the_champion() -> None:
    old = evidence("old", 0.4, 0.1, "2025-12-01")
    assert decide(evidence("new", 0.5, 0.1), old, GatePolicy(), "2025-12-30").promote


def test_a_worse_challenger_leaves_the_champion() -> None:
    old = evidence("old", 0.5, 0.1, "2025-12-01")
    assert not decide(evidence("new", 0.4, 0.1), old, GatePolicy(), "2025-12-30").promote


def test_a_champion_that_saw_the_test_days_stays() -> None:
    old = evidence("old", 0.1, 0.1, "2026-01-01")
    decision = decide(evidence("new", 0.5, 0.1), old, GatePolicy(), "2025-12-30")
    assert not decision.promote
    assert "has not seen" in decision.to_markdown()
