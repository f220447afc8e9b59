"""A file is replaced whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.files import aside_folder, replace_file, replace_table, replace_text


def test_text_and_tables_come_in_place_with_their_folders(tmp_path: Path) -> None:
    replace_text(tmp_path / "a" / "one.txt", "é")
    replace_table(tmp_path / "b" / "two.parquet", pa.table({"x": [1]}))
    assert (tmp_path / "a" / "one.txt").read_text(encoding="utf-8") == "é"
    assert pq.read_table(tmp_path / "b" / "two.parquet").to_pydict() == {"x": [1]}
    found = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"one.txt", "two.parquet"}


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    def half(aside: Path) -> None:
        aside.write_text("ha")
        raise OSError("no space left")

    replace_text(tmp_path / "one.txt", "old")
    with pytest.raises(OSError, match="no space"):
        replace_file(tmp_path / "one.txt", half)
    assert (tmp_path / "one.txt").read_text() == "old"


def test_what_a_kill_left_aside_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".one.parquet.aside").write_text("half")
    replace_table(tmp_path / "one.parquet", pa.table({"x": [1]}))
    assert [path.name for path in tmp_path.iterdir()] == ["one.parquet"]


def test_a_write_that_fails_leaves_no_half_file_on_a_full_disk(tmp_path: Path) -> None:
    def half(aside: Path) -> None:
        aside.write_text("ha")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        replace_file(tmp_path / "one.txt", half)
    assert list(tmp_path.iterdir()) == []


def test_changed_bytes_of_a_table_are_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    replace_table(path, pa.table({"x": list(range(1000))}))
    content = bytearray(path.read_bytes())
    content[200], content[201] = content[201] ^ 1, content[200]
    path.write_bytes(bytes(content))
    with pytest.raises((OSError, pa.ArrowException)):
        pq.read_table(path, page_checksum_verification=True)


def test_folders_aside_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f".aside-{gone.pid}-half"
    left.mkdir()
    (left / "model.npy").write_text("half")
    of_a_living_one = tmp_path / f".aside-{os.getppid()}-half"
    of_a_living_one.mkdir()
    made = aside_folder(tmp_path)
    assert set(tmp_path.iterdir()) == {made, of_a_living_one}
