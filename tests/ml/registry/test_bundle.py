"""A bundle proves what it is."""

from pathlib import Path

import pytest

from ml.registry.bundle import BundleError, BundleFacts, verify_bundle, write_bundle

FACTS = BundleFacts("2026-01-01", 7, "0.1.0", {"home": ("a",)}, {"test": ("2025-12-31",)}, {}, {})


def write(folder: Path) -> None:
    (folder / "numbers.npy").write_bytes(b"123")


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
