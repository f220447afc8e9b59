"""A bundle that was changed on disk is whole again once it is built again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ml.registry.bundle import BundleError, BundleFacts, verify_bundle, write_bundle

FACTS = BundleFacts("2026-01-01", 7, "0.1.0", {"home": ("a",)}, {"test": ("2025-12-31",)}, {}, {})


def write(folder: Path) -> None:
    (folder / "numbers.npy").write_bytes(b"123")


def change(bundle: Path) -> None:
    (bundle / "numbers.npy").write_bytes(b"124")


def lose(bundle: Path) -> None:
    (bundle / "numbers.npy").unlink()


def add(bundle: Path) -> None:
    (bundle / "more.npy").write_bytes(b"1")


def cut_the_manifest(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()


@pytest.mark.parametrize("damage", [change, lose, add, cut_the_manifest])
def test_building_it_again_mends_it(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    version = write_bundle(tmp_path, write, FACTS)
    damage(tmp_path / version)
    with pytest.raises(BundleError, match="segue run train"):
        verify_bundle(tmp_path / version)
    assert write_bundle(tmp_path, write, FACTS) == version
    assert list(verify_bundle(tmp_path / version).files) == ["numbers.npy"]


def test_a_whole_bundle_is_left_as_it_is(tmp_path: Path) -> None:
    version = write_bundle(tmp_path, write, FACTS)
    before = (tmp_path / version / "numbers.npy").stat()
    write_bundle(tmp_path, write, FACTS)
    assert (tmp_path / version / "numbers.npy").stat().st_ino == before.st_ino


def test_nothing_is_left_beside_the_bundles(tmp_path: Path) -> None:
    version = write_bundle(tmp_path, write, FACTS)
    change(tmp_path / version)
    write_bundle(tmp_path, write, FACTS)
    assert [path.name for path in tmp_path.iterdir()] == [version]


def test_a_file_that_may_run_code_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    def unsafe(folder: Path) -> None:
        (folder / "model.pkl").write_bytes(b"")

    with pytest.raises(BundleError, match=r"model\.pkl"):
        write_bundle(tmp_path, unsafe, FACTS)
    assert list(tmp_path.iterdir()) == []
